"""Sets the clock of a process ahead, with a library that is compiled here and preloaded.

libfaketime is not used: with its version 0.9.10, and depending on its settings, Python 3.11 waits for a lock for ever,
or fails when it sleeps.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("ahead.c")


def compiler() -> str | None:
    """Return the path of the C compiler, or None."""
    return shutil.which("cc")


def ahead(seconds: int, folder: Path) -> dict[str, str]:
    """Return the environment of a process whose clock is ahead.

    :param seconds: by how much
    :param folder: where the library is written
    :raises FileNotFoundError: there is no C compiler
    """
    program = compiler()
    if program is None:
        raise FileNotFoundError("There is no C compiler here (cc)")
    library = folder / "ahead.so"
    subprocess.run([program, "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"], check=True, timeout=60)
    return {"LD_PRELOAD": str(library), "OMS_SECONDS_AHEAD": str(seconds)}

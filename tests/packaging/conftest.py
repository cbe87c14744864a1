"""The files of a release, built once: the sdist, the wheel made from it, and the wheel made from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Built:
    """The files of a release.

    :param sdist: the source distribution
    :param wheel: the wheel that was made from it
    :param direct: the wheel that was made from the checkout
    """

    sdist: Path
    wheel: Path
    direct: Path


def run(*command: object, cwd: Path, **more: str) -> str:
    """Run Python with some arguments and return its output."""
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        cwd=cwd,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The files of a release. Nothing is downloaded, because this environment has the build tools."""
    release, direct = tmp_path_factory.mktemp("release"), tmp_path_factory.mktemp("direct")
    run("-m", "build", "--no-isolation", "--outdir", release, ROOT, cwd=release)
    run("-m", "build", "--no-isolation", "--wheel", "--outdir", direct, ROOT, cwd=direct)
    (sdist,), (wheel,), (other,) = release.glob("*.tar.gz"), release.glob("*.whl"), direct.glob("*.whl")
    return Built(sdist, wheel, other)

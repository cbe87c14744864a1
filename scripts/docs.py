"""Build the documentation site into ``site/``; every warning is an error.

python3 scripts/docs.py [--serve]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import environment


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", action="store_true", help="show it at http://127.0.0.1:8000 instead")
    serve = parser.parse_args().serve
    python = environment.make_docs()
    # The theme advertises its successor at every build; docs/develop/site.md says why it is used nevertheless.
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [python, "-m", "mkdocs", *(["serve"] if serve else ["build", "--strict"])]
    return subprocess.run(command, cwd=environment.ROOT, env=environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

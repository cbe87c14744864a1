"""Check the files that the project's host reads: workflows, dependabot, issue forms, the hooks of pre-commit.

python3 scripts/hosting.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import environment


def checks(root: Path) -> list[list[str]]:
    """Return the commands that check a checkout, each to be run in it.

    :param root: the checkout
    """
    forms = sorted(str(form) for form in (root / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if form.stem != "config")
    schema = ["check-jsonschema", "--builtin-schema"]
    return [
        ["actionlint"],
        # Offline, because the checks that ask GitHub need a token.
        ["zizmor", "--offline", "--quiet", "--persona", "auditor", "--no-progress", "."],
        [*schema, "vendor.dependabot", ".github/dependabot.yml"],
        [*schema, "vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"],
        [*schema, "vendor.github-issue-forms", *forms],
        ["pre-commit", "validate-config", ".pre-commit-config.yaml"],
    ]


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    commands = environment.make_hosting().parent
    # actionlint checks the commands of a step with the shellcheck that it finds on the path.
    environ = os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    failed = [
        check[0]
        for check in checks(environment.ROOT)
        if subprocess.run(check, cwd=environment.ROOT, env=environ, check=False).returncode
    ]
    print("Failed: " + ", ".join(failed) if failed else "All checks passed.", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

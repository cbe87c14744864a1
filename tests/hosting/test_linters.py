"""The checks of scripts/hosting.py pass, and each of them finds an error."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from hosting import checks
from tests.hosting.files import ROOT

COMMANDS = ROOT / ".venv-hosting" / "bin"

#: A file, a text in it, its replacement, and the check that must fail then.
BROKEN = (
    (".github/workflows/tests.yml", "runs-on: ubuntu-24.04", "runs-on: ubuntu-1.04", "actionlint"),
    (".github/workflows/tests.yml", '"$AIRFLOW"', "$AIRFLOW", "actionlint"),  # found by shellcheck
    (".github/workflows/tests.yml", "persist-credentials: false", "persist-credentials: true", "zizmor"),
    (".github/dependabot.yml", "interval: weekly", "interval: hourly", "vendor.dependabot"),
    (".github/ISSUE_TEMPLATE/bug.yml", "type: dropdown", "type: menu", "vendor.github-issue-forms"),
    (".github/ISSUE_TEMPLATE/config.yml", "blank_issues_enabled: true", "blank: 1", "vendor.github-issue-config"),
    (".pre-commit-config.yaml", "repo: meta", "rep: meta", "pre-commit"),
)


@pytest.fixture
def checkout(tmp_path):
    """A copy of the files that are checked."""
    if not (COMMANDS.parent / "made-from").exists():
        pytest.skip("scripts/hosting.py makes the environment with the linters, and wasn't run here")
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    shutil.copy(ROOT / ".pre-commit-config.yaml", tmp_path)
    (tmp_path / ".git").mkdir()  # actionlint looks for a git repository
    return tmp_path


def failing(checkout, only=""):
    """Return the checks that fail, of all or of those with this word in their command."""
    path = f"{COMMANDS}{os.pathsep}{os.environ['PATH']}"
    return [
        " ".join(check)
        for check in checks(checkout)
        if only in " ".join(check)
        and subprocess.run(check, cwd=checkout, env={**os.environ, "PATH": path}, capture_output=True).returncode
    ]


def test_all_is_in_order(checkout):
    assert failing(checkout) == []


@pytest.mark.parametrize(("name", "before", "after", "by"), BROKEN, ids=lambda value: value)
def test_what_is_broken_is_found(checkout, name, before, after, by):
    file = checkout / name
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after))
    assert failing(checkout, by)

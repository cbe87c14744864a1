"""The pages for developers work: their diffs are applied to a copy of the code, and the tests that they name run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

from tests.docs.pages import DOCS, ROOT, blocks

#: In the order of the pages: the new gate uses the new milestone.
PAGES = ("add-an-action.md", "add-a-milestone.md", "add-a-gate.md")

#: Tests that the pages ask the reader to write, or that take long.
LEFT_OUT = ("tests/test_docs.py", "tests/example_dags")
SHORTER = {
    "tests/sensors": "tests/sensors/test_oms.py",
    "tests/cli": "tests/cli/test_gate_cases.py",
    "tests/milestones": "tests/milestones/test_kinds.py",
}


def apply(text: str, hunk: str) -> str:
    """Apply one hunk, which has no line numbers: its unchanged lines must occur exactly once in the text."""
    lines = hunk.strip("\n").split("\n")
    before = "\n".join(line[1:] for line in lines if line[:1] != "+")
    after = "\n".join(line[1:] for line in lines if line[:1] != "-")
    assert f"\n{text}".count(f"\n{before}\n") == 1, f"not there, or not once:\n{before}"
    return f"\n{text}".replace(f"\n{before}\n", f"\n{after}\n")[1:]


pytestmark = pytest.mark.skipif(
    not AIRFLOW_V_3_0_PLUS, reason="the pages are the same for each Airflow: once is enough"
)


@pytest.fixture
def copy(tmp_path):
    """A copy of the code, to which the diffs are applied."""
    for folder in ("airflow_provider_oms", "example_dags", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "images"))
    for file in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, tmp_path)
    return tmp_path


def follow(page: str, copy: Path, chosen: Callable[[str], bool] = lambda file: True) -> None:
    """Apply the diffs of a page, only for chosen files if they are given."""
    for block in blocks(DOCS / "develop" / page, "diff"):
        if chosen(block.title):
            file = copy / block.title
            for hunk in re.split("^@@$", block.text, flags=re.MULTILINE):
                file.write_text(apply(file.read_text(), hunk))


def run(copy: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in the copy."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )


def paths_of(page: str) -> list[str]:
    """Return the tests that a page asks to run, in their order."""
    shell = [block.text for block in blocks(DOCS / "develop" / page, "sh") if "scripts/test.py" in block.text]
    return [word for text in shell for word in shlex.split(text) if word.startswith("tests/")]


def test_a_person_who_follows_the_pages_gets_there(copy):
    for page in PAGES:
        follow(page, copy)
    wanted = [path for page in PAGES for path in paths_of(page)]
    chosen = sorted({SHORTER.get(path, path) for path in wanted if path not in LEFT_OUT})
    # The rows of other gates have already been run.
    ran = run(copy, *chosen, "-k", "not test_gate_cases or step_progress")
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert re.search(r"\d{3,} passed", ran.stdout)


def test_a_rule_is_changed_as_its_page_says(copy):
    page, rule = "change-a-rule.md", "airflow_provider_oms/milestones/context.py"
    quick = [path for path in dict.fromkeys(paths_of(page)) if path.count("/") == 2 and "milestones" in path]
    chosen = "test_case or freshness or oracle_lets_it and Lag"
    options = (*quick, "tests/milestones/test_property.py", "-k", chosen, "--rows", "ahead")
    follow(page, copy, lambda file: file != rule)
    ran = run(copy, *options)
    assert "ahead_241" in ran.stdout, ran.stdout[-3000:]
    assert ran.returncode == 1, "the page's tests pass without the rule"
    follow(page, copy, rule.__eq__)
    ran = run(copy, *options)
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]


def test_a_setting_is_followed_through_the_code():
    done = subprocess.run([sys.executable, "scripts/follow.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    *lines, summary = done.stdout.splitlines()
    given = [line.split()[2].rstrip(":") for line in lines if line.startswith("*")]
    assert {"sensors/oms.py", "milestones/kinds.py", "milestones/checks.py"} <= set(given)
    assert summary.startswith(f"max_lag: {len(given)} files")
    (shown,) = [block.text for block in blocks(DOCS / "develop" / "index.md", "text") if block.title == "the last line"]
    assert re.findall(r"\d+ files", shown) == re.findall(r"\d+ files", summary), "The page's numbers are old."
    # The number of calls depends on the version of Python.
    for told, counted in zip(*(map(int, re.findall(r"(\d+) calls", text)) for text in (shown, summary)), strict=True):
        assert told == pytest.approx(counted, rel=0.1), "The page's numbers are old."

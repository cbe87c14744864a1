"""The pages for developers hold: they are applied to a copy of the code, and what they ask to be run is run there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from airflow.providers.common.compat.version_compat import AIRFLOW_V_3_0_PLUS

from tests.docs.pages import DOCS, ROOT, blocks

#: In their order: the gate is made of the milestone.
PAGES = ("add-an-action.md", "add-a-milestone.md", "add-a-gate.md")

#: What the pages ask for at their end is for a person to write; and some of the tests take long.
LEFT_OUT = ("tests/test_docs.py", "tests/example_dags")
SHORTER = {
    "tests/sensors": "tests/sensors/test_oms.py",
    "tests/cli": "tests/cli/test_gate_cases.py",
    "tests/milestones": "tests/milestones/test_kinds.py",
}


def apply(text: str, hunk: str) -> str:
    """Apply one hunk, written without line numbers: what it has in common with the text must be there once."""
    lines = hunk.strip("\n").split("\n")
    before = "\n".join(line[1:] for line in lines if line[:1] != "+")
    after = "\n".join(line[1:] for line in lines if line[:1] != "-")
    assert f"\n{text}".count(f"\n{before}\n") == 1, f"not there, or not once:\n{before}"
    return f"\n{text}".replace(f"\n{before}\n", f"\n{after}\n")[1:]


@pytest.mark.skipif(not AIRFLOW_V_3_0_PLUS, reason="the pages are the same for each Airflow: once is enough")
def test_a_person_who_follows_the_pages_gets_there(tmp_path):
    for folder in ("airflow_provider_oms", "example_dags", "tests", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "images"))
    for file in ("pyproject.toml", "README.md", "CONTRIBUTING.md"):
        shutil.copy(ROOT / file, tmp_path)
    wanted = []
    for page in PAGES:
        for block in blocks(DOCS / "develop" / page):
            if block.language == "diff":
                file = tmp_path / block.title
                for hunk in re.split("^@@$", block.text, flags=re.MULTILINE):
                    file.write_text(apply(file.read_text(), hunk))
            if block.language == "sh" and "scripts/test.py" in block.text:
                wanted += [word for word in shlex.split(block.text) if word.startswith("tests/")]
    chosen = sorted({SHORTER.get(path, path) for path in wanted if path not in LEFT_OUT})
    # Rows of the other gates have been run already.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
    command += ["-k", "not test_gate_cases and not test_look or step_progress or table_covers"]
    ran = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    assert re.search(r"\d{3,} passed", ran.stdout)

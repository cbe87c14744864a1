"""The page about testing: its files are saved and run as it says."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.docs.pages import DOCS, files


def test_its_files_are_tests_that_pass(tmp_path):
    for page in ("recipes/daily-job.md", "testing.md"):
        for name, text in files(DOCS / page).items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTEST"))}
    environment["TMPDIR"] = str(tmp_path)  # its conftest makes an Airflow home
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout

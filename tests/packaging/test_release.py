"""A release is refused as long as information is missing that only its publisher has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from airflow_provider_oms import __version__
from release import ADDRESSED, PLACEHOLDER, obstacles
from tests.packaging.conftest import ROOT

if not (ROOT / ".github").exists():
    pytest.skip("there is no checkout, only what a release carries", allow_module_level=True)


@pytest.fixture
def ready(tmp_path):
    """A checkout that can be released."""
    for name in (*ADDRESSED, "CHANGELOG.md", "airflow_provider_oms/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ADDRESSED:
        edit(tmp_path / name, PLACEHOLDER, "somebody")
    text = (tmp_path / "CHANGELOG.md").read_text()
    (tmp_path / "CHANGELOG.md").write_text(
        re.sub(rf"^## {__version__} .*$", f"## {__version__} (2026-12-01)", text, flags=re.M)
    )
    return tmp_path


def edit(file, before, after):
    file.write_text(file.read_text().replace(before, after))


def test_what_is_ready_is_released(ready):
    assert obstacles(ready) == []
    assert obstacles(ready, f"v{__version__}") == []


@pytest.mark.parametrize(
    ("name", "before", "after", "said"),
    [
        (
            "pyproject.toml",
            "[project.urls]",
            f'[project.urls]\nHomepage = "{PLACEHOLDER}"',
            r"pyproject\.toml still has",
        ),
        (".github/CODEOWNERS", "* ", f"* @{PLACEHOLDER}/a ", r"CODEOWNERS still has the placeholder .* line 2\."),
        ("CHANGELOG.md", "(2026-12-01)", "(unreleased)", r"CHANGELOG\.md has no heading"),
        ("CHANGELOG.md", f"## {__version__} ", "## 0.0.1 ", r"CHANGELOG\.md has no heading"),
        ("airflow_provider_oms/__init__.py", __version__, "9.9.9", r"The tag is v.*, but __version__ is 9\.9\.9"),
    ],
)
def test_what_is_not_ready_is_refused(ready, name, before, after, said):
    edit(ready / name, before, after)
    assert re.search(said, "\n".join(obstacles(ready, f"v{__version__}")))


def test_this_checkout_is_refused_for_as_long_as_it_has_placeholders():
    left = [name for name in ADDRESSED if PLACEHOLDER in (ROOT / name).read_text()]
    assert [text.split()[0] for text in obstacles(ROOT) if PLACEHOLDER in text] == left


def test_the_command_builds_nothing_that_it_refuses():
    command = [sys.executable, "scripts/release.py", "--tag", "v0.0.0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Refused: The tag is v0.0.0, but __version__ is {__version__}" in done.stdout
    assert "Building" not in done.stdout

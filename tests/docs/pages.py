"""Reads code blocks from the pages, by language and title. It needs only Python, so that scripts/walk.py can use it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(r'^( *)```(\w+)(?: title="([^"\n]*)")?[^\n]*\n(.*?)^\1```', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    :param page: its path
    :param language: the word after the fence
    :param title: the file to save it as, the terminal to run it in, or empty
    :param text: its content
    """

    page: str
    language: str
    title: str
    text: str


def pages() -> list[Path]:
    """Return every page for users."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path, language: str | None = None) -> Iterator[Block]:
    """Iterate over the blocks of a page, in their order.

    :param page: the page
    :param language: only those in this language
    """
    for _, found, title, text in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if language in (None, found):
            yield Block("/".join(page.parts[-2:]), found, title, textwrap.dedent(text))


def files(page: Path) -> dict[str, str]:
    """Return the files that a page asks its reader to save, by name."""
    return {block.title: block.text for block in blocks(page, "python") if block.title}


def commands(text: str) -> list[str]:
    """Split a block of shell into commands: a command continues after a backslash and inside quotes."""
    found, begun = [], ""
    for line in text.splitlines():
        quoted = begun.count("'") % 2
        begun = f"{begun}\n{line}" if quoted else begun + line.split("  #")[0].rstrip()
        if begun.count("'") % 2:
            continue
        if begun.endswith("\\"):
            begun = begun[:-1]
            continue
        if begun.strip() and not begun.startswith("#"):
            found.append(begun)
        begun = ""
    return found


def fits(quote: str, text: str) -> bool:
    """Return whether a quotation is in a text; ``…`` stands for an omission."""
    pattern = ".*?".join(re.escape(part.strip()) for part in quote.split("…"))
    return re.search(pattern, text, re.DOTALL) is not None

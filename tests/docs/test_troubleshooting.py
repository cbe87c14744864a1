"""The page about error messages has every message of the code, and no others."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import airflow_provider_oms
from tests.docs.pages import DOCS

PACKAGE = Path(airflow_provider_oms.__file__).parent
PAGE = (DOCS / "troubleshooting.md").read_text()

#: Modules whose messages are not on this page: the command line's and the progress page's are on pages of their own.
ELSEWHERE = {"cli", "demo", "simulator", "pages", "attention.py", "facts.py", "get_provider_info.py", "figures.py"}

#: Log lines about normal events, and texts that explain themselves together with a message.
UNQUOTED = {"info", "debug"}
NOT_MESSAGES = ("describe", "ui_field_behaviour")
GOOD_NEWS = (
    "OMS answers at …",
    "OMS answers at … and knows this user.",
    "…; as expected it knows no project np_connection_test.",
    "Ready for the cut-over: the lag is ….",
    "The project is gone.",
    "The tables are as wanted, and nothing that concerns them is under way.",
    "it lists no record of it",
    "a step that OMS doesn't name",
)
#: Messages for programmers who use the client, texts in place of a library's error, names, and parts of messages.
INSIDE = (
    "AsyncOmsClient must be opened with 'async with'",
    "the connection ended within the headers",
    "… Credential=…,SignedHeaders=…,Signature=…",
    "OceanBase Migration Service",
    "login and password",
    ", may be skipped",
    "Sensor has timed out",  # Airflow's own texts, which the code searches for
)


def text_of(node: ast.AST) -> str | None:
    """Return the text of a node, with ``…`` for every value in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[srd]", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    return None


def is_quiet(node: ast.AST) -> bool:
    """Return whether a node has no messages: a log line about a normal event, an assertion, a table of hints."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in UNQUOTED:
        return True
    if isinstance(node, ast.FunctionDef) and node.name in NOT_MESSAGES:
        return True
    if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "_HINTS" for to in node.targets):
        return True
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "AssertionError"


def texts(node: ast.AST) -> Iterator[str]:
    """Iterate over the texts below a node, without docstrings and nodes without messages."""
    found = text_of(node)
    if found is not None:
        yield found
        return
    for child in ast.iter_child_nodes(node):
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if not is_docstring and not is_quiet(child):
            yield from texts(child)


def messages() -> Iterator[str]:
    """Iterate over the messages of the package: its texts of at least three words."""
    for file in sorted(PACKAGE.rglob("*.py")):
        if not ELSEWHERE & set(file.relative_to(PACKAGE).parts):
            for text in texts(ast.parse(file.read_text())):
                if len(re.findall(r"[A-Za-z']{2,}", text)) >= 3 and " " in text.strip():
                    yield text


def quotations() -> list[str]:
    """Return the messages that the page quotes in the first cells of its rows, without the part on Airflow's own."""
    ours = PAGE[: PAGE.index("## Airflow's own words")]
    cells = re.findall(r"^\| (`.*?`) \|", ours, re.MULTILINE)
    return [quote for cell in cells for quote in re.findall(r"`(.+?)`", cell)]


def begins(message: str, quotation: str) -> bool:
    """Return whether a message begins like a quotation, with values in the same places."""
    return _bare(message).startswith(_bare(quotation.removesuffix("…")))


def _bare(text: str) -> str:
    """Replace two adjacent values by one, and remove one at the beginning."""
    return re.sub(r"…([ .]?…)+", "…", text).lstrip("… ").rstrip()


MESSAGES = sorted(set(messages()) - {*GOOD_NEWS, *INSIDE})
QUOTATIONS = quotations()


def test_there_is_something_to_compare():
    assert len(MESSAGES) > 150
    assert len(QUOTATIONS) > 150


def test_what_the_page_quotes_is_in_the_code():
    files = [file for file in PACKAGE.rglob("*.py") if not ELSEWHERE & set(file.relative_to(PACKAGE).parts)]
    said = {text_of(node) for file in files for node in ast.walk(ast.parse(file.read_text()))} - {None}
    assert [one for one in QUOTATIONS if not any(begins(text, one) for text in said)] == []


def test_what_the_code_says_is_on_the_page():
    assert [one for one in MESSAGES if not any(begins(one, quotation) for quotation in QUOTATIONS)] == []

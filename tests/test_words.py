"""One term for each thing, everywhere: terms that were replaced are not used again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Where to search.
PLACES = (
    *("airflow_provider_oms", "tests", "docs", "scripts", "demo", "benchmarks", "reliability", "example_dags"),
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "pyproject.toml", "mkdocs.yml"),
)

#: A pattern for a retired term, and the term to use instead.
RETIRED = {
    r"\b(a|an|one|first|last|next|each|every|another|several|further|single) looks?\b(?! (like|the same))": "poll",
    r"\b_?look_(once|again)\b|\b(next|last|first)_look\b|gate\(?\)?\.look\(|sensor\.look\(": "poll, poll_once",
    r"\b[Ss]ightings?\b": "Observation",
    r"\b[Dd]ialogues?\b": "flow",
    r"\ba?converse\b": "run_flow, arun_flow",
    r"\bimport .*\b(known|plain|ending)\b": "value_or_none; one_line, safe_text; to_airflow_error",
    r"milestones[/.]actions\b": "milestones/transitions.py",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bAwaited:": "Waiting for:",
    r"\b(it is|by|bad|mere) luck\b": "chance",
    r"\b(become|becomes|became) of (it|the|them|a)\b": "say what happens: whether it was carried out, how it ended",
    r"\bto Airflow's words\b|\bOMS says no\b": "refuses",
    r", which can't be\.": "say what is wrong with it",
}

#: Lines that may contain a retired term: a part of the file's path, and a part of the line.
EXCEPTIONS = (
    ("tests/test_words.py", ""),
    ("tests/pages/", "import known"),  # the module about what is known of a project
)


def files() -> Iterator[Path]:
    for place in map(ROOT.joinpath, PLACES):
        found = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (path for path in found if path.suffix in (".py", ".md", ".toml", ".yml", ".yaml"))


LINES = [
    (path.relative_to(ROOT).as_posix(), number, line)
    for path in files()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
]


@pytest.mark.parametrize("pattern", RETIRED)
def test_a_retired_word_is_used_no_more(pattern):
    search = re.compile(pattern).search
    found = [
        f"{name}:{number}: {line.strip()}"
        for name, number, line in LINES
        if search(line) and not any(file in name and part in line for file, part in EXCEPTIONS)
    ]
    assert found == [], f"use instead: {RETIRED[pattern]}"


def test_every_exception_is_still_one():
    for file, part in EXCEPTIONS:
        assert any(file in name and part in line for name, _, line in LINES), file

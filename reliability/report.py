"""Makes the tables of ``docs/reliability.md`` from the results that the parts have written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: The files in which each test tries one fault, with a description of these faults.
FAULTS = {
    "tests/client/test_parity.py": "faults x kinds of request, each with both clients",
    "tests/client/test_transport.py": "proxies, certificates, redirects, sizes, cookies",
    "tests/operators/test_lost_answers.py": "answers lost before and after an operator's action",
    "tests/operators/test_crash.py": "operators killed between any two requests",
}

ANSWERS = "tests/milestones/test_property.py"


def read(folder: Path) -> dict[str, Any]:
    """Return the results in a folder, by name."""
    files = sorted(folder.glob("*.json")) if folder.exists() else []
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}


def totals(results: Mapping[str, Any]) -> dict[str, int | None]:
    """Return the totals of what was tried and of what went wrong; None means not run.

    :param results: what :func:`read` returned
    """
    suites, soaks = suites_of(results), of_kind(results, "soak")
    distributed = of_kind(results, "distributed")
    campaigns = [*of_kind(results, "crashes"), *distributed]
    faults = [counts for file, counts in suites.items() if file in FAULTS]
    generated = suites.get(ANSWERS)
    failed = sum(counts.get("failed", 0) for counts in suites.values())
    return {
        "faults": sum(counts.get("passed", 0) for counts in faults) if faults else None,
        "answers": generated["answers"] if generated else None,
        "histories": generated["examples"] if generated else None,
        "crashes": sum(sum(one["kills"].values()) for one in campaigns) if campaigns else None,
        "survived": sum(sum(one["kills"].values()) for one in campaigns if not _spoilt(one)) if campaigns else None,
        "lost": _sum([*campaigns, *soaks], "lost"),
        "twice": _sum(campaigns, "twice"),
        "early": _sum(campaigns, "early"),
        "leaks": _sum([*soaks, *distributed], "leaks"),
        "failed": failed if suites else None,
    }


def _spoilt(campaign: Mapping[str, Any]) -> bool:
    return any(campaign[name] for name in ("lost", "twice", "early"))


def _sum(ran: Sequence[Mapping[str, Any]], key: str) -> int | None:
    return sum(len(one[key]) for one in ran) if ran else None


def suites_of(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the counts of the tests by file."""
    return dict(results.get("suites", {}))


def of_kind(results: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """Return the results of all campaigns, or of all soaks."""
    return [result for name, result in results.items() if name.startswith(f"{kind}-")]


def wrong(found: Mapping[str, int | None]) -> bool:
    """Return whether the totals show an error."""
    return any(found[name] for name in ("lost", "twice", "early", "leaks", "failed"))


def table(rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown; the first row is its head."""
    head, *body = [[str(cell) for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown(results: Mapping[str, Any]) -> str:
    """Return all tables, in Markdown."""
    found = totals(results)
    shown = {name: "not run" if value is None else f"{value:,}" for name, value in found.items()}

    def pair(one: str, words: str, other: str) -> str:
        return shown[one] if found[one] is None else words.format(shown[one], shown[other])

    parts = [
        table(
            [
                ("what", "count"),
                ("faults tried", shown["faults"]),
                ("answers generated", pair("answers", "{}, in {} histories", "histories")),
                ("crashes survived", pair("survived", "{} of {}", "crashes")),
                ("things lost", shown["lost"]),
                ("things done twice", shown["twice"]),
                ("gates opened early", shown["early"]),
                ("leaks", shown["leaks"]),
                ("tests failed", shown["failed"]),
            ]
        )
    ]
    suites = suites_of(results)
    if suites:
        rows: list[Sequence[object]] = [("tests", "passed", "failed", "skipped", "each tries")]
        for file, counts in suites.items():
            row = [counts.get(name, 0) for name in ("passed", "failed", "skipped")]
            what = FAULTS.get(file, f"{counts['examples']:,} histories with {counts['answers']:,} answers")
            rows.append((f"`{file}`", *row, what))
        parts.append(table(rows))
    campaigns = of_kind(results, "crashes")
    if campaigns:
        rows = [
            (
                *("Airflow", "database", "executor", "seed", "killed: tasks, triggerers, schedulers"),
                *("gates: open, failed rightly", "lifecycles", "lost", "twice", "early", "seconds"),
            )
        ]
        rows += [_crash_row(one) for one in campaigns]
        parts.append(table(rows))
    distributed = of_kind(results, "distributed")
    if distributed:
        rows = [
            (
                *("Airflow", "seed", "projects", "gates: open, failed rightly", "by label", "events", "lifecycles"),
                "killed: workers, triggerers, schedulers, web servers, Redis, PostgreSQL, OMS",
                *("upgraded from", "clocks ahead", "lost", "twice", "early", "leaks", "seconds"),
            )
        ]
        rows += [_distributed_row(one) for one in distributed]
        parts.append(table(rows))
    soaks = of_kind(results, "soak")
    if soaks:
        rows = [("Airflow", "gates", "seconds", "requests", "memory, MiB", "file descriptors", "sockets", "leaks")]
        rows += [_soak_row(one) for one in soaks]
        parts.append(table(rows))
    if not_run := results.get("not_run"):
        parts.append("Not run: " + "; ".join(not_run) + ".")
    return "\n\n".join(parts) + "\n"


def _crash_row(one: Mapping[str, Any]) -> Sequence[object]:
    kills = ", ".join(str(one["kills"].get(what, 0)) for what in ("task", "triggerer", "scheduler"))
    gates = f"{one['gates']}: {one['gates_open']}, {one['gates_failed_rightly']}"
    lifecycles = f"{one['lifecycles_done']} of {one['lifecycles']}"
    wrongs = [len(one[name]) for name in ("lost", "twice", "early")]
    return (
        *(one["airflow"], one["database"], one["executor"], one["seed"], kills),
        *(gates, lifecycles, *wrongs, one["seconds"]),
    )


def _distributed_row(one: Mapping[str, Any]) -> Sequence[object]:
    kills = ", ".join(str(times) for times in one["kills"].values())
    return (
        *(one["airflow"], one["seed"], one["projects"]),
        f"{one['gates']}: {one['gates_open']}, {one['gates_failed_rightly']}",
        *(one["by_label"], one["events"], f"{one['lifecycles_done']} of {one['lifecycles']}", kills),
        *((one["upgraded_from"] or "-")[:7], f"{one['clocks_ahead']} s" if one["clocks_ahead"] else "-"),
        *(len(one[name]) for name in ("lost", "twice", "early", "leaks")),
        one["seconds"],
    )


def _soak_row(one: Mapping[str, Any]) -> Sequence[object]:
    before, after = one["before"], one["after"]
    memory = f"{before['rss'] / 2**20:.1f} to {after['rss'] / 2**20:.1f}"
    return (
        *(one["airflow"], one["gates"], one["seconds"], f"{one['requests']:,.0f}", memory),
        *(f"{before[name]:g} to {after[name]:g}" for name in ("fds", "sockets")),
        len(one["leaks"]),
    )

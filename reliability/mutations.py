"""``python -m reliability.mutations``: does a test notice when a rule is wrong? A seeded sample of mutants answers.

Each mutant is one small change in one module (:mod:`reliability.mutants`), in a copy of the checkout. The tests of that
module run on it until one fails. A mutant that no test notices has survived: it is listed, and explained in
``reliability/survivors.toml`` or a hole in the tests.

The libraries are imported once; each mutant runs in a forked process, so that it costs seconds.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reliability.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "airflow_provider_oms"

#: Which modules, and the tests that hold them, the quickest first.
SUITES: dict[str, tuple[str, ...]] = {
    "milestones/*.py": (
        *(
            f"tests/milestones/test_{name}.py"
            for name in ("status", "steps", "arguments", "verification", "over_polls", "gate", "kinds", "poll")
        ),
        "tests/milestones",
    ),
    "triggers/*.py": ("tests/triggers", "tests/sensors/test_modes.py"),
    "client/protocol.py": ("tests/client/test_protocol.py", "tests/client"),
    "client/paging.py": ("tests/client/test_paging.py", "tests/client"),
    "operators/*.py": ("tests/operators",),
}

#: What takes long to import and is the same for every mutant. Not Airflow: it fixes its home when it is imported.
LIBRARIES = (
    "aiohttp",
    "hypothesis",
    "jinja2",
    "pendulum",
    "pydantic",
    "pytest",
    "requests_mock",
    "rich",
    "sqlalchemy.orm",
)

#: The share of mutants that the tests must notice.
LEAST = 0.95

#: Seconds beyond three times what the tests take without a mutant: one that hangs for longer is noticed.
PATIENCE = 60.0


@dataclass
class Outcome:
    """What became of a mutant.

    :param module: the module, below the package
    :param line: the line that was changed
    :param code: that line
    :param change: what was changed
    :param caught: whether a test noticed
    :param reason: why it may live, from ``survivors.toml``
    """

    module: str
    line: int
    code: str
    change: str
    caught: bool
    reason: str = ""


@contextmanager
def checkout() -> Iterator[Path]:
    """Copy what git tracks to a throw-away folder."""
    with tempfile.TemporaryDirectory(prefix="oms-mutants-") as folder:
        copy = Path(folder)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (source := ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, copy / name)
        yield copy


def chosen(pattern: str, per_module: int, seed: int) -> Iterator[tuple[str, Mutant]]:
    """Choose mutants of the modules that a pattern names."""
    for path in sorted((ROOT / PACKAGE).glob(pattern)):
        module = str(path.relative_to(ROOT / PACKAGE))
        known = mutants(path.read_text(encoding="utf-8"))
        picked = random.Random(f"{seed} {module}").sample(known, min(per_module, len(known)))
        yield from ((module, mutant) for mutant in sorted(picked, key=lambda one: one.start))


def passes(folder: Path, tests: Sequence[str], limit: float | None) -> bool:
    """Run tests on the copy, in a process of their own, until one fails; one that takes too long has failed."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        os.environ["PYTHONPATH"] = str(folder)
        # What the tests leave behind goes with the copy.
        os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(dir=folder)
        import pytest

        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *dict.fromkeys(tests)])
        os._exit(0 if code == 0 else 1)
    until = None if limit is None else time.monotonic() + limit
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        if until is not None and time.monotonic() > until:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return False
        time.sleep(0.05)


def explained(module: str, mutant: Mutant) -> str:
    """Return why a mutant may live, empty when nobody has said so."""
    listed = tomllib.loads((ROOT / "reliability" / "survivors.toml").read_text(encoding="utf-8"))
    for one in listed.get("survivor", []):
        if (one["module"], one["code"], one["change"]) == (module, mutant.code, mutant.change):
            return str(one["reason"])
    return ""


def try_all(pattern: str, tests: Sequence[str], given: argparse.Namespace) -> list[Outcome]:
    """Try the mutants of one suite's modules."""
    outcomes = []
    with checkout() as folder:
        began = time.monotonic()
        if not passes(folder, tests, None):
            sys.exit(f"The tests of {pattern} fail without any mutant: {' '.join(tests)}")
        limit = 3 * (time.monotonic() - began) + PATIENCE
        for module, mutant in chosen(pattern, given.per_module, given.seed):
            if given.only and module not in given.only:
                continue
            target = folder / PACKAGE / module
            source = target.read_text(encoding="utf-8")
            try:
                target.write_text(mutant.apply(source), encoding="utf-8")
                caught = not passes(folder, tests, limit)
            finally:
                target.write_text(source, encoding="utf-8")
            reason = "" if caught else explained(module, mutant)
            outcomes.append(Outcome(module, mutant.line, mutant.code, mutant.change, caught, reason))
            if not caught:
                said = f"explained: {reason}" if reason else "NOT EXPLAINED"
                print(f"survived: {module}:{mutant.line}: {mutant.change}: {mutant.code}  [{said}]", flush=True)
    return outcomes


def load_libraries() -> None:
    """Import once what every run needs, but nothing of the package itself."""
    for name in LIBRARIES:
        importlib.import_module(name)
    ours = [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]
    assert not ours, f"the mutants would not be seen: {ours}"


def summary(outcomes: Sequence[Outcome]) -> str:
    """Return the table of what was caught, room by room."""
    lines = ["| module | mutants | caught | explained | survived |", "|---|---:|---:|---:|---:|"]
    rooms = sorted({one.module for one in outcomes})
    for room in [*rooms, ""]:
        of = [one for one in outcomes if room in ("", one.module)]
        caught, reasons = sum(one.caught for one in of), sum(bool(one.reason) for one in of)
        lines.append(f"| {room or '**all**'} | {len(of)} | {caught} | {reasons} | {len(of) - caught - reasons} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m reliability.mutations",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--per-module", type=int, default=15, help="how many mutants of each module at most")
    parser.add_argument("--seed", type=int, default=1, help="what the mutants are chosen by")
    parser.add_argument(
        "--only", metavar="MODULE", action="append", help="only this module, such as milestones/steps.py"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many suites at a time")
    parser.add_argument("--result", type=Path, help="a file for the outcomes, as JSON")
    given = parser.parse_args()
    load_libraries()
    suites = [
        (pattern, tests)
        for pattern, tests in SUITES.items()
        if not given.only or any(Path(module).match(pattern) for module in given.only)
    ]
    outcomes: list[Outcome] = []
    jobs: list[tuple[str, Sequence[str], argparse.Namespace]] = [(*suite, given) for suite in suites]
    with multiprocessing.get_context("fork").Pool(given.processes, maxtasksperchild=1) as pool:
        for found in pool.starmap(try_all, jobs, chunksize=1):
            outcomes += found
    if given.result:
        content: list[dict[str, Any]] = [asdict(one) for one in outcomes]
        given.result.write_text(json.dumps(content, indent=1), encoding="utf-8")
    caught = sum(one.caught for one in outcomes)
    share = caught / len(outcomes) if outcomes else 0.0
    print(
        f"\n{summary(outcomes)}\n\nCaught: {caught} of {len(outcomes)} ({share:.1%}); at least {LEAST:.0%} is wanted."
    )
    unexplained = [one for one in outcomes if not one.caught and not one.reason]
    return 0 if share >= LEAST and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())

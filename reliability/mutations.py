"""``python -m reliability.mutations``: does a test notice when a rule is wrong? A seeded sample of mutants answers.

Each mutant is one small change in one module (:mod:`reliability.mutants`), in a copy of the checkout. The tests of that
module run on it until one fails, first those that are about it, then those of its room. A mutant that no test notices
has survived: it is listed, and explained in ``reliability/survivors.toml`` or a hole in the tests.

The libraries and Airflow are imported once; each mutant runs in a forked process, so that it costs seconds. What became
of each is kept in a file (``--kept``), so a run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path

from reliability.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "airflow_provider_oms"


@dataclass(frozen=True)
class Suite:
    """The tests of a room, the quickest first.

    :param folder: where the tests are that are named like their modules
    :param room: those that run on what the tests about a module let live
    :param about: those about a module that have other names, by the module's
    """

    folder: str
    room: tuple[str, ...]
    about: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def stages(self, module: str) -> Iterator[tuple[str, ...]]:
        """Iterate over the tests of a module.

        :param module: the module, below the package
        """
        name = Path(module).stem
        named = [test for test in _tests(self.folder, name) if (ROOT / test).exists()]
        about = tuple(dict.fromkeys([*named, *self.about.get(name, ())]))
        if about:
            yield about
        yield tuple(test for test in self.room if test not in about)


def _tests(folder: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names)


_ACTIONS = _tests("operators", "every_state", "lost_answers")
_EVENTS = (*_tests("milestones", "occurrences"), *_tests("triggers", "events"))

#: Needs Airflow's database, which takes long to make.
LEFT_OUT = "tests/operators/test_data_sources.py::test_a_connection_that_is_wrong_is_named"

#: Which modules, and the tests that hold them.
SUITES: dict[str, Suite] = {
    "milestones/*.py": Suite(
        "milestones",
        _tests("milestones", "patience", "over_polls", "verification", "which_oms", "gate", "kinds", "memory", "poll"),
        {
            "arguments": _tests("operators", "arguments"),
            "behind": _EVENTS,
            "checks": _tests("milestones", "kinds", "patience"),
            "context": _tests("milestones", "patience", "which_oms"),
            "edges": _EVENTS,
            "figures": _tests("tasks", "reporting"),
            "kinds": _tests("sensors", "oms"),
            "memory": (*_tests("triggers", "restarts"), *_tests("sensors", "state_store")),
            "remembered": _EVENTS,
            "status": _tests("milestones", "patience"),
            "transitions": (*_tests("operators", "advance"), *_ACTIONS, *_tests("operators", "labels", "create")),
            "verified": _tests("milestones", "verification", "over_polls"),
            "watchers": (*_EVENTS, "tests/test_assets.py"),
        },
    ),
    "triggers/*.py": Suite(
        "triggers",
        (*_tests("triggers", "oms", "restarts", "stored", "changed_connection"), *_tests("sensors", "outcomes")),
        {
            "deferral": _tests("triggers", "restarts", "stored"),
            "events": _tests("triggers", "events"),
            "first_poll": _tests("triggerer", "first_poll"),
            "oms": _tests("triggers", "shared", "stress"),
            "shared": _tests("triggers", "shared", "stress", "changed_connection"),
            "watching": _tests("triggers", "events"),
        },
    ),
    "client/protocol.py": Suite(
        "client", _tests("client", "envelope", "errors", "actions", "models", "alibaba_cloud", "strict", "parity")
    ),
    "client/paging.py": Suite("client", _tests("client", "envelope", "actions", "sync", "aio")),
    "operators/*.py": Suite(
        "operators",
        (*_tests("operators", "arguments", "every_state", "waits", "lost_answers", "crash", "hostile_text"),),
        {
            "base": _tests("operators", "waits", "lost_answers"),
            "data_source_base": _tests("operators", "data_sources"),
            "data_source_kinds": _tests("operators", "data_sources"),
            "object_list": _tests("operators", "modify"),
            "project_body": _tests("operators", "create"),
            "projects": _ACTIONS,
            "secrecy": _tests("operators", "secrets"),
        },
    ),
}

#: What takes long to import and is the same for every mutant.
LIBRARIES = (
    "aiohttp",
    "airflow.models",
    "airflow.providers.common.compat.sdk",
    "airflow.sensors.base",
    "airflow.triggers.base",
    "blockbuster",
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
PATIENCE = 30.0


@dataclass
class Outcome:
    """The result for a mutant.

    :param module: the module, below the package
    :param line: the line that was changed
    :param code: that line
    :param change: what was changed
    :param caught: whether a test noticed
    :param reason: why it may live, from ``survivors.toml``
    :param key: tells it apart, and the text of the module that it is of
    """

    module: str
    line: int
    code: str
    change: str
    caught: bool
    reason: str = ""
    key: str = ""


def key_of(source: str, mutant: Mutant) -> str:
    """Return what tells a mutant apart: of another text of its module it is another one."""
    return sha256(f"{source}\0{mutant.start} {mutant.text}".encode()).hexdigest()[:16]


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


def chosen(module: str, source: str, per_module: int, seed: int) -> list[Mutant]:
    """Choose mutants of a module. Where more are wanted, these are among them."""
    known = mutants(source)
    random.Random(f"{seed} {module}").shuffle(known)
    return known[:per_module]


def passes(folder: Path, tests: Sequence[str], limit: float | None) -> bool:
    """Run tests on the copy, in a process of their own, until one fails; one that takes too long has failed."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        written = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(written, 1)
        os.dup2(written, 2)
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        os.environ["PYTHONPATH"] = str(folder)
        # What the tests leave behind goes with the copy.
        os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(dir=folder)
        import pytest

        options = ("-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--deselect", LEFT_OUT)
        code = pytest.main([*options, *dict.fromkeys(tests)])
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


def measure(folder: Path, suite: Suite, modules: Sequence[str]) -> float:
    """Run the tests of some modules without a mutant, and return the seconds after which they hang.

    Where one fails it would seem to notice every mutant, so that ends it all.
    """
    tests = dict.fromkeys(test for module in modules for stage in suite.stages(module) for test in stage)
    began = time.monotonic()
    if not passes(folder, list(tests), None):
        said = (folder / "output.txt").read_text(encoding="utf-8", errors="replace")
        sys.exit(f"Without any mutant a test fails:\n{said[-4000:]}")
    return 3 * (time.monotonic() - began) + PATIENCE


def try_all(pattern: str, suite: Suite, given: argparse.Namespace, known: set[str]) -> Iterator[Outcome]:
    """Try the mutants of one room's modules that nobody has tried yet."""
    sources = {
        module: (ROOT / PACKAGE / module).read_text(encoding="utf-8")
        for module in sorted(str(path.relative_to(ROOT / PACKAGE)) for path in (ROOT / PACKAGE).glob(pattern))
        if not given.only or module in given.only
    }
    todo = [
        (module, mutant, key)
        for module, source in sources.items()
        for mutant in chosen(module, source, given.per_module, given.seed)
        if (key := key_of(source, mutant)) not in known
    ]
    if not todo:
        return
    with checkout() as folder:
        limit = given.limit or measure(folder, suite, [module for module, _, _ in todo])
        for module, mutant, key in todo:
            target = folder / PACKAGE / module
            target.write_text(mutant.apply(sources[module]), encoding="utf-8")
            try:
                caught = any(not passes(folder, tests, limit) for tests in suite.stages(module))
            finally:
                target.write_text(sources[module], encoding="utf-8")
            yield Outcome(module, mutant.line, mutant.code, mutant.change, caught, key=key)


def read_kept(kept: Path) -> list[Outcome]:
    """Return what earlier runs have found out, as far as it is about the modules as they are."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    found = [Outcome(**json.loads(line)) for line in lines]
    there: dict[str, Mutant] = {}
    for module in {one.module for one in found}:
        source = (ROOT / PACKAGE / module).read_text(encoding="utf-8")
        there |= {key_of(source, mutant): mutant for mutant in mutants(source)}
    for one in found:
        if not one.caught and one.key in there:
            one.reason = explained(one.module, there[one.key])
    return [one for one in found if one.key in there]


def load_libraries() -> None:
    """Import once what every run needs, but nothing of the package itself."""
    from tests import conftest  # before Airflow, which fixes its home when it is imported

    os.environ["OMS_TESTS_HOME"] = str(conftest._HOME)
    for name in LIBRARIES:
        importlib.import_module(name)
    # The mutants would not be seen. (Airflow itself looks into the package.)
    for name in [name for name in sys.modules if name.partition(".")[0] in (PACKAGE, "tests")]:
        del sys.modules[name]


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
    parser.add_argument(
        "--kept", type=Path, default=ROOT / ".mutants.jsonl", help="where it is kept what became of each mutant"
    )
    parser.add_argument(
        "--limit",
        type=float,
        help="seconds after which tests hang; without it they are run without a mutant first, and must pass",
    )
    parser.add_argument("--report", action="store_true", help="try nothing, print what is kept")
    given = parser.parse_args()
    outcomes = read_kept(given.kept)
    if not given.report:
        load_libraries()
        known = {one.key for one in outcomes}
        for pattern, suite in SUITES.items():
            if given.only and not any(Path(module).match(pattern) for module in given.only):
                continue
            for one in try_all(pattern, suite, given, known):
                with given.kept.open("a", encoding="utf-8") as kept:
                    kept.write(json.dumps(asdict(one)) + "\n")
                if not one.caught:
                    print(f"survived: {one.module}:{one.line}: {one.change}: {one.code}", flush=True)
        outcomes = read_kept(given.kept)
    caught = sum(one.caught for one in outcomes)
    share = caught / len(outcomes) if outcomes else 0.0
    unexplained = [one for one in outcomes if not one.caught and not one.reason]
    for one in unexplained:
        print(f"not explained: {one.module}:{one.line}: {one.change}: {one.code}")
    print(
        f"\n{summary(outcomes)}\n\nCaught: {caught} of {len(outcomes)} ({share:.1%}); at least {LEAST:.0%} is wanted."
    )
    return 0 if share >= LEAST and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())

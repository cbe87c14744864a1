"""Runs tests on mutants, in a process that has collected all tests and forks for each mutant.

A mutant in a function takes only the time of the tests. A mutant that takes effect at the import, such as a changed
constant of a module, is tried in a fork that has imported only the libraries. So is a mutant that no loaded test has
noticed in a line that ran at the import, because objects that were made at the import may still have the old value.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from types import FunctionType
from typing import Any

import pytest
from coverage import Coverage

from reliability.loaded import Place, exchange, loaded_functions

PACKAGE = "airflow_provider_oms"

#: The tests that can notice a mutant.
TESTS = (
    "tests/milestones",
    "tests/client",
    "tests/operators",
    "tests/sensors",
    "tests/triggers",
    "tests/triggerer/test_first_poll.py",
    "tests/test_assets.py",
    "tests/cli/test_projects.py",
    "tests/cli/test_status.py",
)

#: The fixture of tests that need Airflow's database. They take long and are left out.
_LEFT_OUT = "airflow_db"

#: Seconds, in addition to ten times its usual duration, after which a test counts as hanging.
_PATIENCE = 20.0

#: How many bytes of memory a process may use, so that a mutant with an endless list fails.
_MEMORY = 6 << 30

#: Linux: the signal that a process gets when its parent ends.
_PR_SET_PDEATHSIG = 1

#: Returned for a mutant that ended the process of the tests, or made it hang.
ENDED = "(the process ended)"

#: Returned for a mutant with which the tests can't be collected.
NO_IMPORT = "(the import failed)"


def _coverage(*files: str) -> Coverage:
    return Coverage(data_file=None, config_file=False, include=list(files))


class _Watch:
    """A plugin of pytest that ends a test that hangs, and records which test failed first."""

    def __init__(self, seconds: Callable[[str], float]) -> None:
        self._seconds = seconds
        self.failed = ""
        self.why = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE + 10 * self._seconds(item.nodeid))

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.failed:
            self.failed, self.why = report.nodeid, report.longreprtext


class _Chosen:
    """A plugin of pytest that runs only these tests, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._place = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (item for item in items if item.nodeid in self._place), key=lambda item: self._place[item.nodeid]
        )


class _Loaded:
    """A plugin of pytest that doesn't run the tests once, but for each mutant in a fork.

    :param folder: the copy of the checkout
    :param pipe: receives mutants, and sends results
    """

    def __init__(self, folder: Path, pipe: Connection) -> None:
        self._folder = folder
        self._pipe = pipe
        self._measuring = _coverage(f"{folder / PACKAGE}/*")
        self._measuring.start()
        self._items: dict[str, pytest.Item] = {}
        self._functions: dict[Place, list[FunctionType]] = {}
        self._config: pytest.Config

    @pytest.hookimpl
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._config = session.config
        self._items = {
            item.nodeid: item for item in session.items if _LEFT_OUT not in getattr(item, "fixturenames", ())
        }
        self._functions = loaded_functions(str(self._folder / PACKAGE))
        self._measuring.stop()
        data = self._measuring.get_data()
        self._pipe.send((list(self._items), {path: data.lines(path) for path in data.measured_files()}))
        gc.freeze()
        sys.dont_write_bytecode = True
        while (asked := self._pipe.recv()) is not None:
            what, *given = asked
            run = partial({"measure": self._measured, "try": self._tried}[what], *given)
            self._pipe.send(_in_fork(self._folder, run))
        return True

    def _tried(self, path: str, before: str, after: str, tests: Mapping[str, float]) -> str | None:
        """Return the first test that notices a mutant, or empty text; None if the mutant needs another import."""
        if not exchange(path, before, after, self._functions):
            return None
        watch = _Watch(tests.__getitem__)
        self._run(list(tests), watch)
        return watch.failed

    def _run(self, tests: Sequence[str], watch: _Watch, began: Callable[[str], None] = str) -> None:
        self._config.pluginmanager.register(watch)
        items = [self._items[test] for test in tests]
        for item, following in pairwise([*items, None]):
            assert item is not None
            began(item.nodeid)
            self._config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if watch.failed:
                break

    def _measured(self, modules: Sequence[str], tests: Sequence[str]) -> dict[str, Any]:
        watch = _Watch(lambda test: 1000)
        measuring = _coverage(*(str(self._folder / PACKAGE / module) for module in modules))
        started: list[float] = []

        def began(test: str) -> None:
            measuring.switch_context(test)
            started.append(perf_counter())

        measuring.start()
        self._run(tests, watch, began)
        started.append(perf_counter())
        measuring.stop()
        if watch.failed:
            return {"failed": watch.failed, "why": watch.why}
        data = measuring.get_data()
        numbers = {test: number for number, test in enumerate(tests)}
        lines = {
            module: {
                line: sorted(numbers[test] for test in contexts if test)
                for line, contexts in data.contexts_by_lineno(str(self._folder / PACKAGE / module)).items()
            }
            for module in modules
        }
        seconds = [after - before for before, after in pairwise(started)]
        return {"seconds": dict(zip(tests, seconds, strict=True)), "lines": lines}


def _in_fork(folder: Path, run: Callable[[], Any]) -> Any:
    """Return the result of a function that runs in a forked process, or ``ENDED`` if the process was ended."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    with _temporary(folder) as place:
        pid = _fork()
        if pid == 0:
            try:
                os.setsid()
                # Files that the tests leave here are deleted with the folder.
                os.environ["TMPDIR"] = tempfile.tempdir = str(place)
                resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
                answer.write_text(json.dumps(run()), encoding="utf-8")
            except BaseException as error:  # this is the fork, in which nothing else may run
                sys.stderr.write(f"{error!r}\n")
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        _end(pid)
    return json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else ENDED


def _end(group: int) -> None:
    """Kill the processes that a test has started."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _fork() -> int:
    """Fork a process that is killed when this one ends for any reason."""
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return pid


@contextmanager
def _temporary(folder: Path) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix="tmp", dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _pytest(folder: Path, tests: Sequence[str], *plugins: object) -> int:
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    return pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests], plugins=list(plugins))


class Trials:
    """Tries mutants in a copy of a checkout.

    :param folder: the copy, whose files are changed and restored
    :param tests: the files or folders of the tests
    """

    def __init__(self, folder: Path, tests: Sequence[str]) -> None:
        self._folder = folder
        self._pipe, other = Pipe()
        if _fork() == 0:
            self._pipe.close()
            output = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream in (1, 2):
                os.dup2(output, stream)
            try:
                _pytest(folder, tests, _Loaded(folder, other))
            finally:
                os._exit(0)
        other.close()
        #: The ids of all tests, and by file the lines that run at the import.
        self.tests: list[str]
        self._at_import: dict[str, list[int]]
        self.tests, self._at_import = self._answer()
        # From now on files are changed, so no bytecode of them may be stored.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"

    def _answer(self) -> Any:
        try:
            return self._pipe.recv()
        except EOFError:
            said = (self._folder / "output.txt").read_text(encoding="utf-8", errors="replace")
            sys.exit(f"The tests can't be collected:\n{said[-4000:]}")

    def close(self) -> None:
        """End the process with the loaded tests."""
        self._pipe.send(None)
        self._pipe.close()

    def measure(self, modules: Sequence[str], tests: Sequence[str]) -> dict[str, Any]:
        """Run tests without a mutant, and measure them.

        The program ends if a test fails, because that test would seem to notice every mutant.

        :param modules: those whose lines matter, below the package
        :param tests: their ids
        :return: the seconds of each test, and by module and line the numbers of the tests that execute the line
        """
        self._pipe.send(("measure", list(modules), list(tests)))
        answer = self._answer()
        if answer == ENDED or "failed" in answer:
            sys.exit(f"A test fails without any mutant: {answer}")
        return dict(answer)

    def first_to_notice(
        self, module: str, before: str, after: str, lines: tuple[int, int], tests: Mapping[str, float]
    ) -> str:
        """Return the first test that fails with a mutant, or empty text if none does.

        :param module: the module, below the package
        :param before: its text
        :param after: its changed text
        :param lines: the first and the last changed line
        :param tests: the ids of the tests, with the seconds that each takes
        """
        if not tests:
            return ""
        path = self._folder / PACKAGE / module
        with _replaced(path, after):
            self._pipe.send(("try", str(path), before, after, dict(tests)))
            found: str | None = self._answer()
            ran = not set(range(lines[0], lines[1] + 1)).isdisjoint(self._at_import.get(str(path), ()))
            if found is None or (not found and ran):
                found = _in_fork(self._folder, lambda: self._afresh(tests))
        return found or ""

    def _afresh(self, tests: Mapping[str, float]) -> str:
        """Import everything again and run tests."""
        watch = _Watch(tests.__getitem__)
        signal.setitimer(signal.ITIMER_REAL, 10 * _PATIENCE)
        output = os.open(self._folder / "afresh.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for stream in (1, 2):
            os.dup2(output, stream)
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        code = _pytest(self._folder, list(files), watch, _Chosen(list(tests)))
        return watch.failed or ("" if code == pytest.ExitCode.OK else NO_IMPORT)


@contextmanager
def _replaced(path: Path, text: str) -> Iterator[None]:
    """Replace a file temporarily, with a new modification time, so that old bytecode isn't used."""
    was, before = path.read_bytes(), path.stat()
    path.write_text(text, encoding="utf-8")
    os.utime(path, (before.st_atime, before.st_mtime + 10))
    try:
        yield
    finally:
        path.write_bytes(was)
        os.utime(path, (before.st_atime, before.st_mtime))

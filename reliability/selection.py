"""Chooses and orders the tests that can notice a mutant: those that execute its line."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

#: Limits in seconds; tests between two limits count as equally fast.
_ABOUT = (0.02, 0.1, 0.5, 2.0, 10.0)

#: How many tests are measured before the measurements are stored.
_AT_ONCE = 500


def digest(*texts: str) -> str:
    """Return a digest of texts."""
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


class Measured:
    """The duration of each test, and the lines that it executed.

    Both are stored in a file. Changed and new tests are measured again. If a module has changed, the recorded line
    numbers are no longer valid, so a test that executed any line of the module counts for every line.

    :param kept: the file with the measurements
    :param root: the checkout
    :param modules: the text of each module
    """

    def __init__(self, kept: Path, root: Path, modules: Mapping[str, str]) -> None:
        self._kept = kept
        self._root = root
        self._modules = {module: digest(text) for module, text in modules.items()}
        #: By file of tests: its digest, the modules' digests, the seconds of each test, and by module and line a bit
        #: for each test.
        self._files: dict[str, Any] = {}
        self._noticed: dict[str, Counter[str]] = defaultdict(Counter)
        #: The tests that can be run; None for all.
        self.there: frozenset[str] | None = None
        if kept.exists():
            self._files = json.loads(kept.read_text(encoding="utf-8"))

    def missing(self, tests: Sequence[str]) -> Iterator[list[str]]:
        """Iterate over lists of tests whose current version has not been measured, each for a few files.

        :param tests: the ids of all tests
        """
        by_file: dict[str, list[str]] = defaultdict(list)
        for test in tests:
            by_file[test.partition("::")[0]].append(test)
        found: list[str] = []
        for file, of in by_file.items():
            known = self._files.get(file, {"of": "", "tests": {}})
            if known["of"] != self._digest(file) or set(known["tests"]) != set(of):
                found += of
            if len(found) > _AT_ONCE:
                yield found
                found = []
        if found:
            yield found

    def _digest(self, file: str) -> str:
        return digest((self._root / file).read_text(encoding="utf-8"))

    def keep(self, seconds: Mapping[str, float], lines: Mapping[str, Mapping[Any, Sequence[int]]]) -> None:
        """Store measurements.

        :param seconds: the duration of each test
        :param lines: by module and line, the numbers of the tests that execute it
        """
        tests = list(seconds)
        places: list[tuple[Any, int]] = []
        before = ""
        for test in tests:
            file = test.partition("::")[0]
            if file != before:
                before = file
                self._files[file] = {"of": self._digest(file), "modules": self._modules, "tests": {}, "lines": {}}
            of = self._files[file]
            places.append((of, len(of["tests"])))
            of["tests"][test] = seconds[test]
        for module, by_line in lines.items():
            for line, numbers in by_line.items():
                for of, place in map(places.__getitem__, numbers):
                    bits = of["lines"].setdefault(module, {})
                    bits[str(line)] = bits.get(str(line), 0) | 1 << place
        self._kept.write_text(json.dumps(self._files), encoding="utf-8")

    def tests_of(self, module: str, first: int, last: int) -> dict[str, float]:
        """Return the tests that execute any of these lines, with the seconds of each, in the order to run them.

        First come tests that have noticed mutants of this module, then one fast test of each function, and so on.

        :param module: the module, below the package
        :param first: the first line
        :param last: the last one
        """
        seconds: dict[str, float] = {}
        for of in self._files.values():
            bits = of["lines"].get(module, {})
            same = of["modules"].get(module) == self._modules.get(module)
            ran = 0
            for line, by in bits.items():
                if not same or first <= int(line) <= last:
                    ran |= by
            seconds |= {test: took for place, (test, took) in enumerate(of["tests"].items()) if ran >> place & 1}
        return self._ordered(module, seconds)

    def all_tests(self, module: str) -> dict[str, float]:
        """Return all tests with the seconds of each, in the order to run them for a module.

        :param module: the module, below the package
        """
        return self._ordered(module, {test: took for of in self._files.values() for test, took in of["tests"].items()})

    def _ordered(self, module: str, seconds: Mapping[str, float]) -> dict[str, float]:
        noticed = self._noticed[module]
        rows: Counter[str] = Counter()
        places = {}
        for test in sorted(seconds, key=seconds.__getitem__):
            function = test.partition("[")[0]
            places[test] = (-noticed[test], sum(seconds[test] > about for about in _ABOUT), rows[function])
            rows[function] += 1
        there = seconds.keys() if self.there is None else seconds.keys() & self.there
        return {test: seconds[test] for test in sorted(there, key=places.__getitem__)}

    def noticed(self, module: str, test: str) -> None:
        """Record the test that has noticed a mutant."""
        self._noticed[module][test] += 1

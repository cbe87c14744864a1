"""Whatever OMS answers, a gate opens only if the oracle allows it, raises nothing, and opens when it should.

The answers are generated from Python's own random numbers with fixed seeds. Hypothesis spent nine tenths of the time
on generating, and its shrinking is of little use for whole histories of answers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from email.utils import formatdate
from random import Random
from typing import Any, TypeVar

import pytest

from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import State
from tests import gate_cases as oms
from tests.gate_cases import NOW, PROGRESS, PROJECT, PROJECTS, RECORDS, STEPS, Reply
from tests.milestones import oracle
from tests.milestones.oracle import Http, Observed, Wish, may_open, of_set, verdicts
from tests.milestones.support import FakeOms, gate_of

T = TypeVar("T")

#: How many histories each test generates for each gate.
EXAMPLES = 500

STEP_NAMES = [name for names in oms.STEP_NAMES.values() for name in names]

#: The arguments of gates: for each argument the values to choose from.
WISHES: dict[str, dict[str, Sequence[Any]]] = {
    "OmsStepSensor": {
        "step": ["FULL_TRANSFER", "INCR_TRANSFER", "FULL_VERIFIER", "TRANSFER_APP_SWITCH"] * 4 + STEP_NAMES,
        "until": ["done", "done", "started"],
    },
    "OmsFullTransferSensor": {"progress": [1, 50, 99.5, 100]},
    "OmsCheckpointLagSensor": {
        "max_lag": [0, 25, 60, 900],
        "direction": ["forward", "forward", "reverse"],
        "hold_for": [0, 0, 30, 90],
    },
    "OmsCheckpointReachedSensor": {
        "checkpoint": [NOW - 900, NOW - 60, NOW, NOW + 60],
        "direction": ["forward", "forward", "reverse"],
    },
    "OmsFullVerificationSensor": {"verification_project": [None, None, oms.APART]},
    "OmsProjectStatusSensor": {
        "target_statuses": [
            [first, *more]
            for first in ("RUNNING", "SUSPEND", "FINISHED", "FAILED", "RELEASED", "DELETED", "HIBERNATING")
            for more in ((), ("RUNNING",), ("FAILED",), ("RELEASED",), ("HIBERNATING",))
        ]
    },
    "OmsObjectsSensor": {"tables": [["shop.orders"], ["shop.prices"], ["shop.orders", "shop.prices"], ["shop.totals"]]},
    "OmsCutoverReadySensor": {
        "max_lag": [0, 25, 60, 900],
        "require_verification": [True, True, False],
        "verification_project": [None, None, oms.APART],
    },
}

# Values that may be anywhere

ODD_WORDS = ["", " ", "abc", "null", "NaN", "1e3", "--5", "+", "0", "100", "-1", "FINISHED", "finished", " RUNNING "]
ODD_WORDS += ["RUNNINGLESS", "RUNNING_", "MONITORING", "CONSISTENT", "\x00\n", "\u0661\u0660\u0660", "x" * 5000]
ODD_NUMBERS = [0, 1, -1, 100, 5151, 1.5, 10**12, 10**17, 10**19, 10**400, -(10**19), 1e300]
ODD_NUMBERS += [float("nan"), float("inf"), -0.0, NOW, NOW * 1000]
ODD_THINGS = [None, None, True, False, [], {}, [1], ["RUNNING"], {"a": 1}, [None], [[]]]
ODD = [*ODD_WORDS, *ODD_NUMBERS, *ODD_THINGS]


class Dice:
    """Random choices that are always the same for a seed."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def once_in(self, times: int) -> bool:
        """Return True at random, once in a number of times."""
        return self.random.randrange(times) == 0

    def pick(self, choices: Sequence[T]) -> T:
        """Choose one of several values."""
        return choices[self.random.randrange(len(choices))]

    def wish(self, sensor: str) -> dict[str, Any]:
        """Choose the arguments of a gate."""
        return {name: deepcopy(self.pick(values)) for name, values in WISHES[sensor].items()}

    def odd(self) -> Any:
        """Choose a value that doesn't belong there."""
        return self._anything() if self.once_in(4) else deepcopy(self.pick(ODD))

    def _anything(self) -> Any:
        """Choose a short text without surrogates, a float or an integer."""
        kind = self.random.randrange(3)
        if kind == 0:
            codes = (self.random.getrandbits(self.pick([7, 8, 16, 20])) for _ in range(self.random.randrange(5)))
            return "".join(chr(code) for code in codes if not 0xD800 <= code <= 0xDFFF)
        if kind == 1:
            return struct.unpack("d", self.random.randbytes(8))[0]
        return self.random.getrandbits(self.pick([4, 8, 32, 64, 128])) * self.pick([1, -1])


def try_all(check: Callable[[Dice], None], *about: object) -> None:
    """Run a check with many seeds; the error names the seed with which it failed."""
    for number in range(EXAMPLES):
        seed = f"{about} {number}"
        try:
            check(Dice(seed))
        except Exception as error:
            error.add_note(f"with Dice({seed!r})")
            raise


# OMS's answers

STATUSES = ["RUNNING"] * 6 + [status.value for status in oms.STATUSES.values() if isinstance(status.value, str)]
FLAGS = [True, True, "true", None, False]
STEP_STATUSES = ["INIT", "RUNNING", "FAILED", "FINISHED", "SUSPEND", "MONITORING", "PAUSING", None]
RESULTS = ["CONSISTENT"] * 6 + ["BOTH_EMPTY", "INCONSISTENT", "SOURCE_EMPTY", "RUNNING", None]
TABLES: list[dict[str, Any]] = [{}] * 8
TABLES += [{"status": status} for status in ("RUNNING", "ERROR", "SUSPEND", None)]
TABLES += [{"progress": progress} for progress in ("0.5", 1, None)]
TABLES += [{"mismatchedCount": 2}, {"sourceOnlyCount": 0, "destOnlyCount": 1}]
INFOS = [None] * 6 + [{"skipped": True, "validated": False}, {"validated": False}, {"skipped": False}]
USUAL = ["TRANSFER_PRECHECK", "FULL_TRANSFER", "INCR_TRANSFER", "FULL_VERIFIER", "TRANSFER_APP_SWITCH"]
ENDLESS = {name for kind in ("incremental", "incremental_verification", "reverse") for name in oms.STEP_NAMES[kind]}


def _good_step(name: str) -> dict[str, Any]:
    return oms.step(name, "MONITORING" if name in ENDLESS else "FINISHED", 100)


def _step(dice: Dice, name: str, at: float) -> dict[str, Any]:
    ages = (-9000, -121, -120, -10, 0, 200, 300, 301, 9000)
    error = {
        "errorCode": "E",
        "errorMsg": "full",
        "failedTime": dice.pick([None, *[oms.oms_time(at + s) for s in ages]]),
    }
    figures = dice.pick([{"processedRecords": 5, "capacity": 9, "dstRps": 2, "srcRps": 1}, *INFOS])
    percent = dice.pick([100, 100, 99, 0, None])
    return oms.step(name, dice.pick(STEP_STATUSES), percent, extraInfo=error, stepInfo=figures)


def _steps(dice: Dice, at: float) -> list[dict[str, Any]]:
    names = [dice.pick(STEP_NAMES) for _ in range(dice.pick(range(6)))] if dice.once_in(4) else USUAL
    return [_step(dice, name, at) if dice.once_in(4) else _good_step(name) for name in names]


def _progress(dice: Dice, at: float) -> dict[str, Any]:
    behind = [at - seconds for seconds in (10, 10, 25, 26, 60, 61, 900, 901, 0, -1, -300, -301)]
    checkpoints = [*behind, str(int(at) - 5), (at - 10) * 1000, None, 0, -3, "100,30", NOW, NOW + 60, NOW + 61]
    fields: dict[str, Sequence[Any]] = {
        "status": STATUSES,
        "enableFullTransfer": FLAGS,
        "enableIncrSync": FLAGS,
        "enableReverseIncrTransfer": FLAGS,
        "currentStep": ["INCR_TRANSFER", "REVERSE_INCR_SYNC", None],
        "fullTransferProgress": [100, 100, 99, 50, 0, None],
        "incrSyncCheckpoint": checkpoints,
        "reverseIncrTransferCheckpoint": checkpoints,
    }
    good = oms.caught_up(incrSyncCheckpoint=at, reverseIncrTransferCheckpoint=at)
    changed = [dice.pick(list(fields)) for _ in range(dice.pick(range(5)))]
    return good | {name: dice.pick(fields[name]) for name in changed}


def _pages(dice: Dice) -> list[dict[str, Any]]:
    if not dice.once_in(3):
        return [*oms.CONSISTENT]
    pages = []
    for number in range(dice.pick([1, 1, 2, 3, 0])):
        tables = [
            oms.table(f"t{number}_{n}", dice.pick(RESULTS), **dice.pick(TABLES)) for n in range(dice.pick([1, 2]))
        ]
        pages.append(oms.page(*tables, different=dice.pick([0] * 8 + ["0", 1, None])))
    return pages


# Spoiling it

#: The values that gates use. Other values are changed less often.
POLLED = (
    "status",
    "progress",
    "name",
    "checkpoint",
    "different",
    "result",
    "enable",
    "statistics",
    "failedtime",
    "data",
    "tables",
    "mode",
    "type",
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the paths to all values in an answer."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _spoil(dice: Dice, body: dict[str, Any]) -> dict[str, Any]:
    """Replace the values in a few places of an answer by others that don't belong there."""
    body = json.loads(json.dumps(body))
    for _ in range(dice.pick([1, 1, 2, 3])):
        places = list(_places(body))
        if not dice.once_in(4):
            places = [path for path in places if any(word in str(path[-1]).lower() for word in POLLED)] or places
        if not places:
            break
        *path, last = dice.pick(places)
        holder: Any = body
        for key in path:
            holder = holder[key]
        what = dice.pick(["odd", "odd", "odd", "gone", "renamed", "twice"])
        if what == "odd":
            holder[last] = dice.odd()
        elif what == "gone":
            del holder[last]
        elif what == "renamed" and isinstance(holder, dict):
            holder[dice.pick([last.upper(), last.title(), f" {last}", last.lower()])] = holder.pop(last)
        elif what == "twice" and isinstance(holder, list):
            holder.append(deepcopy(holder[last]))
    return body


def _refused(code: str | None, message: str) -> Http:
    return Http(json.dumps(oms.refusal(code, message)).encode())


PASSING = [Http(lost=True), Http(b"<html>", 502), Http(b"<html>"), Http(b""), Http(b"{"), Http(b"", 503), Http(b"\xff")]
PASSING += [_refused("GHANA-OPERAT000001", "CM"), Http(b"[]"), Http(b"null"), Http(b"[" * 5000)]
PASSING += [Http(b'{"success": true, "data": ' + b"9" * 5000 + b"}")]
LASTING = [Http(b"", 401), Http(b"", 404), Http(b"", 302), _refused("GHANA-PROJECT000001", "gone")]
LASTING += [_refused(None, "Unsupported action: X")]


def _http(dice: Dice, data: Any, date: str | None, total: Any = None) -> Http:
    if dice.once_in(40):
        return dice.pick(LASTING)
    if dice.once_in(20):
        return dice.pick(PASSING)
    body = oms.success(data, total)
    return Http(json.dumps(_spoil(dice, body) if dice.once_in(2) else body).encode(), 200, date)


def _date(dice: Dice, at: float) -> str | None:
    if not dice.once_in(8):
        return formatdate(int(at), usegmt=True)
    odd = ["", "soon", "Mon, 99 Foo 2027 00:00:00 GMT", formatdate(int(at) + 7200, usegmt=True), None]
    odd += [formatdate(int(at) - 7200, usegmt=True), "Fri, 15 Jan 2027 16:00:00 +0800", "Fri, 15 Jan 0027 08:00:00"]
    return dice.pick(odd)


def _sound(at: float, progress: Any, steps: Any, pages: Any, project: Any = None) -> Observed:
    date = formatdate(int(at), usegmt=True)

    def http(data: Any, total: Any = None) -> Http:
        return Http(json.dumps(oms.success(data, total)).encode(), 200, date)

    total = sum(len(page["fullVerifyTableStatistics"]) for page in pages)
    verify = [http(page, total) for page in pages]
    described = oms.project(transferMapping=oms.mapping("orders", "prices")) if project is None else project
    return Observed(at, http(progress), http(steps), verify, http(described), http([]))


def _project(dice: Dice) -> dict[str, Any]:
    return oms.project(verify=dice.pick([True, False, None, "true"]), in_mode=dice.pick([False, True, None]))


def _apart(dice: Dice, at: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return progress and steps of a project that verifies another one; most are done."""
    statuses = ["FINISHED", "FINISHED", "FINISHED", "RUNNING", "RUNNING_MODIFYING", "FAILED", "SUSPEND"]
    steps = _steps(dice, at) if dice.once_in(4) else [_good_step("TRANSFER_PRECHECK"), _good_step("FULL_VERIFIER")]
    return oms.progress(dice.pick(statuses), projectId=oms.APART), steps


RECORD_STATUSES = ["SUCCESS"] * 4 + ["CANCEL", "TERMINATED", "PENDING", "MODIFYING", "RUNNING", "MERGING", "FAILED"]


def _mapping(dice: Dice) -> dict[str, Any]:
    tables = dice.pick([["orders", "prices"], ["orders", "prices"], ["orders"], []])
    return oms.mapping(*tables, mode=dice.pick(["SPECIFIC"] * 6 + ["WILDCARD", None]))


def _records(dice: Dice, at: float) -> list[dict[str, Any]]:
    """Return records of added and removed objects; most are done."""
    made = []
    for number in range(dice.pick([0, 0, 1, 2, 3])):
        kind = dice.pick(["INCREASE_OBJECT", "DECREASE_OBJECT"])
        tables = dice.pick([("prices",), ("orders",), ("old",), ()])
        age = dice.pick([None, -9000, -121, -120, -10, 300, 301])
        modified = None if age is None else oms.oms_time(at + age)
        made.append(oms.record(dice.pick(RECORD_STATUSES), kind, *tables, id=number, gmtModified=modified))
    return made


def sound_answers(dice: Dice, sensor: str) -> Observed:
    """Generate the answers of one poll, in the documented form."""
    progress, steps, pages, project = _progress(dice, NOW), _steps(dice, NOW), _pages(dice), _project(dice)
    records: list[dict[str, Any]] = []
    if sensor == "OmsObjectsSensor":
        project, records = project | {"transferMapping": _mapping(dice)}, _records(dice, NOW)
    observed = _sound(NOW, progress, steps, pages, project)
    observed.records = Http(json.dumps(oms.success(records)).encode(), 200, observed.progress.date)
    return observed


def _odd(dice: Dice, at: float, progress: Any, steps: Any, project_id: str = "np_1") -> Observed:
    """Generate the answers of one poll, of which many are malformed."""
    pages, date = _pages(dice), _date(dice, at)
    right = sum(len(page["fullVerifyTableStatistics"]) for page in pages)
    total = dice.pick([None, 0, right + 1, 10**6]) if dice.once_in(6) else right
    verify = [_http(dice, page, date, total) for page in pages]
    project = _http(dice, {**_project(dice), "id": project_id}, date)
    return Observed(at, _http(dice, progress, date), _http(dice, steps, date), verify, project)


def histories(dice: Dice, sensor: str) -> list[Observed]:
    """Generate the answers of successive polls, of which many are malformed."""
    at, polls = float(NOW), []
    for _ in range(dice.pick([1, 2, 2, 3, 4])):
        polls.append(_odd(dice, at, _progress(dice, at), _steps(dice, at)))
        if sensor == "OmsObjectsSensor":
            described = _project(dice) | {"transferMapping": _mapping(dice)}
            polls[-1].project = _http(dice, described, _date(dice, at))
            polls[-1].records = _http(dice, _records(dice, at), _date(dice, at))
        if sensor in ("OmsFullVerificationSensor", "OmsCutoverReadySensor"):
            polls[-1].apart = _odd(dice, at, *_apart(dice, at), oms.APART)
        at += dice.pick([0, 1, 30, 30, 60, 120])
    return polls


# Polling


class HeardOms(FakeOms):
    """Sends the generated answers of a poll."""

    def __init__(self, observed: Observed) -> None:
        super().__init__(self._reply, None, observed.local)
        self.observed = observed

    def _reply(self, action: str, payload: Any) -> Any:
        if action == PROJECTS:
            return Reply(oms.success([{"id": oms.APART, "type": "VERIFY", "name": "shop_check"}], 1))
        asked = payload.get("id") or payload.get("projectId")
        observed = self.observed.apart if asked == oms.APART and self.observed.apart else self.observed
        by_action = {PROGRESS: observed.progress, STEPS: observed.steps, PROJECT: observed.project}
        by_action[RECORDS] = self.observed.records
        if action in by_action:
            http = by_action[action]
        elif payload["pageNumber"] <= len(observed.verify):
            http = observed.verify[payload["pageNumber"] - 1]
        else:
            http = Http(json.dumps(oms.success(oms.page())).encode())
        headers = {} if http.date is None else {"date": http.date}
        return Raw(http.body, http.status, headers, "reset" if http.lost else None)


class Raw(Reply):
    """A reply whose body is already bytes."""

    @property
    def raw(self) -> bytes:
        return self.body


def _observe(gate: Gate, memory: Memory, observed: Observed) -> Any:
    verdict = run_flow(HeardOms(observed), poll(gate, memory, Now(observed.local, observed.local)))
    assert isinstance(verdict.state, State)
    assert verdict.message
    assert verdict.message.isprintable()
    assert verdict.figures.isprintable()
    json.dumps(verdict.observed.as_dict(), allow_nan=False)
    return verdict


def _kept(memory: Memory, through_json: bool) -> Memory:
    return Memory.from_dict(json.loads(json.dumps(memory.as_dict()))) if through_json else memory


@pytest.mark.parametrize("sensor", WISHES)
def test_a_gate_opens_only_where_the_oracle_lets_it(sensor: str):
    opened = []

    def check(dice: Dice) -> None:
        arguments, history = dice.wish(sensor), histories(dice, sensor)
        strict, allow, through_json = (dice.once_in(2) for _ in range(3))
        gate = gate_of(sensor, {**arguments, "fail_on_suspend": strict, "allow_modifying": allow})
        memory = Memory()
        for number in range(len(history)):
            verdict = _observe(gate, memory, history[number])
            memory = _kept(memory, through_json)
            if verdict.state is State.REACHED:
                opened.append(number)
                wish = Wish(sensor, arguments, allow_modifying=allow)
                assert may_open(wish, history[: number + 1]), verdict.message
            if verdict.state is not State.WAITING:
                return

    try_all(check, sensor)
    assert len(opened) > 10, "the answers are too odd to show anything"


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("sensor", WISHES)
def test_of_sound_answers_a_gate_says_what_the_oracle_says(sensor: str, kept: bool):
    said: set[str] = set()

    def check(dice: Dice) -> None:
        arguments = {name: value for name, value in dice.wish(sensor).items() if name != "verification_project"}
        observed, strict, allow = sound_answers(dice, sensor), dice.once_in(2), dice.once_in(2)
        grace = dice.pick([0, 120, 120, 600])
        patience = {"fail_on_suspend": strict, "allow_modifying": allow, "failure_grace": grace}
        gate = gate_of(sensor, {**arguments, **patience})
        expected = verdicts(Wish(sensor, arguments, strict, allow, grace), observed, kept=kept)
        verdict = _observe(gate, Memory(kept=kept), observed)
        said.add(verdict.state)
        assert verdict.state in expected, (expected, verdict.message)

    try_all(check, sensor, kept)
    assert len(said) == 3, "the answers don't show every verdict"


class HeardMany(FakeOms):
    """Sends the generated answers for several projects."""

    def __init__(self, each: dict[str, Observed]) -> None:
        super().__init__(self._reply, None, NOW)
        self.each = {project_id: HeardOms(observed) for project_id, observed in each.items()}

    def _reply(self, action: str, payload: Any) -> Any:
        project_id = payload.get("id") or payload.get("projectId")
        raw = self.each[project_id]._reply(action, payload)
        return Raw(raw.body.replace(b'"np_1"', f'"{project_id}"'.encode()), raw.status, raw.headers, raw.fault)


@pytest.mark.parametrize("sensor", WISHES)
def test_of_many_projects_a_gate_says_what_the_oracle_says_of_all(sensor: str):
    said: set[str] = set()

    def check(dice: Dice) -> None:
        arguments = {name: value for name, value in dice.wish(sensor).items() if name != "verification_project"}
        arguments.pop("hold_for", None)
        good = _reached_at(NOW, sensor, arguments)
        good.progress.date = None  # the clock is the local one, as for the other projects
        each = {
            f"np_{number}": good if dice.once_in(2) else sound_answers(dice, sensor)
            for number in range(dice.pick([2, 3]))
        }
        gate = gate_of(sensor, arguments, fleet=Fleet(project_ids=tuple(each)))
        expected = of_set([verdicts(Wish(sensor, arguments), observed) for observed in each.values()])
        verdict = run_flow(HeardMany(each), poll(gate, Memory(), Now(NOW, NOW)))
        said.add(verdict.state)
        assert verdict.state in expected, (expected, verdict.message)

    try_all(check, sensor)
    assert len(said) == 3, "the answers don't show every verdict"


def _reached_at(at: float, sensor: str, arguments: dict[str, Any]) -> Observed:
    """Return well-formed answers in which every milestone is reached."""
    steps = [_good_step(names[0]) for names in oms.STEP_NAMES.values()]
    status = arguments["target_statuses"][0] if sensor == "OmsProjectStatusSensor" else "RUNNING"
    checkpoint = max(at, arguments.get("checkpoint", 0) + 1)
    progress = oms.caught_up(status, incrSyncCheckpoint=checkpoint, reverseIncrTransferCheckpoint=checkpoint)
    observed = _sound(at, progress, steps, oms.CONSISTENT)
    finished = oms.progress("FINISHED", projectId=oms.APART)
    compared = oms.project(id=oms.APART, type="VERIFY", transferMapping=oms.mapping("orders", "prices", "items"))
    observed.apart = _sound(at, finished, steps, oms.CONSISTENT, project=compared)
    return observed


@pytest.mark.parametrize("sensor", WISHES)
def test_once_oms_says_reached_the_next_poll_opens(sensor: str):
    came_so_far = []

    def check(dice: Dice) -> None:
        arguments, history, through_json = dice.wish(sensor), histories(dice, sensor), dice.once_in(2)
        # Tolerant, so that few of the earlier answers end the gate.
        gate = gate_of(sensor, {**arguments, "failure_grace": 10**6, "outage_tolerance": 10**6})
        memory, at = Memory(), float(NOW)
        for observed in history:
            at = observed.local
            if _observe(gate, memory, observed).state is not State.WAITING:
                return
            memory = _kept(memory, through_json)
        came_so_far.append(at)
        # Dates in the history may be wrong; hold_for counts from the first well-formed answer.
        for waited in range(0, int(arguments.get("hold_for", 0)) + 30, 30):
            verdict = _observe(gate, memory, _reached_at(at + 30 + waited, sensor, arguments))
            # A step that was listed under a changed name is missing from then on.
            if verdict.state is State.REACHED or "doesn't list it now" in verdict.message:
                return
        raise AssertionError(verdict.message)

    try_all(check, sensor)
    assert len(came_so_far) > 10, "too few gates wait"


def test_the_oracle_knows_nothing_of_the_package():
    with open(oracle.__file__) as source:
        assert "airflow_provider_oms" not in source.read()

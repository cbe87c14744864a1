"""A row of ``ListProjects`` may only say "not yet": it is compared with the precise calls."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsMalformedAnswerError, OmsUnreachableError
from airflow_provider_oms.client.models import Project as Row
from airflow_provider_oms.client.operations import Together, run_flow
from airflow_provider_oms.client.paging import Page
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.rows import Hint, Listing, listing, told_by
from airflow_provider_oms.milestones.verdict import State
from airflow_provider_oms.simulator import Clock, Failure, Project, Simulator
from tests.gate_cases import CASES, NOW, Case
from tests.milestones.fleets import row
from tests.milestones.support import FakeOms, gate_of, poll_case, poll_once

READ = Answer(None, float(NOW), "OMS", float(NOW))


def told(case, **more):
    """Return what the row of a case says."""
    return told_by(gate_of(case.sensor, case.arguments), Row(row("np_1", case, **more)), READ)


def test_a_row_says_no_more_than_not_yet_in_any_row_of_the_table():
    said = 0
    for case in CASES:
        if case.date_offset:
            continue
        found = told(case)
        if found.hint is Hint.NOT_YET:
            said += 1
            assert found.verdict.state is State.WAITING
            assert poll_case(case).state is State.WAITING, case.id
    assert said > 60


def test_a_gate_with_a_row_decides_as_one_without():
    """With a new row, also when the precise calls are due; and with an old row."""
    for case in CASES:
        if case.date_offset:
            continue
        oms = FakeOms(case.reply, NOW)
        gate, alone = gate_of(case.sensor, case.arguments), poll_case(case)
        listed = Listing({"np_1": Row(row("np_1", case))}, READ)
        for by_row in (0, 9):
            memory = Memory(by_row=by_row)
            verdict = run_flow(oms, poll(gate, memory, Now(NOW, NOW), listed=listed))
            assert verdict.state == alone.state, case.id
            assert memory.unanswered == (1 if "No usable answer" in alone.message else 0), case.id


#: A project of every kind, and what gates on it wait for.
KINDS = {
    "ordinary": {},
    "idle": {"idle_source": True},
    "slow": {"catch_up_rate": 1.0},
    "fails": {"failures": [Failure("FULL_TRANSFER", 50.0)]},
    "recovers": {"failures": [Failure("INCR_TRANSFER", after=20.0, recover_after=200.0)]},
    "paused": {"status": "SUSPEND", "step": "FULL_TRANSFER", "step_progress": 30.0},
    "over": {"status": "FINISHED"},
    "released": {"status": "RELEASED"},
    "deleted": {"status": "DELETED"},
    "odd": {"status": "ODD"},
    "running something": {"status": "RUNNING_SOMETHING"},
    "changing": {"status_override": "RUNNING_MODIFYING"},
    "alarming": {"status_override": "RUNNING_ALARMING"},
    "not begun": {"status": "INIT"},
    "without verification": {"enable_full_verify": False},
    "without changes": {"enable_incr": False},
    "without rows": {"enable_full": False},
    "no way back": {"enable_reverse_incr": False},
    "sync": {"type": "SYNC"},
    "verify": {"type": "VERIFY"},
    "legacy": {"vocabulary": "legacy"},
    "sybase": {"sybase": True},
    "deferred index": {"defer_index": True},
    "ahead": {"shown": {"progress": {"incrSyncCheckpoint": NOW + 99_999}}},
    "no steps in rows": {"shown": {"row": {"steps": None}}},
    "stale row": {"shown": {"row": {"status": "RUNNING"}}},
}

ASKED: dict[str, Any] = {
    "OmsFullTransferSensor": [{}, {"progress": 50}],
    "OmsStepSensor": [{"step": "FULL_TRANSFER"}, {"step": "REVERSE_INCR_TRANSFER"}, {"step": "FULL_VERIFIER"}],
    "OmsCheckpointLagSensor": [{"max_lag": 25}, {"max_lag": 25, "direction": "reverse"}],
    "OmsCheckpointReachedSensor": [{"checkpoint": NOW + 100}],
    "OmsFullVerificationSensor": [{}],
    "OmsProjectStatusSensor": [{"target_statuses": ["FINISHED"]}, {"target_statuses": ["RELEASED", "DELETED"]}],
    "OmsCutoverReadySensor": [{}, {"require_verification": False}],
}

#: Cases in which a row says "not yet" and the precise calls fail: the failure is noticed up to ten polls later.
LATE: set[tuple[str, str]] = set()


@pytest.fixture
def client(monkeypatch):
    with Simulator(clock=Clock(start=NOW, speed=0)) as simulator:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", simulator.connection_json)
        for name, settings in KINDS.items():
            durations = {"FULL_TRANSFER": 100, "FULL_VERIFIER": 50}
            simulator.add_project(Project(**{"id": f"np_{name.replace(' ', '_')}", "durations": durations, **settings}))
        with OmsHook() as hook:
            yield simulator, hook.get_conn()


def test_a_row_says_no_more_than_not_yet_of_any_simulated_project(client):
    simulator, oms = client
    for name, settings in KINDS.items():
        if "status" not in settings:
            simulator.project(f"np_{name.replace(' ', '_')}").start()
    compared, early, late = 0, [], set()
    for _ in range(12):
        listed = {one.id: one for one in oms.list_projects()}
        read = replace_time(simulator)
        answers: dict[str, Any] = {}
        for name in KINDS:
            project_id = f"np_{name.replace(' ', '_')}"
            for sensor, every in ASKED.items():
                for given in every:
                    gate = gate_of(sensor, given, project_id=project_id)
                    hint = told_by(gate, listed.get(project_id), read).hint
                    compared += 1
                    if hint is Hint.NOT_YET:
                        verdict = poll_once(gate, Kept(oms, answers), now=read.at)
                        if verdict.state is State.REACHED:
                            early.append((name, sensor, given, verdict.message))
                        if verdict.state is State.FAILED:
                            late.add((name, sensor))
        simulator.clock.advance(23)
    assert compared == 12 * len(KINDS) * sum(map(len, ASKED.values()))
    assert not early
    assert late == LATE


class Kept:
    """Sends each request to a real server only once."""

    def __init__(self, client: OmsClient, answers: dict[str, object]) -> None:
        self._client, self._answers = client, answers

    def send(self, call):
        if call.key not in self._answers:
            try:
                self._answers[call.key] = self._client.send(call)
            except Exception as error:
                self._answers[call.key] = error
        found = self._answers[call.key]
        if isinstance(found, Exception):
            raise found
        return found


def replace_time(simulator):
    """Return the list's time as now."""
    return READ._replace(at=simulator.clock.now())


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": []},
        {"steps": None},
        {"steps": "nonsense"},
        {"status": None},
        {"status": "ODD"},
        {"isSubProject": True},
        {"enableFullTransfer": "perhaps"},
        {"id": None},
    ],
)
def test_a_row_that_has_too_little_says_nothing(changes):
    at_work = next(case for case in CASES if case.sensor == "OmsFullTransferSensor" and told(case).hint is Hint.NOT_YET)
    assert told(at_work, **changes).hint is Hint.ASK
    steps = copy.deepcopy(row("np_1", at_work)["steps"])
    assert told(replace(at_work, steps=tuple(steps[:1]))).hint is not Hint.CANDIDATE


def test_what_is_missing_from_a_list_and_what_is_counted_is_asked():
    close = next(case for case in CASES if case.sensor == "OmsCheckpointLagSensor" and case.expected == "reached")
    gate = gate_of(close.sensor, {**close.arguments, "hold_for": 60})
    assert told_by(gate, Row(row("np_1", close)), READ).hint is Hint.ASK
    assert told_by(gate, None, READ).hint is Hint.ASK
    case: Case = replace(close, arguments={"max_lag": 600})
    assert told(case).hint is Hint.CANDIDATE
    known = ["FULL_TRANSFER", "A_STEP_THAT_IS_LISTED_NO_MORE"]
    waiting = next(case for case in CASES if case.sensor == "OmsStepSensor" and told(case).hint is Hint.NOT_YET)
    gate = gate_of(waiting.sensor, waiting.arguments)
    assert told_by(gate, Row(row("np_1", waiting)), READ, known).hint is Hint.ASK


def test_a_row_that_is_behind_doesnt_end_what_is_counted():
    """Each "not yet" would restart the count of ``hold_for``, so the precise calls are due until it is over."""
    close = next(case for case in CASES if case.sensor == "OmsCheckpointLagSensor" and case.expected == "reached")
    gate, memory = gate_of(close.sensor, {"max_lag": 25, "hold_for": 60}), Memory(by_row=9)
    for poke in range(4):
        at = NOW + 30 * poke
        near, far = (
            replace(close, progress={**close.progress, "incrSyncCheckpoint": at - behind}) for behind in (5, 900)
        )
        listed = Listing({"np_1": Row(row("np_1", far))}, READ._replace(at=float(at)))
        verdict = run_flow(FakeOms(near.reply, at, at), poll(gate, memory, Now(at, at), listed=listed))
        assert verdict.state is (State.WAITING if poke < 2 else State.REACHED), poke
        if verdict.state is State.REACHED:
            break
    assert poke == 2


def test_after_an_outage_a_row_is_enough():
    """Otherwise a thousand gates would all ask at once when OMS is back."""
    at_work = next(case for case in CASES if case.sensor == "OmsFullTransferSensor" and told(case).hint is Hint.NOT_YET)
    gate, memory = gate_of(at_work.sensor, at_work.arguments), Memory(by_row=0)
    lost = FakeOms(lambda *_: OmsUnreachableError("nobody answers"))
    assert "No usable answer" in poll_once(gate, lost, memory).message
    memory.by_row = 0
    listed = Listing({"np_1": Row(row("np_1", at_work))}, READ)
    assert run_flow(lost, poll(gate, memory, Now(NOW + 30, NOW + 30), listed=listed)).state is State.WAITING
    assert memory.unanswered == 0


class Pages:
    """An OMS that lists projects, two on a page.

    :param total: what it says is in it
    :param broken: the page that it doesn't answer
    :param moved: in the first reading, the page that has a project of the page before, too
    """

    def __init__(self, projects, total=None, broken=None, moved=None):
        self.rows = [Row({"id": f"np_{number}", "name": f"shop_{number}"}) for number in range(projects)]
        self.total = total
        self.broken = broken
        self.moved = moved
        self.asked = []

    def send(self, call):
        number = call.payload["pageNumber"]
        self.asked.append(number)
        if number == self.broken:
            raise OmsUnreachableError("nobody answers")
        first = 2 * number - 2 - (number == self.moved and not call.reading)
        return READ._replace(data=Page(self.rows[first : first + 2], self.total), at=100.0 - number)

    def listing(self):
        """Read the list; return it, and the numbers of the requested pages, those at the same time together."""
        flow, asked = listing(actions.list_projects(page_size=2)), []
        answer = None
        try:
            while True:
                call = flow.send(answer)
                self.asked = []
                try:
                    answer = (
                        [run_flow(self, one) for one in call.flows] if isinstance(call, Together) else self.send(call)
                    )
                finally:
                    asked.append(tuple(self.asked))
        except StopIteration as end:
            return end.value, [pages for pages in asked if pages]


def test_pages_of_a_list_are_asked_for_at_the_same_time_once_there_is_a_total():
    found, asked = Pages(9, total=9).listing()
    assert asked == [(1,), (2, 3, 4), (5,)]
    assert list(found.rows) == [f"np_{number}" for number in range(9)]
    assert found.pages == 5
    assert found.read.at == 95.0  # the oldest page


@pytest.mark.parametrize(("total", "asked"), [(None, [1, 1, 1, 1, 1, 1]), (5, [1, 2, 1, 1, 1])])
def test_a_total_that_counts_no_rows_costs_no_page(total, asked):
    """OMS may send no total, or the number of pages."""
    found, pages = Pages(9, total).listing()
    assert [len(together) for together in pages] == asked
    assert sum(pages, ()) == (1, 2, 3, 4, 5, 6)
    assert len(found.rows) == 9


def test_a_list_that_is_shorter_than_its_total_is_not_whole():
    with pytest.raises(OmsMalformedAnswerError, match="isn't complete"):
        Pages(4, total=5).listing()


def test_a_page_that_fails_fails_the_list():
    with pytest.raises(OmsUnreachableError):
        Pages(9, total=9, broken=3).listing()


def test_a_list_that_shifts_is_read_again_page_by_page():
    found, asked = Pages(9, total=9, moved=3).listing()
    assert asked == [(1,), (2, 3, 4), (1,), (2,), (3,), (4,), (5,)]
    assert len(found.rows) == 9

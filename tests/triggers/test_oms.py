"""The trigger: one poll an interval whatever OMS answers, one event, nothing blocked, nothing left open."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from unittest.mock import MagicMock

import pytest
from blockbuster import blockbuster_ctx

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsTemporaryError
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullTransferMilestone, StepMilestone
from airflow_provider_oms.simulator import Fault, Project
from airflow_provider_oms.tasks import clock as task_clock
from airflow_provider_oms.tasks.row import Row
from airflow_provider_oms.triggers import shared
from airflow_provider_oms.triggers.oms import FRESH, SETTLE, OmsMilestoneTrigger, pause_before_poll
from tests.clocks import Elapsed, pause_at_once
from tests.triggers.conftest import let_pass

DONE = {"projectId": "np_1", "status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 100}
HALF = {**DONE, "fullTransferProgress": 50}


def success(data):
    return {"success": True, "data": data}


def gate(**settings):
    return Gate(**{"milestone": FullTransferMilestone(), "project_id": "np_1", **settings})


def trigger(deadline=None, projects=None, **settings):
    return OmsMilestoneTrigger(**Row(gate(**settings), deadline, projects or {}).as_kwargs())


async def events_of(one):
    return [event.payload async for event in one.run()]


def then(simulator, *answers):
    """Let OMS send these answers to DescribeProjectProgress one after the other, the last one for ever."""
    rest = list(answers)

    def answer(payload):
        return success(rest.pop(0) if len(rest) > 1 else rest[0])

    simulator.set_answer("DescribeProjectProgress", answer)
    simulator.set_answer("DescribeProjectSteps", success([]))


def asked(simulator, action="DescribeProjectProgress"):
    return len([record for record in simulator.requests if record.action == action])


@pytest.mark.asyncio
async def test_it_waits_polls_and_fires_once(sim, pauses, logged):
    then(sim, HALF, HALF, DONE)
    (event,) = await events_of(trigger())
    assert event["status"] == "reached"
    assert event["observed"]["progress"] == 100
    assert len(pauses) == asked(sim) == 3
    assert "The full transfer is at 50 % (100 % needed)." in logged()
    json.dumps(event)


@pytest.mark.asyncio
@pytest.mark.parametrize("with_task", [False, True])
async def test_a_task_that_has_just_deferred_is_left_to_settle(sim, pauses, with_task):
    then(sim, HALF, DONE)
    one = trigger(poke_interval=1)
    one.task_instance = MagicMock() if with_task else None
    await events_of(one)
    assert [pause >= SETTLE for pause in pauses] == [with_task, False]


@pytest.mark.asyncio
@pytest.mark.parametrize("with_task", [False, True])
@pytest.mark.parametrize("left", [-60.0, 0.0, 2.0])
async def test_also_if_its_deadline_is_near_or_past(sim, pauses, with_task, left):
    """As after a name was resolved: a task that resumes sooner may be failed although its gate has opened."""
    then(sim, DONE)
    one = trigger(deadline=time.time() + left)
    one.task_instance = MagicMock() if with_task else None
    (event,) = await events_of(one)
    assert event["status"] == "reached"
    assert (sum(pauses) >= SETTLE) is with_task


@pytest.mark.asyncio
async def test_also_if_its_row_can_not_be_read(sim, pauses):
    one = OmsMilestoneTrigger(gate={"milestone": {"kind": "of a later version"}}, version="9.0")
    one.task_instance = MagicMock()
    (event,) = await events_of(one)
    assert (event["status"], pauses) == ("unreadable", [SETTLE])


@pytest.mark.asyncio
async def test_it_fires_a_failure_with_the_words_of_oms(sim, pauses):
    then(sim, {**HALF, "status": "RELEASED"})
    (event,) = await events_of(trigger())
    assert event["status"] == "failed"
    assert "RELEASED" in event["message"]


@pytest.mark.asyncio
async def test_at_its_deadline_it_polls_once_more_and_then_times_out(sim, pauses):
    then(sim, HALF)
    (event,) = await events_of(trigger(deadline=time.time()))
    assert event["status"] == "timeout"
    assert "50 %" in event["message"]
    then(sim, DONE)
    (event,) = await events_of(trigger(deadline=time.time() - 100))
    assert event["status"] == "reached"
    assert max(pauses, default=0) < 1


@pytest.mark.asyncio
async def test_a_deadline_is_not_slept_over(sim, pauses):
    then(sim, HALF)
    await events_of(trigger(deadline=time.time() + 2, poke_interval=10_000))
    assert max(pauses) <= 2


FAULTS = [
    *(Fault(kind="status", status=status) for status in (408, 429, 500, 502, 503, 504)),
    Fault(kind="status", status=503, headers={"Retry-After": "0"}),
    Fault(kind="html"),
    Fault(kind="empty"),
    Fault(kind="invalid_json"),
    Fault(kind="truncate"),
    Fault(kind="reset_before"),
    Fault(kind="reset_after"),
    Fault(kind="error", code="GHANA-OPERAT000001", message="CM is away"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.headers}")
async def test_what_may_pass_costs_one_request_an_interval(sim, pauses, fault):
    then(sim, DONE)
    sim.add_fault(Fault(**{**vars(fault), "times": 5}))
    (event,) = await events_of(trigger())
    assert event["status"] == "reached"
    assert len(pauses) == len(sim.requests) == 6


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault(kind="status", status=401), "login"),
        (Fault(kind="status", status=403), "login"),
        (Fault(kind="status", status=404), "there is no OMS API at this address"),
        (Fault(kind="redirect", location="http://elsewhere/"), "redirects"),
        (Fault(kind="error", code="PARAM_ERROR", message="bad id"), "bad id"),
        (
            Fault(kind="error", code="X", message="Unsupported action: DescribeProjectProgress"),
            "doesn't have the action",
        ),
    ],
    ids=["401", "403", "404", "redirect", "parameter", "unsupported"],
)
async def test_what_will_not_pass_fails_at_the_first_poll(sim, pauses, fault, said):
    sim.add_fault(fault)
    (event,) = await events_of(trigger())
    assert event["status"] == "failed"
    assert said in event["message"]
    assert len(sim.requests) == 1


@pytest.mark.asyncio
async def test_an_outage_is_waited_out_and_one_that_lasts_fails(sim, pauses, monkeypatch):
    then(sim, DONE)
    clock = Elapsed(1_000_000.0, 1_000_000.0)
    monkeypatch.setattr(time, "time", clock.time)
    clock.install(monkeypatch, task_clock)

    def pause(seconds):
        clock.sleep(seconds)
        let_pass(seconds)
        if clock.passed > 500 and not sim_is_up:
            sim.up()
            sim_is_up.append(True)

    sim_is_up: list[bool] = []
    pause_at_once(monkeypatch, pause)
    sim.down()
    (event,) = await events_of(trigger(outage_tolerance=600))
    assert event["status"] == "reached"
    sim.down()
    begun = clock.passed
    (event,) = await events_of(trigger(outage_tolerance=600))
    assert event["status"] == "failed"
    assert "nothing listens" in event["message"]
    assert 600 <= clock.passed - begun <= 700


@pytest.mark.asyncio
async def test_a_changed_password_is_read_again(sim, pauses, monkeypatch):
    then(sim, DONE)
    good = sim.connection_json
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", json.dumps({**json.loads(good), "password": "old"}))
    async with shared.shared_oms("oms_default") as share:  # a gate that began before the change
        (event,) = await events_of(trigger())
        assert event["status"] == "failed"
        (await share.session())._asked.clear()
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", good)
        (event,) = await events_of(trigger())
        assert event["status"] == "reached"


@pytest.mark.asyncio
async def test_airflow_itself_may_be_away_for_a_moment(sim, pauses, monkeypatch):
    then(sim, DONE)
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
    really, failures = shared.OmsHook.get_async_settings, [RuntimeError("API server: 500 s3cret")] * 3

    async def flaky(hook):
        if failures:
            raise failures.pop()
        return await really(hook)

    monkeypatch.setattr(shared.OmsHook, "get_async_settings", flaky)
    (event,) = await events_of(trigger())
    assert event["status"] == "reached"
    assert len(pauses) == 4


@pytest.mark.asyncio
async def test_gates_on_one_project_share_their_requests(sim, monkeypatch):
    """Twenty gates on two projects, three polls each: one request for each poll and project, not for each gate."""
    for project_id in ("np_1", "np_2"):
        sim.add_project(Project(id=project_id, name=project_id))
    answers = [HALF, HALF, DONE]
    sim.set_answer(
        "DescribeProjectProgress", lambda payload: success({**answers[polls[0] - 1], "projectId": payload["id"]})
    )
    sim.set_answer("DescribeProjectSteps", success([]))
    polls, waiting = [0], asyncio.Condition()

    async def until_all_wait(seconds, result=None, sleepers=[], really=asyncio.sleep):  # noqa: B006
        sleepers.append(seconds)
        if len(sleepers) == 20:
            sleepers.clear()
            polls[0] += 1
            let_pass(30)
            async with waiting:
                waiting.notify_all()
        else:
            async with waiting:
                await waiting.wait()
        await really(0)

    gates = [trigger(project_id=project_id) for project_id in ("np_1", "np_2") for _ in range(10)]
    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", until_all_wait)
        fired = await asyncio.gather(*map(events_of, gates))
    assert [event["status"] for (event,) in fired] == ["reached"] * 20
    assert asked(sim) == 2 * 3
    assert asked(sim, "DescribeProjectSteps") == 2 * 2


@pytest.mark.asyncio
async def test_a_cancelled_gate_harms_no_other(sim):
    sim.add_project(Project(id="np_1", name="one"))
    sim.add_fault(Fault(kind="delay", seconds=0.2, times=1))
    then(sim, DONE)
    async with shared.shared_oms("oms_default") as share:
        oms, call = await share.session(), actions.describe_project_progress("np_1")
        first = asyncio.create_task(oms.ask(call, fresh_for=30))
        second = asyncio.create_task(oms.ask(call, fresh_for=30))
        await asyncio.sleep(0)  # both have sent their requests
        first.cancel()
        answer, _ = await second
        assert answer.data.full_transfer_progress == 100
    assert len(sim.requests) == 1


@pytest.mark.asyncio
async def test_a_shared_failure_is_an_error_of_its_own_for_each_gate(sim):
    sim.add_fault(Fault(kind="status", status=503))
    async with shared.shared_oms("oms_default") as share:
        oms, call = await share.session(), actions.describe_project_progress("np_1")
        errors = await asyncio.gather(*(oms.ask(call, fresh_for=30) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, OmsTemporaryError) for error in errors)
    assert len({id(error) for error in errors}) == 3
    assert len(sim.requests) == 1


@pytest.mark.asyncio
async def test_steps_are_never_older_than_the_progress_they_are_read_with(sim, pauses):
    """With older steps, a gate could take a project that has finished meanwhile for one that never will."""
    then(sim, {**DONE, "status": "FINISHED"})
    step = {"name": "INDEX_TRANSFER", "status": "RUNNING", "progress": 50}
    sim.set_answer("DescribeProjectSteps", success([step]))
    async with shared.shared_oms("oms_default") as share:
        await (await share.session()).ask(actions.describe_project_steps("np_1"), fresh_for=30)
        sim.set_answer("DescribeProjectSteps", success([{**step, "status": "FINISHED", "progress": 100}]))
        (event,) = await events_of(trigger(milestone=StepMilestone("INDEX_TRANSFER"), poke_interval=10_000))
    assert event["status"] == "reached"


@pytest.mark.asyncio
async def test_the_session_ends_with_the_last_gate(sim, pauses):
    then(sim, DONE)
    async with shared.shared_oms("oms_default") as share:
        await events_of(trigger())
        client = (await share.session()).client
        assert client._session is not None
    assert client._session is None
    assert not shared._shared[asyncio.get_running_loop()]
    gc.collect()  # an open session would cause a warning now, and warnings are errors


@pytest.mark.asyncio
async def test_a_cancelled_trigger_closes_its_session(sim):
    then(sim, HALF)
    task = asyncio.create_task(events_of(trigger(poke_interval=1)))
    while not asked(sim):  # noqa: ASYNC110 - the simulator answers from a thread
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not shared._shared[asyncio.get_running_loop()]
    gc.collect()


@pytest.mark.asyncio
async def test_nothing_blocks_the_event_loop(sim, pauses):
    then(sim, HALF, {**HALF, "status": "FAILED"}, DONE)
    with blockbuster_ctx("airflow_provider_oms") as blockbuster:
        blockbuster.activate()
        (event,) = await events_of(trigger())
    assert event["status"] == "reached"


def test_kwargs_come_back_as_they_went_and_hold_no_secret(sim):
    one = trigger(deadline=5.0, projects={"shop": "np_1"}, fail_on_suspend=True)
    classpath, kwargs = one.serialize()
    assert classpath == "airflow_provider_oms.triggers.oms.OmsMilestoneTrigger"
    again = OmsMilestoneTrigger(**json.loads(json.dumps(kwargs)))
    assert again.serialize() == one.serialize()
    assert sim.connection_kwargs["password"] not in json.dumps(kwargs)


@pytest.mark.parametrize("interval", [0, 1, 4, 30, 3600])
def test_polls_come_once_an_interval_at_the_same_moment_for_all_gates_of_a_project(interval):
    one = gate(poke_interval=interval)
    least = max(interval, 1.0)
    moments = set()
    for begun in (1_800_000_000.0, 1_800_000_007.3, 1_800_000_011.9):
        now = begun + pause_before_poll(one, begun, SETTLE)
        assert now - begun >= SETTLE
        assert now - begun <= SETTLE + least
        following = now + 0.01 + pause_before_poll(one, now + 0.01)
        assert following - now == pytest.approx(least)
        moments.add(round(now % least, 3) % least)
    assert len(moments) == 1


def test_a_gate_that_was_given_the_name_polls_with_those_that_were_given_the_id():
    by_id, by_name = gate(), gate(project_id=None, project_name="shop")
    assert pause_before_poll(by_name, 1e9, project_id="np_1") == pause_before_poll(by_id, 1e9)


def test_the_polls_at_many_projects_are_spread_over_the_interval():
    pauses = [pause_before_poll(gate(project_id=f"np_{number}"), 0.0) for number in range(1000)]
    tenths = [int((pause - 30 * FRESH) // 3) for pause in pauses]
    assert all(50 < tenths.count(tenth) < 200 for tenth in range(10))

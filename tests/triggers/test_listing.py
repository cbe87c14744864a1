"""Deferred gates on many projects of one connection: one list an interval, which only ever says "not yet"."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from airflow_provider_oms.client.models import Project as Row
from airflow_provider_oms.client.paging import Page
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullTransferMilestone
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.verdict import State
from airflow_provider_oms.simulator import Fault, Project, Simulator
from airflow_provider_oms.triggers import listing, shared
from airflow_provider_oms.triggers.listing import PLACE, spread_of
from airflow_provider_oms.triggers.oms import FRESH, OLDEST, OmsMilestoneTrigger, pause_before_poll, shared_poll
from airflow_provider_oms.triggers.reading import Reading
from airflow_provider_oms.triggers.shared import Share, SharedOms, shared_oms
from tests.connections import connect
from tests.triggers.conftest import let_pass
from tests.triggers.test_oms import events_of, trigger

MANY = 12

READ = Answer(None, 0.0, "OMS", 0.0)

#: A project in the middle of its full transfer, at the time on the simulator's stopped clock.
UNDER_WAY = {"status": "RUNNING", "step": "FULL_TRANSFER", "step_progress": 42.0, "durations": {"FULL_TRANSFER": 1e6}}


def gates(count=MANY, **more):
    """Return gates by name and by id, as in a mapped task."""
    return [
        Gate(FullTransferMilestone(), **({"project_id": f"np_{n}"} if n % 2 else {"project_name": f"shop_{n}"}), **more)
        for n in range(count)
    ]


@pytest.fixture
def wave(sim):
    for number in range(MANY):
        sim.add_project(Project(id=f"np_{number}", name=f"shop_{number}", **UNDER_WAY))
    return sim


@asynccontextmanager
async def waiting(every, conn_id="oms_default"):
    """Let gates wait; each has a memory, and a row may answer its next poll."""
    async with AsyncExitStack() as stack:
        shares = [await stack.enter_async_context(shared_oms(conn_id, gate.project)) for gate in every]
        memories = [Memory(by_row=0) for _ in every]

        async def poll():
            return await asyncio.gather(
                *(shared_poll(gate, memory, share) for gate, memory, share in zip(every, memories, shares, strict=True))
            )

        yield poll


def asked(simulator):
    """Return the requests since the last call."""
    found = Counter(record.action for record in simulator.requests)
    simulator.clear_requests()
    return found


@pytest.mark.asyncio
async def test_one_list_serves_all_and_the_precise_calls_decide(wave):
    async with waiting(gates()) as poll:
        assert {verdict.state for verdict in await poll()} == {State.WAITING}
        assert asked(wave) == {"ListProjects": 1}
        let_pass(30)
        wave.set_answer("DescribeProjectProgress", answer_of_done)
        assert {verdict.state for verdict in await poll()} == {State.WAITING}  # the rows are older
        assert asked(wave) == {"ListProjects": 1}
        for number in range(0, MANY, 2):
            wave.project(f"np_{number}").show_step("FULL_TRANSFER", progress=100)
        let_pass(30)
        verdicts = await poll()
        assert [verdict.state for verdict in verdicts] == [State.REACHED, State.WAITING] * (MANY // 2)
        assert asked(wave) == {"ListProjects": 1, "DescribeProjectProgress": MANY // 2}
        for _ in range(7):  # the tenth poll is precise in any case
            let_pass(30)
            verdicts = await poll()
        assert {verdict.state for verdict in verdicts} == {State.REACHED}


@pytest.fixture
def held(monkeypatch):
    """Pages of four projects, of which only the first is answered until this is set."""
    event, ask = asyncio.Event(), shared.SharedSession.ask

    async def slowly(session, call, **more):
        if call.payload.get("pageNumber", 1) > 1:
            await event.wait()
        return await ask(session, call, **more)

    monkeypatch.setattr(listing, "ROWS_A_PAGE", 4)
    monkeypatch.setattr(shared.SharedSession, "ask", slowly)
    return event


@asynccontextmanager
async def second_list(wave, held, every):
    """Have a list read, after which two projects on the first page are done; yield the polls at the next list."""
    async with AsyncExitStack() as stack:
        shares = [await stack.enter_async_context(shared_oms("oms_default", gate.project)) for gate in every]

        def polls():
            return [
                asyncio.create_task(shared_poll(gate, memory, share))
                for gate, memory, share in zip(every, memories, shares, strict=True)
            ]

        memories = [Memory(by_row=0) for _ in every]
        held.set()
        await asyncio.gather(*polls())
        memories = [Memory(by_row=0) for _ in every]
        let_pass(30)
        asked(wave)
        held.clear()
        wave.set_answer("DescribeProjectProgress", answer_of_done)
        for project in ("np_10", "np_11"):  # OMS lists the newest first
            wave.project(project).show_step("FULL_TRANSFER", progress=100)
        yield polls(), memories


@pytest.mark.asyncio
@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_gate_whose_row_has_changed_in_kind_doesnt_wait_for_the_other_pages(wave, held, cancelled):
    """Also if the gate that reads the list is cancelled: another one reads on."""
    every = [Gate(FullTransferMilestone(), project_id=f"np_{number}") for number in range(MANY)]
    async with second_list(wave, held, every) as ((reader, *others), _):
        ahead = await asyncio.gather(*others[-2:])
        assert {verdict.state for verdict in ahead} == {State.REACHED}
        assert not any(task.done() for task in (reader, *others[:-2]))
        if cancelled:
            reader.cancel()
            await asyncio.sleep(0)
        held.set()
        rest = await asyncio.gather(*others[:-2])
        assert {verdict.state for verdict in rest} == {State.WAITING}
        assert cancelled or (await reader).state is State.WAITING
    # Each page once: after three full ones an empty one.
    assert asked(wave) == {"ListProjects": 4, "DescribeProjectProgress": 2}


@pytest.mark.asyncio
async def test_a_row_ahead_of_the_list_shows_no_name(wave, held):
    """Another project of the name may be on a later page."""
    async with second_list(wave, held, gates()) as (tasks, memories):
        assert (await tasks[11]).state is State.REACHED
        assert not any(task.done() for task in tasks[:11])
        held.set()
        verdicts = await asyncio.gather(*tasks)
        assert [verdict.state for verdict in verdicts] == [State.WAITING] * 10 + [State.REACHED] * 2
        assert memories[10].projects == {"shop_10": "np_10"}


@pytest.mark.asyncio
@pytest.mark.parametrize("fails", [False, True])
async def test_a_list_that_is_slow_or_fails_is_requested_once(wave, monkeypatch, fails):
    """Also by the gates that wait for their row, if the list is no longer fresh when it is there."""
    ask = shared.SharedSession.ask

    async def slowly(session, call, **more):
        try:
            return await ask(session, call, **more)
        finally:
            let_pass(10)

    async with waiting([Gate(FullTransferMilestone(), project_id=f"np_{number}") for number in range(MANY)]) as poll:
        await poll()
        let_pass(30)
        asked(wave)
        if fails:
            break_off(wave)
        monkeypatch.setattr(shared.SharedSession, "ask", slowly)
        assert {verdict.state for verdict in await poll()} == {State.WAITING}
        assert asked(wave)["ListProjects"] == 1


def test_rows_that_have_changed_in_kind_are_found():
    def changed(**steps):
        nonlocal last
        row = {"id": "np_1", "status": "RUNNING", "steps": [{"status": "RUNNING", "progress": 5, **steps}, "odd"]}
        reading = Reading(last.kinds)
        reading.arrived(READ._replace(data=Page([Row(row), Row({"id": None}), Row({"id": "np_2", "steps": "x"})], 3)))
        last = reading
        return list(reading.changed)

    last = Reading({})
    assert changed() == []  # nobody knows what it was before
    assert changed(progress=99) == []
    assert changed(progress=100) == ["np_1"]
    assert changed(progress=100) == []
    assert changed(progress=100, status="FINISHED") == ["np_1"]
    assert changed(progress=[], status={"odd": 1}) == ["np_1"]


def test_keys_of_the_hosted_oms_are_read_too():
    """They begin with a capital letter."""
    last = Reading({})
    for progress, found in ((99, []), (100, ["np_1"]), (100, [])):
        reading = Reading(last.kinds)
        row = Row({"Id": "np_1", "Status": "RUNNING", "Steps": [{"Status": "RUNNING", "Progress": progress}]})
        reading.arrived(READ._replace(data=Page([row], 1)))
        assert list(reading.changed) == found
        last = reading


@pytest.mark.asyncio
async def test_a_gate_whose_row_has_changed_in_kind_continues_before_the_others(wave, monkeypatch):
    order, turn = [], SharedOms.turn

    async def noted(oms, *, first=False):
        await turn(oms, first=first)
        order.append(first)

    monkeypatch.setattr(shared, "AT_ONCE", 1)
    monkeypatch.setattr(SharedOms, "turn", noted)
    async with waiting([Gate(FullTransferMilestone(), project_id=f"np_{number}") for number in range(MANY)]) as poll:
        await poll()
        let_pass(30)
        wave.project("np_11").show_step("FULL_TRANSFER", progress=100)
        order.clear()
        await poll()
    assert order.index(True) <= 1
    assert sum(order) == 1


@pytest.mark.asyncio
async def test_one_poll_in_ten_is_precise(wave):
    async with waiting(gates()) as poll:
        for _ in range(30):
            await poll()
            let_pass(30)
    assert asked(wave) == {"ListProjects": 30, "DescribeProjectProgress": 3 * MANY, "DescribeProjectSteps": 3 * MANY}


def answer_of_done(payload):
    data = {"projectId": payload["id"], "status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 100}
    return {"success": True, "data": data}


@pytest.mark.asyncio
async def test_few_projects_are_asked_for_each(wave):
    async with waiting([*gates(10), *gates(10)]) as poll:
        await poll()
        assert asked(wave) == {"ListProjects": 5, "DescribeProjectProgress": 10, "DescribeProjectSteps": 10}


@pytest.mark.asyncio
async def test_a_gate_that_leaves_is_counted_no_more(wave):
    async with shared_oms("oms_default", "np_1") as share:
        for project in ("np_1", "np_2", None):
            async with shared_oms("oms_default", project):
                assert set(share.oms.projects) == {"np_1", project} - {None}
            assert share.oms.projects == {"np_1": 1}


@pytest.mark.asyncio
async def test_how_many_are_many_is_set(wave, monkeypatch):
    monkeypatch.setenv("AIRFLOW__OMS__LIST_ABOVE", "1")
    async with waiting(gates(2)) as poll:
        await poll()
        assert asked(wave) == {"ListProjects": 1}


@pytest.mark.asyncio
async def test_gates_by_a_projects_name_and_by_its_id_wait_for_one_project(wave, pauses):
    joined, here = [], asyncio.get_running_loop()

    def answer(payload):
        joined.append(set(shared._shared[here]["oms_default"].projects))
        return answer_of_done(payload)

    wave.set_answer("DescribeProjectProgress", answer)
    by_name = trigger(projects={"shop_1": "np_1"}, project_id=None, project_name="shop_1")
    await asyncio.gather(events_of(trigger(project_id="np_1")), events_of(by_name))
    assert joined == [{"np_1"}]


def refuse(simulator):
    simulator.add_fault(Fault(kind="error", code="NO", message="you may not list", action="ListProjects", times=99))


def no_steps(simulator):
    for live in map(simulator.project, [f"np_{number}" for number in range(MANY)]):
        live.show_row(steps=None)


def break_off(simulator):
    simulator.add_fault(Fault(kind="status", status=503, action="ListProjects", times=99))


@pytest.mark.asyncio
@pytest.mark.parametrize(("problem", "lists"), [(refuse, 1), (no_steps, 1), (break_off, 2)])
async def test_without_a_list_each_is_asked_for(wave, problem, lists):
    """As if there were no list; after a permanent error the list isn't requested again at the next poll."""
    problem(wave)
    by_id = [Gate(FullTransferMilestone(), project_id=f"np_{number}") for number in range(MANY)]
    async with waiting(by_id) as poll:
        for _ in range(2):
            assert {verdict.state for verdict in await poll()} == {State.WAITING}
            let_pass(30)
        found = asked(wave)
        assert found["ListProjects"] == lists
        assert found["DescribeProjectProgress"] == 2 * MANY


@pytest.mark.asyncio
async def test_the_older_api_has_no_list(wave, monkeypatch):
    connect(monkeypatch, wave, api_version="v3")
    async with waiting([Gate(FullTransferMilestone(), project_id=f"np_{number}") for number in range(MANY)]) as poll:
        for _ in range(2):
            assert {verdict.state for verdict in await poll()} == {State.WAITING}
            let_pass(30)
    assert [record.path for record in wave.requests if "list" in record.path.lower()] == []
    assert len(wave.requests) == 2 * MANY


@pytest.mark.asyncio
async def test_a_list_that_is_longer_than_what_it_saves_is_left_alone(wave, monkeypatch):
    monkeypatch.setattr(listing, "_useless", lambda found, projects: "too long")
    async with waiting(gates()) as poll:
        await poll()
        let_pass(30)
        asked(wave)
        await poll()
        assert asked(wave)["DescribeProjectProgress"] == MANY
    assert listing._useless.__name__ == "<lambda>"
    monkeypatch.undo()
    assert listing._useless(listing.Listing({}, None, pages=MANY + 1), MANY)
    assert not listing._useless(listing.Listing({}, None, pages=MANY), MANY)


@pytest.mark.asyncio
async def test_an_oms_that_is_away_is_tried_once_for_all(wave):
    wave.add_fault(Fault(kind="reset_before", times=99))
    async with waiting(gates()) as poll:
        verdicts = await poll()
        assert {(verdict.state, verdict.alarming) for verdict in verdicts} == {(State.WAITING, True)}


@pytest.mark.asyncio
async def test_one_connection_that_fails_harms_no_other(wave, monkeypatch):
    with Simulator() as other:
        for number in range(MANY):
            other.add_project(Project(id=f"np_{number}", name=f"shop_{number}", **UNDER_WAY))
        monkeypatch.setenv("AIRFLOW_CONN_OMS_OTHER", other.connection_json)
        refuse(wave)
        async with (
            waiting([Gate(FullTransferMilestone(), project_id=f"np_{number}") for number in range(MANY)]) as here,
            waiting(gates(oms_conn_id="oms_other"), "oms_other") as there,
        ):
            await asyncio.gather(here(), there())
            assert asked(other) == {"ListProjects": 1}
            assert asked(wave)["DescribeProjectProgress"] == MANY


@pytest.mark.asyncio
async def test_the_last_poll_is_precise(wave, pauses, monkeypatch):
    monkeypatch.setenv("AIRFLOW__OMS__LIST_ABOVE", "0")
    (event,) = await events_of(trigger(deadline=0, project_id="np_1"))
    assert event["status"] == "timeout"
    assert asked(wave)["ListProjects"] == 0


@pytest.mark.asyncio
async def test_the_last_poll_of_a_gate_over_many_projects_is_precise(wave):
    gate = Gate(FullTransferMilestone(), fleet=Fleet(project_ids=tuple(f"np_{number}" for number in range(MANY))))
    memory = Memory(members={f"np_{number}": Memory(by_row=0) for number in range(MANY)})
    async with shared_oms("oms_default") as share:
        assert (await shared_poll(gate, memory, share)).state is State.WAITING
        wave.set_answer("DescribeProjectProgress", answer_of_done)  # the rows are older
        let_pass(30)
        assert (await shared_poll(gate, memory, share)).state is State.WAITING
        assert asked(wave) == {"ListProjects": 2}
        let_pass(30)
        assert (await shared_poll(gate, memory, share, last=True)).state is State.REACHED


@pytest.mark.asyncio
async def test_what_one_list_serves_polls_while_that_is_fresh():
    at = 1_000_000.0
    for interval, many in ((30.0, 200), (60.0, 200), (30.0, 100_000)):
        fresh_for = min(interval * FRESH, OLDEST)
        oms = SharedOms("oms_default")
        oms.users = many
        spread = spread_of(Share(oms, "np_1"), fresh_for)
        moments = sorted(at + pause_before_poll(gate, at, spread=spread) for gate in gates(200, poke_interval=interval))
        assert moments[-1] - moments[0] < min(fresh_for, many * PLACE)
    alone = sorted(pause_before_poll(gate, at) for gate in gates(200))
    assert alone[-1] - alone[0] > 20


@pytest.mark.asyncio
async def test_names_are_resolved_and_put_into_the_row(wave, pauses):
    gate = Gate(FullTransferMilestone(), fleet=Fleet(project_names=("shop_1", "shop_2")))
    (event,) = await events_of(OmsMilestoneTrigger(gate=gate.as_dict()))
    assert event["status"] == "resolved"
    assert event["row"]["projects"] == {"shop_1": "np_1", "shop_2": "np_2"}
    assert event["row"]["observed"] == {}


@pytest.mark.asyncio
async def test_those_whom_one_list_wakes_continue_in_turn(monkeypatch):
    monkeypatch.setattr(shared, "AT_ONCE", 2)
    oms, went_on, iterations = SharedOms("oms_default"), [], 0

    async def gate(number):
        await oms.turn()
        went_on.append((number, iterations))

    async def others():
        nonlocal iterations
        while True:
            iterations += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    for _ in range(2):
        tasks = [asyncio.create_task(gate(number)) for number in range(9)]
        await asyncio.sleep(0)
        tasks[5].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert [number for number, _ in went_on] == [0, 1, 2, 3, 4, 6, 7, 8]
        assert max(Counter(at for _, at in went_on).values()) == 2
        went_on.clear()
    beside.cancel()

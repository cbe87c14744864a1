"""Answers that gates share: never too old, never lost with the gate that asked, and not kept for long."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
import pytest_asyncio
from aiohttp import web

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsTemporaryError
from airflow_provider_oms.milestones.kinds import ProjectStatusMilestone, StepMilestone
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.simulator import Fault, Project
from airflow_provider_oms.triggers.oms import shared_poll
from airflow_provider_oms.triggers.shared import shared_oms
from tests.triggers.conftest import let_pass
from tests.triggers.test_oms import asked, gate, success

PROGRESS, STEPS = "DescribeProjectProgress", "DescribeProjectSteps"


class Held:
    """An OMS in this event loop that answers when a test lets it. Each answer contains how often it was asked.

    :param steps: what it answers to DescribeProjectSteps, at once
    """

    def __init__(self):
        self.steps = []
        self.asked = []
        self.arrived = asyncio.Queue()
        self._waiting = []

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/api/v2", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        fields = {"conn_type": "oms", "host": host, "port": port, "login": "x", "password": "y"}
        os.environ["AIRFLOW_CONN_OMS_DEFAULT"] = json.dumps(fields)
        return self

    async def __aexit__(self, *exc_info):
        self.release()
        await self._runner.cleanup()

    async def _answer(self, request):
        payload, action = await request.json(), request.query["Action"]
        self.asked.append(action)
        if action == STEPS:
            return web.json_response(success(self.steps))
        number, released = self.asked.count(action), asyncio.Event()
        self._waiting.append(released)
        self.arrived.put_nowait(number)
        await released.wait()
        return web.json_response(
            success({"projectId": payload["id"], "status": "RUNNING", "fullTransferProgress": number})
        )

    async def next(self):
        """Wait until the next request is here. If there is none, the test fails instead of hanging."""
        async with asyncio.timeout(120):
            return await self.arrived.get()

    def release(self):
        """Answer all requests that have arrived."""
        while self._waiting:
            self._waiting.pop().set()


def number_of(found):
    """Return the number of the request to which an answer belongs."""
    return found[0].data.full_transfer_progress


@pytest_asyncio.fixture
async def held(monkeypatch):
    """An OMS that answers when a test lets it, behind ``oms_default``."""
    monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", "")
    async with Held() as oms:
        yield oms


@pytest.fixture
def call():
    return actions.describe_project_progress("np_1")


@pytest.mark.asyncio
async def test_a_follower_that_is_cancelled_takes_no_answer_from_others(held, call):
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        leader, follower, other = [asyncio.create_task(oms.ask(call, fresh_for=30)) for _ in range(3)]
        assert await held.next() == 1
        follower.cancel()
        with pytest.raises(asyncio.CancelledError):
            await follower
        held.release()
        assert number_of(await leader) == number_of(await other) == 1
    assert held.asked == [PROGRESS]


@pytest.mark.asyncio
async def test_a_leader_that_is_cancelled_leaves_no_question_behind(held, call):
    """Neither the gates that waited with it nor later ones wait for an answer that never comes."""
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        leader, follower = [asyncio.create_task(oms.ask(call, fresh_for=30)) for _ in range(2)]
        await held.next()
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        assert await held.next() == 2  # the follower sends its own request
        held.release()
        assert number_of(await follower) == 2


@pytest.mark.asyncio
async def test_a_leader_that_is_cancelled_alone_leaves_no_question_behind(held, call):
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        leader = asyncio.create_task(oms.ask(call, fresh_for=30))
        await held.next()
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        assert not oms._asked
        held.release()


@pytest.mark.asyncio
async def test_an_answer_that_was_asked_for_too_early_does_not_do(held, call):
    """Requested before ``after`` and received after it: its content may be from before."""
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        first = asyncio.create_task(oms.ask(call, fresh_for=30))
        await held.next()
        after = asyncio.get_running_loop().time()
        second = asyncio.create_task(oms.ask(call, fresh_for=30, after=after))
        assert await held.next() == 2
        held.release()
        assert number_of(await first) == 1
        assert number_of(await second) == 2


@pytest.mark.asyncio
async def test_the_time_of_an_answer_is_when_it_came_and_not_when_it_was_asked_for(held, call):
    """A caller that uses this time would otherwise accept steps that were requested before the progress was there."""
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        waiting = [asyncio.create_task(oms.ask(call, fresh_for=30)) for _ in range(2)]
        await held.next()
        before_it_came = asyncio.get_running_loop().time()
        held.release()
        for task in waiting:
            assert (await task)[1] > before_it_came
        # A later caller, for which it is there already, gets the same time.
        assert (await oms.ask(call, fresh_for=30))[1] > before_it_came


@pytest.mark.asyncio
async def test_steps_that_somebody_asked_for_while_the_progress_was_on_its_way_are_asked_for_again(held):
    """A project that has finished in between would look like one without the step, or like one that never finishes."""
    held.steps = [{"name": "INDEX_TRANSFER", "status": "INIT"}]
    waiting = gate(milestone=StepMilestone("INDEX_TRANSFER"), poke_interval=10_000)
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        poll = asyncio.create_task(shared_poll(waiting, Memory(), share))
        await held.next()
        await oms.ask(actions.describe_project_steps("np_1"), fresh_for=30)
        held.steps = [{"name": "INDEX_TRANSFER", "status": "FINISHED", "progress": 100}]
        held.release()
        assert (await poll).state == "reached"
    assert held.asked == [PROGRESS, STEPS, STEPS]


@pytest.mark.asyncio
@pytest.mark.parametrize(("interval", "age"), [(30, 4), (300, 6), (3600, 6), (3600, 300), (86_400, 6), (86_400, 8000)])
async def test_a_gate_that_polls_seldom_believes_nothing_old(sim, interval, age):
    """Another gate has asked some time ago, before the project was paused."""
    answers = [{"projectId": "np_1", "status": status} for status in ("RUNNING", "SUSPEND")]
    sim.set_answer(PROGRESS, lambda payload: success(answers.pop(0)))
    sim.set_answer(STEPS, success([]))
    waiting = gate(milestone=ProjectStatusMilestone(["RUNNING"]), poke_interval=interval)
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        await oms.ask(actions.describe_project_progress("np_1"), fresh_for=30)
        let_pass(age)
        assert (await shared_poll(waiting, Memory(), share)).state == "waiting"


@pytest.mark.asyncio
async def test_the_progress_is_asked_for_before_the_steps(sim):
    for action, data in ((PROGRESS, {"projectId": "np_1", "status": "RUNNING"}), (STEPS, [{"name": "X"}])):
        sim.set_answer(action, success(data))
    async with shared_oms("oms_default") as share:
        await shared_poll(gate(milestone=StepMilestone("X")), Memory(), share)
    assert [request.action for request in sim.requests] == [PROGRESS, STEPS]


@pytest.mark.asyncio
@pytest.mark.parametrize("fails", [False, True])
async def test_answers_are_forgotten(sim, pauses, fails):
    """A thousand projects, each asked for once: only answers that are still fresh are kept."""
    if fails:
        sim.add_fault(Fault("status", status=503))
    for number in range(60):
        sim.add_project(Project(id=f"np_{number}", name=f"p{number}"))
    kept = []
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        for number in range(60):
            asking = oms.ask(actions.describe_project_progress(f"np_{number}"), fresh_for=3)
            if fails:
                with pytest.raises(OmsTemporaryError):
                    await asking
            else:
                await asking
            kept.append(len(oms._asked))
            await asyncio.sleep(1)
    assert max(kept) <= 5


@pytest.mark.asyncio
async def test_an_answer_that_is_fresh_enough_for_one_is_too_old_for_another(sim, call, pauses):
    sim.add_project(Project(id="np_1", name="one"))
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        await oms.ask(call, fresh_for=30)
        await asyncio.sleep(5)
        await oms.ask(call, fresh_for=30)
        assert asked(sim) == 1
        await oms.ask(call, fresh_for=4)
        assert asked(sim) == 2


@pytest.mark.asyncio
async def test_an_error_is_shared_no_longer_than_an_answer(sim, call, pauses):
    sim.add_project(Project(id="np_1", name="one"))
    sim.add_fault(Fault("status", status=503, times=1))
    async with shared_oms("oms_default") as share:
        oms = await share.session()
        for _ in range(3):
            with pytest.raises(OmsTemporaryError):
                await oms.ask(call, fresh_for=30)
        await asyncio.sleep(31)
        assert (await oms.ask(call, fresh_for=30))[0].data.status == "INIT"
    assert asked(sim) == 2

"""Shared polls under all conditions at once, by seeds: no answer is stale or another's, and no gate hangs.

Gates are cancelled during their requests, OMS fails and refuses logins, the Airflow connection is changed and can't be
read, sessions are closed and opened again. The event loop advances its clock as soon as no task can run, so that hours
take seconds; if there is nothing left to wait for, the gates hang.
"""

from __future__ import annotations

import asyncio
import json
import random
import selectors
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    OmsAuthenticationError,
    OmsError,
    OmsTemporaryError,
    OmsUnreachableError,
)
from airflow_provider_oms.client.protocol import HttpAnswer, read_answer
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import StepMilestone
from airflow_provider_oms.milestones.memory import Memory, address_of
from airflow_provider_oms.triggers import shared
from airflow_provider_oms.triggers.oms import _Asker, shared_poll
from airflow_provider_oms.triggers.shared import ConnectionReplacedError, shared_oms

#: Answers for each seed.
ENOUGH = 2_000

#: Iterations of the event loop; one that needs more is in an endless loop.
MOST_TURNS = 200_000

#: Seconds after which the Airflow connection is read again; fewer than in production, so that it happens often.
RECHECK = 30.0

#: The longest time, in seconds, of an answer and of reading the Airflow connection.
SLOWEST_ANSWER, SLOWEST_READ = 4.0, 3.0


class _Eager(selectors.DefaultSelector):
    """Advances the time of its loop instead of waiting."""

    turns = looks = 0
    now = 0.0

    def select(self, timeout=None):
        self.turns, self.looks = self.turns + 1, 0
        assert timeout is not None, "everybody waits, and nothing will ever come: a hang"
        assert self.turns < MOST_TURNS, "the loop goes round in circles"
        self.now += max(0.0, timeout)
        return super().select(0)


class EagerLoop(asyncio.SelectorEventLoop):
    """An event loop with its own clock."""

    def __init__(self):
        self._eager = _Eager()
        super().__init__(self._eager)

    def time(self):
        self._eager.looks += 1
        assert self._eager.looks < MOST_TURNS, "somebody goes round in circles and lets nobody else have a turn"
        return self._eager.now


@dataclass(frozen=True)
class Since:
    """A value and the time since which it applies."""

    at: float
    settings: ClientSettings


class World:
    """Two OMS, the Airflow connection that leads to one of them, and a record of what was true at which time.

    :param seed: what happens when
    """

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.happened = Counter()
        self.wrong = []
        self.answers = 0
        self.passwords = {"http://one:8089": "p0", "http://two:8089": "p0"}
        first = ClientSettings("http://one:8089", "user", "p0")
        self.connection = [Since(0.0, first)]
        #: When OMS and Airflow last disagreed about the password.
        self.disagreed = float("-inf")
        self.read_failed = False
        self.open_clients = 0

    @property
    def now(self):
        return asyncio.get_running_loop().time()

    def note(self, problem):
        self.wrong.append(f"{self.now:.3f}: {problem}")

    async def read_connection(self):
        """Read the Airflow connection; this never fails twice in a row."""
        await asyncio.sleep(self.rng.uniform(0.0, SLOWEST_READ / 2))
        settings = self.connection[-1].settings
        await asyncio.sleep(self.rng.uniform(0.0, SLOWEST_READ / 2))
        self.read_failed = not self.read_failed and self.rng.random() < 0.1
        if self.read_failed:
            self.happened["unreadable connections"] += 1
            raise OmsUnreachableError("Airflow is away.")
        return settings

    def led_to(self, address, since, until):
        """Return whether the Airflow connection has led there at some time between the two."""
        ends = [later.at for later in self.connection[1:]] + [float("inf")]
        return any(
            one.settings.base_url == address and one.at <= until and end >= since
            for one, end in zip(self.connection, ends, strict=True)
        )

    def disagreed_within(self, fresh_for):
        """Return whether OMS and Airflow disagreed about the password when OMS sent a refusal that is reported now."""
        return self.now - self.disagreed <= fresh_for + 2 * SLOWEST_ANSWER + 2 * SLOWEST_READ

    async def change(self):
        """Change the Airflow connection, or the password in Airflow and OMS, in either order."""
        settings = self.connection[-1].settings
        address = settings.base_url
        self.happened["changed connections"] += 1
        if self.rng.random() < 0.5:
            (elsewhere,) = set(self.passwords) - {address}
            self.connection.append(
                Since(self.now, replace(settings, base_url=elsewhere, password=self.passwords[elsewhere]))
            )
            return
        password = f"p{len(self.connection)}"
        in_airflow_first = self.rng.random() < 0.5
        for in_airflow in (in_airflow_first, not in_airflow_first):
            if in_airflow:
                self.connection.append(Since(self.now, replace(settings, password=password)))
            else:
                self.passwords[address] = password
            self.disagreed = float("inf") if in_airflow is in_airflow_first else self.now
            await asyncio.sleep(self.rng.uniform(1.0, 60.0))


class Client:
    """A client whose answers contain their project, the OMS that sent them, and the time of their state."""

    unusable = None

    def __init__(self, world, settings):
        self.world, self.settings = world, settings
        self.open = False

    async def __aenter__(self):
        await asyncio.sleep(self.world.rng.uniform(0.0, 0.5))
        self.open = True
        self.world.open_clients += 1
        return self

    async def aclose(self):
        await asyncio.sleep(0)
        assert self.open
        self.open = False
        self.world.open_clients -= 1

    async def asend(self, call):
        world, rng = self.world, self.world.rng
        if not self.open:
            world.note("asked over a closed session")
        sent = world.now
        world.happened["questions"] += 1
        await asyncio.sleep(rng.uniform(0.0, SLOWEST_ANSWER / 2))
        looked = world.now
        refused = self.settings.password != world.passwords[self.settings.base_url]
        state = states(self.settings.base_url, call.payload["id"], looked)
        await asyncio.sleep(rng.uniform(0.0, SLOWEST_ANSWER / 2))
        if not self.open:
            world.note("the session was closed under a question")
        if refused:
            world.happened["refused logins"] += 1
            raise OmsAuthenticationError("OMS refuses the login.")
        if rng.random() < 0.1:
            world.happened["errors"] += 1
            raise OmsTemporaryError("OMS is busy.")
        origin = {"oms": self.settings.base_url, "asked": sent, "looked": looked, "came": world.now}
        data = {
            "DescribeProjectProgress": {"projectId": call.payload["id"], "status": state[0], **origin},
            "DescribeProjectSteps": [{"name": "FULL_TRANSFER", "projectId": call.payload["id"], **state[1], **origin}],
        }[call.action]
        body = json.dumps({"success": True, "data": data}).encode()
        return read_answer(call, HttpAnswer(200, {}, body, looked))


def ends_at(address, project):
    """Return when a project ends. It is a different time in each OMS, so a gate that mixes the two up opens early."""
    return 30.0 * int(project.removeprefix("np_")) + (0.0 if address == "http://one:8089" else 20.0)


def states(address, project, at):
    """Return the state of a project at a time: its status, and its step, which end at the same moment."""
    status = "FINISHED" if at >= ends_at(address, project) else "RUNNING"
    return status, {"status": status, "progress": 100 if status == "FINISHED" else 50}


def ending_soon(rng, at):
    """Return one of the few projects that end next, so that gates share them."""
    return f"np_{int(at // 30) + rng.randrange(4)}"


def raw_of(data):
    return (data[0] if isinstance(data, list) else data).raw


async def asking_gate(world, name):
    """Ask for progress and then steps of a project again and again, and check the origin of each answer."""
    rng = random.Random(f"{name} {world.rng.random()}")
    joined, fresh_for = world.now, rng.choice((0.5, 3.0, 10.0))
    async with shared_oms("oms_default") as share:
        while world.answers < ENOUGH:
            await asyncio.sleep(rng.uniform(0.0, 8.0))
            try:
                session = await share.session()
                await _one_poll(world, session, ending_soon(rng, world.now), fresh_for, joined)
            except ConnectionReplacedError:
                world.happened["replaced sessions"] += 1
            except OmsAuthenticationError:
                world.happened["errors that a gate was told"] += 1
                if not world.disagreed_within(fresh_for):
                    world.note(f"{name}: a login was refused that Airflow has right")
            except OmsTemporaryError:
                world.happened["errors that a gate was told"] += 1


async def _one_poll(world, session, project, fresh_for, joined):
    asker, before = _Asker(session, fresh_for), 0.0
    for call in (actions.describe_project_progress(project), actions.describe_project_steps(project)):
        began = world.now
        answer = await asker.asend(call)
        told = raw_of(answer.data)
        world.answers += 1
        world.happened["shared answers"] += told["asked"] < began
        if told["projectId"] != project:
            world.note(f"an answer about {told['projectId']} instead of {project}")
        if told["oms"] != session.client.settings.base_url:
            world.note(f"an answer of {told['oms']} over the session with {session.client.settings.base_url}")
        if told["asked"] < began - fresh_for - 1e-6:
            world.note(f"asked for at {told['asked']:.3f}, but {fresh_for} s before {began:.3f} is the earliest")
        if told["looked"] < before:
            world.note(f"OMS looked at {told['looked']:.3f}, before {before:.3f}, when the last answer came")
        # A gate never uses a connection that was read before it began, nor one that is older than a few minutes; while
        # Airflow is away, the old one is used once more.
        oldest = max(joined, began - 2 * (RECHECK + SLOWEST_READ))
        if not world.led_to(told["oms"], oldest, world.now):
            world.note(f"an answer of {told['oms']}, where the Airflow connection doesn't lead any more")
        before = told["came"]


async def waiting_gate(world, name):
    """Poll as the trigger does. The milestone is always reached, so the gate must open, not too early, and not fail."""
    rng = random.Random(f"{name} {world.rng.random()}")
    async with shared_oms("oms_default") as share:
        while world.answers < ENOUGH:
            project, memory, verdict = ending_soon(rng, world.now), Memory(), None
            gate = Gate(milestone=StepMilestone("FULL_TRANSFER"), project_id=project, outage_tolerance=1e9)
            while world.answers < ENOUGH and (verdict is None or verdict.state == "waiting"):
                await asyncio.sleep(rng.uniform(0.0, 8.0))
                verdict = await shared_poll(gate, memory, share)
                world.happened[f"verdicts: {verdict.state.value}"] += 1
            if verdict.state == "reached" and world.now < ends_at(address_of(memory.oms), project):
                world.note(f"{name} opened before the step was done")
            if verdict.state == "failed" and not (
                "refuses the login" in verdict.message and world.disagreed_within(gate.poke_interval)
            ):
                world.note(f"{name} failed: {verdict.message}")


async def tormentor(world, tasks):
    """Cancel gates, sometimes all of them, and start others."""
    kinds = (asking_gate, asking_gate, waiting_gate)
    count = 0
    while world.answers < ENOUGH:
        while len(tasks) < 12:
            count += 1
            kind = world.rng.choice(kinds)
            tasks.append(asyncio.create_task(kind(world, f"{kind.__name__} {count}")))
        if world.rng.random() < 0.03:  # no new gate starts, which would read the Airflow connection
            world.happened["calms"] += 1
            await asyncio.sleep(3 * RECHECK)
        await asyncio.sleep(world.rng.uniform(0.0, 5.0))
        victims = list(tasks) if world.rng.random() < 0.06 else [world.rng.choice(tasks)]
        world.happened["all gates at once"] += len(victims) > 1
        for victim in victims:
            victim.cancel()
            tasks.remove(victim)
        for ended in await asyncio.gather(*victims, return_exceptions=True):
            world.happened["cancelled gates"] += isinstance(ended, asyncio.CancelledError)
            if isinstance(ended, Exception) and not isinstance(ended, OmsError):
                raise ended
            world.happened["gates without a connection"] += isinstance(ended, OmsError)
        for ended in [one for one in tasks if one.done()]:
            tasks.remove(ended)
            if isinstance(error := ended.exception(), Exception) and not isinstance(error, OmsError):
                raise error


async def life(world):
    async def changes():
        while True:
            await asyncio.sleep(world.rng.uniform(5.0, 120.0))
            await world.change()

    changing = asyncio.create_task(changes())
    tasks = []
    try:
        await tormentor(world, tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        changing.cancel()
        await asyncio.gather(changing, return_exceptions=True)


@pytest.mark.parametrize("seed", range(5))
def test_no_answer_is_stale_or_anothers_and_nobody_hangs(monkeypatch, seed):
    world = World(seed)
    monkeypatch.setattr(shared, "RECHECK", RECHECK)
    monkeypatch.setattr(shared, "AsyncOmsClient", lambda settings: Client(world, settings))
    monkeypatch.setattr(shared.OmsHook, "get_async_settings", lambda _hook: world.read_connection())
    with asyncio.Runner(loop_factory=EagerLoop) as runner:
        runner.run(life(world))
    assert world.wrong == []
    assert world.answers >= ENOUGH
    assert world.open_clients == 0
    for what in (
        "shared answers",
        "calms",
        "cancelled gates",
        "all gates at once",
        "changed connections",
        "unreadable connections",
        "replaced sessions",
        "refused logins",
        "errors",
        "errors that a gate was told",
        "verdicts: waiting",
        "verdicts: reached",
    ):
        assert world.happened[what], (what, world.happened)

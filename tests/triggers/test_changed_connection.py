"""An Airflow connection that is changed, and a CA bundle that is renewed, while gates wait in the triggerer."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred
from blockbuster import blockbuster_ctx

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsError, OmsPermanentError, OmsTemporaryError, OmsTlsError
from airflow_provider_oms.hooks.connection import RECHECK
from airflow_provider_oms.milestones.kinds import ProjectStatusMilestone
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.sensors.oms import OmsProjectStatusSensor
from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
from airflow_provider_oms.tasks.row import Row
from airflow_provider_oms.triggers import shared
from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger, shared_poll
from airflow_provider_oms.triggers.shared import ConnectionReplacedError, shared_oms
from tests.certificates import Authority
from tests.modes import context
from tests.triggers.conftest import let_pass
from tests.triggers.test_oms import DONE, HALF, asked, events_of, gate, then, trigger

VARIABLE = "AIRFLOW_CONN_OMS_DEFAULT"


@pytest.fixture
def other(sim):
    """Another OMS."""
    with Simulator(clock=Clock(speed=0)) as simulator:
        yield simulator


@pytest.fixture
def reads(monkeypatch):
    """How often the Airflow connection was read. If ``reads.error`` is set, it is raised instead."""
    really = shared.OmsHook.get_async_settings

    class Reads:
        count = 0
        error: Exception | None = None

    async def counted(hook):
        Reads.count += 1
        if Reads.error is not None:
            raise Reads.error
        return await really(hook)

    monkeypatch.setattr(shared.OmsHook, "get_async_settings", counted)
    return Reads


def answer_late(simulator, data):
    """Let OMS hold its answer back; return an event that says that it was asked, and one that lets it answer."""
    loop, arrived, release = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    async def hold():
        arrived.set()
        await release.wait()

    def late(payload):
        asyncio.run_coroutine_threadsafe(hold(), loop).result()
        return {"success": True, "data": data}

    simulator.set_answer("DescribeProjectProgress", late)
    return arrived, release


def lead_to(monkeypatch, simulator, **changes):
    """Change the Airflow connection."""
    monkeypatch.setenv(VARIABLE, json.dumps({**json.loads(simulator.connection_json), **changes}))


def set_password(simulator, password):
    """Change the password in OMS."""
    simulator._service._credentials = f"{simulator.login}:{password}".encode()


async def poll_of(share, memory=None, **settings):
    return await shared_poll(gate(**settings), Memory() if memory is None else memory, share)


# A gate that begins


@pytest.mark.asyncio
async def test_a_gate_that_begins_asks_where_the_connection_leads_now(sim, other, monkeypatch, pauses):
    """However long older gates have been waiting at the old OMS."""
    then(sim, HALF)
    then(other, DONE)
    async with shared_oms("oms_default") as older:
        assert (await poll_of(older)).state == "waiting"
        lead_to(monkeypatch, other)
        (event,) = await events_of(trigger())
        assert event["status"] == "reached"
    assert asked(other) == 1


@pytest.mark.asyncio
async def test_a_gate_for_deleted_does_not_open_at_the_oms_that_was_left(sim, other, monkeypatch, pauses):
    """The old OMS doesn't know a project of the new one, so it would report it as deleted."""
    other.add_project(Project(id="np_9", name="new", status="RUNNING"))
    then(sim, HALF)
    async with shared_oms("oms_default") as older:
        await poll_of(older)
        lead_to(monkeypatch, other)
        async with shared_oms("oms_default") as share:
            verdict = await poll_of(share, project_id="np_9", milestone=ProjectStatusMilestone(("DELETED",)))
    assert verdict.state == "waiting"
    assert verdict.observed.status == "RUNNING"


@pytest.mark.asyncio
async def test_gates_that_begin_together_read_it_once(sim, reads, pauses):
    sim.add_project(Project(id="np_1", name="one"))
    shares = []
    for _ in range(200):
        context = shared_oms("oms_default")
        shares.append((context, await context.__aenter__()))
    sessions = await asyncio.gather(*(share.session() for _, share in shares))
    assert len(set(map(id, sessions))) == 1
    assert reads.count == 1
    for context, _ in shares:
        await context.__aexit__(None, None, None)


# Gates that wait


@pytest.mark.asyncio
async def test_it_is_read_again_every_few_minutes_and_not_more_often(sim, reads, pauses):
    then(sim, HALF)
    async with shared_oms("oms_default") as share:
        for _ in range(60):
            await poll_of(share)
            let_pass(30)
    assert reads.count == 60 * 30 / RECHECK


@pytest.mark.asyncio
async def test_a_thousand_polls_at_once_read_it_once(sim, reads, pauses):
    then(sim, HALF)
    async with shared_oms("oms_default") as share:
        for _ in range(3):
            await asyncio.gather(*(poll_of(share) for _ in range(100)))
            let_pass(RECHECK)
    assert reads.count == 3


@pytest.mark.asyncio
@pytest.mark.parametrize("change", ["host", "login", "timeout", "api_version"])
async def test_a_gate_that_waits_continues_where_the_connection_leads_now(sim, other, monkeypatch, pauses, change):
    then(sim, HALF)
    then(other, HALF)
    memory = Memory()
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share, memory)).state == "waiting"
        before = await share.session()
        changes = {"timeout": {"extra": {"timeout": 7}}, "api_version": {"extra": {"api_version": "v3"}}}
        lead_to(monkeypatch, other if change == "host" else sim, **changes.get(change, {}))
        if change == "login":
            lead_to(monkeypatch, sim, login="somebody")
        let_pass(RECHECK)
        after = await share.session()
        assert after is not before
        assert before.replaced
        assert after.client.settings != before.client.settings
        if change == "host":
            then(other, DONE)
            assert (await poll_of(share, memory)).state == "reached"


@pytest.mark.asyncio
async def test_what_one_oms_has_answered_is_never_given_at_another(sim, other, monkeypatch, pauses):
    then(sim, DONE)
    then(other, HALF)
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share, poke_interval=10_000)).state == "reached"
        lead_to(monkeypatch, other)
        let_pass(RECHECK)
        assert (await poll_of(share, poke_interval=10_000)).state == "waiting"


@pytest.mark.asyncio
async def test_an_answer_that_is_on_its_way_meanwhile_is_not_believed(sim, other, monkeypatch, pauses):
    """The old OMS answers after the gates have switched to the new one."""
    then(other, HALF)
    arrived, release = answer_late(sim, DONE)
    async with shared_oms("oms_default") as share:
        polls = [asyncio.create_task(poll_of(share)) for _ in range(3)]
        await arrived.wait()
        lead_to(monkeypatch, other)
        let_pass(RECHECK)
        old = await share.session()
        assert not old.replaced or old.origin.startswith(other.url)
        release.set()
        assert [verdict.state for verdict in await asyncio.gather(*polls)] == ["waiting"] * 3
    assert asked(other) == 1


@pytest.mark.asyncio
async def test_a_name_that_the_old_oms_resolved_for_a_poll_that_is_repeated_is_forgotten(
    sim, other, monkeypatch, pauses
):
    """The id belongs to another project at the new OMS."""
    for oms, project_id in ((sim, "np_1"), (other, "np_2")):
        oms.add_project(Project(id=project_id, name="shop"))
    arrived, release = answer_late(sim, HALF)
    memory = Memory()
    async with shared_oms("oms_default") as share:
        poll = asyncio.create_task(poll_of(share, memory, project_id=None, project_name="shop"))
        await arrived.wait()
        lead_to(monkeypatch, other)
        let_pass(RECHECK)
        await share.session()
        release.set()
        assert (await poll).state == "waiting"
    assert memory.projects == {"shop": "np_2"}
    assert [request.payload["id"] for request in other.requests if "Progress" in request.action] == ["np_2"]


@pytest.mark.asyncio
async def test_a_session_that_was_replaced_answers_no_gate(sim, other, monkeypatch, pauses):
    then(sim, DONE)
    async with shared_oms("oms_default") as share:
        old = await share.session()
        lead_to(monkeypatch, other)
        let_pass(RECHECK)
        await share.session()
        with pytest.raises(ConnectionReplacedError):
            await old.ask(actions.describe_project_progress("np_1"), fresh_for=30)
    assert asked(sim) == 0


@pytest.mark.asyncio
async def test_sessions_that_were_replaced_are_closed(sim, other, monkeypatch, pauses):
    then(sim, HALF)
    then(other, HALF)
    sessions = []
    async with shared_oms("oms_default") as share:
        for number in range(6):
            await poll_of(share)
            sessions.append(await share.session())
            lead_to(monkeypatch, (other, sim)[number % 2])
            let_pass(RECHECK)
        assert [session.client._session is None for session in sessions] == [True] * 5 + [False]
    assert all(session.client._session is None for session in sessions)


# The gate's memory


@pytest.mark.asyncio
@pytest.mark.parametrize("target", ["DELETED", "FINISHED"])
async def test_a_project_that_the_new_oms_does_not_have_is_not_gone(sim, other, monkeypatch, pauses, target):
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    memory, waiting = Memory(), ProjectStatusMilestone((target,))
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share, memory, milestone=waiting)).state == "waiting"
        lead_to(monkeypatch, other)
        let_pass(RECHECK)
        verdict = await poll_of(share, memory, milestone=waiting)
    assert verdict.state == "failed"
    assert sim.url in verdict.message
    assert other.url in verdict.message


@pytest.mark.asyncio
async def test_nor_is_it_after_a_restart_of_the_triggerer(sim, other, monkeypatch, pauses):
    """The trigger's row, which Airflow never changes, names the OMS at which the worker found the project."""
    lead_to(monkeypatch, other)
    row = Row(gate(milestone=ProjectStatusMilestone(("DELETED",))), observed={"np_1": sim.url})
    (event,) = await events_of(OmsMilestoneTrigger(**json.loads(json.dumps(row.as_kwargs()))))
    assert event["status"] == "failed"


@pytest.mark.asyncio
async def test_nor_is_one_that_another_user_does_not_see(sim, monkeypatch, pauses):
    """The address is the same: each user of a console may see other projects, and one endpoint serves all accounts."""
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    memory, waiting = Memory(), ProjectStatusMilestone(("DELETED",))
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share, memory, milestone=waiting)).state == "waiting"
        sim._service._credentials = b"somebody:else"
        gone = {"success": False, "code": "GHANA-PROJECT000001"}
        sim.set_answer("DescribeProjectProgress", gone)
        lead_to(monkeypatch, sim, login="somebody", password="else")
        let_pass(RECHECK)
        verdict = await poll_of(share, memory, milestone=waiting)
    assert verdict.state == "failed"
    assert "by another user" in verdict.message


def test_nor_where_a_worker_saw_it_before_it_deferred(sim, other, monkeypatch, pauses):
    """The connection is changed after the worker has deferred the gate and before the triggerer starts it."""
    sim.add_project(Project(id="np_1", name="one", status="RUNNING"))
    waiting = OmsProjectStatusSensor(
        task_id="gate", project_id="np_1", target_statuses=["DELETED"], deferrable=True, timeout=3600
    )
    with pytest.raises(TaskDeferred) as deferral:
        waiting.execute(context())
    lead_to(monkeypatch, other)
    (event,) = asyncio.run(events_of(deferral.value.trigger))
    assert event["status"] == "failed"
    assert sim.url in event["message"]


# What doesn't end a gate


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("API server: 500"),
        OmsPermanentError("there is no Airflow connection 'oms_default'. Create it."),
        OmsTemporaryError("away"),
        TimeoutError(),
        TypeError("port"),
    ],
    ids=repr,
)
async def test_a_connection_that_can_not_be_read_ends_no_gate_that_waits(sim, reads, pauses, error):
    then(sim, HALF)
    async with shared_oms("oms_default") as share:
        await poll_of(share)
        reads.error = error
        for _ in range(20):
            let_pass(60)
            assert (await poll_of(share)).message == "The full transfer is at 50 % (100 % needed)."
        assert reads.count <= 1 + 20 * 60 / RECHECK + 1
        async with shared_oms("oms_default") as beginning:  # it isn't known whether the old one is still right
            with pytest.raises(OmsError):
                await beginning.session()
        reads.error = None
        then(sim, DONE)
        let_pass(RECHECK)
        assert (await poll_of(share)).state == "reached"


@pytest.mark.asyncio
async def test_a_connection_that_is_wrong_now_ends_no_gate_that_waits(sim, monkeypatch, pauses):
    then(sim, HALF)
    async with shared_oms("oms_default") as share:
        await poll_of(share)
        lead_to(monkeypatch, sim, port=99_999_999)
        let_pass(RECHECK)
        assert (await poll_of(share)).state == "waiting"
        (event,) = await events_of(trigger())
        assert event["status"] == "failed"
        assert "port" in event["message"]


@pytest.mark.asyncio
async def test_a_new_password_waits_until_oms_has_it(sim, monkeypatch, pauses, reads):
    """It is changed in Airflow first. A session that OMS still accepts isn't given up for it."""
    then(sim, HALF)
    async with shared_oms("oms_default") as share:
        await poll_of(share)
        lead_to(monkeypatch, sim, password="new")
        for _ in range(5):
            let_pass(RECHECK)
            assert (await poll_of(share)).state == "waiting"
        set_password(sim, "new")
        let_pass(30)
        verdicts = await asyncio.gather(*(poll_of(share) for _ in range(20)))
        assert {verdict.state for verdict in verdicts} == {"waiting"}
        assert (await share.session()).client.settings.password == "new"
        set_password(sim, "newer")
        before = reads.count
        failed = await asyncio.gather(*(poll_of(share, poke_interval=0) for _ in range(20)))
        assert {verdict.state for verdict in failed} == {"failed"}
        assert reads.count - before == 1


@pytest.mark.asyncio
async def test_airflow_is_away_when_oms_refuses_the_login(sim, monkeypatch, pauses, reads):
    """It isn't known whether the password was changed, so the gate waits."""
    then(sim, HALF)
    async with shared_oms("oms_default") as share:
        await poll_of(share)
        reads.error = RuntimeError("API server: 500")
        sim.add_fault(Fault("status", status=401, times=1))
        let_pass(30)
        assert (await poll_of(share)).alarming
        reads.error = None
        let_pass(30)
        assert (await poll_of(share)).message == "The full transfer is at 50 % (100 % needed)."


# The CA bundle


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    return [Authority(tmp_path_factory.mktemp(f"ca{number}"), f"CA {number}") for number in range(2)]


class Secure:
    """An OMS with https, and the bundle that its connection names."""

    def __init__(self, monkeypatch, authorities, directory):
        self.authorities = authorities
        self.bundle = directory / "ca.pem"
        self.context = authorities[0].server("127.0.0.1")
        self.bundle.write_bytes(authorities[0].bundle.read_bytes())
        self.sim = Simulator(clock=Clock(speed=0), ssl_context=self.context)
        self.sim.start()
        fields = {**json.loads(self.sim.connection_json), "schema": "https", "extra": {"verify": str(self.bundle)}}
        monkeypatch.setenv(VARIABLE, json.dumps(fields))

    def renew_certificate(self):
        """Let OMS use a certificate of the other authority for new connections; the present connections are closed."""
        other = self.authorities[1]
        other.server("127.0.0.1")
        newest = max(other.directory.glob("server-*.pem"), key=lambda path: path.stat().st_mtime_ns)
        self.context.load_cert_chain(newest)
        self.sim.down()
        self.sim.up()

    def renew_bundle(self, content=None):
        """Replace the bundle by another."""
        part = self.bundle.with_suffix(".part")
        part.write_bytes(self.authorities[1].bundle.read_bytes() if content is None else content)
        part.replace(self.bundle)


@pytest.fixture
def secure(monkeypatch, authorities, tmp_path):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    made = Secure(monkeypatch, authorities, tmp_path)
    yield made
    made.sim.stop()


@pytest.mark.asyncio
async def test_a_renewed_bundle_is_used_as_soon_as_the_old_one_does_not_do(secure, pauses):
    then(secure.sim, HALF)
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share)).state == "waiting"
        secure.renew_bundle()
        secure.renew_certificate()
        let_pass(30)
        await poll_of(share)  # over the connection that OMS has closed
        let_pass(30)
        verdicts = await asyncio.gather(*(poll_of(share) for _ in range(10)))
        assert {verdict.message for verdict in verdicts} == {"The full transfer is at 50 % (100 % needed)."}


@pytest.mark.asyncio
async def test_a_renewed_bundle_is_used_by_and_by_and_by_gates_that_begin(secure, pauses):
    then(secure.sim, HALF)
    async with shared_oms("oms_default") as share:
        first = await share.session()
        secure.renew_bundle()
        secure.renew_certificate()
        async with shared_oms("oms_default") as beginning:
            assert (await poll_of(beginning)).state == "waiting"
        assert first.replaced
        second = await share.session()
        let_pass(RECHECK)
        assert await share.session() is second  # nothing has changed


@pytest.mark.asyncio
async def test_the_same_bundle_written_again_changes_nothing(secure, pauses):
    async with shared_oms("oms_default") as share:
        first = await share.session()
        secure.renew_bundle(secure.bundle.read_bytes())
        let_pass(RECHECK)
        assert await share.session() is first


@pytest.mark.asyncio
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB", b"\xff\xfe", None])
async def test_a_bundle_that_is_just_being_written_ends_no_gate(secure, pauses, content, caplog):
    then(secure.sim, HALF)
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share)).state == "waiting"
        whole = secure.bundle.read_bytes()
        if content is None:
            secure.bundle.unlink()
        else:
            secure.renew_bundle(content)
        for _ in range(3):
            let_pass(RECHECK)
            assert (await poll_of(share)).message == "The full transfer is at 50 % (100 % needed)."
        assert ("The earlier settings stay in use." in caplog.text) == (content is not None)
        secure.renew_bundle(whole + secure.authorities[1].bundle.read_bytes())
        secure.renew_certificate()
        let_pass(RECHECK)
        assert (await poll_of(share)).message == "The full transfer is at 50 % (100 % needed)."


@pytest.mark.asyncio
async def test_a_bundle_that_does_not_do_for_another_oms_leaves_no_gate_that_begins_at_the_old_one(
    secure, pauses, monkeypatch
):
    then(secure.sim, HALF)
    async with shared_oms("oms_default") as share:
        assert (await poll_of(share)).state == "waiting"
        secure.renew_bundle(b"")
        fields = {**json.loads(os.environ[VARIABLE]), "host": "localhost"}
        monkeypatch.setenv(VARIABLE, json.dumps(fields))
        async with shared_oms("oms_default") as beginning:
            verdict = await poll_of(beginning)
            assert (verdict.state, "50 %" in verdict.message) == ("failed", False)


@pytest.mark.asyncio
async def test_a_certificate_that_no_bundle_trusts_still_fails(secure, pauses):
    then(secure.sim, HALF)
    async with shared_oms("oms_default") as share:
        await poll_of(share)
        secure.renew_certificate()
        let_pass(30)
        await poll_of(share)  # over the connection that OMS has closed
        let_pass(30)
        verdict = await poll_of(share)
        assert verdict.state == "failed"
        with pytest.raises(OmsTlsError):
            await (await share.session()).ask(actions.describe_project_progress("np_1"), fresh_for=0)


@pytest.mark.asyncio
async def test_nothing_blocks_the_event_loop_on_the_way(secure, other, monkeypatch, pauses):
    then(secure.sim, HALF)
    then(other, HALF)
    with blockbuster_ctx("airflow_provider_oms") as blockbuster:
        blockbuster.activate()
        async with shared_oms("oms_default") as share:
            await poll_of(share)
            let_pass(RECHECK)
            await poll_of(share)
            secure.renew_bundle(secure.bundle.read_bytes() + b"\n")
            let_pass(RECHECK)
            await poll_of(share)
            lead_to(monkeypatch, other)
            let_pass(RECHECK)
            assert (await poll_of(share)).observed.time is not None

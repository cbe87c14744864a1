"""The asynchronous client: opening and closing it, concurrent calls, and an event loop that is never blocked."""

import asyncio
import ssl
import threading

import pytest
from client_support import settings_of

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.aio import AsyncOmsClient
from airflow_provider_oms.client.errors import (
    OmsConnectionLostError,
    OmsProjectNotFoundError,
    OmsTlsError,
    OmsUnreachableError,
)
from airflow_provider_oms.client.operations import arun_flow
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.simulator import Fault, Project, Simulator


@pytest.fixture
def oms():
    with Simulator([Project(name=f"p{n}", id=f"np_{n}") for n in range(60)]) as simulator:
        yield simulator


@pytest.mark.asyncio
async def test_it_must_be_opened(oms):
    client = AsyncOmsClient(settings_of(oms))

    with pytest.raises(RuntimeError, match="must be opened with 'async with'"):
        await client.alist_all_labels()
    async with client:
        assert await client.alist_all_labels() == []
    with pytest.raises(RuntimeError, match="must be opened with 'async with'"):
        await client.alist_all_labels()
    async with client:
        assert await client.alist_all_labels() == []
    await client.aclose()


@pytest.mark.asyncio
async def test_a_bundle_that_was_fixed():
    """An error in the settings is raised when a request is sent, and no longer once it is fixed."""
    client = AsyncOmsClient(ClientSettings("https://127.0.0.1:1", verify="/nowhere", retries=0))
    async with client:
        with pytest.raises(OmsTlsError, match="ListAllLabels: there is no CA bundle"):
            await client.alist_all_labels()
    client.settings = ClientSettings("http://127.0.0.1:1", retries=0)
    async with client:
        with pytest.raises(OmsUnreachableError, match="nothing listens"):
            await client.alist_all_labels()


@pytest.mark.asyncio
async def test_many_calls_at_a_time(oms):
    async with AsyncOmsClient(settings_of(oms)) as client:
        found = await asyncio.gather(*(client.adescribe_project(f"np_{n % 60}") for n in range(200)))

    assert [project.id for project in found] == [f"np_{n % 60}" for n in range(200)]


@pytest.mark.asyncio
async def test_one_cancelled_call_harms_no_other(oms):
    oms.add_fault(Fault("hang", project_id="np_1"))
    async with AsyncOmsClient(settings_of(oms, timeout=30)) as client:
        hanging = [asyncio.create_task(client.adescribe_project("np_1")) for _ in range(5)]
        while len(oms.requests) < 5:  # noqa: ASYNC110 - the simulator lives in another thread
            await asyncio.sleep(0)
        for task in hanging:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*hanging, return_exceptions=True)
        )
        assert (await client.adescribe_project("np_2")).id == "np_2"


@pytest.mark.asyncio
async def test_the_loop_continues_while_oms_does_not(oms):
    """Other tasks run between the start and the end of a call that gets no answer."""
    oms.add_fault(Fault("hang"))
    async with AsyncOmsClient(settings_of(oms)) as client:
        asking = asyncio.create_task(client.adescribe_project("np_1"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not asking.done()
        asking.cancel()


@pytest.mark.asyncio
async def test_opening_leaves_the_loop_free(authority, monkeypatch):
    """Reading certificates takes tens of milliseconds, so it is done in another thread."""
    threads = []
    real = ssl.create_default_context

    def slow(*args, **kwargs):
        threads.append(threading.get_ident())
        return real(*args, **kwargs)

    monkeypatch.setattr(ssl, "create_default_context", slow)
    async with AsyncOmsClient(ClientSettings("https://127.0.0.1:1", verify=str(authority.bundle))):
        assert len(threads) == 1
        assert threads[0] != threading.get_ident()


@pytest.mark.asyncio
async def test_an_error_leaves_it_usable(oms):
    oms.add_fault(Fault("truncate", times=1))
    oms.add_fault(Fault("reset_before", times=1))
    async with AsyncOmsClient(settings_of(oms)) as client:
        for _ in range(2):
            with pytest.raises(OmsConnectionLostError):
                await client.adescribe_project("np_1")
        assert (await client.adescribe_project("np_1")).id == "np_1"


@pytest.mark.asyncio
@pytest.mark.parametrize("create", [False, True])
async def test_an_oms_that_was_restarted_meanwhile(create, oms):
    async with AsyncOmsClient(settings_of(oms)) as client:
        await client.alist_all_labels()
        await asyncio.to_thread(oms.down)
        await asyncio.to_thread(oms.up)
        await (client.acreate_label("l") if create else client.alist_all_labels())
    assert len(oms.labels) == create


@pytest.mark.asyncio
async def test_lists_and_flows(oms):
    def flow():
        with pytest.raises(OmsProjectNotFoundError, match="no such project"):
            yield actions.describe_project("np_none")
        answer = yield actions.describe_project("np_1")
        return answer.data.name

    async with AsyncOmsClient(settings_of(oms)) as client:
        assert len([project async for project in client.alist_projects(page_size=7)]) == 60
        assert [project.id async for project in client.alist_projects("np_5") if project.id == "np_5"] == ["np_5"]
        assert await arun_flow(client, flow()) == "p1"


@pytest.mark.asyncio
async def test_v3_over_get(oms):
    async with AsyncOmsClient(settings_of(oms, api_version="v3")) as client:
        assert (await client.adescribe_project_progress("np_1")).status == "INIT"
    assert oms.requests[-1].method == "GET"


@pytest.mark.asyncio
async def test_waiting_for_a_turn_is_no_time_out(oms):
    """A thousand gates on a slow OMS wait for each other; this must not count as an outage of OMS."""
    oms.add_fault(Fault("delay", seconds=1.2))
    settings = settings_of(oms, timeout=4, retries=0, max_concurrent_requests=1)
    async with AsyncOmsClient(settings) as client:
        answers = await asyncio.gather(*(client.adescribe_project_progress(f"np_{number}") for number in range(4)))
    assert len(answers) == 4

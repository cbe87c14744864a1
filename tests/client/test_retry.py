"""Which requests are retried, how often, and after what pause. Nothing sleeps: ``pauses`` collects the seconds."""

import asyncio
from email.utils import formatdate

import pytest
from client_support import CLIENTS, ask, settings_of

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import OmsBusyError, OmsError, OmsUnreachableError
from airflow_provider_oms.client.retry import LONGEST_PAUSE, retry_policy
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.simulator import Fault, Project, Simulator

READ = actions.describe_project_progress("np_1")

CHANGES = [
    actions.create_project({"name": "p"}),
    actions.create_label("l"),
    actions.create_mysql_data_source("n", ip="i", port=1, username="u", password="p"),
    actions.create_oceanbase_data_source(
        "n", tenant="t", cluster="c", ip="i", port=1, username="u", password="p", data_source_type="OB_MYSQL"
    ),
    actions.start_project("np_1"),
    actions.stop_project("np_1"),
    actions.resume_project("np_1"),
    actions.release_project("np_1"),
    actions.delete_project("np_1"),
    actions.advance_project("np_1"),
    actions.update_project_config("np_1", {}),
    actions.reset_incr_start_timestamp("np_1", 1),
    actions.start_projects_by_label("l"),
    actions.stop_projects_by_label("l"),
    actions.submit_pre_check({"name": "p"}),
    actions.delete_data_source("e"),
    actions.update_store("k", "r", {}),
    actions.call("SomethingNew"),
]


@pytest.fixture
def oms():
    with Simulator([Project(name="p", id="np_1")]) as simulator:
        yield simulator


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("retries", [0, 1, 3, 7])
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_read_is_tried_again(status, retries, client, oms, pauses):
    oms.add_fault(Fault("status", status=status))

    with pytest.raises(OmsBusyError):
        ask(client, settings_of(oms, retries=retries), READ)

    assert len(oms.requests) == 1 + retries
    assert len(pauses) == retries


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_read_gets_over_it(times, client, oms, pauses):
    oms.add_fault(Fault("status", status=503, times=times))

    answer = ask(client, settings_of(oms, retries=3), READ)

    assert answer.data.status == "INIT"
    assert len(oms.requests) == 1 + times


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("fault", ["status", "reset_before", "reset_after", "html", "error"])
@pytest.mark.parametrize("call", CHANGES, ids=lambda call: call.action)
def test_a_change_is_never_sent_twice(call, fault, client, oms, pauses):
    oms.add_fault(Fault(fault, status=503))

    with pytest.raises(OmsError):
        ask(client, settings_of(oms, retries=5), call)

    assert len(oms.requests) == 1
    assert pauses == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("status", [301, 302, 400, 401, 403, 404, 405, 422])
def test_what_will_not_pass_is_not_tried_again(status, client, oms, pauses):
    oms.add_fault(Fault("status", status=status, headers={"Retry-After": "1"}))

    with pytest.raises(OmsError) as caught:
        ask(client, settings_of(oms, retries=5), READ)

    assert not caught.value.temporary
    assert len(oms.requests) == 1
    assert pauses == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("code", ["PARAM_ERROR", "GHANA-PROJECT000001", "GHANA-OPEROR000001", "SOMETHING-NEW"])
def test_a_refusal_is_not_tried_again(code, client, oms, pauses):
    oms.add_fault(Fault("error", code=code))

    with pytest.raises(OmsError):
        ask(client, settings_of(oms, retries=5), READ)

    assert len(oms.requests) == 1


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("17", 17, 17), ("60", 60, 60), ("0", 0, 10), ("soon", 0, 10), ("date", 16, 18)],
)
def test_retry_after_is_honoured(header, least, most, client, oms, pauses):
    value = formatdate(oms.clock.now() + 17, usegmt=True) if header == "date" else header
    oms.add_fault(Fault("status", status=429, headers={"Retry-After": value}, times=2))

    ask(client, settings_of(oms, retries=2), READ)

    assert len(pauses) == 2
    assert all(least <= pause <= most for pause in pauses)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("seconds", [LONGEST_PAUSE + 1, 86_400, 10**30])
def test_a_pause_too_long_is_left_to_the_next_poll(seconds, client, oms, pauses):
    oms.add_fault(Fault("status", status=503, headers={"Retry-After": f"{seconds:.0f}"}))

    with pytest.raises(OmsBusyError) as caught:
        ask(client, settings_of(oms, retries=5), READ)

    assert caught.value.details.retry_after > LONGEST_PAUSE
    assert len(oms.requests) == 1
    assert pauses == []


@pytest.mark.parametrize("client", CLIENTS)
def test_pauses_grow_and_differ(client, pauses):
    """The port is closed, so hundreds of tries take no time."""
    for _ in range(30):
        with pytest.raises(OmsUnreachableError):
            ask(client, ClientSettings("http://127.0.0.1:1", retries=5), READ)

    tries = list(zip(*[iter(pauses)] * 5, strict=True))
    assert all(0 <= pause <= 10 for pause in pauses)
    assert len(set(pauses)) > 100
    for number, limit in enumerate([1, 2, 4, 8, 10]):
        assert max(pause[number] for pause in tries) <= limit


def test_each_page_is_tried_again_by_itself(oms, pauses):
    from airflow_provider_oms.client.sync import OmsClient

    for number in range(5):
        oms.add_project(Project(name=f"q{number}"))
    oms.add_fault(Fault("status", status=503, times=1))
    oms.add_fault(Fault("status", status=503, times=1, after=2))

    with OmsClient(settings_of(oms, retries=1)) as client:
        assert len(list(client.list_projects(page_size=2))) == 6
    assert len(pauses) == 2


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), asyncio.CancelledError(), KeyboardInterrupt()])
def test_a_defect_is_not_tried_again(error):
    from tenacity import Retrying

    tries = []

    def fail():
        tries.append(1)
        raise error

    with pytest.raises(type(error)):
        Retrying(**retry_policy(ClientSettings("http://oms:1", retries=3), READ))(fail)
    assert len(tries) == 1

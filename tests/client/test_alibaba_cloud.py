"""OMS hosted in Alibaba Cloud: what is signed and sent, and what its gateway's answers mean, with both clients."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import time
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from client_support import CLIENTS, ask, settings_of

from airflow_provider_oms.client import actions, alibaba_cloud
from airflow_provider_oms.client.envelope import takes_long
from airflow_provider_oms.client.errors import (
    OmsAuthenticationError,
    OmsBusyError,
    OmsInvalidRequestError,
    OmsRejectedError,
    OmsUnsupportedActionError,
)
from airflow_provider_oms.client.protocol import build_request
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
from airflow_provider_oms.simulator.hosted import ACTIONS

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-cloud" / "bin" / "python"

ENDPOINT = "https://oceanbasepro.cn-hangzhou.aliyuncs.com"
KEY, SECRET, TOKEN = "LTAI-simulated", "not-a-secret", "sts-token"


def cloud(**given):
    return Simulator(clock=Clock(speed=0), api="alibaba_cloud", login=KEY, password=SECRET, **given)


def how(oms, **changes):
    return settings_of(oms, **{"api_version": "alibaba_cloud", **changes})


@pytest.fixture
def oms():
    with cloud() as made:
        made.add_project(Project(id="np_1", name="shop", status="RUNNING", step="FULL_VERIFIER", step_progress=100))
        yield made


# Requests


@pytest.mark.parametrize(
    ("call", "fields"),
    [
        (actions.describe_project_progress("np_1"), {"Id": "np_1"}),
        (
            actions.list_projects("a&b=ü", statuses=["RUNNING"], visible_sub_project=False).page(1),
            {
                "SearchKey": "a&b=ü",
                "Status": '["RUNNING"]',
                "VisibleSubProject": "false",
                "PageNumber": "1",
                "PageSize": "100",
            },
        ),
        (
            actions.list_project_full_verify_result("np_1", statuses=["FINISHED"]).page(2),
            {"ProjectId": "np_1", "Status": "FINISHED", "PageNumber": "2", "PageSize": "100"},
        ),
        (
            actions.create_project_modify_records("np_1", [{"name": "shop", "tables": [{"name": "订单"}]}]),
            {"Id": "np_1", "Databases": '[{"Name":"shop","Tables":[{"Name":"订单"}]}]'},
        ),
        (
            actions.create_mysql_data_source("n", ip="db", port=3306, username="u", password="p"),
            {"Name": "n", "Ip": "db", "Port": "3306", "UserName": "u", "Password": "cA=="},
        ),
        (actions.call("X", {"a": None, "bC": 1.5, "D": True, "e": {"f": [{"gH": None}]}}), None),
    ],
    ids=lambda value: getattr(value, "action", ""),
)
def test_the_form(call, fields):
    sent = dict(parse_qsl(alibaba_cloud.form(call.action, call.payload).decode(), strict_parsing=True))
    assert sent == (fields or {"BC": "1.5", "D": "true", "E": '{"F":[{"GH":null}]}'})


def test_several_statuses_of_tables_are_refused_with_a_message():
    call = actions.list_project_full_verify_result("np_1", statuses=["FINISHED", "RUNNING"]).page(1)
    with pytest.raises(OmsInvalidRequestError, match="takes one status of tables"):
        alibaba_cloud.form(call.action, call.payload)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("value", [float("nan"), object(), {1}])
def test_what_is_no_json(client, value, oms):
    with pytest.raises(OmsInvalidRequestError, match="can't be written as JSON"):
        ask(client, how(oms), actions.call("ListProjects", {"status": [value]}))
    assert oms.requests == []


def test_every_attempt_is_another_one():
    settings = ClientSettings(f"{ENDPOINT}:443", KEY, SECRET, api_version="alibaba_cloud")
    one, two = (build_request(settings, actions.list_all_labels()) for _ in range(2))
    assert one.headers["host"] == "oceanbasepro.cn-hangzhou.aliyuncs.com"
    assert one.headers["x-acs-signature-nonce"] != two.headers["x-acs-signature-nonce"]
    assert one.headers["Authorization"] != two.headers["Authorization"]
    assert one.body == two.body
    assert SECRET not in repr(one.headers)
    assert one.headers["Authorization"] not in repr(one)


@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_and_its_answer(client, token):
    with cloud(**({"security_token": token} if token else {})) as made:
        project = made.add_project(Project(name="shop", status="RUNNING", step="INCR_TRANSFER"))
        answer = ask(client, how(made, security_token=token), actions.describe_project_progress(project))
    assert (answer.data.project_id, answer.data.status) == (project, "RUNNING")
    assert answer.clock == "OMS"


@pytest.mark.parametrize("client", CLIENTS)
def test_a_failed_read_is_signed_again(client, oms, pauses):
    oms.add_fault(Fault("status", action="DescribeProjectSteps", status=503, times=2))
    steps = ask(client, how(oms, retries=2), actions.describe_project_steps("np_1")).data
    assert {step.name for step in steps} >= {"FULL_TRANSFER", "FULL_VERIFIER"}
    assert len(oms.requests) == 3


@pytest.mark.parametrize("client", CLIENTS)
def test_what_changes_something(client, oms):
    ask(client, how(oms), actions.stop_project("np_1"))
    oms.clock.advance(60)
    assert oms.project("np_1").status == "SUSPEND"


# Actions


def test_the_actions_that_it_lacks_are_all_that_are_typed_and_not_there():
    typed = {
        call.action if hasattr(call, "action") else call.page(1).action
        for call in (getattr(actions, name)(*args, **kwargs) for name, args, kwargs in _typed())
    }
    assert typed - ACTIONS == alibaba_cloud.ABSENT


def _typed():
    from test_actions import SENT

    return [(name, args, kwargs) for name, args, kwargs, *_ in SENT if name != "call"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("call", [actions.advance_project("np_1"), actions.describe_regions()], ids=lambda c: c.action)
def test_an_action_of_premises_is_refused_with_a_message(client, call, oms):
    with pytest.raises(
        OmsUnsupportedActionError, match=f"{call.action}.*api_version alibaba_cloud.*only OMS on premises"
    ):
        ask(client, how(oms), call)
    assert oms.requests == []


@pytest.mark.parametrize("client", CLIENTS)
def test_an_action_that_nobody_knows(client, oms):
    with pytest.raises(OmsUnsupportedActionError, match="doesn't have the action"):
        ask(client, how(oms), actions.call("SomethingNew"))


# Refused logins


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("ours", "theirs", "kind", "words"),
    [
        ({"login": "LTAI-other"}, {}, OmsAuthenticationError, "doesn't know the AccessKey. Check the login"),
        ({"password": "another-secret"}, {}, OmsAuthenticationError, "refused the signature. Check the password"),
        ({"security_token": "sts-outdated"}, {}, OmsAuthenticationError, "refused the security token"),
        ({}, {"now": lambda: time.time() + 3600}, OmsAuthenticationError, "Set this machine's clock"),
        ({}, {"forbidden": {"ListAllLabels"}}, OmsAuthenticationError, "oceanbase:<action>.*in RAM"),
    ],
)
def test_a_wrong_key_says_which(client, ours, theirs, kind, words):
    with cloud() as made:
        for name, value in theirs.items():
            setattr(made.gateway, name, value)
        with pytest.raises(kind, match=words) as caught:
            ask(client, how(made, retries=2, **ours), actions.list_all_labels())
    for secret in (SECRET, "another-secret", "sts-outdated"):
        assert secret not in str(caught.value)
    assert len(made.requests) == 1


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("code", ["Throttling", "Throttling.User", "Throttling.Api", "ServiceUnavailable"])
def test_throttling_is_waited_out(client, code, oms, pauses):
    body = json.dumps({"RequestId": "r", "Code": code, "Message": "Request was denied."})
    oms.add_fault(Fault("status", status=400, body=body.encode(), times=1))
    assert ask(client, how(oms, retries=1), actions.list_all_labels()).data == []
    assert len(pauses) == 1
    oms.add_fault(Fault("status", status=400, body=body.encode(), times=1))
    with pytest.raises(OmsBusyError, match=code):
        ask(client, how(oms), actions.list_all_labels())


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("status", "code"),
    [(200, "Throttling.User"), (400, "throttling.user"), (429, "Throttling"), (500, "InternalError"), (504, "Odd")],
)
def test_what_passes_whatever_the_status(client, status, code, oms):
    body = json.dumps({"RequestId": "r", "Code": code, "Message": "Later.", "Success": False})
    oms.add_fault(Fault("status", status=status, body=body.encode()))
    with pytest.raises(OmsBusyError, match=code):
        ask(client, how(oms), actions.list_all_labels())


@pytest.mark.parametrize("client", CLIENTS)
def test_an_oms_that_refuses_by_itself_is_not_taken_for_the_gateway(client, oms):
    """Its answer has HTTP 200, whatever its code is called."""
    body = json.dumps({"RequestId": "r", "Code": "Forbidden.RAM", "Message": "No.", "Success": False})
    oms.add_fault(Fault("status", status=200, body=body.encode()))
    with pytest.raises(OmsRejectedError, match=r"Forbidden\.RAM"):
        ask(client, how(oms), actions.list_all_labels())


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (400, "InvalidAccessKeyId.Inactive", "doesn't know the AccessKey"),
        (400, "InvalidTimestamp.Expired", "Set this machine's clock"),
        (403, "Forbidden.AccessKeyDisabled", "refused the AccessKey or its user. Check login and password"),
        (403, "Forbidden", "the user's rights in RAM"),
        (401, None, "refused the AccessKey or its user"),
    ],
)
def test_a_refused_login_is_reported_as_by_alibaba_cloud(client, status, code, words, oms):
    """The message isn't that for an OMS on premises, whose passwords expire after 90 days."""
    body = json.dumps({"RequestId": "r", "Code": code, "Message": "No.", "Success": False}) if code else "<html>no"
    oms.add_fault(Fault("status", status=status, body=body.encode()))
    with pytest.raises(OmsAuthenticationError, match=words) as caught:
        ask(client, how(oms), actions.list_all_labels())
    assert "90 days" not in str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_long_refusal_is_reported_in_the_same_way(client, oms):
    """The asynchronous client reads it in a thread."""
    answer = {"RequestId": "r", "Code": "Forbidden", "Message": "No.", "Success": False, "More": ["x"] * 100_000}
    oms.add_fault(Fault("status", status=403, body=(body := json.dumps(answer).encode())))
    assert takes_long(body)
    with pytest.raises(OmsAuthenticationError, match="the user's rights in RAM"):
        ask(client, how(oms), actions.list_all_labels())


@pytest.mark.parametrize("client", CLIENTS)
def test_an_oms_on_premises_is_not_reported_as_by_alibaba_cloud(client):
    with Simulator() as sim:
        body = json.dumps({"success": False, "code": "NoPermission", "message": "No."})
        sim.add_fault(Fault("status", status=403, body=body.encode()))
        with pytest.raises(OmsAuthenticationError, match="90 days") as caught:
            ask(client, settings_of(sim), actions.list_all_labels())
    assert "Alibaba" not in str(caught.value)


@pytest.mark.parametrize("client", CLIENTS)
def test_another_refusal_is_one(client, oms):
    body = json.dumps({"RequestId": "r-7", "Code": "InvalidParameter", "Message": "Id is odd."})
    oms.add_fault(Fault("status", status=400, body=body.encode()))
    with pytest.raises(OmsRejectedError, match=r"Id is odd.*InvalidParameter.*r-7"):
        ask(client, how(oms), actions.list_all_labels())


@pytest.mark.parametrize("client", CLIENTS)
def test_a_message_that_repeats_what_was_signed_shows_no_secret(client, oms):
    """If a signature is wrong, the real gateway shows the text that it signed."""
    call = actions.create_mysql_data_source("n", ip="db", port=1, username="u", password="wörd/geheim")
    message = f"server string to sign: {alibaba_cloud.form(call.action, call.payload).decode()} {SECRET} {TOKEN}"
    body = json.dumps({"Code": "SignatureDoesNotMatch", "Message": message})
    oms.add_fault(Fault("status", status=400, body=body.encode()))
    with pytest.raises(OmsAuthenticationError) as caught:
        ask(client, how(oms, security_token=TOKEN), call)
    for secret in ("geheim", call.payload["password"], SECRET, TOKEN):
        assert secret not in str(caught.value)


# The AccessKey


@pytest.mark.parametrize(
    "changes",
    [
        {"login": ""},
        {"password": ""},
        {"login": "LT AI"},
        {"login": "LTAI\r\nX-Evil: 1"},
        {"login": "LTAI,SignedHeaders=host"},
        {"password": "geheim\udc80"},
        {"password": "geheim\n"},
        {"security_token": "geheim\r\nX-Evil: 1"},
    ],
)
def test_what_no_access_key_is(changes):
    with pytest.raises(OmsInvalidRequestError, match="AccessKey") as caught:
        ClientSettings("https://x", **{"login": KEY, "password": SECRET, "api_version": "alibaba_cloud", **changes})
    assert "geheim" not in repr(caught.value)


def test_settings_show_no_secret():
    settings = ClientSettings("https://x", KEY, SECRET, api_version="alibaba_cloud", security_token=TOKEN)
    assert SECRET not in repr(settings)
    assert TOKEN not in repr(settings)
    assert settings.secrets.redact(f"a {TOKEN} and {SECRET}") == "a *** and ***"


# The yardstick


def payloads():
    """Make the payloads of 500 actions with random parameters, which are the same in each run."""
    dice = random.Random(20190901)

    def text():
        return "".join(
            dice.choice("abcXYZ089 _-~.*+&=/%\"'\\{}[],:;?#@!$()é订单🙂\n\t") for _ in range(dice.randrange(12))
        )

    def value(depth=0):
        kinds = [text, lambda: dice.randrange(-9, 10**12), lambda: dice.random() < 0.5, dice.random, lambda: None]
        if depth < 3:
            kinds += [
                lambda: [value(depth + 1) for _ in range(dice.randrange(4))],
                lambda: {text(): value(depth + 1) for _ in range(dice.randrange(4))},
            ]
        return dice.choice(kinds)()

    names = sorted(ACTIONS)
    return [(dice.choice(names), {f"k{n}{text()}": value() for n in range(dice.randrange(6))}) for _ in range(500)]


@pytest.mark.skipif(
    not PYTHON.exists(), reason="needs the environment of Alibaba Cloud's SDK: python3 scripts/cloud.py"
)
def test_the_official_sdk_signs_the_same():
    requests = []
    for number, (action, payload) in enumerate(payloads()):
        body = alibaba_cloud.form(action, payload) if action != "ListProjectFullVerifyResult" else b"ProjectId=np_1"
        keys = {"access_key_id": f"LTAI{number}", "secret": f"secret/{number}+="}
        headers = alibaba_cloud.signed_headers(
            f"{ENDPOINT}:443",
            action,
            body,
            **keys,
            security_token=f"token-{number}" if number % 3 else None,
        )
        assert headers["x-acs-content-sha256"] == hashlib.sha256(body).hexdigest()
        signed = {
            name: text
            for name, text in headers.items()
            if name.startswith("x-acs-") or name in ("host", "content-type")
        }
        requests.append({"headers": signed, "ours": headers["Authorization"], **keys})
    clean = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [PYTHON, Path(__file__).with_name("sdk_signatures.py")],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
        env=clean,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [request["ours"] for request in requests]

"""An OMS that adds half surrogate pairs, NUL, line breaks, escapes and marks to every text: none is passed on."""

from __future__ import annotations

import json
import logging

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_oms.cli.main import parser
from airflow_provider_oms.cli.running import run as run_command
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.client.protocol import HttpAnswer
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.sensors import oms as sensors
from airflow_provider_oms.simulator import Project, Table
from tests.cli.conftest import Stream

SIGNS = "\ud83d\x00\r\n\x1b[2J\x9b\u202e\u2066\u200b\u2028"

BODY = {
    "name": "p",
    "type": "MIGRATION",
    "sourceEndpointName": "source",
    "sinkEndpointName": "target",
    "transferMapping": operators.transfer_mapping({"shop": ["orders"]}),
}

#: Texts that decide something stay unchanged, so that all other code is reached.
KEPT = {"id", "projectId", "status", "type", "name", "resultType", "sourceTableName", "sourceSchemaName", "progress"}


def hostile(value, key=""):
    """Add the characters to every text, also to names of values."""
    if isinstance(value, dict):
        return {name: hostile(item, name) for name, item in value.items()} | {f"x{SIGNS}": f"y{SIGNS}"}
    if isinstance(value, list):
        return [hostile(item, key) for item in value]
    if key in KEPT or value is None or isinstance(value, bool):
        return value
    return f"{value}{SIGNS}" if isinstance(value, str) else value


def strings(value):
    """Iterate over every text of a JSON value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


@pytest.fixture
def evil(sim, monkeypatch):
    """An OMS whose answers are all hostile."""
    from airflow_provider_oms.client import aio, protocol, sync

    real, seen = protocol.read_answer, []

    def read_answer(call, answer, *secrets, **more):
        said = json.loads(answer.body)
        seen.append(call.action)
        said = {**hostile(said), "success": said["success"]}
        body = json.dumps(said).encode()
        return real(call, HttpAnswer(answer.status, answer.headers, body, answer.received_at), *secrets, **more)

    for module in (sync, aio):
        monkeypatch.setattr(module, "read_answer", read_answer)
    tables = [Table("shop", "orders", consistent=1), Table("shop", "t", result_type="INCONSISTENT", mismatched=2)]
    where = {"status": "RUNNING", "step": "FULL_VERIFIER", "step_progress": 100}
    sim.add_project(Project(id="np_1", name="p", verification=tables, **where))
    return seen


def check(caplog, captured, *written):
    """Check that none of the characters is anywhere."""
    texts = [*strings(json.loads(json.dumps(written))), caplog.text, captured.out, captured.err]
    for text in texts:
        text.encode()
        assert not set(SIGNS) - set("\r\n[2J") & set(text)
    for text in strings(json.loads(json.dumps(written))):
        assert text.isprintable()


@pytest.mark.parametrize("deferrable", [False, True], ids=["worker", "triggerer"])
@pytest.mark.parametrize(
    ("sensor", "arguments"),
    [
        (sensors.OmsFullTransferSensor, {}),
        (sensors.OmsStepSensor, {"step": "FULL_TRANSFER"}),
        (sensors.OmsStepSensor, {"step": "NO_SUCH_STEP"}),
        (sensors.OmsCheckpointLagSensor, {"max_lag": 25}),
        (sensors.OmsFullVerificationSensor, {}),
        (sensors.OmsCutoverReadySensor, {}),
        (sensors.OmsProjectStatusSensor, {"target_statuses": "RUNNING"}),
    ],
)
def test_no_gate_passes_it_on(runner, evil, caplog, capfd, sensor, arguments, deferrable):
    """A checkpoint that is text is also in the event; half a surrogate pair there would end the whole triggerer."""
    runner.sim.set_answer(
        "DescribeProjectProgress",
        {"success": True, "data": {"projectId": "np_1", "status": "RUNNING", "incrSyncCheckpoint": "5,3"}},
    )
    gate = sensor(task_id="task", project_id="np_1", deferrable=deferrable, timeout=300, poke_interval=60, **arguments)
    run = runner.go(gate)

    check(caplog, capfd.readouterr(), run.result, run.xcoms, str(run.error), repr(run.error))
    assert evil


@pytest.mark.parametrize(
    "task",
    [
        operators.OmsFullVerificationReportOperator(task_id="task", project_id="np_1", max_rows=3, max_sql=3),
        operators.OmsActionOperator(task_id="task", action="DescribeProjectSteps", payload={"id": "np_1"}),
        operators.OmsActionOperator(task_id="task", action="DescribeProject", payload={"id": "np_1"}),
        operators.OmsActionOperator(task_id="task", action="NoSuchAction"),
        operators.OmsStopProjectOperator(task_id="task", project_id="np_1", wait_for_completion=True),
        operators.OmsStartProjectOperator(task_id="task", project_id="np_1"),
        operators.OmsDeleteProjectOperator(task_id="task", project_id="np_1"),
        operators.OmsCreateProjectOperator(task_id="task", project=BODY),
    ],
    ids=lambda task: f"{type(task).__name__}-{getattr(task, 'action', '')}",
)
def test_no_operator_passes_it_on(runner, evil, caplog, capfd, task):
    caplog.set_level(logging.INFO)
    run = runner.go(task)

    assert run.error is None or isinstance(run.error, AirflowException)
    check(caplog, capfd.readouterr(), run.result, run.xcoms, str(run.error))
    assert evil


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("command", ["projects", "status np_1", "verify np_1", "wait np_1 --full-transfer --timeout 0"])
def test_no_command_passes_it_on(sim, evil, caplog, command, as_json):
    given = parser().parse_args([*command.split(), *(["--json"] if as_json else [])])
    out, err = Stream(False), Stream(False)
    run_command(given.command, given, Screen(out, err, as_json=as_json, color=False))

    if as_json:
        for text in strings(json.loads(out.getvalue())):
            assert text.isprintable()
    for line in (out.getvalue() + err.getvalue()).splitlines():
        assert line.isprintable()
        line.encode()
    assert evil

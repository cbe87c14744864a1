"""The metrics of gates: their names and values, and what real receivers get from a worker and from a real triggerer."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, TaskDeferred

from airflow_provider_oms.client.errors import OmsTemporaryError
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.hooks.connection import NoConnection
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import FullTransferMilestone
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor
from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
from airflow_provider_oms.tasks import metrics
from airflow_provider_oms.tasks.metrics import metrics_of, name_of
from tests import modes
from tests.dag_process import run_dag
from tests.docs.pages import DOCS, ROOT, blocks
from tests.tasks.receivers import collector, statsd

GATE = Gate(FullTransferMilestone(), project_id="np_1")
SEEN = Observation(project="np_1", status="RUNNING", progress=42.5, lag=66)


class Recorder:
    """The parts of Airflow's Stats that the package uses."""

    def __init__(self):
        self.counted, self.gauges, self.tags, self.threads = [], {}, [], set()

    def incr(self, name, tags):
        self._note(tags)
        self.counted.append(name)

    def gauge(self, name, value, tags):
        self._note(tags)
        self.gauges[name] = value

    def _note(self, tags):
        self.tags.append(tags)
        self.threads.add(threading.current_thread())


@pytest.fixture
def stats(monkeypatch):
    recorder = Recorder()
    monkeypatch.setenv("AIRFLOW__OMS__METRICS", "True")
    monkeypatch.setattr(metrics, "_worker_stats", lambda: recorder)
    monkeypatch.setattr(metrics, "_triggerer_stats", lambda: recorder)
    return recorder


@pytest.mark.parametrize("off", [None, "False", "false", "0", ""])
def test_nothing_is_counted_unless_somebody_asks_for_it(monkeypatch, off):
    if off is not None:
        monkeypatch.setenv("AIRFLOW__OMS__METRICS", off)
    assert metrics_of(GATE) is None


def test_a_setting_that_is_none_stops_no_gate(monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW__OMS__METRICS", "perhaps")
    assert metrics_of(GATE) is None
    assert "[oms] metrics must be True or False, not 'perhaps'" in caplog.text


@pytest.mark.parametrize("state", list(State))
def test_a_verdict(stats, state):
    metrics_of(GATE).count(Verdict(state, "So.", SEEN))
    assert stats.counted == [f"oms.verdicts.{state}"]
    assert stats.gauges == {"oms.lag.np_1": 66, "oms.progress.np_1": 42.5}
    assert all(tags == {"milestone": "full_transfer", "project_id": "np_1"} for tags in stats.tags)


def test_what_was_not_seen_is_no_gauge(stats):
    metrics_of(GATE).count(Verdict(State.WAITING, "So.", SEEN._replace(project=None)))
    metrics_of(GATE).count(Verdict(State.WAITING, "So.", Observation(project="np_1")))
    assert stats.gauges == {}
    assert stats.counted == ["oms.verdicts.waiting"] * 2


def test_an_outage_counts_once_until_oms_has_answered(stats):
    gate = Gate(FullTransferMilestone(), project_id="np_1", poke_interval=1)
    memory, counting = Memory(), metrics_of(gate)
    down = NoConnection(OmsTemporaryError("down"))
    for second in range(4):
        counting.count(run_flow(down, poll(gate, memory, Now(second, second))))
    assert stats.counted.count("oms.outages") == 1
    memory.unanswered = 0  # the outage has ended
    counting.count(run_flow(down, poll(gate, memory, Now(9, 9))))
    assert stats.counted.count("oms.outages") == 2
    assert stats.counted.count("oms.verdicts.waiting") == 5


def test_the_event_loop_does_not_send(stats):
    metrics_of(GATE, beside_the_loop=True).count(Verdict(State.WAITING, "So.", SEEN))
    metrics._thread().submit(lambda: None).result(30)
    assert stats.gauges
    assert threading.current_thread() not in stats.threads


def test_what_goes_wrong_harms_no_gate(monkeypatch):
    def broken():
        raise OSError("no such host")

    monkeypatch.setenv("AIRFLOW__OMS__METRICS", "True")
    monkeypatch.setattr(metrics, "_worker_stats", broken)
    metrics_of(GATE).count(Verdict(State.WAITING, "So.", SEEN))


class TestNames:
    @pytest.mark.parametrize("project", ["np_4w1qs2dh", "p_3xj9", "a-b"])
    def test_an_id_stands_in_the_name_as_it_is(self, project):
        assert name_of("oms.lag", project) == f"oms.lag.{project}"

    @pytest.mark.parametrize("project", ["a.b", "a:b", "a|c", "a/b", "x" * 200, "np@1#2", "\u540d"])
    def test_others_are_made_safe_and_short(self, project):
        name = name_of("oms.progress", project)
        assert re.fullmatch(r"oms\.progress\.[A-Za-z0-9_-]{1,32}", name)
        assert len(f"airflow.{name}") <= 63

    def test_two_projects_never_share_one(self):
        projects = ["a.b", "a_b", "a:b", "x" * 200, "x" * 201, "x" * 32]
        assert len({name_of("oms.lag", project) for project in projects}) == len(projects)

    def test_airflow_takes_them(self):
        validators = pytest.importorskip(
            "airflow.metrics.validators" if before_3_2() else "airflow._shared.observability.metrics.validators"
        )
        for project in ("np_1", "x" * 200, "a|b"):
            name = name_of("oms.progress", project)
            assert validators.stat_name_default_handler(name) == name
            assert validators.stat_name_otel_handler("airflow", name) == f"airflow.{name}"


def before_3_2():
    from airflow_provider_oms.tasks.airflow_version import airflow_version

    return airflow_version() < (3, 2)


DAG_FILE = """
from datetime import datetime

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.sensors.oms import OmsCheckpointLagSensor

with DAG("metrics", schedule=None, start_date=datetime(2025, 1, 1)) as dag:
    OmsCheckpointLagSensor(task_id="gate", project_name="shop", max_lag=60, poke_interval=0.1, timeout=60)
"""


@pytest.fixture
def shop():
    return Project(id="np_4w1qs2dh", name="shop", status="RUNNING", step="INCR_TRANSFER", steady_lag=7)


@pytest.fixture
def on_a_worker(airflow_db, monkeypatch, shop, tmp_path):
    """Run a gate on a worker: its first poll gets no answer, its second opens it."""

    def run(environment):
        file = airflow_db / "dags" / f"oms_metrics_{tmp_path.name}.py"
        with Simulator([shop], clock=Clock(speed=20)) as sim:
            sim.add_fault(Fault("status", status=503, times=1))
            connection = {**sim.connection_kwargs, "extra": {"retries": 0}}
            settings = {"AIRFLOW_CONN_OMS_DEFAULT": json.dumps(connection), **environment}
            done = run_dag("tests.tasks.metrics_worker", file, DAG_FILE, settings)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    return run


def test_statsd_receives_what_a_worker_counts(on_a_worker):
    pytest.importorskip("statsd")
    with statsd() as received:
        on_a_worker({"AIRFLOW__OMS__METRICS": "True", **received.environment})
    (shown,) = [block.text for block in blocks(DOCS / "metrics.md", "text") if block.title == "statsd"]
    assert [_without_lag(line) for line in received.ours()] == [_without_lag(line) for line in shown.splitlines()]


def _without_lag(line):
    """Replace the seconds, which differ from run to run."""
    return re.sub(r"(?<=^airflow\.oms\.lag\.np_4w1qs2dh:)\d+(\.\d+)?(?=\|g$)", "", line)


def test_opentelemetry_receives_what_a_worker_counts(on_a_worker):
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    with collector() as received:
        on_a_worker({"AIRFLOW__OMS__METRICS": "True", **received.environment})
    ours = received.ours()
    kind, ((value, attributes),) = ours["airflow.oms.verdicts.reached"]
    assert (kind, value) == ("sum", 1)
    assert attributes["project_id"] == "np_4w1qs2dh"
    kind, ((value, attributes),) = ours["airflow.oms.lag.np_4w1qs2dh"]
    assert kind == "gauge"
    assert 0 <= value <= 60
    assert attributes["milestone"] == "checkpoint_lag"


@pytest.mark.parametrize("backend", ["statsd", "opentelemetry"])
def test_what_a_real_triggerer_counts_is_received(airflow_db, tmp_path, monkeypatch, backend):
    pytest.importorskip({"statsd": "statsd", "opentelemetry": "opentelemetry.exporter.otlp.proto.http"}[backend])
    from tests.triggerer.database import Run
    from tests.triggerer.process import Triggerer, wait_for

    shop = Project(id="np_1", name="shop", status="RUNNING", step="FULL_TRANSFER", step_progress=40)
    receiver: Any = {"statsd": statsd, "opentelemetry": collector}[backend]
    with receiver() as received, Simulator([shop], clock=Clock(speed=0)) as sim:
        monkeypatch.setenv("AIRFLOW_CONN_OMS_DEFAULT", sim.connection_json)
        with DAG(f"oms_metrics_{backend}", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None) as dag:
            gate = OmsFullTransferSensor(task_id="gate", project_id="np_1", deferrable=True, poke_interval=1)
        run = Run(dag, airflow_db)
        try:
            with pytest.raises(TaskDeferred) as deferred:
                gate.execute(modes.context())
            run.defer({"gate": deferred.value})
            # Only in the triggerer's environment: this process would send to the receiver after it has ended.
            for name, value in {"AIRFLOW__OMS__METRICS": "True", **received.environment}.items():
                monkeypatch.setenv(name, value)
            with Triggerer(tmp_path / "triggerer.log") as triggerer:
                if backend == "statsd":
                    wait_for("a gauge", lambda: "airflow.oms.progress.np_1:40|g" in received.ours(), triggerer)
                    assert "airflow.oms.verdicts.waiting:1|c" in received.ours()
                else:
                    wait_for("a gauge", lambda: "airflow.oms.progress.np_1" in received.ours(), triggerer)
                    assert received.ours()["airflow.oms.progress.np_1"][1][0][0] == 40
        finally:
            run.delete()


class TestTheDashboard:
    """Grafana isn't installed here, so its queries are compared with the names that exporters make of our metrics."""

    DASHBOARD = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())

    def queries(self):
        """The patterns of metric names in the queries, with the prefix inserted."""
        text = json.dumps([panel["targets"] for panel in self.DASHBOARD["panels"]])
        found = re.findall(r'__name__=~\\"([^"\\]+)\\"', text)
        return {pattern.replace("${prefix}", "airflow") for pattern in found}

    def sent(self, stats):
        for state in State:
            metrics_of(GATE).count(Verdict(state, "So.", SEEN, unanswered=1))
        counters = {f"airflow_{name.replace('.', '_')}" for name in stats.counted}
        gauges = {f"airflow_{name.replace('.', '_')}" for name in stats.gauges}
        return counters | gauges, {f"{name}_total" for name in counters} | gauges

    def test_each_query_finds_what_is_sent_and_each_metric_has_one(self, stats):
        for names in self.sent(stats):  # the exporters of statsd and of OpenTelemetry
            found = {pattern: {name for name in names if re.fullmatch(pattern, name)} for pattern in self.queries()}
            assert all(len(matched) == 1 for matched in found.values()), found
            assert set().union(*found.values()) == names

    def test_it_is_one(self):
        panels = self.DASHBOARD["panels"]
        assert len({panel["id"] for panel in panels}) == len(panels) == 4
        variables = {variable["name"] for variable in self.DASHBOARD["templating"]["list"]}
        assert set(re.findall(r"\$\{(\w+)\}", json.dumps(panels))) == variables
        for panel in panels:
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24

    def test_the_page_names_each_metric(self, stats):
        page = (ROOT / "docs" / "metrics.md").read_text()
        self.sent(stats)
        assert all(f"`{name}`" in page for name in stats.counted)
        assert all(f"`{name.replace('np_1', '<project id>')}`" in page for name in stats.gauges)

"""The actions on settings and figures: project configuration, components, metrics, regions, start timestamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.actions.parameters import text
from airflow_provider_oms.simulator.actions.registry import action
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, seconds_text
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]

#: The metrics of each step, from the document of DescribeProjectStepMetric.
METRICS = {
    steps.FULL: ("RPS", "IOPS", "SOURCE_READ_TIME", "SOURCE_SLICE_TIME", "SINK_EXECUTE_TIME"),
    steps.INCR: ("DELAY", "IOPS", "RPS", "SINK_COMMIT_TIME", "SINK_EXECUTE_TIME"),
    steps.REVERSE: ("DELAY", "IOPS", "RPS", "SINK_COMMIT_TIME", "SINK_EXECUTE_TIME"),
    steps.FULL_VERIFY: (
        "FULL_VERIFY_SOURCE_RPS",
        "FULL_VERIFY_SOURCE_READ_IOPS",
        "FULL_VERIFY_DEST_RPS",
        "FULL_VERIFY_DEST_READ_IOPS",
    ),
}


@action("UpdateProjectConfig")
def update_project_config(store: Store, payload: Payload) -> None:
    """UpdateProjectConfig: a full replacement, items left out are deleted. Not allowed while the project runs."""
    live = store.named(payload)
    config = {key: value for key, value in payload.items() if key != "id" and value is not None}
    for key, value in config.items():
        if key.endswith("Config") and not isinstance(value, Mapping):
            raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be an object.")
    live.configure(config)


@action("ResetIncrStartTimestamp")
def reset_incr_start_timestamp(store: Store, payload: Payload) -> int:
    """ResetIncrStartTimestamp: returns the id of an O&M ticket. Needs a paused or failed project (a guess)."""
    at = payload.get("startTimestamp")
    if isinstance(at, bool) or not isinstance(at, int) or at <= 0:
        raise OmsRefusal(PARAM_ERROR, f"The parameter startTimestamp must be Unix seconds, not {at!r}.")
    store.named(payload).reset_incr(at, bool(payload.get("reverse")))
    return store.ticket()


def _update(name: str, dimensions: tuple[str, ...]) -> None:
    @action(name)
    def handler(store: Store, payload: Payload) -> int:
        dimension = text(payload, "dimension")
        if dimension not in dimensions:
            raise OmsRefusal(PARAM_ERROR, f"The parameter dimension must be {' or '.join(dimensions)}.")
        key, region = text(payload, "key"), text(payload, "cmRegion")
        if not isinstance(payload.get("config"), Mapping):
            raise OmsRefusal(PARAM_ERROR, "The parameter config must be given.")
        number = store.ticket()
        store.component_updates.append(
            {"action": name, "ticket": number, "key": key, "region": region, "config": payload["config"]}
        )
        return number


_update("UpdateStore", ("NAME",))
_update("UpdateFullImport", ("NAME",))
_update("UpdateIncrSync", ("NAME", "TASK_NAME", "IP"))
_update("UpdateFullVerification", ("NAME",))


@action("DescribeProjectStepMetric")
def describe_project_step_metric(store: Store, payload: Payload) -> dict[str, Any]:
    """DescribeProjectStepMetric: points over a window of at least an hour."""
    live = store.named(payload, "projectId")
    name, kind = text(payload, "stepName"), text(payload, "metricType")
    if kind not in METRICS.get(name, ()):
        raise OmsRefusal(PARAM_ERROR, f"The step {name} has no metric {kind}.")
    aggregator = payload.get("aggregator") or "NONE"
    if aggregator not in ("AVG", "NONE"):
        raise OmsRefusal(PARAM_ERROR, f"The parameter aggregator must be AVG or NONE, not {aggregator!r}.")
    begin, end = payload.get("beginTimestamp"), payload.get("endTimestamp")
    if not isinstance(begin, int) or not isinstance(end, int) or end - begin < 3600:
        raise OmsRefusal(PARAM_ERROR, "beginTimestamp and endTimestamp must be at least one hour apart.")
    points = payload.get("maxPointNum")
    points = points if isinstance(points, int) and 1 < points <= 1000 else 60
    moments = [begin + (end - begin) * number // (points - 1) for number in range(points)]
    values = [(at, _metric(live, name, kind, at)) for at in moments]
    return {
        "referenceValue": None,
        "metrics": [
            {
                "name": None,
                "tags": None,
                "dataPoints": [{"timestamp": at, "value": value} for at, value in values if value is not None],
            }
        ],
        "aggregator": aggregator,
    }


def _metric(live: LiveProject, name: str, kind: str, at: float) -> int | None:
    """Return a step's metric at a moment: 0 for metrics that aren't simulated, None while the step wasn't running."""
    state = live.state_at(at)
    step, stream = state.steps.get(name), state.stream(name)
    if step is None or not step.active:
        return None
    if kind == "DELAY" and stream.sampled_at and stream.checkpoint:
        return max(0, int(stream.sampled_at - stream.checkpoint))
    if kind == "RPS" and name in (steps.INCR, steps.REVERSE):
        applied = state.catch_up_rate if stream.lag > state.steady_lag else 1.0
        return 0 if state.idle_source else int(live.project.changes * applied)
    if kind.endswith("RPS") and step.duration:
        return int(live.project.rows / step.duration) if step.fraction < 1 else 0
    return 0


@action("DescribeRegions")
def describe_regions(store: Store, payload: Payload) -> list[dict[str, Any]]:
    """DescribeRegions."""
    now = seconds_text(store.clock.now())
    return [
        {
            "id": 1,
            "region": "cn-local",
            "regionCn": "cn-local",
            "cmUrl": "http://127.0.0.1:8088",
            "code": 1,
            "groupName": "default",
            "gmtCreate": now,
            "gmtModified": now,
        }
    ]

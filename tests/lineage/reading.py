"""Reads an event with the OpenLineage client's own classes, and the facet of a run by its published schema."""

from __future__ import annotations

import json
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import attr
import jsonschema
from openlineage.client import event_v2, facet_v2

from tests.docs.pages import DOCS

SCHEMA = json.loads((DOCS / "schemas" / "OmsMilestoneRunFacet-1-0-0.json").read_text())

FACETS = {
    "columnLineage": facet_v2.column_lineage_dataset.ColumnLineageDatasetFacet,
    "dataQualityAssertions": facet_v2.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
    "symlinks": facet_v2.symlinks_dataset.SymlinksDatasetFacet,
}

#: Values that differ from run to run, and their replacements on the page.
VARYING = {
    "oms": "http://oms.example.com:8089",
    "checkpoint": 1764275400,
    "lag": 12.0,
    "time": "2025-11-27T20:30:12+00:00",
}


def as_shown(event: dict[str, Any]) -> dict[str, Any]:
    """Return the part of an event that the page shows: the facets of this package, without empty values."""
    seen = event["run"]["facets"]["oms_milestone"]
    sample = {name: value for name, value in VARYING.items() if name in seen}
    _, task = event["job"]["name"].split(".")
    return {
        "eventType": event["eventType"],
        "job": {"namespace": event["job"]["namespace"], "name": f"migration.{task}"},
        "run": {"facets": {"oms_milestone": _told({**seen, **sample})}},
        "inputs": _told(event["inputs"]),
        "outputs": _told(event["outputs"]),
    }


def _told(value: Any) -> Any:
    if isinstance(value, list):
        return [_told(item) for item in value]
    if not isinstance(value, dict):
        return value
    told = {name: _told(item) for name, item in value.items() if not name.startswith("_")}
    return {name: item for name, item in told.items() if item not in (None, [], {})}


def check(event: dict[str, Any]) -> None:
    """Check that the facets of this package have the form in which OpenLineage's client writes them."""
    run, job = event["run"], event["job"]
    assert "://" in event["schemaURL"]
    event_v2.RunEvent(  # this validates times, ids and addresses
        eventTime=event["eventTime"],
        producer=event["producer"],
        eventType=event_v2.RunState(event["eventType"]),
        run=event_v2.Run(runId=run["runId"]),
        job=event_v2.Job(namespace=job["namespace"], name=job["name"]),
    )
    for dataset in event["inputs"]:
        _datasets(event_v2.InputDataset, dataset, "inputFacets")
    for dataset in event["outputs"]:
        _datasets(event_v2.OutputDataset, dataset, "outputFacets")
    if "oms_milestone" in run["facets"]:
        jsonschema.validate(
            {"oms_milestone": run["facets"]["oms_milestone"]}, SCHEMA, format_checker=jsonschema.FormatChecker()
        )


def _datasets(kind: type, found: dict[str, Any], more: str) -> None:
    assert set(found) <= {field.name for field in attr.fields(kind)}
    kind(namespace=found["namespace"], name=found["name"])
    for name, facet in {**found.get("facets", {}), **found.get(more, {})}.items():
        structured(FACETS[name], facet)


def structured(kind: Any, value: Any) -> Any:
    """Build an object of a type from JSON; fail if the JSON doesn't fit the type."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        kinds = [each for each in get_args(kind) if each is not type(None)]
        return structured(kinds[0], value)
    if origin is list:
        assert isinstance(value, list)
        return [structured(get_args(kind)[0], item) for item in value]
    if origin is dict:
        assert isinstance(value, dict)
        return {key: structured(get_args(kind)[1], item) for key, item in value.items()}
    if attr.has(kind):
        hints = get_type_hints(kind)
        names = {field.name: field.alias for field in attr.fields(kind)}
        assert set(value) <= set(names), f"{kind.__name__} has no {set(value) - set(names)}"
        addresses = {name for name in ("_producer", "_schemaURL") if name in value}
        for name in addresses:
            assert "://" in value[name]
        built = {names[name]: structured(hints[name], item) for name, item in value.items() if name not in addresses}
        return kind(**built)
    if kind is not Any:
        assert isinstance(value, (int, float) if kind is float else kind), f"{value!r} is no {kind}"
    return value

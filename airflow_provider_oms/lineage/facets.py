"""The facets of a task's lineage event. This module needs OpenLineage (the extra ``[openlineage]``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from typing import Any, TypeVar

import attr
from airflow.providers.openlineage.extractors import OperatorLineage
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    RunFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_input_dataset,
    symlinks_dataset,
)

from airflow_provider_oms.lineage.naming import Dataset
from airflow_provider_oms.lineage.tables import Move, Verified

T = TypeVar("T")

#: The key of the run's facet.
FACET = "oms_milestone"

#: The path of its schema in the documentation. A changed schema gets another name.
SCHEMA = "schemas/OmsMilestoneRunFacet-1-0-0.json"

#: The name of an assertion about a table.
ASSERTION = "oms_full_verification"


@attr.define(kw_only=True)
class OmsMilestoneRunFacet(RunFacet):
    """What a task of this package observed of a project in OMS. Fields that aren't known are None.

    :param task: the kind of task: the kind of a gate's milestone, or ``create``, ``start``, ``verification_report``
    :param description: what the task waited for or did, in words
    :param oms: the address of the OMS
    :param project: the project's id
    :param status: the project's status, in OMS's words
    :param step: the step that the gate was about; for other tasks the project's current step
    :param progress: percentage of that step, or of the full transfer
    :param checkpoint: Unix seconds, or the text of a source that has no time-based checkpoint
    :param lag: seconds between the checkpoint and ``time``
    :param time: when OMS answered: ISO 8601, UTC
    :param note: a restriction that users of the result should know; None if there is none
    :param tables_left_out: how many tables the event doesn't name, because there are too many
    """

    task: str
    description: str | None = None
    oms: str | None = None
    project: str | None = None
    status: str | None = None
    step: str | None = None
    progress: float | None = None
    checkpoint: float | str | None = None
    lag: float | None = None
    time: str | None = None
    note: str | None = None
    tables_left_out: int | None = None

    @staticmethod
    def _get_schema() -> str:
        return f"{documentation()}{SCHEMA}#/$defs/OmsMilestoneRunFacet"


@cache
def documentation() -> str:
    """Return the address of the documentation from the package's metadata, with a slash at its end."""
    try:
        urls = metadata("airflow-provider-oms").get_all("Project-URL") or []
    except PackageNotFoundError:
        urls = []
    found: dict[str, str] = dict(url.split(", ", 1) for url in urls)
    return found.get("Documentation", "https://airflow-provider-oms.invalid").rstrip("/") + "/"


def run_facets(seen: Mapping[str, Any]) -> dict[str, RunFacet]:
    """Return the run's facet.

    :param seen: its fields
    """
    return {FACET: OmsMilestoneRunFacet(**seen)}


def of_moves(moves: Sequence[Move], seen: Mapping[str, Any]) -> OperatorLineage:
    """Return the lineage of tables that a project moves.

    :param moves: the tables
    :param seen: the fields of the run's facet
    """
    targets = _by_dataset((move.target, move) for move in moves)
    return OperatorLineage(
        inputs=[_input(dataset) for dataset in _by_dataset((move.source, move) for move in moves)],
        outputs=[_output(dataset, into) for dataset, into in targets.items()],
        run_facets=run_facets(seen),
    )


def of_verification(tables: Sequence[Verified], seen: Mapping[str, Any]) -> OperatorLineage:
    """Return the lineage of a verification. It reads both sides of each table and writes none.

    :param tables: the result of each table
    :param seen: the fields of the run's facet
    """
    sources = _by_dataset((table.source, table.source_rows) for table in tables)
    targets = _by_dataset((table.target, table.target_rows) for table in tables)
    verdicts = _by_dataset((table.target, table.consistent) for table in tables)
    inputs = [_input(dataset, _rows(rows)) for dataset, rows in sources.items()]
    inputs += [_input(dataset, {**_rows(rows), **_assertions(verdicts[dataset])}) for dataset, rows in targets.items()]
    return OperatorLineage(inputs=inputs, run_facets=run_facets(seen))


def _by_dataset(pairs: Iterable[tuple[Dataset | None, T]]) -> dict[Dataset, list[T]]:
    """Group items by their dataset. Several tables may be merged into one."""
    found: dict[Dataset, list[T]] = {}
    for dataset, item in pairs:
        if dataset is not None:
            found.setdefault(dataset, []).append(item)
    return found


def _input(dataset: Dataset, facets: Mapping[str, Any] | None = None) -> InputDataset:
    return InputDataset(
        namespace=dataset.namespace, name=dataset.name, facets=_aliases(dataset), inputFacets=dict(facets or {})
    )


def _output(dataset: Dataset, moves: Sequence[Move]) -> OutputDataset:
    facets = {**_aliases(dataset), **_column_lineage(moves)}
    return OutputDataset(namespace=dataset.namespace, name=dataset.name, facets=facets)


def _aliases(dataset: Dataset) -> dict[str, Any]:
    if not dataset.aliases:
        return {}
    others = [symlinks_dataset.Identifier(namespace, name, "TABLE") for namespace, name in dataset.aliases]
    return {"symlinks": symlinks_dataset.SymlinksDatasetFacet(identifiers=others)}


def _column_lineage(moves: Sequence[Move]) -> dict[str, Any]:
    """Return from which columns the dataset's columns come, if OMS lists the columns of every source table."""
    if not all(move.columns and move.source for move in moves):
        return {}
    fields: dict[str, list[column_lineage_dataset.InputField]] = {}
    for move in moves:
        assert move.source is not None  # noqa: S101 - for the type checker
        for column, becomes in move.columns:
            found = column_lineage_dataset.InputField(
                namespace=move.source.namespace,
                name=move.source.name,
                field=column,
                transformations=[column_lineage_dataset.Transformation(type="DIRECT", subtype="IDENTITY")],
            )
            fields.setdefault(becomes, []).append(found)
    made_of = {name: column_lineage_dataset.Fields(inputFields=inputs) for name, inputs in fields.items()}
    return {"columnLineage": column_lineage_dataset.ColumnLineageDatasetFacet(fields=made_of)}


def _rows(counted: Sequence[int | None]) -> dict[str, Any]:
    """Return how many rows were compared; nothing if several tables were compared with one."""
    if len(counted) != 1 or counted[0] is None:
        return {}
    facet = data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet(
        columnMetrics={}, rowCount=counted[0]
    )
    return {"dataQualityMetrics": facet}


def _assertions(verdicts: Sequence[bool | None]) -> dict[str, Any]:
    """Return an assertion for each certain verdict; nothing if no verdict is certain."""
    certain = [verdict for verdict in verdicts if verdict is not None]
    assertions = [data_quality_assertions_dataset.Assertion(ASSERTION, verdict) for verdict in certain]
    if not assertions:
        return {}
    facet = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(assertions=assertions)
    return {"dataQualityAssertions": facet}

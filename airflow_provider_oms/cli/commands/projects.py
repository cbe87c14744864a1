"""``projects``: the list of projects."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from airflow_provider_oms.cli.asking import Asker
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.pictures import project_list
from airflow_provider_oms.cli.running import UsageError
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.words import shown
from airflow_provider_oms.client import actions
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones import arguments, facts


def run(given: Namespace, screen: Screen) -> Exit:
    """List the projects (``ListProjects``).

    :param given: the arguments
    :param screen: the output
    :raises OmsError: when OMS gives no usable answer
    :raises UsageError: for an invalid filter
    """
    try:
        statuses = list(arguments.names_of("--status", ",".join(given.status))) if given.status else None
    except ValueError as error:
        raise UsageError(str(error)) from None
    with OmsHook(given.conn_id) as hook:
        asker = Asker(hook)
        call = actions.list_projects(
            given.name,
            project_type=given.type,
            statuses=statuses,
            label_ids=_label_ids(asker, given.label) if given.label else None,
            source_endpoint_types=given.source_type,
            sink_endpoint_types=given.target_type,
        )
        rows = asker.run_flow(call.whole())
    listed = [facts.of_row(row, asker.at) for row in rows]
    if given.sort:
        # Sorted here and not by OMS, because its words for an order aren't certain: docs/develop/oms-actions.md#order
        listed.sort(key=lambda one: one[given.sort] or "", reverse=True)
    else:  # what needs a person comes first, each kind in OMS's order
        listed.sort(key=facts.urgency_of)
    screen.write_json({"projects": listed, "summary": facts.summary_of(listed)})
    screen.show(project_list.picture(listed))
    return Exit.OK


def _label_ids(asker: Asker, wanted: Sequence[str]) -> list[str]:
    """Return the ids of labels given by name or id (``ListAllLabels``)."""
    labels = asker.send(actions.list_all_labels()).data
    ids = []
    for text in wanted:
        found = [label.id for label in labels if label.id and text in (label.id, label.name)]
        if not found:
            known = ", ".join(shown(label.name, 80) for label in labels) or "none"
            raise UsageError(f"OMS has no label {text!r}; it has: {known}")
        ids += found
    return ids

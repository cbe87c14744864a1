"""Finds a project or a label by its id or name, for the gates, the operators and the command line.

A project's name is unique for an OMS user (docs/develop/oms-facts.md#transitions), and a search may find more than the
name itself (docs/develop/oms-actions.md#community). Two users of a department may each have a project of that name:
then the name is ambiguous, and the error lists the ids.

If several projects have the same name, those that are DELETED are ignored, unless all are. A RELEASED project isn't
ignored: OMS still shows it, and gates may wait for that status. It isn't documented whether OMS lists deleted projects,
and whether the name of a released project can be used again.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    OmsMalformedAnswerError,
    OmsPermanentError,
    OmsProjectNotFoundError,
    safe_text,
)
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Label, Project
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.milestones.status import DELETED


def project_by_name(name: str) -> Flow[Project | None]:
    """Find the project with a name (``ListProjects``); None if OMS shows this user no such project.

    :param name: the whole name
    :raises OmsPermanentError: if several projects have the name
    """
    return project_named(name, (yield from actions.list_projects(name).whole()))


def project_by_id_or_name(text: str) -> Flow[Project | None]:
    """Find a project by its id or its name (``ListProjects``); None if OMS shows this user no such project.

    :param text: its id or its whole name; an id wins over the same name of another project
    :raises OmsPermanentError: if several projects have the name
    """
    rows = yield from actions.list_projects(text).whole()
    return next((row for row in rows if row.id == text), None) or project_named(text, rows)


def looks_like_id(text: str) -> bool:
    """Return whether a text begins like OMS's project ids, so that it may be an id that OMS doesn't list (any more).

    Source: docs/develop/oms-wire.md#endpoint

    :param text: an id or a name
    """
    return text.startswith(("np_", "p_"))


def project_named(name: str, rows: Iterable[Project]) -> Project | None:
    """Return the project with a name from rows of ``ListProjects``; None if the rows don't contain it.

    :param name: the whole name
    :param rows: the rows, which may contain other projects, too
    :raises OmsPermanentError: if several projects have the name
    :raises OmsMalformedAnswerError: if the project has no id
    """
    named: dict[str, Project] = {}
    for row in rows:
        if value_or_none(row, Project.name) == name:  # a name that isn't text is another one
            if not row.id:
                raise OmsMalformedAnswerError(f"OMS lists project {_quoted(name)} without an id.")
            named[row.id] = row
    alive = {project_id: row for project_id, row in named.items() if row.status != DELETED}
    if len(alive) > 1:
        listed = ", ".join(f"{project_id} ({alive[project_id].status})" for project_id in sorted(alive))
        raise OmsPermanentError(
            f"OMS shows this user {len(alive)} projects named {_quoted(name)}: {safe_text(listed)}. Give the id."
        )
    # If all of them are deleted, it doesn't matter which one is returned.
    return next(iter(alive.values()), None) or (named[max(named)] if named else None)


def no_project_named(name: str) -> OmsProjectNotFoundError:
    """Return the error for a name that OMS doesn't list.

    :param name: the name
    """
    return OmsProjectNotFoundError(
        f"OMS shows this user no project named {_quoted(name)}. Check the name, and the user's role."
    )


def label_by_name(name: str) -> Flow[Label | None]:
    """Find the label with a name (``ListAllLabels``); None if there is none.

    :param name: the whole name
    :raises OmsPermanentError: if several labels have the name
    """
    return label_named(name, (yield actions.list_all_labels()).data)


def label_by_id(label_id: str) -> Flow[Label | None]:
    """Find the label with an id (``ListAllLabels``); None if there is none.

    :param label_id: the id
    """
    return label_with_id(label_id, (yield actions.list_all_labels()).data)


def label_named(name: str, labels: Iterable[Label]) -> Label | None:
    """Return the label with a name; None if there is none.

    :param name: the whole name
    :param labels: the labels; those without an id are ignored
    :raises OmsPermanentError: if several labels have the name
    """
    named = {label.id: label for label in labels if label.name == name and label.id}
    if len(named) > 1:
        raise OmsPermanentError(f"OMS has {len(named)} labels named {_quoted(name)}. Give the id.")
    return next(iter(named.values()), None)


def label_with_id(label_id: str, labels: Iterable[Label]) -> Label | None:
    """Return the label with an id; None if there is none.

    :param label_id: the id
    :param labels: the labels
    """
    return next((label for label in labels if label.id == label_id), None)


def _quoted(name: str) -> str:
    return safe_text(repr(name), 200)

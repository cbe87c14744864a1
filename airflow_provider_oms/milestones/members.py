"""Finds the projects of a gate over many projects; this is done at each poll.

Source: docs/develop/oms-actions.md#community (what ``ListProjects`` searches, and its labels)
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from airflow_provider_oms.client import actions
from airflow_provider_oms.client.errors import (
    OmsError,
    OmsMalformedAnswerError,
    OmsPermanentError,
    OmsProjectNotFoundError,
    safe_text,
)
from airflow_provider_oms.client.fields import value_or_none
from airflow_provider_oms.client.models import Label, Project
from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.context import resolve_name
from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.lookup import label_named, label_with_id, project_by_id_or_name
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.rows import ROWS_A_PAGE, Listing, listing

#: With more projects than this, reading the list of all projects costs OMS less than asking for each.
LIST_ABOVE = 10


class Member(NamedTuple):
    """A project of a gate over many projects.

    :param name: how messages name it: its name if that is known, otherwise its id
    :param id: its id; None if it couldn't be found
    :param row: its row of ``ListProjects``; None if it wasn't listed
    :param read: the time of the list's answer, without data; None if no list was read
    :param problem: why it can't be polled; empty if it can
    """

    name: str
    id: str | None
    row: Project | None = None
    read: Answer[None] | None = None
    problem: str = ""


def members_of(gate: Gate, memory: Memory, oms: str) -> Flow[list[Member]]:
    """Find the projects of a gate over many projects.

    :param gate: the gate's settings
    :param memory: what the gate remembers; it is changed
    :param oms: the origin of the answers; empty if it isn't known
    :raises OmsError: if OMS doesn't say which projects they are
    """
    fleet = gate.fleet
    assert fleet is not None  # noqa: S101 - only called for gates over many projects
    if fleet.named is not None:
        return (yield from _named(fleet, memory, oms))
    label_id = None if fleet.search_key is not None else (yield from find_label(fleet))
    label_ids = None if label_id is None else [label_id]
    listed = yield from listing(actions.list_projects(fleet.search_key, label_ids=label_ids, page_size=ROWS_A_PAGE))
    if listed.without_id:
        raise OmsMalformedAnswerError(f"OMS lists {listed.without_id} of {fleet.describe()} without an id.")
    members = [
        Member(_name_of(row) or project_id, project_id, row, listed.read) for project_id, row in listed.rows.items()
    ]
    for project_id in [known for known in memory.members if known not in listed.rows]:
        called = memory.members[project_id].called
        try:
            missing = yield from _missing(fleet, label_id, project_id, called)
        except OmsProjectNotFoundError as error:
            # What a project has reached stays reached, also if it was deleted since; and a gate may wait for that.
            fine = project_id in memory.reached or gate.milestone.reached_by_absence()
            problem = "" if fine else str(error)
            missing = Member(called or project_id, project_id, problem=problem)
        if missing is None:
            del memory.members[project_id]
            memory.reached.pop(project_id, None)
        else:
            members.append(missing)
    return _told_apart(sorted(members, key=lambda one: (one.name, one.id or "")))


def find_label(fleet: Fleet) -> Flow[str]:
    """Return the id of a fleet's label. A label that doesn't exist is an error: it would just have no projects.

    :param fleet: the settings that name the label
    :raises OmsPermanentError: if there is no such label, or several have the name
    """
    labels: list[Label] = (yield actions.list_all_labels()).data
    name, label_id = fleet.label_name or fleet.label, fleet.label_id or fleet.label
    found = None if name is None else label_named(name, labels)
    if found is None and label_id is not None:
        found = label_with_id(label_id, labels)
    if found is not None and found.id is not None:
        return found.id
    said = safe_text(repr(label_id or name), 200)
    known = ", ".join(sorted(safe_text(one.name, 80) for one in labels if one.name)[:20]) or "none"
    raise OmsPermanentError(f"OMS has no label {said}; it has: {known}.")


def _named(fleet: Fleet, memory: Memory, oms: str) -> Flow[list[Member]]:
    named = fleet.named or ()
    by_name = fleet.project_names is not None
    ids = [memory.projects.get(name) if by_name else name for name in named]
    left = [one for one in ids if one is None or one not in memory.reached]
    listed: Listing | None = None
    if len(left) > LIST_ABOVE and memory.lists and memory.kept:
        listed = yield from _whole_list(memory)
    members = []
    for name in named:
        try:
            rows = None if listed is None else listed.named(name)
            project_id = (yield from resolve_name(name, memory, oms, rows)) if by_name else name
        except OmsProjectNotFoundError as error:
            members.append(Member(name, None, problem=str(error)))
            continue
        row = None if listed is None else listed.rows.get(project_id)
        known = memory.members[project_id].called if project_id in memory.members else _name_of(row)
        read = None if listed is None else listed.read
        members.append(Member(name if by_name else known or name, project_id, row, read))
    return _told_apart(members)


def _whole_list(memory: Memory) -> Flow[Listing | None]:
    """Read the list of all projects; None if that fails, in which case each project is asked for separately.

    If OMS refuses the list, or doesn't offer it, this gate doesn't ask for it again.
    """
    try:
        return (yield from listing(actions.list_projects(page_size=ROWS_A_PAGE)))
    except OmsPermanentError:
        memory.lists = False
    except OmsError:
        pass
    return None


def _missing(fleet: Fleet, label_id: str | None, project_id: str, called: str) -> Flow[Member | None]:
    """Ask for a project that was listed before and is missing now: a project that a list leaves out may still exist.

    :param fleet: the settings that select the projects
    :param label_id: the label that selects them; None if they are selected by a search
    :param project_id: the project
    :param called: how messages have named it
    :return: the project; None if it isn't selected any more: its label was removed, or its name was changed
    :raises OmsProjectNotFoundError: if there is no such project
    """
    row: Project = (yield actions.describe_project(project_id)).data
    name = _name_of(row)
    if label_id is not None:
        labels = _labels_of(row)
        if labels is None and (listed := (yield from project_by_id_or_name(project_id))) is not None:
            labels = _labels_of(listed)
        left = labels is not None and label_id not in labels
    else:
        key = (fleet.search_key or "").lower()
        left = name is not None and key not in name.lower() and key not in project_id.lower()
        # Otherwise OMS has found it by something else, which the name doesn't show.
        left = left and key in called.lower()
    return None if left else Member(name or called or project_id, project_id)


def _name_of(row: Project | None) -> str | None:
    return None if row is None else value_or_none(row, Project.name)


def _labels_of(row: Project) -> list[str] | None:
    """Return the ids of a project's labels; None if OMS doesn't say which it has. Null is no empty list."""
    labels = value_or_none(row, Project.labels) if row.get("labels") is not None else None
    told = [value_or_none(label, Label.id) for label in labels or ()]
    return None if labels is None or None in told else told


def _told_apart(members: list[Member]) -> list[Member]:
    """Add the ids to names that several members have."""
    names = Counter(member.name for member in members)
    return [
        member._replace(name=f"{member.name} ({member.id})") if names[member.name] > 1 else member for member in members
    ]

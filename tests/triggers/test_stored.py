"""Deferred gates survive an upgrade: another version reads the stored row, or refuses it with a message.

Don't change a row when this fails, because such rows are in users' databases. Make the code read it, or release a new
major version. Add the rows of a release that stores something else than the previous one.
"""

from __future__ import annotations

import asyncio
import json

import pytest

from airflow_provider_oms import __version__
from airflow_provider_oms.exceptions import OmsMilestoneFailedError, OmsOperationError
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import _KINDS, FullTransferMilestone
from airflow_provider_oms.tasks.row import Row
from airflow_provider_oms.triggers.deferral import check_event, defer_again
from airflow_provider_oms.triggers.first_poll import OmsFirstPollTrigger
from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger
from tests import modes

DEADLINE = 1767830400.0

COMMON_0_1 = {
    "project_id": "np_1",
    "project_name": None,
    "project_type": "MIGRATION",
    "oms_conn_id": "oms_default",
    "poke_interval": 30.0,
    "fail_on_suspend": False,
    "failure_grace": 120.0,
    "outage_tolerance": 600.0,
}

#: What the first rows contained in addition to the settings. Only the project's id is still valid after a restart.
MEMORY_0_1 = {
    "project_id": "np_1",
    "failed_since": 1767225600.0,
    "within_since": 1767225600.0,
    "within_clock": "oms",
    "unreachable_since": 1767225600.0,
    "polls": 7,
    "kept": True,
}
MILESTONES_0_1 = [
    ({"kind": "step", "step": "FULL_TRANSFER", "until": "done"}, "step FULL_TRANSFER to be done"),
    ({"kind": "full_transfer", "progress": 100.0}, "the full transfer at 100 %"),
    (
        {"kind": "checkpoint_lag", "max_lag": 25.0, "direction": "forward", "hold_for": 60.0},
        "the forward checkpoint within 25 s for 1 min",
    ),
    (
        {"kind": "checkpoint_reached", "checkpoint": 1767225600.0, "direction": "reverse"},
        "the reverse checkpoint past 2026-01-01T00:00:00+00:00",
    ),
    (
        {"kind": "checkpoint_behind", "min_lag": 900.0, "direction": "forward"},
        "the forward checkpoint more than 15 min behind",
    ),
    ({"kind": "full_verification"}, "full verification to find every table consistent"),
    ({"kind": "project_status", "target_statuses": ["RELEASED", "DELETED"]}, "the project to be RELEASED or DELETED"),
    ({"kind": "cutover_ready", "max_lag": 25.0}, "the project to be ready for the cut-over (lag within 25 s)"),
    (
        {"kind": "objects", "tables": [["shop", "orders"]], "absent": [["shop", "old"]], "until": "copied"},
        "shop.orders to be copied and merged and shop.old to be taken out",
    ),
    (
        {"kind": "action", "goal": "release", "sent": "stop", "stop_first": True, "since": 1767225600.0},
        "StopProject to take effect",
    ),
]

#: The forms of a row, the oldest first: what it has in addition to the settings, and the names that are resolved then.
FORMS = {
    "0.1, with a memory": ({"deadline": DEADLINE, "memory": MEMORY_0_1}, {"shop": "np_1"}),
    "0.1": ({"deadline": DEADLINE, "projects": {"shop": "np_1"}, "version": "0.1.0"}, {"shop": "np_1"}),
}


def row(**changes):
    """Return a row as this version writes it, with changes."""
    written = json.loads(json.dumps(Row(Gate(FullTransferMilestone(), "np_1"), DEADLINE).as_kwargs()))
    return {**written, **changes}


def settings(**changes):
    return {**row()["gate"], **changes}


def event_of(trigger):
    async def run():
        return [event.payload async for event in trigger.run()]

    (event,) = asyncio.run(run())
    return json.loads(json.dumps(event))


# Rows of older versions


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("milestone", "meaning"), MILESTONES_0_1, ids=lambda given: str(given)[:30])
def test_a_row_of_a_release_means_the_same(milestone, meaning, form):
    beside, _ = FORMS[form]
    trigger = OmsMilestoneTrigger(gate={**COMMON_0_1, "milestone": milestone}, **beside)
    read = Row.from_kwargs(trigger.serialize()[1])
    assert read.gate.describe() == f"{meaning} in project np_1"
    assert {name: getattr(read.gate, name) for name in COMMON_0_1} == COMMON_0_1
    assert read.deadline == DEADLINE


@pytest.mark.parametrize("form", FORMS)
def test_a_row_of_a_release_that_knows_the_project_by_name_still_means_the_same_project(form):
    beside, resolved = FORMS[form]
    gate = {**COMMON_0_1, "project_id": None, "project_name": "shop", "milestone": MILESTONES_0_1[1][0]}
    assert Row.from_kwargs({"gate": gate, **beside}).projects == resolved


def test_every_milestone_has_a_row():
    assert {milestone["kind"] for milestone, _ in MILESTONES_0_1} == set(_KINDS)


# Rows of newer versions

REFUSED = {
    "a setting": (row(gate=settings(strict=True)), "the setting 'strict' isn't known here"),
    "a setting that is off": (row(gate=settings(lenient=False)), "the setting 'lenient' isn't known here"),
    "a part of a milestone": (
        row(gate=settings(milestone={"kind": "full_transfer", "progress": 100, "of": "rows"})),
        "the setting 'of' isn't known here",
    ),
    "a milestone": (row(gate=settings(milestone={"kind": "quiet_source"})), "the milestone 'quiet_source' isn't known"),
    "no milestone": (row(gate=settings(milestone=None)), "it has no milestone"),
    "a milestone without its lag": (row(gate=settings(milestone={"kind": "checkpoint_lag"})), "max_lag"),
    "a value of another kind": (
        row(gate=settings(milestone={"kind": "cutover_ready", "max_lag": {"p99": 3}})),
        "max_lag must be",
    ),
    "several projects": (row(gate=settings(project_id=["np_1", "np_2"])), "project_id"),
    "another deadline": (row(deadline="tomorrow"), "its deadline is 'tomorrow'"),
    "no settings": (row(gate=None), "there are no settings in it"),
    "settings elsewhere": ({"gates": [row()["gate"]], "version": "9.0.0"}, "there are no settings in it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_row_that_cannot_be_followed_ends_the_try_with_a_message(case, sim):
    stored, said = REFUSED[case]
    event = event_of(OmsMilestoneTrigger(**{**stored, "version": "9.0.0"}))
    assert event["status"] == "unreadable"
    assert said in event["message"]
    assert "deferred by version 9.0.0 of" in event["message"]
    assert f"version {__version__}, which runs here" in event["message"]
    assert "clear this task" in event["message"]
    assert sim.requests == []
    with pytest.raises(OmsOperationError, match="clear this task"):
        modes.make("OmsFullTransferSensor", {}).execute_complete(modes.context(), event=event)
    with pytest.raises(OmsOperationError, match="clear this task"):
        check_event(event)  # as operators read it


def test_rows_and_events_show_the_version_that_wrote_them(sim):
    assert row()["version"] == __version__
    assert event_of(OmsMilestoneTrigger(**row(gate=None)))["version"] == __version__
    assert event_of(OmsFirstPollTrigger())["version"] == __version__


def test_what_stands_beside_the_settings_may_be_passed_over():
    stored = row(note="for people", projects={"shop": "np_1"})
    trigger = OmsMilestoneTrigger(**stored)
    assert trigger.serialize()[1] == stored
    assert Row.from_kwargs(stored) == Row(Gate(FullTransferMilestone(), "np_1"), DEADLINE, {"shop": "np_1"})


@pytest.mark.parametrize(
    "changes",
    [
        {"written_by": "9.0.0", "settings": '{"project_id": "np_1", "mood": "good"}'},
        {"written_by": "9.0.0", "settings": '{"project_id": "np_1"}', "sensor": "airflow_provider_oms.sensors.oms.New"},
        {"written_by": "9.0.0", "sensors": ["a"]},
        {"settings": '{"project_id": "np_1", "mood": "good"}'},
        {},
    ],
    ids=["argument", "sensor", "form", "older", "nothing"],
)
def test_so_is_one_that_was_on_no_worker(changes, sim):
    stored = {"sensor": "airflow_provider_oms.sensors.oms.OmsFullTransferSensor", **changes} if changes else {}
    event = event_of(OmsFirstPollTrigger(**stored))
    assert event["status"] == "unreadable"
    assert f"written by {'version 9.0.0' if 'written_by' in changes else 'an older version'} of" in event["message"]
    assert "clear this task" in event["message"]
    assert sim.requests == []


# Events


def test_an_event_of_a_release_is_read():
    """From 0.1, whose events don't name their trigger."""
    event = {"status": "reached", "message": "The full transfer is at 100 %.", "observed": {"project": "np_1"}}
    assert check_event(event) == ("reached", "The full transfer is at 100 %.", {"project": "np_1"})


def test_an_event_of_a_newer_version_is_read_as_far_as_that_is_safe():
    event = {"status": "reached", "message": "so", "observed": {"project": "np_1", "mood": 1}, "version": "9", "x": 1}
    assert check_event(event) == ("reached", "so", {"project": "np_1", "mood": 1})


@pytest.mark.parametrize("event", [{"status": "moved"}, {"status": "reached"}, {"status": "reached", "observed": []}])
def test_one_that_is_not_known_names_its_version(event):
    with pytest.raises(OmsMilestoneFailedError, match=r"written by version 9\.0\.0 of .* clear this task"):
        check_event({**event, "version": "9.0.0"})


@pytest.mark.parametrize("stored", [None, [], {}, row(gate=settings(strict=True), version="9.0.0")])
def test_a_resolved_name_in_a_row_that_cannot_be_followed_ends_the_try(stored):
    with pytest.raises(OmsOperationError, match="clear this task"):
        defer_again(modes.make("OmsFullTransferSensor", {}), {"status": "resolved", "row": stored})

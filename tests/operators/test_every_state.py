"""Every action on a project in every state, run once and twice: the actions that are sent, and how the task ends.

The expectations are written down from the design's table, not computed.
"""

from __future__ import annotations

from itertools import product

import pytest

from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.operators import oms as operators
from airflow_provider_oms.simulator import Project

RUNNING = ("RUNNING", "RUNNING_ALARMING", "RUNNING_MODIFYING", "RUNNING_MERGING")
STATES = (
    "INIT",
    *RUNNING,
    "RUNNING_SOMETHING_NEW",  # an unknown status, which doesn't count as running
    "SUSPEND",
    "FAILED",
    "FINISHED",
    "RELEASING",
    "RELEASED",
    "DELETED",
    "ODD",
    "gone",
)

START, STOP, RESUME = "StartProject", "StopProject", "ResumeProject"
RELEASE, DELETE = "ReleaseProject", "DeleteProject"


def running(*changes):
    """Return the same changes for every status of a running project."""
    return {state: list(changes) for state in RUNNING}


#: operator, arguments -> state -> the changes that are sent to OMS. The action is refused in all other states.
TABLE = {
    "start": (
        operators.OmsStartProjectOperator,
        {},
        {"INIT": [START], **running(), "FINISHED": []},
    ),
    "stop": (
        operators.OmsStopProjectOperator,
        {},
        {**running(STOP), "SUSPEND": []},
    ),
    "resume": (
        operators.OmsResumeProjectOperator,
        {},
        {"SUSPEND": [RESUME], "FAILED": [RESUME], **running(), "FINISHED": []},
    ),
    "release": (
        operators.OmsReleaseProjectOperator,
        {},
        {
            "SUSPEND": [RELEASE],
            "FAILED": [RELEASE],
            "FINISHED": [RELEASE],
            "RELEASING": [],
            "RELEASED": [],
            "DELETED": [],
            "gone": [],
        },
    ),
    "release, stopping first": (
        operators.OmsReleaseProjectOperator,
        {"stop_first": True},
        {
            **running(STOP, RELEASE),
            "SUSPEND": [RELEASE],
            "FAILED": [RELEASE],
            "FINISHED": [RELEASE],
            "RELEASING": [],
            "RELEASED": [],
            "DELETED": [],
            "gone": [],
        },
    ),
    "delete": (
        operators.OmsDeleteProjectOperator,
        {},
        {"INIT": [DELETE], "RELEASED": [DELETE], "DELETED": [], "gone": []},
    ),
    "delete, stopping first": (
        operators.OmsDeleteProjectOperator,
        {"stop_first": True},
        {
            "INIT": [DELETE],
            **running(STOP, RELEASE, DELETE),
            "SUSPEND": [RELEASE, DELETE],
            "FAILED": [RELEASE, DELETE],
            "FINISHED": [RELEASE, DELETE],
            "RELEASING": [DELETE],
            "RELEASED": [DELETE],
            "DELETED": [],
            "gone": [],
        },
    ),
    "configure": (
        operators.OmsUpdateProjectConfigOperator,
        {"config": {"incrTransferConfig": {"incrSyncConcurrency": 8}}},
        {
            "INIT": ["UpdateProjectConfig"],
            "SUSPEND": ["UpdateProjectConfig"],
            "FAILED": ["UpdateProjectConfig"],
        },
    ),
    "advance": (
        operators.OmsAdvanceProjectOperator,
        {"from_step": "FULL_VALIDATION"},
        {**running("AdvanceProject"), "FINISHED": [], "RELEASING": [], "RELEASED": []},
    ),
}

WAITING = [name for name in TABLE if name not in ("configure", "advance")]

CASES = [
    *product(TABLE, STATES, ("worker",)),
    *product(WAITING, STATES, ("triggerer",)),
]


def add(sim, state):
    """Add a project in a state; its full verification is done and waits for a person."""
    if state == "gone":
        return "np_gone"
    more = {}
    if state in ("SUSPEND", "FAILED") or state in RUNNING:
        more = {"step": "FULL_VERIFIER", "step_progress": 100}
    return sim.add_project(Project(name="p", status=state, **more))


@pytest.mark.parametrize(("action", "state", "place"), CASES)
def test_once_and_twice(runner, sim, action, state, place):
    cls, arguments, expected = TABLE[action]
    project_id = add(sim, state)
    if state in RUNNING:  # a status that is shown instead of RUNNING ends, so that SUSPEND becomes visible
        runner.on_pause = lambda: project_id in sim.projects and sim.project(project_id).set(status_override=None)
    if place == "triggerer":
        arguments = {**arguments, "deferrable": True}

    first = runner.run(cls, project_id=project_id, **arguments)
    assert runner.changes() == expected.get(state, [])
    if state not in expected:
        assert isinstance(first.error, OmsOperationRefusedError), first
        second = runner.run(cls, project_id=project_id, **arguments)
        assert runner.changes() == []
        assert isinstance(second.error, OmsOperationRefusedError)
        return

    assert first.error is None
    assert first.xcoms["project_id"] == project_id
    again = runner.run(cls, project_id=project_id, **arguments)
    assert again.error is None
    assert runner.changes() == [], "run twice, it did something twice"
    assert again.xcoms["project_id"] == project_id
    if action in WAITING:
        assert first.result == again.result == project_id
    if place == "triggerer":
        assert all(gate["gate"]["project_id"] == project_id for gate in first.deferrals)
    else:
        assert not first.deferrals


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", WAITING)
def test_without_waiting(runner, sim, action, state):
    """The task ends once OMS has accepted the action, but still waits for what prevents the action."""
    cls, arguments, expected = TABLE[action]
    project_id = add(sim, state)
    if state in RUNNING:
        runner.on_pause = lambda: project_id in sim.projects and sim.project(project_id).set(status_override=None)
    run = runner.run(cls, project_id=project_id, wait_for_completion=False, **arguments)
    assert (run.error is None) == (state in expected)
    assert runner.changes() == expected.get(state, [])
    alone = len(expected.get(state, [])) < 2
    if alone and not (state == "RELEASING" and "delete" in action):
        assert runner.pauses == []


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("gone", "DELETED")])
@pytest.mark.parametrize("action", WAITING)
def test_by_name(runner, sim, action, state):
    """A name is looked up once, and the result is the same as with the id."""
    cls, arguments, expected = TABLE[action]
    project_id = add(sim, state)
    if state in RUNNING:
        runner.on_pause = lambda: project_id in sim.projects and sim.project(project_id).set(status_override=None)
    run = runner.run(cls, project_name="p", **arguments)
    assert runner.changes() == expected.get(state, [])
    assert runner.asked().count("ListProjects") == 1
    assert (run.error is None) == (state in expected)
    if run.error is None:
        assert run.result == project_id


@pytest.mark.parametrize("action", WAITING)
def test_a_name_that_nobody_has(runner, action):
    cls, arguments, expected = TABLE[action]
    run = runner.run(cls, project_name="nobody", **arguments)
    assert runner.changes() == []
    if "gone" in expected:
        assert (run.error, run.result) == (None, None)
    else:
        assert isinstance(run.error, OmsOperationRefusedError)
        assert "nobody" in str(run.error)


REFUSALS = [
    ("start", "SUSPEND", "StartProject needs a project that is INIT; this one is SUSPEND. Resume it instead."),
    ("stop", "FAILED", "StopProject needs a project that is RUNNING*; this one is FAILED."),
    ("resume", "INIT", "ResumeProject needs a project that is SUSPEND or FAILED; this one is INIT. Start it instead."),
    ("release", "RUNNING_ALARMING", "this one is RUNNING_ALARMING. Stop it first, or give stop_first=True."),
    ("release", "INIT", "delete it instead"),
    ("delete", "SUSPEND", "DeleteProject needs a project that is INIT or RELEASED; this one is SUSPEND. Release"),
    ("configure", "RUNNING", "UpdateProjectConfig needs a project that is INIT or SUSPEND or FAILED"),
    ("advance", "SUSPEND", "AdvanceProject needs a project that is RUNNING*; this one is SUSPEND. Resume it first."),
    ("start", "gone", "deleted or never existed"),
    ("stop", "ODD", "this one is ODD"),
]


@pytest.mark.parametrize(("action", "state", "words"), REFUSALS)
def test_a_refusal_names_the_state_and_what_it_needs(runner, sim, action, state, words):
    cls, arguments, _ = TABLE[action]
    project_id = add(sim, state)
    run = runner.run(cls, project_id=project_id, **arguments)
    assert words in str(run.error)
    assert project_id in str(run.error)

"""Which OMS a gate has asked: the memory of one isn't used for another; absence counts only where the project was."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from airflow_provider_oms.client.errors import OmsUnreachableError
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.poll import NEVER_OBSERVED
from tests.gate_cases import ALL_DONE, NOW, Reply, caught_up, failed_step, in_transfer, progress, refusal, replaced
from tests.milestones.support import Script, gate_of

HERE, THERE = "http://oms-a:8089", "http://oms-b:8089"
GONE = Reply(refusal("GHANA-PROJECT000001", "gone"))
LOST = OmsUnreachableError("no connection.")
FULL, LAG, STATUS = "OmsFullTransferSensor", "OmsCheckpointLagSensor", "OmsProjectStatusSensor"


def row(project_id: str) -> dict[str, Any]:
    return {"id": project_id, "name": "shop", "status": "RUNNING"}


def until_deleted(**project: Any) -> Script:
    return Script(gate_of(STATUS, {"target_statuses": "DELETED"}, **project))


# OMS doesn't distinguish "deleted" from "never existed"


@pytest.mark.parametrize("oms", [HERE, ""])
def test_a_project_that_was_never_observed_is_gone_with_a_warning(oms):
    verdict = until_deleted().poll(NOW, GONE, oms=oms)
    assert verdict.state == "reached"
    assert verdict.alarming
    assert verdict.message == verdict.observed.note == NEVER_OBSERVED
    assert json.loads(json.dumps(verdict.observed.as_dict()))["note"] == NEVER_OBSERVED


@pytest.mark.parametrize("oms", [HERE, ""])
@pytest.mark.parametrize("project", [{"project_id": "np_1"}, {"project_name": "shop"}])
def test_a_project_that_was_observed_is_gone(oms, project):
    script = until_deleted(**project)
    assert script.poll(NOW, progress("RELEASED"), projects=[row("np_1")], oms=oms).state == "waiting"
    verdict = script.poll(NOW + 30, GONE, oms=oms)
    assert (verdict.state, verdict.alarming, verdict.observed.note) == ("reached", False, None)


def test_an_answer_without_a_project_is_no_observation():
    script = until_deleted()
    assert script.poll(NOW, error=LOST, oms=HERE).state == "waiting"
    assert script.poll(NOW + 30, Reply("", 503), oms=HERE).state == "waiting"
    assert script.poll(NOW + 60, GONE, oms=HERE).observed.note == NEVER_OBSERVED


def test_that_a_project_is_gone_is_an_answer():
    """A watcher, which continues, then counts its next outage from the beginning."""
    script = until_deleted()
    script.poll(NOW, error=LOST, oms=HERE)
    assert script.memory.unanswered == 1
    script.poll(NOW + 30, GONE, oms=HERE)
    assert script.memory.unanswered == 0


def test_what_was_observed_survives_json():
    script = until_deleted()
    script.poll(NOW, progress("RELEASED"), oms=HERE)
    script.memory = Memory.from_dict(json.loads(json.dumps(script.memory.as_dict())))
    assert script.poll(NOW + 30, GONE, oms=HERE).observed.note is None


# Another OMS


@pytest.mark.parametrize("sensor", [STATUS, FULL])
@pytest.mark.parametrize("between", [[], [LOST], [LOST, LOST]])
def test_a_project_that_another_oms_does_not_have_is_not_gone(sensor, between):
    arguments = {"target_statuses": "DELETED"} if sensor == STATUS else {}
    script = Script(gate_of(sensor, arguments))
    assert script.poll(NOW, progress("RUNNING"), in_transfer(), oms=HERE).state == "waiting"
    for number, error in enumerate(between):
        assert script.poll(NOW + number, error=error, oms=THERE).state == "waiting"
    verdict = script.poll(NOW + 30, GONE, oms=THERE)
    assert verdict.state == "failed"
    assert f"It was observed at {HERE}; the Airflow connection leads to {THERE} now" in verdict.message


def test_the_same_oms_at_another_address_continues():
    script = until_deleted()
    assert script.poll(NOW, progress("RELEASED"), oms=HERE).state == "waiting"
    assert script.poll(NOW + 30, progress("RELEASED"), oms=THERE).state == "waiting"
    verdict = script.poll(NOW + 60, GONE, oms=THERE)
    assert (verdict.state, verdict.observed.note) == ("reached", None)


def test_an_address_that_is_not_known_for_once_is_no_other():
    """As if Airflow couldn't read the connection."""
    script = until_deleted()
    script.poll(NOW, progress("RELEASED"), oms=HERE)
    script.poll(NOW + 30, error=LOST)
    assert script.memory.unanswered == 1
    assert script.poll(NOW + 60, GONE, oms=HERE).observed.note is None


def test_a_hold_at_one_oms_is_none_at_another():
    script = Script(gate_of(LAG, {"max_lag": 60, "hold_for": 60}))
    assert script.poll(NOW, caught_up(behind=0), ALL_DONE, oms=HERE).state == "waiting"
    for after in (60, 90, 119):
        assert script.poll(NOW + after, caught_up(behind=-after), ALL_DONE, oms=THERE).state == "waiting"
    assert script.poll(NOW + 120, caught_up(behind=-120), ALL_DONE, oms=THERE).state == "reached"


def test_a_failure_at_one_oms_is_none_at_another():
    failing = replaced(in_transfer(), failed_step("FULL_TRANSFER", None))
    script = Script(gate_of(FULL))
    for after, oms in ((0, HERE), (120, HERE), (121, THERE), (240, THERE)):
        assert script.poll(NOW + after, progress("FAILED"), failing, oms=oms).state == "waiting"
    assert script.poll(NOW + 242, progress("FAILED"), failing, oms=THERE).state == "failed"


def test_an_outage_of_one_oms_is_none_of_another_and_ends_all_the_same():
    script = Script(gate_of(FULL))
    assert script.poll(NOW - 10, progress(), in_transfer(), oms=HERE).state == "waiting"
    for after in range(0, 1200, 100):
        assert script.poll(NOW + after, error=LOST, oms=HERE if after < 600 else THERE).state == "waiting"
    assert script.poll(NOW + 1200, error=LOST, oms=THERE).state == "failed"


# A gate stays with one project


def test_a_name_is_looked_up_again_at_another_oms():
    script = Script(gate_of(FULL, project_name="shop"))
    for at, oms, asked in ((0, HERE, True), (30, HERE, False), (60, THERE, True), (90, THERE, False)):
        assert script.poll(NOW + at, progress(), in_transfer(), projects=[row("np_1")], oms=oms).state == "waiting"
        assert ("ListProjects" in script.asked) is asked


def test_a_name_that_another_oms_does_not_have():
    script = until_deleted(project_name="shop")
    assert script.poll(NOW, progress(), projects=[row("np_1")], oms=HERE).state == "waiting"
    verdict = script.poll(NOW + 30, projects=[], oms=THERE)
    assert verdict.state == "failed"
    assert f"It was observed at {HERE}" in verdict.message


# Another user of the same OMS. OMS answers to a user who may not see a project as if there were none: so it is with the
# accounts behind one endpoint of Alibaba Cloud, and nothing says that it isn't so with the users of a console.

ALICE, BOB = (ClientSettings(HERE, user, "secret").origin for user in ("alice", "bob"))


def test_an_origin_names_the_oms_and_distinguishes_users_without_their_names():
    assert ClientSettings(HERE).origin == HERE
    assert ALICE != BOB
    assert ClientSettings(HERE, "alice", "another secret", timeout=3).origin == ALICE
    assert ALICE.startswith(f"{HERE}#")
    assert "alice" not in ALICE
    json.dumps(ALICE)


@pytest.mark.parametrize("project", [{"project_id": "np_1"}, {"project_name": "shop"}])
@pytest.mark.parametrize("between", [[], [LOST, LOST]])
def test_a_project_that_another_user_does_not_see_is_not_gone(project, between):
    script = until_deleted(**project)
    assert script.poll(NOW, progress("RUNNING"), projects=[row("np_1")], oms=ALICE).state == "waiting"
    for number, error in enumerate(between, 1):
        assert script.poll(NOW + number, error=error, oms=BOB).state == "waiting"
    script.memory = Memory.from_dict(json.loads(json.dumps(script.memory.as_dict())))
    verdict = script.poll(NOW + 30, GONE, projects=[], oms=BOB)
    assert verdict.state == "failed"
    assert (
        f"It was observed at {HERE} by another user; the Airflow connection leads to {HERE} as this" in verdict.message
    )
    assert not re.search("#[0-9a-f]{12}", verdict.message)


def test_a_project_that_the_new_user_has_seen_may_be_gone():
    script = until_deleted()
    for after, oms in ((0, ALICE), (30, BOB)):
        assert script.poll(NOW + after, progress("RELEASED"), oms=oms).state == "waiting"
    verdict = script.poll(NOW + 60, GONE, oms=BOB)
    assert (verdict.state, verdict.observed.note) == ("reached", None)


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (HERE, THERE, f"'shop' was np_1 at {HERE} and is np_2 at {THERE}"),
        # As where the AccessKey of another account is entered: its endpoint is the same.
        (ALICE, BOB, f"'shop' was np_1 at {HERE} by another user and is np_2 at {HERE} as this user"),
    ],
    ids=["another OMS", "another user"],
)
def test_a_namesake_elsewhere_is_not_watched_instead(before, now, told):
    script = Script(gate_of(FULL, project_name="shop"))
    assert script.poll(NOW, progress(), in_transfer(), projects=[row("np_1")], oms=before).state == "waiting"
    verdict = script.poll(NOW + 30, caught_up(), ALL_DONE, projects=[row("np_2")], oms=now)
    assert verdict.state == "failed"
    assert told in verdict.message
    assert "clear this task to watch the other one" in verdict.message


def test_what_is_counted_continues_under_another_user():
    """Temporary credentials have a new AccessKey id every hour, which would begin a longer ``hold_for`` for ever."""
    script = Script(gate_of(LAG, {"max_lag": 60, "hold_for": 60}))
    assert script.poll(NOW, caught_up(behind=0), ALL_DONE, oms=ALICE).state == "waiting"
    assert script.poll(NOW + 60, caught_up(behind=-60), ALL_DONE, oms=BOB).state == "reached"


def test_what_an_earlier_version_has_stored_names_no_user():
    script = until_deleted()
    script.memory.observed["np_1"] = HERE
    assert script.poll(NOW, GONE, oms=BOB).state == "reached"
    script.memory.observed["np_1"] = THERE
    assert script.poll(NOW, GONE, oms=BOB).state == "failed"

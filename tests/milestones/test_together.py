"""Gates over many: the table of cases, with each row among projects that are ready, and the rules of sets."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace

import pytest

from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.verdict import FleetObservation, Observation, Seen, State
from tests.gate_cases import (
    ALL_DONE,
    CASES,
    FAILED,
    NOW,
    REACHED,
    WAITING,
    Case,
    caught_up,
    failed_step,
    in_transfer,
    oms_time,
    progress,
    replaced,
)
from tests.milestones.fleets import LABEL, Wave, companion, over, row

#: A project that is copied, one that isn't yet, and one that never will be.
DONE = Case("done", "OmsFullTransferSensor", {}, progress(fullTransferProgress=100), tuple(ALL_DONE))
AT_WORK = Case("at work", "OmsFullTransferSensor", {}, progress(fullTransferProgress=42), tuple(in_transfer()))
BROKEN = replace(
    AT_WORK,
    progress=progress("FAILED", fullTransferProgress=42),
    steps=tuple(replaced(in_transfer(), failed_step("FULL_TRANSFER", oms_time(NOW - 900)))),
)
CLOSE, FAR = (
    Case("lag", "OmsCheckpointLagSensor", {}, caught_up(behind=behind), tuple(ALL_DONE)) for behind in (10, 900)
)

#: The rows of the table that a gate over many can have. A project that verifies another verifies only one.
OF_SETS = [case for case in CASES if "verification_project" not in case.arguments]


def copied(*projects, **more):
    """Return a gate that waits for the full transfer of these projects."""
    return over("OmsFullTransferSensor", more, project_ids=projects)


def test_every_row_of_the_table_decides_for_a_set():
    """The row is one member among others for which the gate would open, so it alone decides."""
    for case in OF_SETS:
        other = companion(case)
        ready = {"np_0": other, "np_1": case, "np_2": other}
        gate = over(case.sensor, case.arguments, project_ids=list(ready))
        for kept, expected in ((True, case.expected), (False, case.expected_without_memory)):
            if case.date_offset or (case.needs_memory and not kept):
                continue
            verdict = Wave(gate, ready, kept=kept).poll()
            assert verdict.state == expected, (case.id, verdict.message)
            if expected == FAILED and case.message:
                assert re.search(case.message, verdict.message), (case.id, verdict.message)
            if expected == REACHED:
                assert verdict.observed.as_dict()["reached"] == 3, case.id


def test_it_opens_when_every_project_is_there_and_doesnt_ask_again_for_what_stays():
    wave = Wave(copied("np_1", "np_2", "np_3"), {"np_1": DONE, "np_2": AT_WORK, "np_3": AT_WORK})
    first = wave.poll()
    assert (first.state, first.message) == (WAITING, "1 of 3 ready.")
    assert first.figures == "waiting for np_2 at 42 %, np_3 at 42 %"
    wave.projects["np_2"] = DONE
    second = wave.poll(NOW + 30)
    assert second.message == "2 of 3 ready; now ready: np_2."
    wave.projects |= {"np_1": BROKEN, "np_3": DONE}  # a milestone that was reached stays reached
    third = wave.poll(NOW + 60)
    assert third.state == REACHED
    assert wave.asked["DescribeProjectProgress"] == 1
    assert {one["name"] for one in third.observed.as_dict()["projects"]} == {"np_1", "np_2", "np_3"}


def test_a_state_of_now_is_asked_for_everywhere_in_the_poll_that_opens():
    wave = Wave(over("OmsCheckpointLagSensor", {"max_lag": 25}, project_ids=["np_1", "np_2"]), {})
    wave.projects = {"np_1": CLOSE, "np_2": FAR}
    assert wave.poll().state == WAITING
    wave.projects = {"np_1": FAR, "np_2": CLOSE}
    lost = wave.poll()
    assert (lost.state, lost.message) == (WAITING, "1 of 2 ready; now ready: np_2; not ready now: np_1.")
    wave.projects = {"np_1": CLOSE, "np_2": CLOSE}
    assert wave.poll().state == REACHED


@pytest.mark.parametrize("broken", [BROKEN, None], ids=["failed", "gone"])
def test_a_project_that_never_will_be_there(broken):
    projects = {"np_1": DONE, "np_2": AT_WORK} | ({"np_7": broken} if broken else {})
    said = "CONNECTOR-CNT0042 the sink is full" if broken else "GHANA-PROJECT000001"
    at_once = Wave(copied("np_1", "np_2", "np_7"), projects).poll()
    assert at_once.state == FAILED
    assert at_once.message.startswith("1 of 3 ready; np_7 failed: ")
    assert said in at_once.message
    patient = Wave(copied("np_1", "np_2", "np_7", on_failure="wait_for_others"), projects)
    waits = patient.poll()
    assert waits.state == WAITING
    assert waits.alarming
    assert said in waits.message
    patient.projects["np_2"] = DONE
    over_now = patient.poll()
    assert over_now.state == FAILED
    assert over_now.observed.as_dict()["failed"] == 1


def test_each_project_has_a_memory_of_its_own():
    """failure_grace and hold_for count for each project separately."""
    new = replace(BROKEN, steps=tuple(replaced(in_transfer(), failed_step("FULL_TRANSFER"))))
    wave = Wave(copied("np_1", "np_2"), {"np_1": new, "np_2": AT_WORK})
    assert wave.poll(NOW).state == WAITING
    wave.projects = {"np_1": AT_WORK, "np_2": new}
    assert wave.poll(NOW + 100).state == WAITING
    assert wave.poll(NOW + 200).state == WAITING  # 200 s for both together, 100 s for np_2
    assert wave.poll(NOW + 230).state == FAILED
    held = Wave(over("OmsCheckpointLagSensor", {"max_lag": 25, "hold_for": 60}, project_ids=["np_1", "np_2"]), {})
    for at, near in ((0, 2), (30, 1), (60, 2), (90, 2), (110, 2)):
        held.projects = {
            f"np_{number}": replace(CLOSE, progress=caught_up(behind=10 - at if number <= near else 900))
            for number in (1, 2)
        }
        assert held.poll(NOW + at).state == WAITING
    assert held.poll(NOW + 120).state == REACHED
    assert Memory.from_dict(json.loads(json.dumps(held.memory.as_dict()))).members.keys() == {"np_1", "np_2"}


def test_an_outage_is_waited_out_and_not_asked_into_by_all():
    many = {f"np_{number}": AT_WORK for number in range(9)}
    wave = Wave(copied(*many), many)
    wave.poll(NOW)
    wave.lost = True
    for at in range(30, 630, 60):
        verdict = wave.poll(NOW + at)
        assert (verdict.state, verdict.alarming) == (WAITING, True)
        assert wave.asked.total() == 3  # and not of all nine
    assert wave.poll(NOW + 640).state == FAILED


@pytest.mark.parametrize(("fleet", "rows"), [({"label_name": "wave-7"}, []), ({"project_ids": range(9)}, None)])
def test_hold_for_doesnt_count_an_outage_in_which_projects_werent_asked(fleet, rows):
    """OMS doesn't list them, or they aren't asked for because OMS doesn't answer for the first."""
    ids = [f"np_{number}" for number in range(9)]
    fleet = {name: ids if name == "project_ids" else value for name, value in fleet.items()}
    wave = Wave(over("OmsCheckpointLagSensor", {"max_lag": 25, "hold_for": 120}, **fleet), {}, rows)

    def poll(at):
        wave.projects = {one: replace(CLOSE, progress=caught_up(behind=10 - at)) for one in ids}
        wave.rows = None if rows is None else [row(one, case) for one, case in wave.projects.items()]
        return wave.poll(NOW + at)

    assert poll(0).state == WAITING
    wave.lost = True
    assert {poll(at).state for at in range(30, 300, 30)} == {WAITING}
    wave.lost = False
    for at in range(300, 420, 30):
        verdict = poll(at)
        assert (verdict.state, verdict.observed.ready) == (WAITING, 0), at
    assert poll(420).state == REACHED


def test_hold_for_doesnt_count_while_a_project_was_gone():
    settings = {"max_lag": 25, "hold_for": 60, "on_failure": "wait_for_others"}
    wave = Wave(over("OmsCheckpointLagSensor", settings, label_name="wave-7"), {}, [])
    for at, there, ready in ((0, True, 0), (30, False, 0), (60, True, 0), (90, True, 0), (120, True, 2)):
        close = {one: replace(CLOSE, progress=caught_up(behind=10 - at)) for one in ("np_1", "np_2")}
        far = {**close, "np_3": FAR}
        wave.projects = far if there else {"np_2": close["np_2"], "np_3": FAR}
        wave.rows = [row(one, case) for one, case in wave.projects.items()]
        verdict = wave.poll(NOW + at)
        assert verdict.state == WAITING
        assert isinstance(verdict.observed, FleetObservation)
        assert verdict.observed.ready == ready + (at in (60, 90)), at


def label(**more):
    return over("OmsFullTransferSensor", more, label_name="wave-7")


def test_the_projects_of_a_label_are_asked_for_at_each_poll():
    projects = {"np_1": DONE}
    wave = Wave(label(), projects, [])
    empty = wave.poll()
    assert (empty.state, empty.alarming) == (WAITING, True)
    assert "0 projects found so far; min_projects is 1" in empty.message
    wave.rows = [row("np_1", DONE), row("np_2", AT_WORK)]
    wave.projects["np_2"] = AT_WORK
    assert wave.poll().message == "1 of 2 ready; joined: shop_1, shop_2."
    wave.rows = [row("np_1", DONE)]
    wave.projects["np_2"] = replace(AT_WORK, project={"id": "np_1", "name": "shop_2", "labels": [LABEL]})
    assert wave.poll().state == WAITING  # absence from a list proves nothing
    wave.projects["np_2"] = replace(AT_WORK, project={"id": "np_1", "name": "shop_2", "labels": []})
    left = wave.poll()
    assert (left.state, left.message) == (REACHED, "1 of 1 ready; left: shop_2.")


def test_a_project_of_a_label_that_is_gone_fails_the_gate():
    wave = Wave(label(), {"np_1": DONE, "np_2": AT_WORK}, [row("np_1", DONE), row("np_2", AT_WORK)])
    assert wave.poll().state == WAITING
    wave.rows.pop()
    del wave.projects["np_2"]
    verdict = wave.poll()
    assert verdict.state == FAILED
    assert "shop_2 failed:" in verdict.message
    assert "GHANA-PROJECT000001" in verdict.message


@pytest.mark.parametrize("fleet", [{"label_name": "wave-7"}, {"project_ids": ["np_1", "np_2"]}])
def test_a_project_that_was_ready_and_is_deleted_stays_ready(fleet):
    """As in a gate on one project, which opens at once."""
    wave = Wave(over("OmsFullTransferSensor", **fleet), {"np_1": DONE, "np_2": AT_WORK})
    wave.rows = [row("np_1", DONE), row("np_2", AT_WORK)]
    assert wave.poll().state == WAITING
    wave.rows.pop(0)
    del wave.projects["np_1"]
    assert wave.poll(NOW + 30).message == "1 of 2 ready."
    wave.projects["np_2"], wave.rows = DONE, [row("np_2", DONE)]
    assert wave.poll(NOW + 60).state == REACHED


@pytest.mark.parametrize(
    ("described", "listed", "left"),
    [
        ({"labels": []}, None, True),
        ({"Labels": [], "Name": "shop_2"}, None, True),  # as the hosted OMS writes keys
        ({"labels": [{"id": "l_2", "name": "other"}]}, None, True),
        ({"labels": [{"Id": "l_1", "Name": "wave-7"}]}, None, False),
        ({"labels": None}, None, False),
        ({}, None, False),
        ({"labels": "wave-7"}, None, False),
        ({"labels": [{"name": "wave-7"}]}, None, False),
        ({"labels": None}, {"labels": []}, True),
        ({}, {"labels": [{"id": "l_2"}]}, True),
        ({}, {"labels": [LABEL]}, False),
        ({}, {"labels": None}, False),
    ],
)
def test_a_project_leaves_only_if_oms_says_that_it_has_the_label_no_longer(described, listed, left):
    """A list may lack a project for a moment. Null isn't a list without labels."""
    wave = Wave(label(), {"np_1": DONE, "np_2": AT_WORK}, [row("np_1", DONE), row("np_2", AT_WORK)])
    assert wave.poll().state == WAITING
    wave.projects["np_2"] = replace(AT_WORK, project={"id": "np_1", "name": "shop_2", **described})
    gone = wave.rows.pop()
    # ListProjects by label lacks it, and by its id it doesn't.
    wave.found_by_id = [] if listed is None else [{**gone, **listed}]
    assert wave.poll(NOW + 30).state == (REACHED if left else WAITING)


@pytest.mark.parametrize("fleet", [{"label_name": "wave-7"}, {"search_key": "shop"}])
def test_projects_of_a_label_that_shall_be_deleted(fleet):
    """They are counted if the gate has observed them; one that another OMS or user lacks isn't deleted."""
    status = {
        name: Case("status", "OmsProjectStatusSensor", {}, progress(name), tuple(ALL_DONE))
        for name in ("RELEASING", "RELEASED")
    }
    for targets in (["DELETED"], ["RELEASED", "DELETED"]):
        wave = Wave(over("OmsProjectStatusSensor", {"target_statuses": targets}, **fleet), {})
        wave.projects = {"np_1": status["RELEASING"], "np_2": status["RELEASING"]}
        wave.rows = [row(one, case) for one, case in wave.projects.items()]
        assert wave.poll().state == WAITING
        del wave.projects["np_1"], wave.rows[0]
        assert wave.poll(NOW + 30).message == "1 of 2 ready; now ready: shop_1."
        wave.projects, wave.rows = {}, []
        verdict = wave.poll(NOW + 60)
        assert (verdict.state, verdict.observed.note) == (REACHED, None)
    wave.memory = Memory()
    assert wave.poll(NOW + 90).state == WAITING  # it has never observed any


def test_a_project_that_a_search_found_leaves_only_if_its_name_changes():
    wave = Wave(over("OmsFullTransferSensor", search_key="shop"), {"np_1": DONE, "np_2": AT_WORK})
    for before, after, expected in (
        ("shop_2", "attic_2", REACHED),
        ("shop_2", "Shop_22", WAITING),
        ("found by something else", "found by something else", WAITING),
    ):
        wave.memory = Memory()
        wave.rows = [row("np_1", DONE), row("np_2", AT_WORK, name=before, note="shop")]
        assert wave.poll().observed.as_dict()["total"] == 2
        wave.rows.pop()
        wave.projects["np_2"] = replace(AT_WORK, project={"id": "np_1", "name": after})
        assert wave.poll(NOW + 30).state == expected, before


def test_a_label_that_doesnt_exist_fails_at_once():
    for fleet in ({"label_name": "wave-8"}, {"label_id": "l_8"}, {"label": "wave-8"}):
        verdict = Wave(over("OmsFullTransferSensor", **fleet), {}, []).poll()
        assert verdict.state == FAILED
        assert "it has: wave-7" in verdict.message
    wave = Wave(label(), {}, [])
    wave.labels = [LABEL, {"id": "l_2", "name": "wave-7"}]
    assert "2 labels named" in wave.poll().message
    for fleet in ({"label_id": "l_1"}, {"label": "l_1"}, {"label": "wave-7"}, {"search_key": "shop_"}):
        assert Wave(over("OmsFullTransferSensor", **fleet), {"np_1": DONE}, [row("np_1", DONE)]).poll().state == REACHED


def test_fewer_than_wanted():
    wave = Wave(label(min_projects=2), {"np_1": DONE, "np_2": DONE}, [row("np_1", DONE)])
    assert wave.poll().state == WAITING
    wave.rows.append(row("np_2", DONE))
    assert wave.poll().state == REACHED
    assert Wave(copied("np_1", min_projects=2), {"np_1": DONE}).poll().state == FAILED


def test_a_project_without_an_id_isnt_left_out():
    verdict = Wave(label(), {"np_1": DONE}, [row("np_1", DONE), {**row("np_2", DONE), "id": None}]).poll()
    assert verdict.state == WAITING
    assert "without an id" in verdict.message


def names(count):
    return over("OmsFullTransferSensor", project_names=[f"shop_{number}" for number in range(count)])


def test_names_are_resolved_from_one_list_and_rows_say_not_yet():
    projects = {f"np_{number}": AT_WORK for number in range(40)}
    wave = Wave(names(40), projects, [row(one, case) for one, case in projects.items()])
    asked = 0
    for at in range(20):
        assert wave.poll(NOW + 30 * at).message.startswith("0 of 40 ready")
        assert wave.asked["ListProjects"] == 1
        asked += wave.asked["DescribeProjectProgress"]
    assert asked == 2 * 40  # each once in ten polls
    wave.projects = dict.fromkeys(projects, DONE)
    assert wave.poll(NOW + 630).state == WAITING  # although the rows are old
    for at in range(9):
        last = wave.poll(NOW + 660 + 30 * at)
    assert last.state == REACHED


@pytest.mark.parametrize(("count", "lists"), [(10, 0), (11, 1)])
def test_more_than_ten_are_listed(count, lists):
    projects = {f"np_{number}": AT_WORK for number in range(count)}
    wave = Wave(copied(*projects), projects, [row(one, case) for one, case in projects.items()])
    assert (wave.poll().state, wave.asked["ListProjects"]) == (WAITING, lists)


@pytest.mark.parametrize("gate", [lambda: names(13), lambda: copied(*(f"np_{number}" for number in range(13)))])
def test_only_those_that_are_not_ready_yet_are_counted(gate):
    projects = {f"np_{number}": DONE if number < 3 else AT_WORK for number in range(13)}
    wave = Wave(gate(), projects, [row(one, case) for one, case in projects.items()])
    asked = [(wave.poll(NOW + 30 * at).state, wave.asked["ListProjects"])[1] for at in range(2)]
    assert asked == [1, 0]


def test_an_oms_that_lists_nothing_is_asked_for_each():
    projects = {f"np_{number}": AT_WORK for number in range(12)}
    wave = Wave(copied(*projects), projects, None)
    assert wave.poll().message == "0 of 12 ready."
    assert wave.poll().state == WAITING
    assert (wave.asked["ListProjects"], wave.asked["DescribeProjectProgress"]) == (0, 12)


def test_projects_whose_names_look_like_one_another_are_judged_each():
    """If two projects have a name, messages add their ids; the name of a third may look like that."""
    names = {"np_2": "wave", "np_3": "wave", "np_4": "wave (np_2)"}
    for late in names:
        projects = dict.fromkeys(names, DONE) | {late: AT_WORK}
        rows = [row(one, projects[one], name=name) for one, name in names.items()]
        for fleet in ({"label_name": "wave-7"}, {"search_key": "wave"}):
            wave = Wave(over("OmsFullTransferSensor", **fleet), projects, rows)
            assert (wave.poll().state, wave.poll(NOW + 30).state) == (WAITING, WAITING), late
            wave.projects[late] = DONE
            wave.rows = [row(one, DONE, name=name) for one, name in names.items()]
            assert wave.poll(NOW + 60).state == REACHED


def test_the_order_of_the_list_changes_no_message():
    """Otherwise each poll would log that something had changed."""
    projects = {"np_3": AT_WORK, "np_2": AT_WORK, "np_1": AT_WORK}
    listed = [row(one, AT_WORK, name="wave") for one in projects]
    told = [Wave(label(), projects, rows).poll().observed.as_dict() for rows in (listed, listed[::-1])]
    assert told[0] == told[1]


def until_it_opens(gate, projects, behind):
    """Return after how many polls the gate opens if rows are older than the precise answers; None for never."""
    wave = Wave(gate, {})
    for number in range(60):
        at = NOW + 30 * number
        told, stale = (
            replace(CLOSE, progress=progress(incrSyncCheckpoint=at - 10 - late, fullTransferProgress=100))
            for late in (0, behind)
        )
        wave.projects = {f"np_{one}": told for one in range(projects)}
        wave.rows = [row(one, stale) for one in wave.projects]
        if wave.poll(at).state == REACHED:
            return number
    return None


@pytest.mark.parametrize("projects", [1, 2, 30])
def test_rows_that_are_always_behind_delay_a_gate_and_dont_shut_it(projects):
    """How old a row of a real OMS is isn't known. The precise calls are due at another poll for each project."""
    for hold_for, after in ((0, 0), (120, 4)):
        gate = over("OmsCheckpointLagSensor", {"max_lag": 25, "hold_for": hold_for}, label_name="wave-7")
        assert until_it_opens(gate, projects, behind=0) == after
        late = until_it_opens(gate, projects, behind=60)
        assert late is not None
        assert after < late <= after + 10


def lagging(at, behind):
    """A project whose lag is that at a moment."""
    return replace(CLOSE, progress=progress(incrSyncCheckpoint=at - behind, fullTransferProgress=100))


def test_rows_of_which_each_is_now_behind_and_now_not_dont_shut_a_gate():
    gate, ages = over("OmsCheckpointLagSensor", {"max_lag": 25}, label_name="wave-7"), random.Random(1)
    wave = Wave(gate, {})
    for number in range(11):
        at = NOW + 30 * number
        wave.projects = {f"np_{one}": lagging(at, 5) for one in range(40)}
        wave.rows = [row(one, lagging(at, ages.uniform(5, 50))) for one in wave.projects]
        verdict = wave.poll(at)
    assert verdict.state == REACHED


def test_projects_that_are_ready_cost_a_list_while_one_isnt():
    """Each is asked for once in ten polls, like one that isn't ready; and all of them in the poll that opens."""
    wave = Wave(over("OmsCheckpointLagSensor", {"max_lag": 25}, label_name="wave-7"), {})
    asked = 0
    for number in range(20):
        at = NOW + 30 * number
        wave.projects = {f"np_{one}": lagging(at, 5 if one else 900) for one in range(40)}
        wave.rows = [row(one, case) for one, case in wave.projects.items()]
        assert wave.poll(at).message.startswith("39 of 40 ready")
        asked += wave.asked["DescribeProjectProgress"]
    assert asked == 2 * 40
    wave.projects = {one: lagging(NOW + 600, 5) for one in wave.projects}
    wave.rows = [row(one, case) for one, case in wave.projects.items()]
    assert wave.poll(NOW + 600).state == REACHED
    assert wave.asked["DescribeProjectProgress"] == 40


def test_a_project_that_is_no_longer_ready_is_judged_by_its_row_again():
    """Its precise calls are made once when its row changes its mind, and then decide as before."""
    wave = Wave(over("OmsCheckpointLagSensor", {"max_lag": 25}, label_name="wave-7"), {}, by_row=0)
    told = []
    for number, behind in enumerate((5, 5, 900, 900, 900)):
        at = NOW + 30 * number
        wave.projects = {f"np_{one}": lagging(at, behind if one else 900) for one in range(2)}
        wave.rows = [row(one, case) for one, case in wave.projects.items()]
        wave.memory.member("np_0").by_row = 0
        wave.memory.member("np_1").by_row = 0 if number else 9
        observed = wave.poll(at).observed
        assert isinstance(observed, FleetObservation)
        told.append((observed.ready, wave.asked["DescribeProjectProgress"]))
    assert told == [(1, 1), (1, 0), (0, 1), (0, 0), (0, 0)]


@pytest.mark.parametrize("odd", [{"name": ["x"]}, {"name": {}}, {"status": []}, {"steps": 3}, {"labels": "x"}], ids=str)
def test_a_row_that_cant_be_read_is_no_outage(odd):
    """Neither of the project itself, nor of one that no gate waits for."""
    projects = dict.fromkeys([f"np_{number}" for number in range(12)], DONE)
    rows = [row(one, DONE, **(odd if one == "np_11" else {})) for one in projects]
    for fleet in ({"label_name": "wave-7"}, {"project_ids": list(projects)}):
        assert Wave(over("OmsFullTransferSensor", **fleet), projects, rows).poll().state == REACHED
    names = [f"shop_{number}" for number in range(11)]
    assert Wave(over("OmsFullTransferSensor", project_names=names), projects, rows).poll().state == REACHED


def test_what_was_seen_of_many_is_as_old_as_the_oldest_of_it():
    seen = [Seen(f"np_{n}", State.WAITING, Observation(time=time)) for n, time in enumerate(("2", "1", None, "3"))]
    assert FleetObservation.of(seen, ready=0, failed=0, note=None).time == "1"
    assert FleetObservation.of([], ready=0, failed=0, note=None).time is None


def test_a_name_that_nobody_has():
    verdict = Wave(over("OmsFullTransferSensor", project_names=["shop_1", "shop_9"]), {"np_1": DONE}, []).poll()
    assert verdict.state == FAILED
    assert "shop_9 failed: OMS shows this user no project named 'shop_9'" in verdict.message


def test_what_is_returned_fits_into_an_xcom():
    projects = {f"np_{number}": DONE for number in range(300)}
    observed = Wave(copied(*projects), projects).poll().observed
    assert isinstance(observed, FleetObservation)
    told = observed.as_dict()
    assert len(json.dumps(told)) < 48 * 1024
    assert told["total"] == told["reached"] == 300
    assert len(told["projects"]) + told["left_out"] == 300
    assert 100 < len(told["projects"]) < 300


@pytest.mark.parametrize(
    ("fleet", "wrong"),
    [
        ({}, "none is given"),
        ({"project_ids": ["np_1"], "label_id": "l_1"}, "project_ids and label_id is given"),
        ({"project_ids": []}, "names no project"),
        ({"project_names": "[]"}, "names no project"),
        ({"project_names": "{{ x }"}, "list of texts"),
        ({"project_ids": "np 1"}, "an id of OMS"),
        ({"project_ids": ["np_1"], "min_projects": 0}, "min_projects"),
        ({"project_ids": ["np_1"], "on_failure": "ignore"}, "on_failure"),
    ],
)
def test_settings_that_cant_be(fleet, wrong):
    with pytest.raises(ValueError, match=wrong):
        Fleet(**fleet)


def test_settings_are_stored_and_read():
    for given in (["np_1", "np_2", "np_1"], '["np_1", "np_2"]', "np_1, np_2", "('np_1', 'np_2')"):
        gate = over("OmsFullTransferSensor", project_ids=given)
        assert gate.fleet is not None
        assert gate.fleet.project_ids == ("np_1", "np_2")
        stored = json.loads(json.dumps(gate.as_dict()))
        assert stored["fleet"] == {"project_ids": ["np_1", "np_2"]}
        assert Gate.from_dict(stored) == gate
    with pytest.raises(ValueError, match="isn't known here"):
        Gate.from_dict({**stored, "fleet": {**stored["fleet"], "new": 1}})
    with pytest.raises(ValueError, match="both are given"):
        replace(gate, project_id="np_1")
    assert State(gate.of_member("np_2").project_id == "np_2" and State.WAITING) == WAITING
    assert "fleet" not in gate.of_member("np_2").as_dict()

"""From OMS's answers to events: what asset watchers fire, when, and that a crash doesn't change it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_oms.client.errors import OmsAuthenticationError, OmsUnreachableError
from airflow_provider_oms.milestones.boundaries import Boundaries
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import (
    CheckpointBehindMilestone,
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    FullTransferMilestone,
    ProjectStatusMilestone,
)
from airflow_provider_oms.milestones.occurrences import gate_now, is_gone, judge, payload
from airflow_provider_oms.milestones.remembered import Remembered
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict
from airflow_provider_oms.milestones.watchers import (
    BEGINNING,
    AlarmWatcher,
    CompleteUntilWatcher,
    MilestoneWatcher,
    from_json,
)
from tests.gate_cases import progress
from tests.milestones.support import PROJECT, Script

#: A midnight in Shanghai.
MIDNIGHT = 1_795_795_200.0
HOUR, DAY = 3600.0, 86400.0

BEGUN = Remembered("2026-11-27T18:00:00+00:00")

often = settings(max_examples=150, derandomize=True, deadline=None, database=None)

MILESTONE = MilestoneWatcher(Gate(FullTransferMilestone(), project_name="shop"), ("reached", "failed"))
DAILY = CompleteUntilWatcher(Gate(CheckpointReachedMilestone(BEGINNING), project_id=PROJECT))
HOURLY = replace(DAILY, boundaries=Boundaries("1h"))
ALARM = AlarmWatcher(Gate(CheckpointBehindMilestone(600), project_id=PROJECT))
every_watcher = pytest.mark.parametrize("watcher", [MILESTONE, DAILY, ALARM], ids=lambda one: one.kind)


class Watching:
    """A watcher, and an OMS with other answers at every poll. ``crash`` loses what was not stored yet."""

    def __init__(self, watcher, remembered=BEGUN):
        self.watcher = watcher
        self.remembered = remembered
        self.stored = json.dumps(remembered.as_dict())
        self.script = Script(watcher.gate)
        self.fired = []

    def poll(self, at, *args, **kwargs):
        self.stored = json.dumps(self.remembered.as_dict())
        self.script.gate = gate_now(self.watcher, self.remembered)
        verdict = self.script.poll(at, *args, **kwargs)
        self.remembered, event = judge(self.watcher, self.remembered, verdict, at)
        if event is None:
            return None
        told = payload(self.watcher, "asset", event, verdict, at)
        assert json.loads(json.dumps(told, allow_nan=False)) == told
        self.fired.append(told)
        return told["event"]

    def crash(self):
        self.remembered = Remembered.from_dict(json.loads(self.stored))
        self.script = Script(self.watcher.gate)


def running(checkpoint, **more):
    return progress(fullTransferProgress=100, incrSyncCheckpoint=checkpoint, **more)


class TestAnyWatcher:
    @every_watcher
    def test_it_survives_json_and_its_settings_decide_nothing_of_its_memory(self, watcher):
        assert from_json(watcher.as_json()) == watcher
        assert from_json(from_json(watcher.as_json()).as_json()) == watcher
        patient = replace(watcher, gate=replace(watcher.gate, poke_interval=77.0, failure_grace=1.0))
        assert patient.key == watcher.key
        assert patient.as_json() != watcher.as_json()

    @every_watcher
    def test_its_memory_is_that_of_one_milestone_project_and_connection(self, watcher):
        gate = watcher.gate
        others = [
            replace(watcher, gate=replace(gate, oms_conn_id="other")),
            replace(watcher, gate=replace(gate, project_name=None, project_id="np_other")),
        ]
        assert len({one.key for one in (MILESTONE, DAILY, HOURLY, ALARM, *others)}) == 4 + 2

    def test_a_setting_that_a_later_version_adds_makes_it_no_other_one(self):
        """Otherwise an upgrade would lose its memory, and with it which events it has fired."""
        plain = MilestoneWatcher(Gate(CheckpointLagMilestone(60), project_id="np_1"))
        assert plain.identity[-1] == {"kind": "checkpoint_lag", "max_lag": 60}
        other = replace(plain, gate=replace(plain.gate, milestone=CheckpointLagMilestone(60, hold_for=5)))
        assert other.key != plain.key

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            '"x"',
            "{1",
            MILESTONE.as_json().replace('"milestone"', '"magic"', 1),
            MILESTONE.as_json().replace('"rearm_after"', '"later"'),
            MILESTONE.as_json().replace("full_transfer", "half_transfer"),
            DAILY.as_json().replace("1d", "5h"),
            ALARM.as_json().replace("behind", "ahead"),
        ],
    )
    def test_settings_that_are_not_known_here_are_refused(self, text):
        with pytest.raises(ValueError):  # noqa: PT011 - in the words of whoever found it
            from_json(text)

    @pytest.mark.parametrize(
        "stored", [None, 1, {}, {**BEGUN.as_dict(), "levels": {"reached": 1}}, {**BEGUN.as_dict(), "series": [1]}]
    )
    def test_a_memory_that_is_none_is_refused(self, stored):
        with pytest.raises(ValueError, match="not what"):
            Remembered.from_dict(stored)

    def test_nothing_that_oms_says_breaks_the_payload(self):
        verdict = Verdict(
            State.REACHED, "a\udc80b\n" + "x" * 5000, Observation("np\ud800", lag=float("inf"), step="\x00")
        )
        _, event = judge(MILESTONE, BEGUN, replace_status(verdict, "RUNNING"), MIDNIGHT)
        told = payload(MILESTONE, "asset", event, verdict, MIDNIGHT)
        json.dumps(told, allow_nan=False).encode()
        assert all(str(value).isprintable() for value in told.values())
        assert told["observed"]["lag"] is None
        assert len(told["message"]) < 1100


def replace_status(verdict, status):
    return verdict._replace(observed=verdict.observed._replace(status=status))


class TestAMilestone:
    def test_it_is_fired_when_the_milestone_is_reached(self):
        watching = Watching(MILESTONE)
        watching.script.memory.projects["shop"] = PROJECT
        told = [
            watching.poll(MIDNIGHT + at, progress(fullTransferProgress=percent))
            for at, percent in enumerate([99, 100, 100])
        ]
        assert told == [None, "reached", None]
        (told,) = watching.fired
        assert told["project"] == PROJECT
        assert told["project_name"] == "shop"
        assert "100 %" in told["message"]

    def test_an_outage_and_a_refused_login_change_nothing(self):
        watching = Watching(replace(MILESTONE, rearm_after=0))
        watching.script.memory.projects["shop"] = PROJECT
        done = progress(fullTransferProgress=100)
        told = [watching.poll(MIDNIGHT, done)]
        for number, error in enumerate([OmsUnreachableError("gone"), OmsAuthenticationError("no")] * 20):
            told.append(watching.poll(MIDNIGHT + 60 * number, error=error))
        told.append(watching.poll(MIDNIGHT + 9999, done))
        assert told == ["reached", *[None] * 41]

    def test_failed_is_a_level(self):
        watching = Watching(MILESTONE)
        watching.script.memory.projects["shop"] = PROJECT
        failed = progress("FAILED", fullTransferProgress=50)
        at = [0, 30, 150, 180, 9000]
        assert [watching.poll(MIDNIGHT + second, failed) for second in at] == [None, None, "failed", None, None]
        assert watching.poll(MIDNIGHT + 9030, progress(fullTransferProgress=100)) == "reached"

    def test_the_same_event_again_has_the_same_id_and_another_has_another(self):
        lag = MilestoneWatcher(Gate(CheckpointLagMilestone(60), project_id=PROJECT), rearm_after=0)
        watching = Watching(lag)

        def at(second, behind):
            return watching.poll(MIDNIGHT + second, running(MIDNIGHT + second - behind))

        assert at(0, 10) == "reached"
        watching.crash()  # before it was stored
        assert at(30, 10) == "reached"
        assert (at(60, 100), at(90, 10)) == (None, "reached")
        watching.remembered = replace(BEGUN, begun="2027")  # the store was emptied
        assert at(120, 10) == "reached"
        ids = [one["id"] for one in watching.fired]
        assert ids[0] == ids[1]
        assert len(set(ids)) == 3

    def test_another_project_of_the_same_name_is_another_one(self):
        """The first was deleted; the second is created and done before ``rearm_after`` is over."""
        watching = Watching(MILESTONE)
        done = Verdict(State.REACHED, "", Observation("np_1", "RUNNING"))
        gone = Verdict(State.FAILED, "", Observation(None, "DELETED"))
        for verdict, said in ((done, "reached"), (gone, "failed"), (done, None)):
            watching.remembered, event = judge(MILESTONE, watching.remembered, verdict, MIDNIGHT)
            assert (event and event.name) == said
        other = replace_status(done._replace(observed=done.observed._replace(project="np_2")), "RUNNING")
        watching.remembered, event = judge(MILESTONE, watching.remembered, other, MIDNIGHT)
        assert event.name == "reached"
        assert event.which.endswith(" 2")
        assert is_gone(gone)
        waiting_for_that = gone._replace(state=State.REACHED)
        assert not any(map(is_gone, (done, other, waiting_for_that, replace_status(gone, "FAILED"))))


ODD = st.sampled_from([None, 0, -1, "2,3", "soon", 9e17, "RUNNING_MODIFYING", "SUSPEND", "FAILED", "gone", "login"])


class TestUntilWhenItIsComplete:
    @often
    @given(
        st.lists(
            st.tuples(st.sampled_from([30.0, 600.0, HOUR, 5 * HOUR]), st.integers(0, 4 * 3600) | ODD, st.booleans()),
            max_size=25,
        )
    )
    def test_each_boundary_comes_once_in_its_order_and_never_too_early(self, polls):
        """Whatever the lag is, whatever OMS answers in between, and wherever the watcher crashes."""
        watching, time, furthest = Watching(HOURLY), MIDNIGHT, 0.0
        for passed, seen, crashes in polls:
            time += passed
            if isinstance(seen, int) and 0 <= seen <= 4 * 3600:
                furthest = time - seen
                fired = watching.poll(time, running(furthest))
            elif seen in ("gone", "login"):
                error = OmsUnreachableError("gone") if seen == "gone" else OmsAuthenticationError("no")
                fired = watching.poll(time, error=error)
                assert fired is None
            elif seen in ("SUSPEND", "FAILED", "RUNNING_MODIFYING"):
                fired = watching.poll(time, running(furthest or None, status=seen))
                # While objects are being added, their checkpoint isn't known.
                assert not (fired and seen == "RUNNING_MODIFYING")
            else:
                fired = watching.poll(time, running(seen))
                assert fired is None
            if fired:
                until = watching.fired[-1]["complete_until"]
                assert MIDNIGHT - 5 * HOUR < unix(until) < furthest
            if crashes:
                watching.crash()
        ids = list(dict.fromkeys(one["id"] for one in watching.fired))
        until = list(dict.fromkeys(unix(one["complete_until"]) for one in watching.fired))
        assert len(ids) == len(until)
        assert until == [until[0] + HOUR * number for number in range(len(until))] if until else True

    def test_the_first_is_the_last_that_was_passed(self):
        watching = Watching(HOURLY)
        at = MIDNIGHT + 10 * HOUR
        assert watching.poll(at, running(at - 2.5 * HOUR)) is None
        assert watching.poll(at + 30, running(at - 2.4 * HOUR)) == "complete_until"
        (told,) = watching.fired
        assert told["complete_until"] == "2026-11-28T07:00:00+08:00"
        assert told["complete_from"] == "2026-11-28T06:00:00+08:00"
        assert (told["every"], told["timezone"]) == ("1h", "Asia/Shanghai")

    def test_a_checkpoint_on_a_boundary_has_not_passed_it(self):
        watching = Watching(DAILY)
        assert [watching.poll(MIDNIGHT + at, running(MIDNIGHT)) for at in (-60, -30)] == [None, "complete_until"]
        assert watching.fired[-1]["complete_until"] == "2026-11-27T00:00:00+08:00"
        assert watching.poll(MIDNIGHT + 30, running(MIDNIGHT)) is None
        assert watching.poll(MIDNIGHT + 60, running(MIDNIGHT + 1)) == "complete_until"
        assert watching.fired[-1]["complete_until"] == "2026-11-28T00:00:00+08:00"

    def test_after_an_outage_it_catches_up_one_by_one(self):
        watching = Watching(HOURLY, replace(BEGUN, complete_until=MIDNIGHT))
        at = MIDNIGHT + 5 * HOUR + 1
        assert [watching.poll(at + number, running(at)) for number in range(6)] == ["complete_until"] * 5 + [None]
        assert [one["complete_until"][11:16] for one in watching.fired] == ["01:00", "02:00", "03:00", "04:00", "05:00"]

    @pytest.mark.parametrize(
        ("seen", "why"),
        [
            (progress(fullTransferProgress=99, incrSyncCheckpoint=MIDNIGHT + 9), "the full transfer isn't done"),
            (running(MIDNIGHT + 5 * DAY), "ahead of OMS's own clock"),
            (running("1,2"), "no time"),
            (running(MIDNIGHT + 9, enableIncrSync=False), "no incremental synchronization"),
            (running(MIDNIGHT + 9, status="RUNNING_MODIFYING"), "objects are being added"),
        ],
    )
    def test_a_checkpoint_that_a_gate_would_not_believe_counts_for_nothing(self, seen, why):
        watching = Watching(DAILY)
        assert [watching.poll(MIDNIGHT + at, seen) for at in (60, 90)] == [None, None], why
        assert watching.remembered.complete_until is None


def unix(text):
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


class TestAnAlarm:
    def alarms(self, watcher, polls):
        watching = Watching(watcher)
        return [watching.poll(MIDNIGHT + at, seen, **more) for at, seen, more in polls]

    def behind(self, *seconds, lag=1000, every=30, **more):
        return [(at, running(MIDNIGHT + at - lag, **more), {}) for at in seconds]

    def test_behind_for_a_while(self):
        assert self.alarms(ALARM, self.behind(0, 150, 299, 300, 400)) == [None, None, None, "behind", None]

    def test_a_moment_without_lag_begins_again(self):
        polls = [*self.behind(0, 150), *self.behind(200, lag=5), *self.behind(210, 400, 510)]
        assert self.alarms(ALARM, polls) == [None] * 5 + ["behind"]

    def test_a_crash_does_not(self):
        watching = Watching(ALARM)
        for at in range(0, 300, 30):
            assert watching.poll(MIDNIGHT + at, running(MIDNIGHT + at - 1000)) is None
            watching.crash()
            assert watching.poll(MIDNIGHT + at + 1, running(MIDNIGHT + at - 1000)) is None
        assert watching.poll(MIDNIGHT + 331, running(MIDNIGHT - 1000)) == "behind"

    @pytest.mark.parametrize("checkpoint", [None, 0, -1, MIDNIGHT + 9999, "soon"])
    def test_what_is_missing_or_not_believed_is_never_late(self, checkpoint):
        watcher = replace(ALARM, hold_for=0, on=("behind", "still"))
        assert set(self.alarms(watcher, [(at, running(checkpoint), {}) for at in range(0, 9000, 300)])) == {None}

    def test_the_forward_checkpoint_after_a_switchover_is_not_late(self):
        seen = running(MIDNIGHT - 9000, currentStep="REVERSE_INCR_TRANSFER")
        watcher = replace(ALARM, hold_for=0)
        assert set(self.alarms(watcher, [(at, seen, {}) for at in range(0, 9000, 300)])) == {None}

    def test_a_paused_project_is_late(self):
        polls = self.behind(0, 300, status="SUSPEND")
        assert self.alarms(ALARM, polls) == [None, "behind"]

    def test_a_failed_project_is_fired_once_and_not_as_late(self):
        watcher = replace(ALARM, gate=replace(ALARM.gate, failure_grace=0.0))
        polls = self.behind(0, 150, 300, 600, status="FAILED")
        assert self.alarms(watcher, polls) == ["failed", None, None, None]

    def test_a_checkpoint_that_stands_still(self):
        polls = [(at, running(MIDNIGHT - 5), {}) for at in (0, 500, 599)]
        polls += [(600, running(MIDNIGHT - 5), {}), (630, running(MIDNIGHT - 5), {})]
        watcher = replace(ALARM, gate=replace(ALARM.gate, milestone=CheckpointBehindMilestone(DAY)), still_for=600)
        assert self.alarms(watcher, polls) == [None, None, None, "still", None]

    def test_a_standstill_outlives_a_crash_and_a_checkpoint_that_moves_is_not_kept(self):
        watcher = replace(ALARM, gate=replace(ALARM.gate, milestone=CheckpointBehindMilestone(DAY)), still_for=600)
        watching = Watching(watcher)
        for at in range(0, 600, 30):
            assert watching.poll(MIDNIGHT + at, running(MIDNIGHT - 5)) is None
        watching.poll(MIDNIGHT + 599, running(MIDNIGHT - 5))
        watching.crash()
        assert watching.poll(MIDNIGHT + 600, running(MIDNIGHT - 5)) == "still"
        kept = set()
        for at in range(700, 9000, 30):
            watching.poll(MIDNIGHT + at, running(MIDNIGHT + at - 5))
            kept.add(watching.stored)
        assert len(kept) <= 3  # fired, moving again, armed again

    def test_a_paused_one_does_not_stand_still(self):
        polls = [(at, running(MIDNIGHT - 5, status="SUSPEND"), {}) for at in (0, 500, 9000)]
        watcher = replace(ALARM, gate=replace(ALARM.gate, milestone=CheckpointBehindMilestone(DAY)), still_for=600)
        assert self.alarms(watcher, polls) == [None] * 3

    def test_oms_that_gives_no_answer_or_refuses_the_login(self):
        away = [(at, None, {"error": OmsUnreachableError("gone")}) for at in range(0, 661, 30)]
        assert self.alarms(ALARM, away) == [*[None] * 20, "unreachable", None, None]
        refused = [(at, None, {"error": OmsAuthenticationError("no")}) for at in (0, 30)]
        assert self.alarms(ALARM, refused) == ["unreachable", None]

    def test_only_what_is_asked_for(self):
        refused = [(at, None, {"error": OmsAuthenticationError("no")}) for at in (0, 30)]
        assert self.alarms(replace(ALARM, on=("behind",)), refused) == [None, None]


def test_a_milestone_that_is_a_status_may_be_the_end_of_a_project():
    deleted = MilestoneWatcher(Gate(ProjectStatusMilestone(("DELETED",)), project_id=PROJECT))
    _, event = judge(deleted, BEGUN, Verdict(State.REACHED, "", Observation(PROJECT, "DELETED")), MIDNIGHT)
    assert event.name == "reached"

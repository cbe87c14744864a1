"""The state machine without a network: every rule of OMS's states, and that it is a pure function of time."""

from __future__ import annotations

import itertools
import random

import pytest

from airflow_provider_oms.simulator import Clock, Failure, LiveProject, NotAllowed, Pause, Project, steps
from airflow_provider_oms.simulator.machine import evaluate

START = 1_800_000_000.0


def live(**given) -> LiveProject:
    return LiveProject(Project(**given), Clock(speed=0, start=START))


def started(**given) -> LiveProject:
    made = live(**given)
    made.start()
    return made


def statuses(project: LiveProject) -> dict[str, str]:
    return {name: step.status for name, step in project.state().steps.items()}


def lag(project: LiveProject) -> float:
    state = project.state()
    return state.time - state.forward.checkpoint


def test_nothing_happens_before_the_start():
    project = live()
    project.clock.advance(3600)
    assert project.status == "INIT"
    assert set(statuses(project).values()) == {"INIT"}
    assert project.state().forward.checkpoint is None


def test_the_steps_follow_one_another():
    project = started()
    observed = []
    for _ in range(25):
        if project.current_step not in observed:
            observed.append(project.current_step)
        project.clock.advance(1)
    assert observed == project.project.step_names[:7]


def test_progress_of_the_full_transfer():
    project = started()
    project.clock.advance(4 + 3.7)
    assert project.progress(steps.FULL) == 37
    assert project.state().forward.checkpoint is None


def test_incremental_stays_running_above_the_threshold_and_monitoring_is_sticky():
    project = started(initial_lag=3300, catch_up_rate=11, steady_lag=0)
    project.clock.advance(15 + 299)
    assert project.step_status(steps.INCR) == "RUNNING"
    project.clock.advance(2)
    assert project.step_status(steps.INCR) == "MONITORING"
    project.set(idle_source=True)
    project.clock.advance(4000)
    assert lag(project) > 3600
    assert project.step_status(steps.INCR) == "MONITORING"


def test_an_idle_source_never_reaches_monitoring():
    project = started(initial_lag=301, idle_source=True)
    project.clock.advance(100_000)
    assert project.step_status(steps.INCR) == "RUNNING"
    before = project.state().forward.checkpoint
    project.clock.advance(100)
    assert project.state().forward.checkpoint == before


def test_checkpoints_move_every_ten_seconds_only():
    project = started(initial_lag=5, steady_lag=1)
    project.clock.advance(15)
    observed = []
    for _ in range(60):
        project.clock.advance(1)
        state = project.state()
        observed.append((state.forward.sampled_at, state.forward.checkpoint))
    assert len(set(observed)) == 7
    moments = sorted({moment for moment, _ in observed})
    assert [b - a for a, b in itertools.pairwise(moments)] == [10] * 6


def test_the_lag_falls_as_described():
    project = started(initial_lag=100, catch_up_rate=5, steady_lag=2)
    project.clock.advance(15)
    assert lag(project) == pytest.approx(100)
    project.clock.advance(10)
    assert lag(project) == pytest.approx(60)
    project.clock.advance(100)
    assert lag(project) == pytest.approx(2)


def test_full_verification_stays_running_at_100_until_it_is_advanced():
    project = started()
    project.clock.advance(10_000)
    step = project.state().steps[steps.FULL_VERIFY]
    assert (step.status, step.progress) == ("RUNNING", 100)
    assert step.finish is not None
    assert project.step_status(steps.SWITCH) == "INIT"
    assert project.state().waits_for_person
    assert project.advance() == steps.SWITCH
    assert project.step_status(steps.FULL_VERIFY) == "FINISHED"


def test_the_switchover_waits_for_a_person_and_then_turns_the_direction():
    project = started()
    project.clock.advance(30)
    project.advance()
    project.clock.advance(86_400)
    step = project.state().steps[steps.SWITCH]
    assert (step.status, step.progress) == ("RUNNING", 0)
    assert project.advance() == steps.REVERSE
    frozen = project.state().forward.checkpoint
    assert statuses(project)[steps.INCR] == statuses(project)[steps.SWITCH] == "FINISHED"
    first = project.state().reverse.checkpoint
    project.clock.advance(60)
    assert project.state().forward.checkpoint == frozen
    assert project.state().reverse.checkpoint >= first + 59
    assert project.step_status(steps.REVERSE) == "MONITORING"
    assert project.status == "RUNNING"


def test_complete_switchover_goes_through_a_waiting_verification():
    project = started()
    with pytest.raises(NotAllowed):
        project.complete_switchover()
    project.clock.advance(30)
    project.complete_switchover()
    assert project.current_step == steps.REVERSE


def test_a_project_without_reverse_ends_with_the_switchover():
    project = started(enable_reverse_incr=False)
    project.clock.advance(30)
    project.complete_switchover()
    assert project.status == "FINISHED"


@pytest.mark.parametrize("verify", [True, False])
def test_a_project_without_incremental_finishes_by_itself(verify):
    project = started(enable_incr=False, enable_full_verify=verify)
    project.clock.advance(100)
    assert project.status == "FINISHED"
    assert set(statuses(project).values()) == {"FINISHED"}


def test_a_synchronization_runs_for_ever():
    project = started(type="SYNC")
    project.clock.advance(1_000_000)
    assert (project.status, project.current_step) == ("RUNNING", steps.INCR)


def test_stop_is_asynchronous_and_freezes_progress():
    project = started(stop_delay=3)
    project.clock.advance(6)
    project.stop()
    assert project.status == "RUNNING"
    project.clock.advance(3)
    assert project.status == "SUSPEND"
    assert project.step_status(steps.FULL) == "SUSPEND"
    assert project.progress(steps.FULL) == 50
    project.clock.advance(1000)
    assert project.progress(steps.FULL) == 50
    project.resume()
    project.clock.advance(1)
    assert project.progress(steps.FULL) == 60


def test_a_pause_freezes_the_checkpoint_while_the_lag_grows():
    project = started(initial_lag=1)
    project.clock.advance(60)
    project.pause()
    before = project.state().forward.checkpoint
    project.clock.advance(500)
    assert project.state().forward.checkpoint == before
    project.resume()
    assert project.step_status(steps.INCR) == "MONITORING"
    project.clock.advance(10)
    assert 400 < lag(project) < 520
    project.clock.advance(100)
    assert lag(project) < 12


def test_a_stop_in_a_project_that_finishes_first_is_forgotten():
    project = started(enable_incr=False, stop_delay=1000)
    project.stop()
    project.clock.advance(2000)
    assert project.status == "FINISHED"


def test_a_failure_at_a_percentage_needs_resume():
    project = started(failures=[Failure("FULL_TRANSFER", at=30, code="C-1", message="broken")])
    project.clock.advance(1000)
    step = project.state().steps[steps.FULL]
    assert (project.status, step.status, step.progress) == ("FAILED", "FAILED", 30)
    assert (step.error.code, step.failed_at) == ("C-1", pytest.approx(START + 7))
    project.resume()
    project.clock.advance(7)
    step = project.state().steps[steps.FULL]
    assert (step.status, step.error) == ("FINISHED", None)
    assert step.failed_at is not None


def test_a_failure_that_recovers_by_itself():
    project = started(failures=[Failure("FULL_TRANSFER", at=50, recover_after=60)])
    project.clock.advance(9 + 59)
    assert project.status == "FAILED"
    project.clock.advance(2)
    assert (project.status, project.progress(steps.FULL)) == ("RUNNING", 60)


def test_a_failure_may_come_twice():
    project = started(failures=[Failure("FULL_TRANSFER", at=50, times=2)])
    project.clock.advance(20)
    project.resume()
    assert project.status == "FAILED"
    project.resume()
    assert project.status == "RUNNING"


def test_a_step_may_fail_alone_and_a_paused_project_does_not_recover():
    project = started(failures=[Failure("INCR_TRANSFER", after=30, step_only=True, recover_after=60)])
    project.clock.advance(15 + 31)
    assert (project.status, project.step_status(steps.INCR)) == ("RUNNING", "FAILED")
    project.pause()
    project.clock.advance(600)
    assert project.status == "SUSPEND"
    project.resume()
    assert project.step_status(steps.INCR) == "MONITORING"


def test_a_project_pauses_by_itself():
    project = started(pauses=[Pause("FULL_TRANSFER", at=20)])
    project.clock.advance(100)
    assert (project.status, project.progress(steps.FULL)) == ("SUSPEND", 20)
    project.resume()
    project.clock.advance(8)
    assert project.progress(steps.FULL) == 100


def test_by_hand_fail_recover_and_lag():
    project = started()
    project.clock.advance(60)
    project.set_lag(777)
    assert lag(project) == pytest.approx(777)
    project.fail(steps.INCR, code="X", message="y")
    assert project.status == "FAILED"
    project.recover()
    assert (project.status, project.step_status(steps.INCR)) == ("RUNNING", "MONITORING")
    with pytest.raises(ValueError, match="colour"):
        project.set(colour="red")


def test_release_takes_a_while():
    project = started(release_delay=30)
    project.pause()
    project.release()
    project.clock.advance(29)
    assert project.status == "RELEASING"
    project.clock.advance(1)
    assert project.status == "RELEASED"


def test_the_project_waits_after_a_step_that_says_so():
    project = started(wait_after=["STRUCT_MIGRATION"])
    project.clock.advance(1000)
    assert (project.current_step, project.step_status(steps.STRUCT)) == (steps.STRUCT, "FINISHED")
    assert project.advance() == steps.LOG_PULL


def test_configure_sets_whether_it_waits_after_the_schema():
    project = live(wait_after=["STRUCT_TRANSFER"])
    project.configure({})
    project.start()
    project.clock.advance(5)
    assert project.current_step == steps.FULL


def test_incremental_verification_becomes_monitoring():
    project = started(enable_incr_verify=True)
    project.clock.advance(15 + 1)
    assert project.step_status(steps.INCR_VERIFY) == "INIT"
    project.clock.advance(10)
    assert project.step_status(steps.INCR_VERIFY) == "MONITORING"
    project.complete_switchover()
    assert project.step_status(steps.INCR_VERIFY) == "FINISHED"


ALLOWED = {
    "start": {"INIT"},
    "stop": {"RUNNING"},
    "resume": {"SUSPEND", "FAILED"},
    "release": {"SUSPEND", "FAILED", "FINISHED"},
    "check_delete": {"INIT", "RELEASED"},
}


@pytest.mark.parametrize("status", ["INIT", "RUNNING", "SUSPEND", "FAILED", "FINISHED", "RELEASING", "RELEASED"])
@pytest.mark.parametrize("operation", sorted(ALLOWED))
def test_which_operation_is_allowed_in_which_state(status, operation):
    project = live(status=status)
    assert project.status == status
    if status in ALLOWED[operation]:
        getattr(project, operation)()
    else:
        with pytest.raises(NotAllowed, match=status):
            getattr(project, operation)()
        assert project.status == status


@pytest.mark.parametrize("status", ["RUNNING_MODIFYING", "RUNNING_ALARMING", "DELETED", "SOMETHING_NEW"])
def test_other_statuses_are_shown_as_they_are(status):
    project = live(status=status)
    assert project.status == status
    assert project.state().running is status.startswith("RUNNING")


def test_beginning_in_the_middle():
    project = live(status="RUNNING", step="FULL_TRANSFER", step_progress=40)
    assert project.progress(steps.FULL) == 40
    assert project.step_status(steps.STRUCT) == "FINISHED"
    project.clock.advance(6)
    assert project.progress(steps.FULL) == 100
    project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=100)
    assert project.state().waits_for_person
    assert project.step_status(steps.INCR) == "MONITORING"
    project = live(status="RUNNING", step="REVERSE_INCR_TRANSFER")
    assert project.step_status(steps.INCR) == "FINISHED"
    frozen = project.state().forward.checkpoint
    project.clock.advance(100)
    assert project.state().forward.checkpoint == frozen


@pytest.mark.parametrize("seed", range(5))
def test_what_a_project_is_does_not_depend_on_how_often_it_is_asked(seed):
    """One project is read at random times, an equal one only at the end: both have the same state."""
    dice = random.Random(seed)
    given = {
        "id": "np_twin",
        "initial_lag": 900,
        "failures": [Failure("FULL_TRANSFER", at=33, recover_after=7)],
        "pauses": [Pause("STRUCT_TRANSFER", at=10)],
    }
    one, two = started(**given), started(**given)
    for clock in (one.clock, two.clock):
        clock.advance(5)
    one.state()
    one.resume()
    two.resume()
    passed = 0.0
    while passed < 200:
        seconds = dice.random() * 13
        passed += seconds
        one.clock.advance(seconds)
        one.state()
        two.clock.advance(seconds)
    a, b = one.state(), two.state()
    assert a.status == b.status
    assert {n: (s.status, s.progress) for n, s in a.steps.items()} == {
        n: (s.status, s.progress) for n, s in b.steps.items()
    }
    assert a.forward.checkpoint == pytest.approx(b.forward.checkpoint, abs=1e-3)
    again = evaluate(one.project, one.created, one.history, one.clock.now())
    assert vars(again.forward) == vars(a.forward)


@pytest.mark.parametrize("seed", range(5))
def test_checkpoints_and_progress_never_go_back(seed):
    dice = random.Random(seed)
    project = started(initial_lag=dice.random() * 1000)
    before = (0, 0.0)
    for _ in range(200):
        project.clock.advance(dice.random() * 5)
        if dice.random() < 0.1:
            (project.pause if project.status == "RUNNING" else project.resume)()
        state = project.state()
        now = (state.steps[steps.FULL].progress, state.forward.checkpoint or 0.0)
        assert now[0] >= before[0]
        assert now[1] >= before[1]
        before = now


class TestSkippedVerification:
    def test_it_is_finished_below_100_and_the_next_step_waits(self):
        project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=40)
        project.skip_verification()
        step = project.state().steps[steps.FULL_VERIFY]
        assert (step.status, step.progress, step.marked) == ("FINISHED", 40, True)
        assert (project.status, project.current_step) == ("RUNNING", steps.SWITCH)
        project.clock.advance(1000)
        assert project.progress(steps.FULL_VERIFY) == 40

    def test_in_a_failed_and_in_a_paused_project(self):
        project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=40)
        project.fail()
        project.skip_verification(marked=False)
        assert (project.status, project.current_step) == ("RUNNING", steps.SWITCH)
        assert not project.state().steps[steps.FULL_VERIFY].marked
        project = live(status="SUSPEND", step="FULL_VERIFIER", step_progress=40)
        project.skip_verification()
        assert (project.status, project.current_step) == ("SUSPEND", steps.FULL_VERIFY)
        project.resume()
        assert (project.status, project.current_step) == ("RUNNING", steps.SWITCH)

    def test_only_while_it_is_being_verified(self):
        for given in ({}, {"status": "RUNNING", "step": "INCR_TRANSFER"}, {"status": "RUNNING", "step": "APP_SWITCH"}):
            with pytest.raises(NotAllowed):
                live(**given).skip_verification()


class TestVerifiedAgain:
    def test_the_step_runs_from_the_beginning(self):
        project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=100)
        assert project.state().waits_for_person
        project.reverify()
        assert project.progress(steps.FULL_VERIFY) == 0
        assert not project.state().waits_for_person
        project.clock.advance(3)
        assert project.progress(steps.FULL_VERIFY) == 100
        assert project.state().waits_for_person

    def test_a_failed_one_and_one_under_way(self):
        project = live(status="RUNNING", step="FULL_VERIFIER", step_progress=50)
        with pytest.raises(NotAllowed, match="not complete"):
            project.reverify()
        project.fail(step_only=True)
        project.reverify()
        assert project.step_status(steps.FULL_VERIFY) == "RUNNING"
        with pytest.raises(ValueError, match="stale"):
            project.reverify(stale="rows")


class TestVerificationOfItsOwn:
    def test_its_steps_and_its_life(self):
        project = started(type="VERIFY")
        assert list(statuses(project)) == [steps.PRECHECK, steps.FULL_VERIFY]
        project.clock.advance(2)
        assert project.current_step == steps.FULL_VERIFY
        project.clock.advance(2)
        assert project.status == "FINISHED"
        assert statuses(project)[steps.FULL_VERIFY] == "FINISHED"

    def test_a_skipped_one_ends(self):
        project = live(type="VERIFY", status="RUNNING", step="FULL_VERIFIER", step_progress=70)
        project.skip_verification()
        assert (project.status, project.progress(steps.FULL_VERIFY)) == ("FINISHED", 70)


@pytest.mark.parametrize("step", [steps.STRUCT, steps.LOG_PULL, steps.INDEX])
def test_a_step_that_was_done_can_fail_and_is_done_again_after_recovery(step):
    project = live(status="RUNNING", step="INCR_TRANSFER")
    project.fail(step, step_only=True, recover_after=60)
    assert (project.status, project.step_status(step)) == ("RUNNING", "FAILED")
    project.clock.advance(60)
    assert project.step_status(step) == "FINISHED"


class TestScript:
    def test_what_happens_happens_at_its_time(self):
        project = live(
            status="RUNNING",
            step="FULL_TRANSFER",
            durations={"FULL_TRANSFER": 100},
            script=[
                {"after": 30, "do": "pause"},
                {"after": 10, "do": "fail", "args": {"message": "no space left", "recover_after": 5}},
            ],
        )
        project.clock.advance(10)
        assert project.status == "FAILED"
        assert project.state().steps[steps.FULL].error.message == "no space left"
        project.clock.advance(5)
        assert project.status == "RUNNING"
        project.clock.advance(15)
        assert project.status == "SUSPEND"
        project.resume()
        project.clock.advance(1)
        assert (project.status, project.progress(steps.FULL)) == ("RUNNING", 26)

    def test_what_the_state_does_not_allow_does_not_happen(self):
        project = live(script=[{"after": 1, "do": "resume"}, {"after": 2, "do": "start"}])
        project.clock.advance(2)
        assert project.status == "RUNNING"
        (words,) = project.state().not_allowed
        assert "resume: " in words

    @pytest.mark.parametrize(
        ("item", "words"),
        [
            ({"after": 1, "do": "explode"}, "explode"),
            ({"after": 1, "do": "jump"}, "jump"),
            ({"after": 1, "do": "pause", "args": {"x": 1}}, "x"),
            ({"after": 1}, "do"),
            ({"after": 1, "do": "fail", "args": {"step": "NONE"}}, "NONE"),
            ({"after": 1, "do": "show", "args": {"where": "NONE"}}, "NONE"),
            ({"after": 1, "do": "set", "args": {"status": "X"}}, "status"),
            ({"after": 1, "do": "reverify", "args": {"stale": "rows"}}, "stale"),
            ({"after": 1, "do": "modify", "args": {"fast": True}}, "fast"),
            ({"after": 1, "do": "fail_modification", "args": {"why": "x"}}, "why"),
        ],
    )
    def test_what_cannot_be_done_is_said_at_once(self, item, words):
        with pytest.raises(ValueError, match=words):
            live(name="shop", script=[item])


class TestShownValues:
    def test_a_key_that_does_not_exist(self):
        with pytest.raises(ValueError, match="nonsense"):
            live(shown={"nonsense": {}})

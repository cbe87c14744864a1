"""When a condition that lasts becomes an event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_oms.milestones.edges import Level, Patience, first, follow, is_answered, lasts_of
from airflow_provider_oms.milestones.verdict import Observation, State, Verdict

NOW = 1_800_000_000.0
REARM = 300.0
PATIENCE = dict.fromkeys("abc", Patience(REARM))

often = settings(max_examples=300, derandomize=True, deadline=None, database=None)

#: Seconds since the previous poll, and the result of the poll.
polls = st.lists(
    st.tuples(st.sampled_from([1.0, 30.0, 100.0, 299.0, 300.0, 4000.0]), st.sampled_from([True, False, None]))
)


def fired_at(seen, rearm_after=REARM, hold_for=0.0):
    """Return the numbers of the polls at which the event was fired."""
    level, time, found = Level(), NOW, []
    for number, (passed, lasts) in enumerate(seen):
        time += passed
        # The state is stored and read again between any two polls.
        level, fires = follow(
            Level.from_dict(json.loads(json.dumps(level.as_dict()))), lasts, time, Patience(rearm_after, hold_for)
        )
        if fires:
            found.append(number)
    assert level.times == len(found)
    return found


def told_plainly(seen, rearm_after=REARM):
    """Compute the same directly from the rule: polls without a result are left out, then each period is examined."""
    time, known = NOW, []
    for number, (passed, lasts) in enumerate(seen):
        time += passed
        if lasts is not None:
            known.append((number, time, lasts))
    found = []
    for index, (number, _, lasts) in enumerate(known):
        if not lasts:
            continue
        over = []
        for _, at, before in reversed(known[:index]):
            if before:
                break
            over.append(at)
        # Not so, at a poll, for this long since the first poll of the period; or no event was ever fired.
        if not found or (over and over[0] - over[-1] >= rearm_after):
            found.append(number)
    return found


class TestASeries:
    @often
    @given(polls, st.sampled_from([0.0, REARM]))
    def test_events_are_fired_as_the_rule_says(self, seen, rearm_after):
        assert fired_at(seen, rearm_after) == told_plainly(seen, rearm_after)

    @often
    @given(polls)
    def test_polls_that_show_nothing_change_nothing(self, seen):
        thick = [entry for passed, lasts in seen for entry in ((passed / 2, None), (passed / 2, lasts))]
        assert [number // 2 for number in fired_at(thick)] == fired_at(seen)

    @pytest.mark.parametrize(
        ("seen", "fired"),
        [
            ("R", [0]),  # already so at the first poll, with no event before
            ("nR", [1]),
            ("R?R", [0]),  # an outage
            ("RnR", [0]),  # not so for a moment
            ("RnnnnnnnnnnnR", [0, 12]),  # not so for 300 s
            ("RnnnnnnnnnnR", [0]),  # not so for 270 s
            ("RnnnnnRnnnnnnR", [0]),  # not so for 300 s, with an interruption
            ("????", []),
        ],
    )
    def test_known_ones(self, seen, fired):
        lasts = {"R": True, "n": False, "?": None}
        assert fired_at([(30.0, lasts[one]) for one in seen]) == fired

    def test_a_clock_that_was_set_back_rearms_later(self):
        level, _ = follow(Level(True, 1), False, NOW, Patience(REARM))
        level, _ = follow(level, False, NOW - 5000, Patience(REARM))
        assert follow(level, False, NOW - 4701, Patience(REARM))[0].told
        assert not follow(level, False, NOW - 4700, Patience(REARM))[0].told

    @pytest.mark.parametrize(
        ("seen", "fired"),
        [
            ("RRRRR", [4]),  # 120 s after it was first observed
            ("RR?R?R", [5]),  # an outage doesn't interrupt it
            ("RRRnRRRRR", [8]),
            ("R???R", [4]),
        ],
    )
    def test_what_has_to_last_for_a_while(self, seen, fired):
        lasts = {"R": True, "n": False, "?": None}
        assert fired_at([(30.0, lasts[one]) for one in seen], hold_for=120.0) == fired


class TestSeveral:
    def test_those_that_begin_at_once_are_fired_one_after_the_other(self):
        levels, told = {}, []
        for _ in range(4):
            levels, fired = first(levels, {"a": True, "b": True, "c": False}, NOW, PATIENCE)
            told.append(fired)
        assert told == ["a", "b", None, None]

    def test_one_that_is_over_before_its_turn_is_not_told(self):
        levels, _ = first({}, {"a": True, "b": True}, NOW, PATIENCE)
        assert first(levels, {"a": True, "b": False}, NOW, PATIENCE)[1] is None


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict(State.REACHED, "", Observation(status="RUNNING", time="2027")), (True, False)),
        (Verdict(State.WAITING, "", Observation(status="RUNNING", time="2027")), (False, False)),
        (Verdict(State.WAITING, "", Observation(time="2027")), (False, False)),  # OMS gives no status
        (Verdict(State.FAILED, "", Observation(status="FAILED", time="2027")), (False, True)),
        (Verdict(State.FAILED, "", Observation(status="DELETED")), (False, True)),
        (Verdict(State.WAITING, "", Observation(project="np_1")), (None, None)),  # an outage
        (Verdict(State.FAILED, "", Observation(project="np_1")), (None, None)),  # a long outage, or a wrong password
    ],
)
def test_what_a_verdict_tells(verdict, told):
    assert tuple(lasts_of(verdict).values()) == told
    assert is_answered(verdict) is (told != (None, None))


GOOD = {"told": True, "times": 1, "since": None}


@pytest.mark.parametrize(
    "stored", [None, {}, [], "x", {"told": True}, {**GOOD, "told": 1}, {**GOOD, "times": "1"}, {**GOOD, "since": "now"}]
)
def test_what_was_not_stored_by_us_is_not_guessed_at(stored):
    with pytest.raises(ValueError, match="not what is remembered"):
        Level.from_dict(stored)

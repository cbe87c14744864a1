"""The rule for alarms about a late project: the opposite of the lag gate's rule, with the same safeguards."""

from __future__ import annotations

from airflow_provider_oms.client.operations import Flow
from airflow_provider_oms.milestones import freshness
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.kinds import CheckpointBehindMilestone
from airflow_provider_oms.milestones.steps import stream_of
from airflow_provider_oms.milestones.verdict import State, Verdict


def checkpoint_behind(milestone: CheckpointBehindMilestone, poll: PollContext) -> Flow[Verdict]:
    """The checkpoint lies more than ``min_lag`` seconds behind.

    A checkpoint that is missing or not believed says nothing about lateness, nor does the forward one after a
    switchover. A paused project can be late. For a failed project, the failure is reported instead.
    Sources: docs/develop/oms-facts.md#checkpoint-missing, docs/develop/oms-facts.md#checkpoint-ahead,
    docs/develop/oms-facts.md#checkpoint-frozen

    :param milestone: the milestone, with the lag
    :param poll: the poll of the project
    """
    answer = yield from poll.progress()
    reading = freshness.read(answer, milestone.direction)
    observed = poll.observation(answer, checkpoint=reading.checkpoint, lag=reading.lag)
    if reading.impossible:
        return poll.failed(reading.problem, observed)
    late = not reading.problem and not reading.remark and reading.trusted_lag > milestone.min_lag
    message = reading.problem or (
        f"The {milestone.direction} checkpoint lies {duration(reading.trusted_lag)} behind; the alarm is for more than "
        f"{duration(milestone.min_lag)}.{reading.remark}"
    )
    awaits = (stream_of(milestone.direction),)
    verdict = yield from poll.not_yet(message, answer, observed, awaits=awaits, alarming=reading.alarming)
    if late and verdict.state is State.WAITING:
        return poll.reached(message, observed)
    return verdict

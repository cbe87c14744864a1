"""How up to date the target is: which checkpoint counts, and when it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_oms.client.errors import safe_text
from airflow_provider_oms.client.fields import Checkpoint, value_or_none
from airflow_provider_oms.client.models import ProjectProgress
from airflow_provider_oms.client.protocol import Answer
from airflow_provider_oms.milestones.context import BELIEVABLE_AHEAD, lag_of
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.steps import StepKind, kind_of

# docs/develop/oms-facts.md#checkpoint-frozen
_FROZEN = (
    " The project is past its switchover, so the forward checkpoint stands still; "
    "the reverse one moves (direction='reverse')."
)


#: Seconds: OMS collects checkpoints every 10 s and writers save them every 10 s (OceanBase's ODC waits for 25).
#: Source: docs/develop/oms-facts.md#checkpoint-period
FINEST_LAG = 25.0


def caution(max_lag: float) -> str | None:
    """Return a warning about an allowed lag that is smaller than OMS can show; None if it isn't smaller.

    :param max_lag: seconds
    """
    if max_lag >= FINEST_LAG:
        return None
    return (
        f"max_lag is {duration(max_lag)}, but OMS moves checkpoints only every 10 to 20 s: "
        f"below {duration(FINEST_LAG)} the gate opens only by chance."
    )


@dataclass(frozen=True)
class Reading:
    """A checkpoint, and whether it can be trusted.

    :param checkpoint: the checkpoint as OMS sent it
    :param lag: seconds behind OMS's clock, not below 0; shown to people even if it isn't trusted
    :param problem: why it can't be trusted yet; empty if it can
    :param impossible: whether it will never be trusted
    :param alarming: whether a person should look at the problem
    :param remark: further information for a person
    """

    checkpoint: Checkpoint | None
    lag: float | None
    problem: str = ""
    impossible: bool = False
    alarming: bool = False
    remark: str = ""

    @property
    def trusted_lag(self) -> float:
        """The lag of a reading without a problem."""
        if self.problem or self.lag is None:
            raise AssertionError("asked a reading that isn't trusted for its lag")
        return self.lag

    @property
    def trusted_checkpoint(self) -> float:
        """The checkpoint of a reading without a problem, Unix seconds."""
        if self.problem or self.checkpoint is None or isinstance(self.checkpoint, str):
            raise AssertionError("asked a reading that isn't trusted for its checkpoint")
        return self.checkpoint


def read(answer: Answer[ProjectProgress], direction: str, *, full_transfer_done: bool = False) -> Reading:
    """Read the checkpoint of a direction.

    Sources: docs/develop/oms-facts.md#checkpoint-units (sources whose checkpoint isn't a time),
    docs/develop/oms-facts.md#checkpoint-missing, docs/develop/oms-facts.md#checkpoint-ahead,
    docs/develop/oms-facts.md#checkpoint-frozen

    :param answer: the project's progress; its time is the "now" of the lag
    :param direction: ``forward`` or ``reverse``
    :param full_transfer_done: whether the step of the full transfer is done; this counts if OMS gives no percentage
        (docs/develop/oms-facts.md#odc-verdict)
    """
    data = answer.data
    forward = direction == "forward"
    enabled = data.enable_incr_sync if forward else data.enable_reverse_incr_transfer
    checkpoint = data.incr_sync_checkpoint if forward else data.reverse_incr_transfer_checkpoint
    lag = lag_of(checkpoint, answer.at)
    if enabled is False:
        return Reading(checkpoint, lag, f"The project has no {direction} incremental sync.", impossible=True)
    if isinstance(checkpoint, str) and checkpoint:
        return Reading(
            checkpoint,
            lag,
            f"The {direction} checkpoint is {safe_text(repr(checkpoint), 80)}: this source has no time-based "
            "checkpoint, so its lag can't be calculated.",
            impossible=True,
        )
    done = data.full_transfer_progress
    if data.enable_full_transfer is not False and done != 100 and not (done is None and full_transfer_done):
        at = "unknown" if done is None else f"at {done:g} %"
        return Reading(checkpoint, lag, f"The full transfer must be at 100 % first; it is {at}.")
    if lag is None or checkpoint is None or isinstance(checkpoint, str):
        return Reading(checkpoint, lag, f"There is no {direction} checkpoint yet.")
    if checkpoint > answer.at + BELIEVABLE_AHEAD:
        ahead = checkpoint - answer.at
        return Reading(
            checkpoint,
            lag,
            f"The {direction} checkpoint lies {duration(ahead)} ahead of now ({answer.clock} clock), which is "
            "impossible: that clock is slow, or the source's is fast.",
            alarming=True,
        )
    frozen = forward and kind_of(value_or_none(data, ProjectProgress.current_step)) is StepKind.REVERSE
    return Reading(checkpoint, lag, remark=_FROZEN if frozen else "")

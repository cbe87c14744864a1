"""Waits in this process: makes a gate from the options, and polls until it opens, fails or times out.

``milestones.poll`` decides, as it does for the sensors.
"""

from __future__ import annotations

import logging
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.cli.asking import Asker, ProjectFound
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.running import UsageError
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.words import said, seconds, span
from airflow_provider_oms.client.errors import OmsUnsupportedActionError
from airflow_provider_oms.client.operations import Flow, run_flow
from airflow_provider_oms.milestones.checks import check
from airflow_provider_oms.milestones.context import PollContext
from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import SHORTEST_INTERVAL, Gate
from airflow_provider_oms.milestones.kinds import (
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
    Milestone,
    ObjectsMilestone,
    ProjectStatusMilestone,
    StepMilestone,
)
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.rows import make_all_due
from airflow_provider_oms.milestones.verdict import State, Verdict
from airflow_provider_oms.tasks.clock import within_process
from airflow_provider_oms.tasks.polling import connect
from airflow_provider_oms.tasks.zones import read_moment

_ENDINGS = {
    State.REACHED: ("reached", Exit.OK),
    State.FAILED: ("failed", Exit.FAILED),
    State.WAITING: ("timeout", Exit.TIMEOUT),
}


def milestone_of(given: Namespace) -> Milestone | None:
    """Return the milestone that the options name; None if they name none.

    :param given: the arguments
    :raises UsageError: if they name more than one, or an invalid one
    """
    try:
        return _milestone_of(given)
    except UsageError:
        raise
    except ValueError as error:
        raise UsageError(str(error)) from None


def _milestone_of(given: Namespace) -> Milestone | None:
    max_lag = None if given.max_lag is None else seconds("--max-lag", given.max_lag)
    wanted = [
        option
        for option, asked in (
            ("--step", given.step is not None),
            ("--full-transfer", given.full_transfer is not False),
            ("--max-lag", max_lag is not None and not given.cutover_ready),
            ("--checkpoint", given.checkpoint is not None),
            ("--cutover-ready", given.cutover_ready),
            ("--status", given.status is not None),
            ("--tables", given.tables is not None),
            ("--verified", given.verified),
        )
        if asked
    ]
    if len(wanted) > 1:
        raise UsageError(f"give one milestone; {' and '.join(wanted)} are given")
    option = wanted[0] if wanted else ""
    for name, needs in (
        ("until", ["--step"]),
        ("hold_for", ["--max-lag"]),
        ("direction", ["--max-lag", "--checkpoint"]),
        ("verification_project", ["--verified", "--cutover-ready"]),
        ("no_verification", ["--cutover-ready"]),
    ):
        if getattr(given, name) not in (None, False) and option not in needs:
            raise UsageError(f"--{name.replace('_', '-')} can only be used with {' or '.join(needs)}")
    direction = given.direction or "forward"
    if option == "--step":
        return StepMilestone(given.step, given.until or "done")
    if option == "--full-transfer":
        return FullTransferMilestone() if given.full_transfer is None else FullTransferMilestone(given.full_transfer)
    if option == "--max-lag":
        held = 0.0 if given.hold_for is None else seconds("--hold-for", given.hold_for)
        return CheckpointLagMilestone(max_lag or 0.0, direction, held)
    if option == "--checkpoint":
        return CheckpointReachedMilestone(read_moment("checkpoint", given.checkpoint), direction)
    if option == "--cutover-ready":
        verification = (not given.no_verification, given.verification_project)
        return CutoverReadyMilestone(CutoverReadyMilestone.max_lag if max_lag is None else max_lag, *verification)
    if option == "--tables":
        return ObjectsMilestone(given.tables)
    if option == "--status":
        return ProjectStatusMilestone(given.status)
    return FullVerificationMilestone(given.verification_project) if option else None


@dataclass(frozen=True)
class NoMilestone(Milestone):
    """The milestone if none is given. It is never reached, but it can fail, like every gate."""

    kind = "none"

    def describe(self) -> str:
        return "nothing but Ctrl-C"


def _no_milestone(milestone: NoMilestone, poll: PollContext) -> Flow[Verdict]:
    """Ask OMS for what is shown; the milestone is never reached."""
    answer = yield from poll.progress()
    with suppress(OmsUnsupportedActionError):  # OMS 3.3 doesn't offer them
        yield from poll.steps()
    return poll.waiting("", poll.observation(answer))


check.register(NoMilestone, _no_milestone)


@dataclass(frozen=True)
class Patience:
    """What to wait for, and how long.

    :param gate: the settings of the gate, with the project as it was typed
    :param timeout: seconds until the time-out; None for never
    """

    gate: Gate
    timeout: float | None

    @classmethod
    def read(cls, given: Namespace, milestone: Milestone) -> Patience:
        """Read the options.

        :param given: the arguments
        :param milestone: the milestone
        :raises UsageError: if an option is invalid; the message names it
        """
        if (given.project is None) == (given.label is None):
            raise UsageError("give PROJECT or --label LABEL")
        try:
            gate = Gate(
                milestone=milestone,
                project_name=given.project,
                fleet=None if given.label is None else Fleet(label=given.label),
                project_type=given.project_type,
                oms_conn_id=given.conn_id,
                poke_interval=max(SHORTEST_INTERVAL, seconds("--poke-interval", given.poke_interval)),
                fail_on_suspend=given.fail_on_suspend,
                allow_modifying=given.allow_modifying,
                failure_grace=seconds("--failure-grace", given.failure_grace),
                outage_tolerance=seconds("--outage-tolerance", given.outage_tolerance),
            )
        except UsageError:
            raise
        except ValueError as error:
            if given.label is not None:
                raise UsageError(str(error)) from None
            raise UsageError("PROJECT must be the id or the name of a project") from None
        return cls(gate, None if given.timeout is None else seconds("--timeout", given.timeout))


@dataclass(frozen=True)
class Observed:
    """A poll.

    :param gate: the gate that was polled: first a gate that finds the project, then the gate of the options
    :param verdict: its verdict
    :param next_poll: seconds until the next poll; None if this was the last
    """

    gate: Gate
    verdict: Verdict
    next_poll: float | None

    @property
    def finding(self) -> bool:
        """Whether the project itself isn't found yet."""
        return isinstance(self.gate.milestone, ProjectFound)


def polls(asker: Asker, patience: Patience) -> Iterator[Observed]:
    """Poll again and again. The last poll is at the deadline, so that a milestone reached just before it counts.

    :param asker: the asker
    :param patience: what to wait for, and how long
    """
    end = None if patience.timeout is None else time.monotonic() + patience.timeout
    memory = Memory()
    settings = {**vars(patience.gate)}
    gate = patience.gate
    if gate.fleet is None:
        gate = Gate(**{**settings, "milestone": ProjectFound(gate.project_name or "")})
    while True:
        asker.begin()
        if end is not None and time.monotonic() >= end:
            make_all_due(memory)
        sender, oms = connect(asker.hook, asker)
        verdict = run_flow(sender, poll(gate, memory, within_process(), oms))
        if isinstance(gate.milestone, ProjectFound) and verdict.state is State.REACHED:
            gate = Gate(**{**settings, "project_id": verdict.observed.project, "project_name": None})
            continue
        left = None if end is None else end - time.monotonic()
        over = verdict.state is not State.WAITING or (left is not None and left <= 0)
        pause = gate.poke_interval if left is None else min(gate.poke_interval, left)
        yield Observed(gate, verdict, None if over else pause)
        if over:
            return
        time.sleep(max(0.0, pause))


@dataclass(frozen=True)
class Outcome:
    """How waiting ended.

    :param word: reached, failed, timeout or interrupted
    :param code: the exit code
    :param message: the reason, for a person
    :param observed: the last poll; None if there was none
    """

    word: str
    code: Exit
    message: str
    observed: Observed | None

    @classmethod
    def of(cls, observed: Observed, patience: Patience) -> Outcome:
        """Return the outcome of the last poll."""
        word, code = _ENDINGS[observed.verdict.state]
        verdict = observed.verdict
        message = verdict.message
        if code is Exit.TIMEOUT:
            message = f"Still waiting after {span(patience.timeout)} (--timeout). {message}"
        if code is not Exit.OK:
            message = observed.gate.subject(verdict.observed).explain(message)
        return cls(word, code, said(message), observed)

    @classmethod
    def interrupted(cls, observed: Observed | None) -> Outcome:
        """Return the outcome after Ctrl-C."""
        message = (
            "Interrupted before OMS had answered."
            if observed is None
            else f"Interrupted. {said(observed.verdict.message)}"
        )
        return cls("interrupted", Exit.INTERRUPTED, message.strip(), observed)

    def as_dict(self, milestone: Milestone | None) -> dict[str, Any]:
        """Return it as JSON.

        :param milestone: the milestone
        """
        return {
            "outcome": self.word,
            "exit_code": int(self.code),
            "milestone": None if milestone is None else milestone.describe(),
            "message": self.message,
            "observed": None if self.observed is None else self.observed.verdict.observed.as_dict(),
        }


class ScreenLog:
    """The log of a gate, on stderr."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen

    def log(self, level: int, pattern: str, text: str) -> None:
        """Write a line."""
        style = "red" if level >= logging.ERROR else "yellow" if level >= logging.WARNING else ""
        self._screen.progress(said(pattern % text), style)

"""``watch``: shows a project, or the projects of a label, live."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from airflow_provider_oms.cli import observing
from airflow_provider_oms.cli.asking import Asker, check_connection, find_project
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.pictures import project, wave
from airflow_provider_oms.cli.pictures.parts import fold
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.waiting import NoMilestone, Observed, Outcome, Patience, ScreenLog, milestone_of, polls
from airflow_provider_oms.cli.words import said, shown, span
from airflow_provider_oms.client.errors import OmsError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.movement import Movement
from airflow_provider_oms.milestones.verdict import FleetObservation, Seen, State
from airflow_provider_oms.tasks.reporting import Reporter


def run(given: Namespace, screen: Screen) -> Exit:
    """Watch until the milestone, the time-out or Ctrl-C.

    :param given: the arguments
    :param screen: the output
    :raises OmsError: when Airflow has no such connection
    :raises UsageError: when the options don't describe a gate
    """
    milestone = milestone_of(given)
    patience = Patience.read(given, milestone or NoMilestone())
    if milestone and (caution := milestone.caution()):
        screen.note(caution, "yellow")
    check_connection(given.conn_id, patient=True)
    last: Observed | None = None
    try:
        with OmsHook(given.conn_id) as hook, _Watched(Asker(hook), patience, screen) as watched:
            for last in polls(watched.asker, patience):
                watched.update(last)
        assert last is not None  # noqa: S101 - there is always a last poll
        outcome = Outcome.of(last, patience)
    except KeyboardInterrupt:
        outcome = Outcome.interrupted(last)
    screen.write_json(outcome.as_dict(milestone), line=True)
    if outcome.code is Exit.OK and milestone:
        screen.result(f"Reached {milestone.describe()}. {outcome.message}", "green")
    elif outcome.code is Exit.INTERRUPTED and milestone is None:
        screen.note("Stopped.")
    else:
        screen.note(outcome.message, "bold red")
    return outcome.code


class _Watched:
    """Shows one poll after another: a picture that is redrawn, or lines if redrawing isn't possible."""

    def __init__(self, asker: Asker, patience: Patience, screen: Screen) -> None:
        self.asker = asker
        self._patience = patience
        self._screen = screen
        self._known: Mapping[str, Any] | None = None
        self._many: Sequence[Seen] | None = None
        self._movement = Movement(patience.gate.milestone.aim())
        self._observed: Observed | None = None
        self._polled = time.monotonic()
        self._reporter: Reporter | None = None
        self._said = ""
        self._live: Live | None = None

    def __enter__(self) -> _Watched:
        if self._screen.moves:
            console = self._screen.out
            self._live = Live(get_renderable=self._picture, console=console, refresh_per_second=2)
            self._live.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._live is not None:
            self._observed = None  # the last picture stays, without "next poll in"
            self._live.stop()
            self._live = None

    def update(self, observed: Observed) -> None:
        """Show a poll, with the answers on which its verdict is based.

        :param observed: the poll
        """
        seen = observed.verdict.observed
        if isinstance(seen, FleetObservation):
            self._update_many(observed, seen)
            return
        known = None if observed.finding else self._ask(observed)
        if known is not None:
            known = self._known = self._movement.add(known)
        self._observed, self._polled = observed, time.monotonic()
        self._screen.write_json({**_verdict(observed), "project": known}, line=True)
        if self._live is not None:
            self._live.refresh()
        elif not self._screen.as_json:
            self._write_lines(observed)

    def _update_many(self, observed: Observed, seen: FleetObservation) -> None:
        self._many, self._observed, self._polled = seen.projects, observed, time.monotonic()
        self._screen.write_json({**_verdict(observed), **seen.as_dict()}, line=True)
        if self._live is not None:
            self._live.refresh()
        elif not self._screen.as_json:
            self._report(observed)

    def _ask(self, observed: Observed) -> Mapping[str, Any] | None:
        try:
            found = self.asker.run_flow(find_project(observed.gate.project))
            return observing.ask(self.asker, found, self._patience.gate.project_type)
        except OmsError:  # the verdict covers it
            return None

    def _write_lines(self, observed: Observed) -> None:
        if (
            isinstance(observed.gate.milestone, NoMilestone)
            and self._known is not None
            and not observed.verdict.message
        ):
            line = ", ".join(
                part
                for part in (
                    f"status {shown(self._known['status'], 40)}",
                    f"step {shown(self._known['step'], 40)}" if self._known["step"] else "",
                    f"{self._known['progress']:g} %" if self._known["progress"] is not None else "",
                )
                if part
            )
            if line != self._said:
                self._said = line
                lag = f"lag {span(self._known['lag'])}" if self._known["lag"] is not None else ""
                told = ", ".join(filter(None, [line, lag, self._known["movement"]["message"]]))
                self._screen.result(f"{time.strftime('%H:%M:%S')}  {told}")
            return
        self._report(observed)

    def _report(self, observed: Observed) -> None:
        if self._reporter is None or self._reporter.gate is not observed.gate:
            self._reporter = Reporter(observed.gate, ScreenLog(self._screen))
        if observed.verdict.state is State.WAITING:
            self._reporter.report(observed.verdict)

    # -- The picture -----------------------------------------------------------------------------------------------

    def _picture(self) -> RenderableType:
        parts: list[RenderableType] = []
        if self._known is not None:
            parts.append(project.picture(self._known))
        if self._many is not None:
            parts.append(wave.picture(self._many, plain=isinstance(self._patience.gate.milestone, NoMilestone)))
        parts += self._footer()
        return Group(*parts)

    def _footer(self) -> list[RenderableType]:
        observed = self._observed
        if observed is None:
            return [] if self._known is not None or self._many is not None else [Text("Asking OMS ...")]
        message = said(observed.verdict.message)
        lines: list[RenderableType] = [Text("")]
        if isinstance(observed.gate.milestone, NoMilestone) or observed.finding:
            if message:
                lines.append(fold(message, "yellow"))
        else:
            lines.append(fold(f"Waiting for {observed.gate.milestone.describe()}", "bold"))
            lines.append(fold(message, "yellow" if observed.verdict.alarming else ""))
        if observed.next_poll is not None:
            left = max(0.0, self._polled + observed.next_poll - time.monotonic())
            lines.append(fold(f"Next poll in {span(round(left))}. Ctrl-C ends this, not the migration.", "dim"))
        return lines


def _verdict(observed: Observed) -> dict[str, Any]:
    alone = isinstance(observed.gate.milestone, NoMilestone) or observed.finding
    return {
        "outcome": None,
        "milestone": None if alone else observed.gate.milestone.describe(),
        "message": said(observed.verdict.message),
        "alarming": observed.verdict.alarming,
    }

"""``wait``: a gate for shell scripts and CI."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_oms.cli.asking import Asker, check_connection
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.running import UsageError
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.waiting import Observed, Outcome, Patience, ScreenLog, milestone_of, polls
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.verdict import State
from airflow_provider_oms.tasks.reporting import Reporter


def run(given: Namespace, screen: Screen) -> Exit:
    """Wait, and print the result.

    :param given: the arguments
    :param screen: the output
    :raises OmsError: when Airflow has no such connection
    :raises UsageError: when the options don't describe a gate
    """
    milestone = milestone_of(given)
    if milestone is None:
        raise UsageError(
            "give a milestone: --step, --full-transfer, --max-lag, --checkpoint, --cutover-ready, "
            "--status, --tables or --verified"
        )
    patience = Patience.read(given, milestone)
    if caution := milestone.caution():
        screen.note(caution, "yellow")
    check_connection(given.conn_id, patient=True)
    last: Observed | None = None
    reporter: Reporter | None = None
    try:
        with OmsHook(given.conn_id) as hook:
            for last in polls(Asker(hook), patience):
                if reporter is None or reporter.gate is not last.gate:
                    reporter = Reporter(last.gate, ScreenLog(screen))
                if last.verdict.state is State.WAITING:
                    reporter.report(last.verdict)
        assert last is not None  # noqa: S101 - there is always a last poll
        outcome = Outcome.of(last, patience)
    except KeyboardInterrupt:
        outcome = Outcome.interrupted(last)
    screen.write_json(outcome.as_dict(milestone))
    if outcome.code is Exit.OK:
        screen.result(f"Reached {milestone.describe()}. {outcome.message}", "green")
    else:
        screen.note(outcome.message, "bold red")
    return outcome.code

"""``test-connection``: checks whether OMS answers."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_oms.cli.asking import check_connection
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.hooks.oms import OmsHook


def run(given: Namespace, screen: Screen) -> Exit:
    """Ask OMS, and print the result.

    :param given: the arguments
    :param screen: the output
    :raises OmsError: when Airflow has no such connection
    """
    check_connection(given.conn_id)
    answers, message = OmsHook(given.conn_id).test_connection()
    screen.write_json({"ok": answers, "conn_id": given.conn_id, "message": message})
    if answers:
        screen.result(message, "green")
    else:
        screen.note(message, "bold red")
    return Exit.OK if answers else Exit.NO_ANSWER

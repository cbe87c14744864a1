"""``status``: the current state of a project."""

from __future__ import annotations

from argparse import Namespace

from airflow_provider_oms.cli.asking import Asker, find_project
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.observing import observe
from airflow_provider_oms.cli.pictures import project
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.words import seconds
from airflow_provider_oms.client import actions
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones import facts


def run(given: Namespace, screen: Screen) -> Exit:
    """Show the project.

    :param given: the arguments
    :param screen: the output
    :raises OmsError: when OMS gives no usable answer
    :raises UsageError: when ``--observe`` isn't a length of time
    """
    length = seconds("--observe", given.observe)
    with OmsHook(given.conn_id) as hook:
        asker = Asker(hook)
        found = asker.run_flow(find_project(given.project))
        known = observe(asker, found, given.project_type, length)
        if given.components:
            known["components"] = facts.of_components(asker.send(actions.describe_project_components(found.id)).data)
    screen.write_json(known)
    screen.show(project.picture(known))
    return Exit.OK

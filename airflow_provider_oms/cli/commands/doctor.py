"""``doctor``: checks whether this OMS behaves as this provider assumes."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from airflow_provider_oms.cli.asking import check_connection
from airflow_provider_oms.cli.doctor import anonymous, conditions, probes
from airflow_provider_oms.cli.doctor.probes import Finding, Outcome
from airflow_provider_oms.cli.doctor.questions import MOST, Questions
from airflow_provider_oms.cli.doctor.seen import Seen
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.pictures import doctor
from airflow_provider_oms.cli.running import UsageError
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.cli.words import seconds
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.hooks.oms import OmsHook


def run(given: Namespace, screen: Screen) -> Exit:
    """Ask OMS, judge the answers, and write the result.

    :param given: the arguments
    :param screen: the output
    :raises OmsError: if OMS gives no usable answer at all
    :raises UsageError: if ``--observe`` isn't a length of time, or the report can't be written
    """
    observe = seconds("--observe", given.observe)
    check_connection(given.conn_id)
    looking = f" The checkpoint is polled for {observe:g} s." if observe else ""
    screen.note(f"Asking OMS: at most {MOST} requests, none of which changes anything.{looking}", "dim")
    with OmsHook(given.conn_id) as hook:
        settings = hook.get_conn().settings
    questions = Questions(settings)
    try:
        seen = questions.ask_all(given.project, observe)
    finally:
        questions.close()
    points, others = probes.findings(seen), conditions.findings(seen)
    told = {
        "requests": questions.sent,
        "left_out": list(seen.left_out),
        "points": [_plain(one) for one in points],
        "checks": [_plain(one) for one in others],
        "rights": conditions.rights(seen),
    }
    screen.write_json(told)
    screen.show(doctor.picture(told))
    if given.report:
        _write(given.report, seen, [*points, *others], settings, given.project)
        screen.note(f"Written to {given.report}: OMS's answers, with every value that may be private replaced.")
    return Exit.FAILED if any(one.outcome is Outcome.DIFFERS for one in (*points, *others)) else Exit.OK


def _plain(finding: Finding) -> dict[str, str]:
    return {"point": finding.point, "outcome": finding.outcome.value, "message": finding.message}


def _write(path: str, seen: Seen, findings: Sequence[Finding], settings: ClientSettings, project: str | None) -> None:
    parts = urlsplit(settings.base_url)
    theirs = {parts.hostname, settings.login, settings.password, settings.security_token, project}
    report = anonymous.report(seen, findings, filter(None, theirs))
    try:
        Path(path).write_text(json.dumps(report, indent=1) + "\n", encoding="ascii")
    except OSError as error:
        raise UsageError(f"the report can't be written to {path}: {error.strerror}") from None

"""``python -m airflow_provider_oms.simulator ctl``: controls a simulator that runs in another process."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import requests

from airflow_provider_oms.simulator.control import CONTROLS

#: A header that a form on another site can't send: it replaces the page's token.
HEADER = {"X-Requested-With": "oms-simulator-ctl"}

_HELP = {
    "start": "StartProject",
    "fail": "let the current step fail",
    "recover": "let failed steps recover as if by themselves",
    "pause": "suspend the project",
    "resume": "ResumeProject, which is also the retry of a failed step",
    "complete": "do the person's part of the step that waits for one",
    "lag": "put the checkpoint this many seconds behind",
    "add": "add tables while the project runs",
    "remove": "remove tables",
    "fail-addition": "let the addition in progress fail",
    "finish-addition": "let the addition in progress finish",
    "skip-verification": "skip the full verification",
    "reverify": "verify everything again",
    "speed": "simulated seconds per real second",
    "advance-clock": "move the simulated clock forward",
    "down": "take OMS down for this many real seconds",
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    made = argparse.ArgumentParser(prog="python -m airflow_provider_oms.simulator ctl", description=__doc__)
    made.add_argument("--url", default="http://127.0.0.1:8089", help="where the simulator listens")
    made.add_argument("--login", default="admin")
    made.add_argument("--password", default="oms-simulator")
    commands = made.add_subparsers(dest="control", required=True, metavar="COMMAND")
    commands.add_parser("list", help="list the projects")
    for control in CONTROLS.values():
        command = commands.add_parser(control.name, help=_HELP[control.name])
        if control.do is not None:
            command.add_argument("project", help="its name or id")
        if control.needs == "message":
            command.add_argument("message", nargs="?", default="", help="what OMS says about it")
        elif control.needs == "tables":
            command.add_argument("tables", nargs="+", help="such as shop.orders")
        elif control.needs is not None:
            command.add_argument("seconds", type=float)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Send a control to a simulator; returns the exit status.

    :param arguments: those of the command line, without ``ctl``.
    """
    given = vars(parser().parse_args(arguments))
    url, login, password = given.pop("url").rstrip("/"), given.pop("login"), given.pop("password")
    if isinstance(given.get("tables"), list):
        given["tables"] = " ".join(given["tables"])
    method = "GET" if given["control"] == "list" else "POST"
    try:
        response = requests.request(
            method, f"{url}/control", data=given, headers=HEADER, auth=(login, password), timeout=10
        )
        answer: dict[str, Any] = response.json()
    except requests.JSONDecodeError:
        sys.stderr.write(f"{url} isn't a simulator: HTTP {response.status_code}\n")
        return 1
    except requests.RequestException as error:
        sys.stderr.write(f"No simulator answers at {url}: {error}\n")
        return 1
    if not response.ok:
        sys.stderr.write(f"{answer.get('error')}\n")
        return 1
    if "projects" in answer:
        for row in answer["projects"]:
            sys.stdout.write(json.dumps(row) + "\n")
    else:
        sys.stdout.write(f"{answer['done']}\n")
    return 0

"""The command line of the demo."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence

from demo.dag_test import run_demo
from demo.screen import NOTICE, Screen
from demo.standalone import run_standalone

#: The exit status after Ctrl-C, as shells have it.
INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="scripts/demo.py", description=f"A DAG that waits for a migration, through a real Airflow. {NOTICE}"
    )
    made.add_argument("--ui", action="store_true", help="run Airflow with its pages (airflow standalone) until Ctrl-C")
    made.add_argument("--port", type=int, default=8080, help="where Airflow's pages are (with --ui; default: 8080)")
    made.add_argument(
        "--deferrable",
        action=argparse.BooleanOptionalAction,
        help="let the gates wait in the triggerer (default: with --ui yes, otherwise no)",
    )
    made.add_argument("--keep", action="store_true", help="keep the throw-away Airflow home")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo and return its exit status."""
    given = parser().parse_args(arguments)
    screen = Screen()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Also SIGINT: a shell script that starts this with `&` ignores it, and Airflow would inherit that.
        signal.signal(number, signal.default_int_handler)
    try:
        if given.ui:
            deferrable = given.deferrable if given.deferrable is not None else True
            return run_standalone(screen, deferrable=deferrable, keep=given.keep, port=given.port)
        return run_demo(screen, deferrable=bool(given.deferrable), keep=given.keep)
    except KeyboardInterrupt:
        screen.say("Stopped.")
        return INTERRUPTED

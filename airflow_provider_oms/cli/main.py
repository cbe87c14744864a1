"""The console script ``airflow-oms``, for every Airflow. It reads its arguments before it loads Airflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from airflow_provider_oms import __version__
from airflow_provider_oms.cli.definition import COMMANDS, HELP


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(prog="airflow-oms", description=f"{HELP}.")
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        one = commands.add_parser(
            command.name,
            help=command.help,
            description=command.description,
            epilog=command.epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        for option in command.options:
            one.add_argument(*option.flags, **option.settings)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = parser().parse_args(arguments)
    from airflow_provider_oms.cli.running import run

    return int(run(given.command, given))


if __name__ == "__main__":
    sys.exit(main())

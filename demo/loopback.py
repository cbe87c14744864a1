"""Run ``airflow`` so that ``standalone`` opens no port to other machines: ``python -m demo.loopback standalone``.

Its scheduler and its triggerer serve their logs on all addresses, and no setting changes that. Airflow's page reads the
logs of this machine from the disk, so it doesn't need these servers.
"""

from __future__ import annotations

from typing import Any

#: The components that serve logs unless an option prevents it.
TALKATIVE = ("scheduler", "triggerer")


def quiet(command: list[str]) -> list[str]:
    """Return a command of Airflow with the option to serve no logs.

    :param command: its name and its arguments
    """
    return [*command, "--skip-serve-logs"] if command[0] in TALKATIVE else command


def main() -> None:
    """Run ``airflow`` with the arguments of this command."""
    from airflow.__main__ import main as airflow
    from airflow.cli.commands import standalone_command

    class SubCommand(standalone_command.SubCommand):
        def __init__(self, parent: Any, name: str, command: list[str], env: Any) -> None:
            super().__init__(parent, name, quiet(command), env)

    standalone_command.SubCommand = SubCommand
    airflow()


if __name__ == "__main__":
    main()

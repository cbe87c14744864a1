"""The commands and their options. Airflow loads this module at every ``airflow`` command, so it imports very little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import Namespace

HELP = "Show migrations of OceanBase Migration Service (OMS), and wait for them"

ENDINGS = (
    "exit codes: 0 reached, 1 failed (it can't be reached, or only after a person acts), 2 wrong command line,\n"
    "3 still waiting at --timeout, 5 no such Airflow connection, 130 Ctrl-C, 143 terminated"
)


@dataclass(frozen=True)
class Option:
    """One argument, in the form of both argparse's ``add_argument`` and Airflow's ``Arg``.

    :param flags: its names
    :param settings: its other settings
    """

    flags: Sequence[str]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """One command. The module with its name in ``commands`` runs it.

    :param name: its name
    :param help: what it does, in one line
    :param options: its arguments
    :param description: what it does, in detail
    :param epilog: its exit codes
    """

    name: str
    help: str
    options: Sequence[Option]
    description: str = ""
    epilog: str = ""


def _option(*flags: str, **settings: Any) -> Option:
    return Option(flags, settings)


COMMON = (
    _option("--conn-id", default="oms_default", metavar="ID", help="the Airflow connection (default: oms_default)"),
    _option("--json", action="store_true", help="write JSON for machines to stdout, and nothing else"),
    _option("--no-color", action="store_true", help="no colours; NO_COLOR in the environment has the same effect"),
    _option("--verbose", action="store_true", help="show what is logged, and where an unexpected error comes from"),
)

PROJECT = _option("project", metavar="PROJECT", help="a project's id or name")

#: The arguments for a project, or for all projects of a label.
ONE_OR_LABEL = (
    _option("project", metavar="PROJECT", nargs="?", help="a project's id or name"),
    _option("--label", metavar="LABEL", help="instead of a project: every project with this label (name or id)"),
)

PROJECT_TYPE = _option(
    "--project-type",
    choices=("MIGRATION", "SYNC"),
    default="MIGRATION",
    help="only connections with api_version v3 need it (default: MIGRATION)",
)

MILESTONES = (
    _option("--step", metavar="STEP", help="the step is done, e.g. FULL_TRANSFER; any of OMS's names for it"),
    _option("--until", choices=("done", "started"), help="with --step: what the step must be (default: done)"),
    _option(
        "--full-transfer",
        metavar="PERCENT",
        nargs="?",
        default=False,  # not given; None means without a percentage, because Airflow's Arg has no `const`
        help="the full transfer has reached that percentage (100 when none is given)",
    ),
    _option("--max-lag", metavar="TIME", help="the checkpoint lies at most that far behind; also for --cutover-ready"),
    _option(
        "--hold-for", metavar="TIME", help="with --max-lag: the lag must be small enough on every poll for this time"
    ),
    _option(
        "--direction",
        choices=("forward", "reverse"),
        help="with --max-lag and --checkpoint: the checkpoint's direction (default: forward)",
    ),
    _option(
        "--checkpoint",
        metavar="MOMENT",
        help="the checkpoint has passed a moment: ISO 8601 (without a zone, in Airflow's default_timezone) "
        "or Unix seconds",
    ),
    _option("--cutover-ready", action="store_true", help="everything that a safe switchover needs (lag within 25 s)"),
    _option(
        "--status", metavar="STATUS", help="the project's status is one of these, separated by commas, e.g. RELEASED"
    ),
    _option("--tables", metavar="TABLES", help="these tables are in the project, copied and merged, e.g. shop.orders"),
    _option("--verified", action="store_true", help="full verification is done and every table is consistent"),
    _option(
        "--verification-project",
        metavar="PROJECT",
        help="with --verified and --cutover-ready: the id or name of the project that verifies this one",
    ),
    _option(
        "--no-verification",
        action="store_true",
        help="with --cutover-ready: a project without verification can be ready, too",
    ),
)

_TIMES = "TIME is in seconds, or like 90s, 15m, 2h, 7d."


def _patience(poke_interval: str, timeout: str | None) -> tuple[Option, ...]:
    return (
        _option(
            "--timeout",
            metavar="TIME",
            default=timeout,
            help=f"give up after this time; 0 polls once (default: {timeout or 'never'})",
        ),
        _option(
            "--poke-interval",
            metavar="TIME",
            default=poke_interval,
            help=f"time between two polls, 1 s at least (default: {poke_interval})",
        ),
        _option("--fail-on-suspend", action="store_true", help="fail if the project is paused, instead of waiting"),
        _option("--allow-modifying", action="store_true", help="ignore objects that are being added or removed"),
        _option(
            "--failure-grace",
            metavar="TIME",
            default="120",
            help="time that OMS has to recover from a failure by itself (default: 120)",
        ),
        _option(
            "--outage-tolerance",
            metavar="TIME",
            default="600",
            help="time without a usable answer from OMS until it fails (default: 600)",
        ),
    )


COMMANDS = (
    Command(
        "projects",
        "List projects: id, name, status, step, progress, lag, alarms",
        (
            _option("--status", metavar="STATUS", action="append", help="only these statuses, separated by commas"),
            _option("--name", metavar="TEXT", help="only projects with this in their name, or with this id"),
            _option("--label", metavar="LABEL", action="append", help="only projects with this label (name or id)"),
            _option("--type", choices=("MIGRATION", "SYNC", "VERIFY"), help="only projects of this type"),
            _option(
                "--source-type", metavar="TYPE", action="append", help="only projects with this source type, e.g. MYSQL"
            ),
            _option(
                "--target-type",
                metavar="TYPE",
                action="append",
                help="only projects with this target type, e.g. OB_MYSQL",
            ),
            _option("--sort", choices=("created", "modified"), help="sort by this time, the latest first"),
            *COMMON,
        ),
        "List the projects that the connection's user may see. --status, --label, --source-type and --target-type may\n"
        "be repeated.",
        "exit codes: 0 listed, 2 wrong command line, 5 OMS gave no usable answer",
    ),
    Command(
        "status",
        "Show a project: steps with bars, rows, rates, time left, lag, errors",
        (
            PROJECT,
            _option(
                "--observe",
                metavar="TIME",
                default="0",
                help="poll every 10 s for this time, to show how the lag moves; 2m is enough (default: 0, one poll)",
            ),
            _option("--components", action="store_true", help="show its components: delay, checkpoint, errors of each"),
            PROJECT_TYPE,
            *COMMON,
        ),
        f"Show a project as it is now, without a verdict; wait and verify give one. {_TIMES}",
        "exit codes: 0 shown, 2 wrong command line, 5 OMS gave no usable answer",
    ),
    Command(
        "watch",
        "Show a project live, or those of a label, until a milestone or Ctrl-C",
        (*ONE_OR_LABEL, *MILESTONES, *_patience("10", None), PROJECT_TYPE, *COMMON),
        "Show a project as status does, again and again, until a milestone (as in wait) or Ctrl-C.\n"
        f"Without a terminal, it writes a line when something changes. {_TIMES}",
        ENDINGS,
    ),
    Command(
        "verify",
        "Show which tables full verification found to differ",
        (PROJECT, *COMMON),
        "Show what full verification found. Every page of the result is read.",
        "exit codes: 0 every table is consistent, 1 tables differ, 2 wrong command line, 4 not known (yet),\n"
        "5 OMS gave no usable answer",
    ),
    Command(
        "wait",
        "Wait for a milestone, as a gate does; for shell scripts and CI",
        (*ONE_OR_LABEL, *MILESTONES, *_patience("30", "7d"), PROJECT_TYPE, *COMMON),
        "Wait until a project, or every project of a label, has reached one milestone. The rules are those of\n"
        "the sensors.\n"
        f"Progress goes to stderr, the result to stdout. {_TIMES}",
        ENDINGS,
    ),
    Command(
        "doctor",
        "Check at this OMS what isn't documented, without changing anything; optionally write a report",
        (
            _option("project", metavar="PROJECT", nargs="?", help="a project's id or name (default: a running one)"),
            _option(
                "--observe",
                metavar="TIME",
                default="60",
                help="poll its checkpoint for this time, to see how often it moves; 0 polls once (default: 60)",
            ),
            _option(
                "--report",
                metavar="FILE",
                help="write OMS's answers to a file, with every value that may be private replaced",
            ),
            *COMMON,
        ),
        "Check, for each point that OceanBase doesn't document, whether this OMS behaves as this provider assumes.\n"
        f"It sends at most 40 requests and changes nothing. {_TIMES}",
        "exit codes: 0 nothing differs, 1 something differs, 2 wrong command line, 5 OMS gave no usable answer",
    ),
    Command(
        "test-connection",
        "Check whether OMS answers, and say what is wrong if it doesn't",
        COMMON,
        "Ask OMS for its labels, which changes nothing, and say in words what is wrong if that fails.",
        "exit codes: 0 OMS answers, 2 wrong command line, 5 it doesn't",
    ),
)


def runner(command: Command) -> Callable[[Namespace], None]:
    """Return a function that runs a command and ends the process with its exit code.

    :param command: the command
    """

    def run(given: Namespace) -> None:
        from airflow_provider_oms.cli.running import run

        raise SystemExit(int(run(command.name, given)))

    return run


def get_oms_cli_commands() -> list[Any]:
    """Return the commands in Airflow's form; named in the provider info under ``cli``, for Airflow 3.2 and later."""
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

    return [
        GroupCommand(
            name="oms",
            help=HELP,
            subcommands=tuple(
                ActionCommand(
                    name=command.name,
                    help=command.help,
                    func=runner(command),
                    args=tuple(Arg(tuple(option.flags), **option.settings) for option in command.options),
                    description=command.description,
                    epilog=command.epilog,
                )
                for command in COMMANDS
            ),
        )
    ]

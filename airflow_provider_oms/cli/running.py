"""Runs a command: what it writes where, what becomes of errors, and the exit code."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module

from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.screen import Screen, wants_color

_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"


class UsageError(ValueError):
    """The command line is wrong."""


class _Terminated(BaseException):
    """Somebody sent SIGTERM."""


def run(name: str, given: Namespace, screen: Screen | None = None) -> Exit:
    """Run a command.

    :param name: its name
    :param given: its arguments
    :param screen: where to write; stdout and stderr unless given
    """
    if screen is None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a name in another script must not end the command
                stream.reconfigure(errors="backslashreplace")
        screen = Screen(sys.stdout, sys.stderr, as_json=given.json, color=wants_color(given.no_color))
    try:
        with _own_process(verbose=given.verbose):
            return _run(name, given, screen)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except _Terminated:
        return Exit.TERMINATED


def _run(name: str, given: Namespace, screen: Screen) -> Exit:
    from airflow_provider_oms.client.errors import OmsError

    module = import_module(f"airflow_provider_oms.cli.commands.{name.replace('-', '_')}")
    try:
        return Exit(module.run(given, screen))
    except UsageError as error:
        ending, message = Exit.USAGE, f"{error}. See --help."
    except OmsError as error:
        ending, message = Exit.NO_ANSWER, f"{error}{_where_looked(error, given.conn_id)}"
    except (BrokenPipeError, SystemExit):  # rich makes the second of the first
        # Such as `| head`, which has seen enough. Not OK: what couldn't be said may have been a failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        return Exit.NOBODY_READS
    except Exception as error:
        if given.verbose:
            traceback.print_exc(file=screen.err.file)
        # Not the words of the error, which may be anybody's and hold anything.
        ending, message = Exit.NO_ANSWER, f"Unexpected {type(error).__name__}. Try again with --verbose to see where."
    screen.write_json({"error": message, "exit_code": int(ending)})
    screen.note(message, "bold red")
    return ending


def _where_looked(error: Exception, conn_id: str) -> str:
    """Say where a connection was looked for, when there was none."""
    if "there is no Airflow connection" not in str(error):
        return ""
    return (
        f" Airflow looked at AIRFLOW_CONN_{conn_id.upper()}, its secrets backend and its database "
        f"(AIRFLOW_HOME is {os.environ.get('AIRFLOW_HOME') or '~/airflow'})."
    )


@contextmanager
def _own_process(*, verbose: bool) -> Iterator[None]:
    """Keep stdout for results, have Airflow look into its database for connections, and take signals."""
    # As `airflow connections test` does: without it Airflow 3 leaves its database out.
    context = os.environ.get(_CONTEXT)
    os.environ[_CONTEXT] = context or "server"
    stdout_handlers = [
        handler
        for handler in logging.getLogger().handlers
        # Those of Airflow 2.11 ask for sys.stdout each time they write, and so need no help.
        if isinstance(handler, logging.StreamHandler) and vars(handler).get("stream") is sys.stdout
    ]
    for handler in stdout_handlers:
        handler.setStream(sys.stderr)
    before = logging.root.manager.disable
    warn_options = sys.warnoptions
    main = threading.current_thread() is threading.main_thread()
    handled = signal.signal(signal.SIGTERM, _terminate) if main else None
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():
            if not verbose:
                # Airflow's own logs and warnings, on either stream, are none of the command's words. It lets its
                # warnings through by itself while it is loaded, unless somebody seems to have set options for them.
                warnings.simplefilter("ignore")
                sys.warnoptions = ["ignore"]
                logging.disable(logging.CRITICAL)
            yield
    finally:
        if context is None:
            del os.environ[_CONTEXT]
        logging.disable(before)
        sys.warnoptions = warn_options
        for handler in stdout_handlers:
            handler.setStream(sys.stdout)
        if main:
            signal.signal(signal.SIGTERM, handled)


def _terminate(*_: object) -> None:
    raise _Terminated

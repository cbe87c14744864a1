"""Runs a command: its output, its errors, and the exit code."""

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
    """The command line is invalid."""


class _Terminated(BaseException):
    """SIGTERM was received."""


def run(name: str, given: Namespace, screen: Screen | None = None) -> Exit:
    """Run a command.

    :param name: its name
    :param given: its arguments
    :param screen: the output; by default stdout and stderr
    """
    if screen is None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(
                stream, io.TextIOWrapper
            ):  # so that a name in another script doesn't end the command with an error
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
    except (BrokenPipeError, SystemExit):  # rich turns a BrokenPipeError into a SystemExit
        # The reader has ended, as in `| head`. The exit code isn't OK, because the unread output may report a failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
        return Exit.NOBODY_READS
    except Exception as error:
        if given.verbose:
            traceback.print_exc(file=screen.err.file)
        # The error's text isn't shown, because it may hold anything, even a secret.
        ending, message = Exit.NO_ANSWER, f"Unexpected {type(error).__name__}. Try again with --verbose to see where."
    screen.write_json({"error": message, "exit_code": int(ending)})
    screen.note(message, "bold red")
    return ending


def _where_looked(error: Exception, conn_id: str) -> str:
    """Return where Airflow looked for a connection that doesn't exist."""
    if "there is no Airflow connection" not in str(error):
        return ""
    return (
        f" Airflow looked at AIRFLOW_CONN_{conn_id.upper()}, its secrets backend and its database "
        f"(AIRFLOW_HOME is {os.environ.get('AIRFLOW_HOME') or '~/airflow'})."
    )


@contextmanager
def _own_process(*, verbose: bool) -> Iterator[None]:
    """Reserve stdout for results, make Airflow read connections from its database, and handle signals."""
    # As in `airflow connections test`. Without it, Airflow 3 doesn't read connections from its database.
    context = os.environ.get(_CONTEXT)
    os.environ[_CONTEXT] = context or "server"
    stdout_handlers = [
        handler
        for handler in logging.getLogger().handlers
        # Handlers of Airflow 2.11 look up sys.stdout each time they write, so they need no change.
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
                # Airflow's own logs and warnings must not be in the command's output. Airflow enables its
                # own warnings while it is loaded, unless options for warnings seem to be set.
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

"""A throw-away Airflow home, and the environment in which an Airflow uses it and nothing of the user's own."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import site
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: Where the demo and the example DAGs are.
CHECKOUT = Path(__file__).resolve().parent.parent

#: Variables of the surrounding environment that are not passed to the demo's Airflow: they may lead to a real database.
_FOREIGN = ("AIRFLOW", "_AIRFLOW", "GUNICORN_")


@contextmanager
def throw_away_home(keep: bool = False) -> Iterator[Path]:
    """Make a directory, and delete it afterwards, unless it is to be kept."""
    home = Path(tempfile.mkdtemp(prefix="oms-demo-"))
    try:
        yield home
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def example_dags() -> Path:
    """Return the folder of the example DAGs in the checkout."""
    return CHECKOUT / "example_dags"


def airflow_version() -> tuple[int, ...]:
    """Return Airflow's version without importing it (which would write into the user's own home)."""
    return tuple(int(part) for part in importlib.metadata.version("apache-airflow").split(".")[:2])


def airflow_environment(
    home: Path,
    dags: Path,
    connection: str,
    *,
    deferrable: bool,
    surrounding: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the environment for a process of the demo's Airflow.

    :param home: the throw-away home
    :param dags: the DAGs folder
    :param connection: the connection ``oms_default``, as JSON or URI
    :param deferrable: what ``[operators] default_deferrable`` is to be
    :param surrounding: the environment to begin with; this process's own when not given
    """
    given = os.environ if surrounding is None else surrounding
    environment = {name: value for name, value in given.items() if not name.startswith(_FOREIGN)}
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = ",".join(filter(None, [given.get(name), "127.0.0.1", "localhost"]))
    environment.update(
        AIRFLOW_HOME=str(home),
        AIRFLOW_CONN_OMS_DEFAULT=connection,
        AIRFLOW__CORE__DAGS_FOLDER=str(dags),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{home}/airflow.db",
        AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE=str(deferrable),
        # Airflow runs the command "airflow", and it and gunicorn leave files in the home and temporary directories.
        PATH=os.pathsep.join(filter(None, [str(Path(sys.executable).parent), given.get("PATH")])),
        HOME=str(home),
        TMPDIR=str(home),
        XDG_RUNTIME_DIR=str(home),
        PYTHONPATH=os.pathsep.join(filter(None, [str(CHECKOUT), given.get("PYTHONPATH")])),
        PYTHONUSERBASE=given.get("PYTHONUSERBASE") or site.getuserbase(),
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONUNBUFFERED="1",
        NO_COLOR="1",
    )
    return environment


def standalone_environment(port: int) -> dict[str, str]:
    """Return the further variables that ``airflow standalone`` needs.

    :param port: where its pages are to be
    """
    return {
        # 3.x
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        # Without it the workers use port 8080, and every task fails.
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        # 2.11
        "AIRFLOW__WEBSERVER__WEB_SERVER_HOST": "127.0.0.1",
        "AIRFLOW__WEBSERVER__WEB_SERVER_PORT": str(port),
        "AIRFLOW__WEBSERVER__BASE_URL": f"http://127.0.0.1:{port}",
        # A browser keeps a spare connection open, which occupies one of these workers.
        "AIRFLOW__WEBSERVER__WORKERS": "4",
        "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
        # both
        "AIRFLOW__CORE__PARALLELISM": "8",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    }

"""Make the virtual environments: one for each Airflow, one for the documentation, and so on. Needs Python and pip."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from versions import AIRFLOWS

ROOT = Path(__file__).resolve().parent.parent
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


class NoSuchPythonError(Exception):
    """A version of Python that isn't installed here and can't be downloaded."""


def python_for(version: str) -> str:
    """Return the default Python version for an Airflow.

    :param version: a key of ``AIRFLOWS``
    """
    known = AIRFLOWS[version].pythons
    return RUNNING if RUNNING in known else known[-1]


def make(version: str, *groups: str, python: str = "") -> Path:
    """Make, or bring up to date, the environment with this checkout and one Airflow; return its Python.

    :param version: a key of ``AIRFLOWS``
    :param groups: dependency groups of ``pyproject.toml`` to install as well
    :param python: a version of Python; by default the running one, or the latest that this Airflow supports
    :raises NoSuchPythonError: this Python isn't installed and can't be downloaded
    """
    python = python or python_for(version)
    name = "-".join([f".venv-airflow-{version}", *([] if python == RUNNING else [f"python{python}"]), *groups])
    return _make(name, f"airflow-{version}", ["--editable", str(ROOT)], groups, python)


def make_docs() -> Path:
    """Make, or bring up to date, the environment that builds the documentation; return its Python."""
    return _make(".venv-docs", "docs", [], ["docs"], RUNNING)


def make_hosting() -> Path:
    """Make, or bring up to date, the environment that checks the files for the project's host, and builds releases.

    :returns: its Python
    """
    return _make(".venv-hosting", "hosting", [], ["hosting"], RUNNING)


def make_cloud() -> Path:
    """Make, or bring up to date, the environment of Alibaba Cloud's official SDK; return its Python."""
    return _make(".venv-cloud", "cloud", [], ["cloud"], RUNNING)


_making_uv = Lock()


def uv() -> Path:
    """Make the environment with uv, which installs an Airflow in a tenth of pip's time; return the program."""
    with _making_uv:
        return _make_uv()


@cache
def _make_uv() -> Path:
    where = ROOT / ".venv-uv"
    constraints = ROOT / "constraints" / "uv.txt"
    if not _is_made(where, wanted := hashlib.sha256(constraints.read_bytes()).hexdigest()):
        _make_with_pip(where, sys.executable, ["--constraint", constraints, "uv"])
        _stamp(where).write_text(wanted)
    return where / "bin" / "uv"


def run_script(python: Path, name: str, *arguments: Any) -> bool:
    """Run a script of this folder in an environment; return whether it has succeeded.

    The checkout comes first on its path, so that ``import demo`` finds the package and not the script.

    :param python: the environment's Python
    :param name: the script
    :param arguments: what it is given
    """
    command = [str(word) for word in (python, "-P", ROOT / "scripts" / name, *arguments)]
    path = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode == 0


def _make(name: str, pins: str, checkout: Sequence[str], groups: Sequence[str], version: str) -> Path:
    where = ROOT / name
    constraints = ROOT / "constraints" / f"{pins}.txt"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    installed = {table: project[table] for table in ("build-system", "project", "dependency-groups")}
    wanted = hashlib.sha256(repr((sys.version, version, groups, installed)).encode() + constraints.read_bytes())
    if not _is_made(where, wanted.hexdigest()):
        print(f"Installing {pins} into {where.name} (once) ...", flush=True)
        requirements = [requirement for group in groups for requirement in installed["dependency-groups"][group]]
        _install(where, _interpreter(version), ["--constraint", constraints, *checkout, *requirements])
        _stamp(where).write_text(wanted.hexdigest())
    return where / "bin" / "python"


def _interpreter(version: str) -> str:
    """Return a Python of a version; if pyenv has none, the version itself, which uv searches for or downloads."""
    if version == RUNNING:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return str(next(iter(sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)), version))


def _install(where: Path, interpreter: str, packages: Sequence[Any]) -> None:
    try:
        _run(uv(), "venv", "--quiet", "--clear", "--python", interpreter, where)
    except subprocess.CalledProcessError as error:
        raise NoSuchPythonError(f"Python {interpreter} isn't installed here and can't be downloaded.") from error
    try:
        # Bytecode is compiled once here, as pip does, so that the many processes of the tests needn't.
        _run(uv(), "pip", "install", "--quiet", "--compile-bytecode", "--python", where / "bin" / "python", *packages)
    except subprocess.CalledProcessError:
        print("uv has failed (see above). Trying pip, whose settings may differ ...", flush=True)
        _make_with_pip(where, interpreter, packages)


def _make_with_pip(where: Path, interpreter: str, packages: Sequence[Any]) -> None:
    if interpreter == sys.executable:
        venv.create(where, clear=True, with_pip=True)
    else:
        _run(interpreter, "-m", "venv", "--clear", where)
    _run(where / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", *packages)


def _run(*command: Any) -> None:
    subprocess.run([str(word) for word in command], check=True)


def _stamp(where: Path) -> Path:
    return where / "made-from"


def _is_made(where: Path, wanted: str) -> bool:
    stamp = _stamp(where)
    return stamp.exists() and stamp.read_text() == wanted

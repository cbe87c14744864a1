"""The page about installing: its files are correct, and a gate never opens because versions differ."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib

import pytest
import yaml
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_oms import __version__
from airflow_provider_oms.exceptions import OmsOperationError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.milestones.gate import DEFAULT_CONN_ID
from airflow_provider_oms.sensors.oms import OmsFullTransferSensor
from airflow_provider_oms.triggers.deferral import check_event
from airflow_provider_oms.triggers.oms import OmsMilestoneTrigger
from tests.docs.pages import DOCS, ROOT, blocks, commands
from tests.docs.test_connection import settings_of

PAGE = DOCS / "install.md"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
FILES = {block.title: block.text for block in blocks(PAGE) if block.title}
COMMANDS = [shlex.split(line) for block in blocks(PAGE, "sh") for line in commands(block.text)]
VALUES = yaml.safe_load(FILES["values.yaml"])

#: The version of the newest Airflow that is tested.
(AIRFLOW,) = re.findall(r"^apache-airflow==(.+)$", (ROOT / "constraints" / "airflow-3.3.txt").read_text(), re.MULTILINE)


def command(*words):
    """Return the only command of the page that begins with these words."""
    (found,) = [line for line in COMMANDS if line[: len(words)] == list(words)]
    return found


def test_the_dockerfile_installs_this_package_beside_the_airflow_that_is_there():
    base, *run = FILES["Dockerfile"].replace("\\\n", " ").splitlines()
    version, python = re.fullmatch(r"FROM apache/airflow:(.+)-python(3\.\d+)", base).groups()
    assert version == AIRFLOW
    assert f"Programming Language :: Python :: {python}" in PROJECT["classifiers"]
    wanted = ["apache-airflow==${AIRFLOW_VERSION}", f"{PROJECT['name']}=={__version__}"]
    assert [shlex.split(line) for line in run] == [["RUN", "pip", "install", "--no-cache-dir", *wanted]]


def test_the_pip_line_names_both_too():
    assert command("pip", "install")[2:] == ["apache-airflow==${AIRFLOW_VERSION}", PROJECT["name"]]


def test_the_floor_that_airflows_constraints_are_below():
    (floor,) = re.findall(r"common-compat>=([\d.]+)", " ".join(PROJECT["dependencies"]))
    assert f"this provider needs {floor}, and pip" in PAGE.read_text()


def test_the_values_name_the_image_that_was_built():
    image = VALUES["images"]["airflow"]
    built = f"{image['repository']}:{image['tag']}"
    assert image["tag"] == f"{AIRFLOW}-{__version__}"
    assert VALUES["airflowVersion"] == AIRFLOW
    assert command("docker", "build") == ["docker", "build", "--tag", built, "."]
    assert command("docker", "push") == ["docker", "push", built]
    assert command("helm", "upgrade")[-2:] == ["--values", "values.yaml"]


def test_the_secret_is_the_one_that_the_values_name():
    (secret,) = VALUES["secret"]
    made = command("kubectl", "create", "secret", "generic")
    assert made[4] == secret["secretName"]
    assert f"--from-file={secret['secretKey']}=oms-connection.json" in made
    assert secret["envName"] == f"AIRFLOW_CONN_{DEFAULT_CONN_ID.upper()}"


def test_the_secret_is_a_connection(monkeypatch):
    monkeypatch.setenv(VALUES["secret"][0]["envName"], FILES["oms-connection.json"])
    written = json.loads(FILES["oms-connection.json"])
    settings = settings_of(OmsHook.get_connection(DEFAULT_CONN_ID))
    assert (settings.base_url, settings.login) == ("https://oms.example.com:8089", written["login"])
    assert settings.password == written["password"]


def test_airflow_shows_the_version_that_is_installed():
    get = [sys.executable, "-m", "airflow", "providers", "get", PROJECT["name"], "--output", "json"]
    done = subprocess.run(get, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout[done.stdout.index("[{") :])[0]["Version"] == __version__


ROW = OmsMilestoneTrigger(gate=OmsFullTransferSensor(task_id="gate", project_id="np_1").gate().as_dict()).serialize()[1]


async def event_of(row):
    """Return the first event of a trigger with this row."""
    event = await anext(OmsMilestoneTrigger(**row).run())
    return event.payload


@pytest.mark.parametrize(
    "gate",
    [
        {**ROW["gate"], "setting_of_a_newer_version": 1},
        {**ROW["gate"], "milestone": {"kind": "milestone_of_a_newer_version"}},
    ],
    ids=["a setting", "a milestone"],
)
@pytest.mark.asyncio
async def test_a_row_with_what_only_a_newer_version_knows_ends_the_try(gate):
    event = await event_of({**ROW, "gate": gate})
    with pytest.raises(OmsOperationError, match="can't read it"):
        check_event(event)


def test_an_event_of_a_newer_version_opens_no_gate():
    with pytest.raises(AirflowFailException, match="The gate stays shut"):
        check_event({"status": "status_of_a_newer_version", "observed": {}})

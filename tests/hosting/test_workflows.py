"""The workflows run existing scripts, on the versions that are supported. scripts/hosting.py checks the rest."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import product

import pytest

from tests.hosting.files import PROJECT, ROOT, WORKFLOWS, jobs, read, steps
from versions import AIRFLOWS

JOBS = jobs()
COMMANDS = sorted({step["run"].strip() for step in steps() if "run" in step})
MATRIX = JOBS["tests: matrix"]["strategy"]["matrix"]


def test_nothing_is_missing():
    assert set(WORKFLOWS) == {"docs", "release", "tests"}


@pytest.mark.parametrize("command", COMMANDS)
def test_what_a_step_runs_exists_and_knows_its_options(command):
    program, script, *options = shlex.split(command)
    assert program in ("bash", "python3")
    assert (ROOT / script).is_file()
    if program == "python3":
        done = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True)
        for option in options:
            assert option.startswith("$") or re.search(rf"{option}(?![\w-])", done.stdout), done.stderr


def test_the_environment_of_a_step_has_what_its_command_names():
    for step in steps():
        for name in re.findall(r"\$(\w+)", step.get("run", "")):
            assert name.startswith("GITHUB_") or name in step["env"]


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_job_ends_and_says_what_it_may_do(job):
    assert job["timeout-minutes"] <= 90
    assert job["permissions"]


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_may_do_nothing_by_itself(workflow):
    assert read(WORKFLOWS[workflow])["permissions"] == {}


def test_an_action_is_the_same_everywhere_and_its_version_is_named():
    told = {}
    for path in WORKFLOWS.values():
        for action, rest in re.findall(r"uses: ([\w./-]+)@(.*)", path.read_text()):
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", rest), action
            assert told.setdefault(action, rest) == rest
    assert "pypa/gh-action-pypi-publish" in told


def test_what_ci_runs_is_run():
    assert JOBS["tests: ci"]["steps"][-1]["run"] == "bash .ci/run"


def test_the_matrix_is_each_airflow_with_each_python_that_it_knows():
    left_out = [tuple(pair.values()) for pair in MATRIX["exclude"]]
    run = [pair for pair in product(MATRIX["airflow"], MATRIX["python"]) if pair not in left_out]
    assert sorted(run) == sorted(
        (version, python)
        for version, airflow in AIRFLOWS.items()
        if airflow.tested != "smoke"
        for python in airflow.pythons
    )
    few = {one["airflow"]: one["part"] for one in MATRIX["include"]}
    assert few == {version: "smoke" for version, airflow in AIRFLOWS.items() if airflow.tested == "smoke"}


def test_every_supported_python_is_named():
    told = {line.split(" :: ")[-1] for line in PROJECT["project"]["classifiers"] if "Python :: 3." in line}
    assert told <= set(MATRIX["python"])
    assert MATRIX["python"][0] == PROJECT["project"]["requires-python"].removeprefix(">=")


def test_only_a_tag_is_published_and_only_what_was_built_and_checked():
    publish = JOBS["release: publish"]
    assert publish["needs"] == "build"
    assert publish["if"] == "github.event_name == 'push'"
    assert read(WORKFLOWS["release"])[True]["push"] == {"tags": ["v*"]}
    built, downloaded = JOBS["release: build"]["steps"][-1]["with"], publish["steps"][0]["with"]
    assert (built["name"], built["path"]) == (downloaded["name"], downloaded["path"])
    assert not [step for step in publish["steps"] if "run" in step], "whatever runs there may publish"


def test_publishing_needs_no_secret():
    assert JOBS["release: publish"]["permissions"]["id-token"] == "write"
    assert not [path for path in WORKFLOWS.values() if "secrets." in path.read_text()]

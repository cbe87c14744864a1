"""Scenarios: the default one, one from a user's file, and the messages about invalid ones."""

from __future__ import annotations

import re

import pytest
import yaml

from airflow_provider_oms.simulator import Clock, Project, Scenario, Simulator, render
from airflow_provider_oms.simulator.machine import SCRIPTABLE
from airflow_provider_oms.simulator.scenario import DEFAULT, load
from tests.docs.pages import DOCS, blocks


def test_the_default_one():
    sim = Simulator(DEFAULT, clock=Clock(speed=0))
    assert {live.name: live.status for live in sim.projects.values()} == {
        "demo_shop": "INIT",
        "catching_up": "RUNNING",
        "inconsistent": "RUNNING",
        "to_kafka": "RUNNING",
    }
    demo = sim.project("np_demo")
    demo.start()
    sim.clock.advance(20)
    assert demo.state().waits_for_person
    assert [label.name for label in sim.labels.values()] == ["nightly"]
    assert demo.project.labels == list(sim.labels)


def test_a_file_of_ones_own(tmp_path):
    file = tmp_path / "scenario.yaml"
    file.write_text(
        "projects:\n- {name: a, durations: {FULL_TRANSFER: 3}, failures: [{step: FULL_TRANSFER, at: 10}]}\n"
        "faults:\n- {kind: status, status: 503, times: 1}\n"
        "labels: [{name: red, id: l_1}]\n"
    )
    scenario = load(file)
    assert scenario.projects[0].failures[0].at == 10
    assert scenario.faults[0].status == 503
    assert scenario.labels[0].id == "l_1"
    assert load(str(file)).projects[0].name == "a"


def test_other_forms():
    assert load(None) == Scenario()
    project = Project()
    assert load([project]).projects == [project]
    assert load({"projects": [{"name": "a"}]}).projects[0].name == "a"
    scenario = Scenario([project])
    assert load(scenario) is scenario


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("projects: [{name: a, colour: red}]", r"projects\[0\].*colour"),
        ("projcts: []", "projcts"),
        ("projects: {a: b}", "projects must be a list"),
        ("just a text", "must be a mapping"),
        ("a: [", "not a YAML file"),
        ("projects: [7]", "must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, words):
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=words) as caught:
        load(file)
    assert "wrong.yaml" in str(caught.value)


def test_the_scenario_of_the_documentation():
    (block,) = [block for block in blocks(DOCS / "simulator.md") if block.language == "yaml"]
    with Simulator(yaml.safe_load(block.text), clock=Clock(speed=0)) as sim:
        shop, running = sim.project("shop"), sim.project("running")
        shop.start()
        sim.clock.advance(75)
        assert shop.state().not_allowed == []
        assert running.status == "RUNNING_MERGING"
        assert running.state().modifications.current.status == "FAILED"
        sim.clock.advance(20)
        assert running.status == "RUNNING"
        assert render.progress(running.state())["fullTransferProgress"] is None


def test_faults_of_a_scenario_may_alter_answers():
    (fault,) = load(
        {"faults": [{"kind": "change", "set": {"data.status": "ODD"}, "remove": ["data.projectId"]}]}
    ).faults
    assert (fault.set, fault.remove) == ({"data.status": "ODD"}, ["data.projectId"])


def test_the_documentation_has_everything_that_a_script_does():
    (sentence,) = re.findall(r"^`script` does: (.+?)\. ", (DOCS / "simulator.md").read_text(), re.MULTILINE | re.DOTALL)
    assert sorted(re.findall(r"`(\w+)`", sentence)) == SCRIPTABLE

"""The page about the command line: its scripts run, and its pictures are up to date."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest

import draw_terminal
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.waiting import Outcome
from airflow_provider_oms.milestones import facts
from airflow_provider_oms.milestones.verdict import Observation
from airflow_provider_oms.simulator import Clock, Project, Simulator
from tests.cli.test_verify import KEYS as VERIFY_KEYS
from tests.docs.pages import DOCS, blocks

SCRIPTS = {block.title: block.text for block in blocks(DOCS / "command-line.md", "text")}


@pytest.mark.parametrize(
    ("name", "project", "passed", "code", "says"),
    [
        # A day later, so that the checkpoint is before today's midnight at any time of the day.
        ("report.sh", {"step": "INCR_TRANSFER"}, 86_400, 0, "every change before today has arrived"),
        ("report.sh", {"step": "FULL_TRANSFER", "status": "RELEASED"}, 0, 1, ""),
        ("verify.sh", {"step": "FULL_TRANSFER"}, 0, 75, "not known; look again later"),
    ],
)
def test_a_script_runs(tmp_path, name, project, passed, code, says):
    (tmp_path / name).write_text(SCRIPTS[name])
    shop = Project(id="np_1", name="shop", **{"status": "RUNNING", **project})
    with Simulator([shop], clock=Clock(speed=0)) as oms:
        oms.clock.advance(passed)
        done = subprocess.run(
            ["sh", name],
            cwd=tmp_path,
            env={**os.environ, "AIRFLOW_CONN_OMS_DEFAULT": oms.connection_json},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == code, done.stderr
    assert says in done.stdout
    assert code == 0 or "every change" not in done.stdout
    if name == "verify.sh":
        assert json.loads((tmp_path / "verification.json").read_text())["name"] == "shop"


@pytest.mark.parametrize("name", draw_terminal.PICTURES)
def test_a_picture_is_what_the_command_shows(name):
    drawn = draw_terminal.draw(name)
    stored = (draw_terminal.FOLDER / f"{name}.svg").read_text()
    assert draw_terminal.words(drawn) == draw_terminal.words(stored), "Run scripts/terminal_pictures.py."
    assert "http" not in stored.replace("http://www.w3.org", "").replace("https://www.textualize.io", "")
    assert f"images/terminal/{name}.svg" in (DOCS / "command-line.md").read_text()


#: Where the page lists the keys of ``--json``: the words before a table, and the output of the code.
TABLES = {
    "`projects` writes": facts.ROW_KEYS,
    "`status` writes": facts.STATUS_KEYS,
}


@pytest.mark.parametrize("words", TABLES)
def test_the_page_shows_every_key_of_the_json(words):
    text = (DOCS / "command-line.md").read_text().split(f"\n{words}", 1)[1]
    table = text[text.index("\n|") :].lstrip().split("\n\n", 1)[0].splitlines()[2:]
    told = [key for line in table for key in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(told) == sorted(TABLES[words])


def test_the_page_of_gates_shows_every_key_that_they_return():
    text = (DOCS / "gates" / "index.md").read_text().split("## What a gate returns", 1)[1]
    table = text[text.index("\n|") :].lstrip().split("\n\n", 1)[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(Observation._fields)
    (example,) = [block for block in blocks(DOCS / "gates" / "index.md", "json") if '"project"' in block.text]
    assert list(json.loads(example.text)) == list(Observation._fields)


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        ("`wait` writes", Outcome("reached", Exit.OK, "", None).as_dict(None)),
        ("`verify` writes", VERIFY_KEYS),
        ("`test-connection` writes", ("ok", "conn_id", "message")),
    ],
)
def test_the_page_shows_the_keys_of_other_commands(words, keys):
    text = (DOCS / "command-line.md").read_text().split(f"\n{words}", 1)[1].split("\n\n", 1)[0]
    assert {f"`{key}`" for key in keys} <= set(re.findall(r"`\w+`", text))

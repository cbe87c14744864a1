"""The commands and options: the same for Airflow and for the console script, and fast to import."""

from __future__ import annotations

import argparse
import ast
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from airflow import __version__ as airflow_version

from airflow_provider_oms.cli import definition
from airflow_provider_oms.cli.exit_codes import Exit
from airflow_provider_oms.cli.main import main, parser
from airflow_provider_oms.get_provider_info import get_provider_info

HAS_CLI = tuple(int(part) for part in airflow_version.split(".")[:2]) >= (3, 2)


def actions(made):
    """Return the arguments of a parser, as far as users see them."""
    return [
        (tuple(action.option_strings) or action.dest, action.nargs, action.default, action.choices)
        for action in made._actions
    ]


def test_airflow_and_the_script_take_the_same_arguments():
    (group,) = definition.get_oms_cli_commands()
    assert group.name == "oms"
    (ours,) = [action for action in parser()._actions if isinstance(action, argparse._SubParsersAction)]
    assert [command.name for command in group.subcommands] == list(ours.choices)
    for command in group.subcommands:
        theirs = argparse.ArgumentParser()
        for argument in command.args:
            argument.add_to_parser(theirs)
        assert actions(theirs) == actions(ours.choices[command.name])


def test_airflow_runs_the_same_and_ends_with_its_exit_code(monkeypatch):
    (group,) = definition.get_oms_cli_commands()
    asked = []

    def run(name, given):
        asked.append((name, given))
        return Exit.UNKNOWN

    monkeypatch.setattr("airflow_provider_oms.cli.running.run", run)
    for command in group.subcommands:
        with pytest.raises(SystemExit) as ended:
            command.func("given")
        assert ended.value.code == 4
    assert asked == [(command.name, "given") for command in definition.COMMANDS]
    assert main(["status", "x"]) == 4


def test_every_command_has_a_module():
    for command in definition.COMMANDS:
        assert import_module(f"airflow_provider_oms.cli.commands.{command.name.replace('-', '_')}").run


def test_the_provider_info_and_the_entry_point_name_them():
    (path,) = get_provider_info()["cli"]
    module, name = path.rsplit(".", 1)
    assert getattr(import_module(module), name) is definition.get_oms_cli_commands
    (script,) = entry_points(group="console_scripts", name="airflow-oms")
    assert script.load() is main


def test_loading_the_definition_loads_nothing_else():
    """Airflow imports it for every command."""
    code = (
        "import airflow.cli.cli_config, sys; before = set(sys.modules);"
        "from airflow_provider_oms.cli.definition import get_oms_cli_commands; get_oms_cli_commands();"
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = ast.literal_eval(done.stdout.splitlines()[-1])
    ours = {name for name in loaded if name.startswith("airflow_provider_oms")}
    assert ours <= {"airflow_provider_oms", "airflow_provider_oms.cli", "airflow_provider_oms.cli.definition"}
    assert "airflow_provider_oms.cli.definition" in ours
    assert not {"requests", "aiohttp", "rich"} & set(loaded)


def test_the_script_reads_its_arguments_before_it_loads_airflow():
    code = (
        "import sys; from airflow_provider_oms.cli.main import parser;"
        "parser().parse_args(['wait', 'x', '--verified']); print('airflow' in sys.modules, 'rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.skipif(not HAS_CLI, reason="providers may bring commands from Airflow 3.2 on")
def test_airflow_has_the_commands():
    done = subprocess.run(["airflow", "oms", "--help"], capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    for command in definition.COMMANDS:
        assert re.search(rf"^ +{command.name}\b", done.stdout, re.MULTILINE), done.stdout


def test_no_word_of_help_is_taken_for_markup():
    """Airflow's help is written by rich, which would remove words in brackets."""
    for command in definition.COMMANDS:
        texts = [command.help, command.description, command.epilog]
        for option in command.options:
            texts.append(option.settings["help"])
        assert not [text for text in texts if "[" in text or "%" in text]


def test_the_docs_name_every_command_option_and_exit_code():
    page = (Path(__file__).parent.parent.parent / "docs" / "command-line.md").read_text()
    for command in definition.COMMANDS:
        assert f"`{command.name}" in page
        for option in command.options:
            assert option.flags[0] == "project" or option.flags[0] in page, option.flags
    for code in Exit:
        assert re.search(rf"^\| {int(code)} \|", page, re.MULTILINE), code

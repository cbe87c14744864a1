"""The provider in Airflow: its metadata, and its connection form, both in the old and in the new way."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import airflow
import jsonschema
import pytest

from airflow_provider_oms import __version__, get_provider_info
from airflow_provider_oms.client.settings import ClientSettings
from airflow_provider_oms.hooks.connection import DEFAULT_CONSOLE_URL
from airflow_provider_oms.hooks.form import form_widgets
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.tasks.airflow_version import airflow_version

INFO = get_provider_info.get_provider_info()
CONNECTION = INFO["connection-types"][0]
BEFORE_3 = airflow_version() < (3, 0)


def test_the_module_imports_nothing():
    """Airflow imports the module at every start, and would not start if that failed."""
    tree = ast.parse(inspect.getsource(get_provider_info))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_it_is_what_airflow_s_schema_asks_for():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_the_entry_point_is_this_function_and_names_the_distribution():
    (entry_point,) = [
        e for e in entry_points(group="apache_airflow_provider") if e.value.startswith("airflow_provider_oms")
    ]
    assert entry_point.load()() == INFO
    assert entry_point.dist.name == INFO["package-name"]
    assert version(INFO["package-name"]) == __version__


def test_every_module_and_class_that_it_names_exists():
    for section in ("hooks", "sensors", "operators", "triggers"):
        for entry in INFO[section]:
            for module in entry["python-modules"]:
                importlib.import_module(module)
    for path in [CONNECTION["hook-class-name"], *INFO.get("extra-links", [])]:
        module, name = path.rsplit(".", 1)
        assert inspect.isclass(getattr(importlib.import_module(module), name))


def test_the_hook_says_the_same_of_itself():
    assert OmsHook.conn_type == CONNECTION["connection-type"]
    assert OmsHook.hook_name == CONNECTION["hook-name"]


def test_the_form_shows_the_defaults_that_count():
    """The form shows the defaults but doesn't fill them in, because Airflow 3 would store them in every connection."""
    read = ClientSettings("http://oms")
    defaults = {
        "verify": str(read.verify).lower(),
        "timeout": f"{read.timeout:g}",
        "retries": str(read.retries),
        "api_version": read.api_version,
        "console_url": DEFAULT_CONSOLE_URL,
    }
    fields, placeholders = CONNECTION["conn-fields"], CONNECTION["ui-field-behaviour"]["placeholders"]
    assert set(fields) == {*defaults, "security_token"}  # this Airflow has no such form
    assert {name: placeholders[name] for name in defaults} == defaults
    assert all(default in fields[name]["description"] for name, default in defaults.items())
    assert not any("default" in field["schema"] for field in fields.values())


def test_the_old_form_has_the_fields_of_the_new_one():
    behaviour = OmsHook.get_ui_field_behaviour()
    assert behaviour["hidden_fields"] == CONNECTION["ui-field-behaviour"]["hidden-fields"]
    assert behaviour["relabeling"] == CONNECTION["ui-field-behaviour"]["relabeling"]
    assert behaviour["placeholders"] == CONNECTION["ui-field-behaviour"]["placeholders"]
    if not BEFORE_3:
        pytest.skip("Airflow 3 has no wtforms")
    widgets = OmsHook.get_connection_form_widgets()
    assert list(widgets) == list(CONNECTION["conn-fields"])
    for name, widget in widgets.items():
        field = CONNECTION["conn-fields"][name]
        assert widget.args == (field["label"],)
        assert widget.kwargs["description"] == field["description"]


@pytest.mark.parametrize("missing", ["flask_appbuilder", "wtforms"])
def test_where_a_package_is_missing_the_names_of_the_fields_are_still_told(missing, monkeypatch):
    """Airflow asks for the names of the fields first, and for nothing else after an ImportError."""
    for module in (missing, *(module for module in sys.modules if module.startswith(f"{missing}."))):
        monkeypatch.setitem(sys.modules, module, None)
    assert form_widgets() == {}


@pytest.mark.skipif(airflow_version() == (3, 0), reason="Airflow 3.0 shows no form of a provider: docs/versions.md")
def test_airflow_shows_the_form():
    if BEFORE_3:
        from airflow.providers_manager import ProvidersManager

        manager = ProvidersManager()
        fields = {name for name in manager.connection_form_widgets if name.startswith("extra__oms__")}
        assert fields == {f"extra__oms__{name}" for name in CONNECTION["conn-fields"]}
        assert manager.field_behaviours["oms"]["relabeling"]["host"] == "OMS console host"
        return
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (shown,) = [meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == "oms"]
    assert shown.hook_name == "OceanBase Migration Service"
    assert set(shown.extra_fields) == set(CONNECTION["conn-fields"])
    assert shown.standard_fields.host.title == "OMS console host"


COMMANDS = """
import sys
from airflow.__main__ import main

for what in sys.argv[1:]:
    print("== " + what, flush=True)
    sys.argv = ["airflow", "providers", what, "-o", "plain"]
    main()
"""


def test_airflow_s_command_line_lists_it(airflow_home):
    """All in one process, because starting Airflow takes most of a command's time."""
    expected = {"list": "airflow-provider-oms", "hooks": "airflow_provider_oms.hooks.oms.OmsHook"}
    if not (3, 0) <= airflow_version() <= (3, 1):  # these list no forms of providers: docs/versions.md
        expected |= {"widgets": "oms", "behaviours": "oms"}
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *expected], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = dict(part.split("\n", 1) for part in done.stdout.split("== ")[1:])
    assert {what: word in shown[what] for what, word in expected.items()} == dict.fromkeys(expected, True)

"""The cost of importing the sensors when a DAG file is parsed, in a process that has already loaded Airflow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.measuring import Size
from benchmarks.row import Row, Skipped

#: Milliseconds.
AIM = 10.0

OURS = "airflow_provider_oms.sensors.oms"

#: The aim for the progress page's plugin, which every process of Airflow loads: 2 ms on a machine where the sensors
#: take 8 ms. It is a ratio, because a busy machine makes both figures larger.
PLUGIN = "airflow_provider_oms.pages.plugin"
PLUGIN_AIM = 0.25

PEERS = {
    "http": "airflow.providers.http.sensors.http",
    "dbt Cloud": "airflow.providers.dbt.cloud.sensors.dbt",
    "Airbyte": "airflow.providers.airbyte.sensors.airbyte",
}

#: Modules that should not be loaded when a DAG is parsed.
HEAVY = ("requests", "aiohttp", "tenacity", "httpx", "ssl", "email")

# Each import runs in a fork of its own, so that all start with the same loaded Airflow, which isn't measured.
_PROBE = """
import gc, importlib, json, os, sys, time
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperatorLink, BaseSensorOperator, XCom, conf
import airflow.plugins_manager  # loads the plugins

def once(module, call):
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        try:
            gc.collect()
            before, began = set(sys.modules), time.process_time()
            try:
                loaded = importlib.import_module(module)
                if call:
                    getattr(loaded, call)()
                cost = (time.process_time() - began) * 1000
            except ImportError:
                cost = None
            new = sorted(set(sys.modules) - before)
            os.write(writer, json.dumps([cost, len(new), [name for name in %r if name in new]]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = json.loads(pipe.read())
    os.waitpid(child, 0)
    return found

rounds, wanted = json.loads(sys.argv[1])
found = {name: [] for name, _, _ in wanted}
for round in range(rounds + 1):
    for name, module, call in wanted:
        measured = once(module, call)
        if round:  # in the first round the modules may have to be compiled
            found[name].append(measured)
print("PROBED " + json.dumps(found))
"""


def run(size: Size, oms: Any) -> Iterator[Row | Skipped]:
    """Yield the cost of our import compared with that of each installed provider."""
    info = "airflow_provider_oms.get_provider_info"
    wanted = [("ours", OURS, None), *((name, module, None) for name, module in PEERS.items())]
    wanted += [("operators", "airflow_provider_oms.operators.oms", None), ("info", info, "get_provider_info")]
    wanted.append(("plugin", PLUGIN, None))
    found = _probe(size.of(15, 1), wanted)
    cost, modules, heavy = found["ours"]
    assert cost is not None
    note = f"{modules} modules; of {', '.join(HEAVY)} it loads {', '.join(heavy) or 'none'}"
    yield Row("import sensors.oms, CPU", cost, unit="ms", most=AIM, note=note)
    for name in PEERS:
        theirs, count, loads = found[name]
        if theirs is None:
            yield Skipped(f"import sensors.oms, compared with {name}", "that provider isn't installed here")
            continue
        note = f"{count} modules, among them {', '.join(loads)}" if loads else f"{count} modules"
        yield Row("import sensors.oms, CPU", cost, f"the {name} sensor", theirs, "ms", aim=1.0, note=note)
    cost, modules, _ = found["operators"]
    yield Row("import operators.oms, CPU", cost, unit="ms", note=f"{modules} modules, with the hook and the rules")
    yield Row("import and call get_provider_info, CPU", found["info"][0], unit="ms", most=AIM)
    plugin, modules, heavy = found["plugin"]
    note = f"{modules} modules; of {', '.join(HEAVY)} it loads {', '.join(heavy) or 'none'}"
    sensors = found["ours"][0]
    yield Row(
        "load the plugin of the progress page, CPU", plugin, "import sensors.oms", sensors, "ms", PLUGIN_AIM, note=note
    )


def _probe(rounds: int, wanted: list[Any]) -> dict[str, Any]:
    """Return for each import the median of its milliseconds, its modules, and which of these are expensive."""
    command = [sys.executable, "-c", _PROBE % (HEAVY,), json.dumps([rounds, wanted])]
    # Bytecode is stored, as in every installed Airflow. The first round may have to write it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=300).stdout
    (line,) = [line for line in output.splitlines() if line.startswith("PROBED ")]
    probed: dict[str, Any] = json.loads(line.removeprefix("PROBED "))
    return {name: sorted(rounds, key=lambda one: one[0] or 0)[len(rounds) // 2] for name, rounds in probed.items()}

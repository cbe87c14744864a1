"""Run a DAG by ``dag.test()`` in a separate process, because the OpenLineage provider reads its settings once."""

from __future__ import annotations

import json
import runpy
import sys

if __name__ == "__main__":
    run = runpy.run_path(sys.argv[1])["dag"].test()
    states = {ti.task_id: str(getattr(ti.state, "value", ti.state)) for ti in run.get_task_instances()}
    sys.stdout.write(f"STATES {json.dumps(states)}\n")

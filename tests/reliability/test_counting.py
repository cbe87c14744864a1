"""The plugin that counts what the tests of a report have tried."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from tests.docs.pages import ROOT
from tests.milestones.test_property import EXAMPLES

FILE = "tests/milestones/test_property.py"


def test_histories_and_answers_are_counted(tmp_path):
    counts = tmp_path / "counts.json"
    test = f"{FILE}::test_a_gate_opens_only_where_the_oracle_lets_it[OmsFullTransferSensor]"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "reliability.counting", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "RELIABILITY_COUNTS": str(counts)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=300)
    found = json.loads(counts.read_text())[FILE]
    assert (found["passed"], found["examples"]) == (1, EXAMPLES)
    assert found["answers"] > EXAMPLES

"""Parts of the tests, each with a marker, so that an Airflow can be tested without running all tests.

``scripts/versions.py`` says which part runs on which Airflow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

#: Tests of behaviour that can differ between versions of Airflow: forms, triggers, deferral, stored rows, links, DAG
#: runs. Of tests that take seconds there is one of each kind, because a whole DAG run takes ten seconds.
AIRFLOW = (
    "tests/cli/test_definition.py",
    "tests/docs/test_connection.py",
    "tests/docs/test_versions.py",
    "tests/example_dags/test_example_dags.py::TestEventDriven",
    "tests/example_dags/test_example_dags.py::TestGate::test_downstream_gets_what_the_gates_saw",
    "tests/example_dags/test_example_dags.py::TestMaintenance::test_it_is_resumed_although_the_work_failed",
    "tests/example_dags/test_example_dags.py::TestMany::"
    "test_each_continues_by_itself_and_the_report_says_which_failed_and_why[deferrable-failed]",
    "tests/example_dags/test_example_dags.py::test_it_is_imported_and_says_what_it_is",
    "tests/hooks",
    "tests/lineage/test_extraction.py",
    "tests/links",
    "tests/packaging/test_installed.py::test_airflow_finds_the_provider",
    "tests/pages/test_app.py",
    "tests/pages/test_plugin.py",
    "tests/pages/test_tasks_seen.py",
    "tests/pages/test_views.py",
    "tests/sensors/test_state_store.py",
    "tests/sensors/test_modes.py::test_poke",
    "tests/sensors/test_modes.py::test_reschedule_without_a_store",
    "tests/sensors/test_modes.py::test_the_triggerer_decides_like_the_worker",
    "tests/sensors/test_oms.py",
    "tests/sensors/test_outcomes.py",
    "tests/tasks/test_metrics.py::test_what_a_real_triggerer_counts_is_received[opentelemetry]",
    "tests/tasks/test_reporting.py",
    "tests/test_assets.py",
    "tests/test_get_provider_info.py",
    "tests/triggerer/test_events.py",
    "tests/triggerer/test_first_poll.py",
    "tests/triggerer/test_restarts.py",
    "tests/triggers/test_changed_connection.py",
    "tests/triggers/test_events.py",
    "tests/triggers/test_oms.py",
    "tests/triggers/test_restarts.py",
    "tests/triggers/test_shared.py",
    "tests/triggers/test_stored.py",
)

#: A few tests that show whether an Airflow works at all: forms, a gate in each mode, an operator, the demo.
SMOKE = (
    "tests/demo/test_demo.py::test_downstream_runs_after_the_milestones",
    "tests/operators/test_dag_run.py",
    "tests/sensors/test_outcomes.py",
    "tests/test_get_provider_info.py",
)

#: Tests that need to run on one version only: of code that depends neither on Airflow nor on its libraries; of the
#: client, whose libraries have the same pins with Airflow 2.11 and 3.3 (tests/packaging/test_pins.py); of the
#: benchmarks; and of whole tables of which a selection runs on each version.
ONCE = (
    "tests/benchmarks",
    "tests/cli/test_docs.py",
    "tests/cli/test_gate_cases.py",
    "tests/client",
    "tests/docs/test_commands.py",
    "tests/docs/test_walk.py",
    "tests/hosting",
    "tests/lineage/test_tables.py",
    "tests/milestones",
    "tests/operators/test_every_state.py",
    "tests/operators/test_secrets.py::test_a_run_that_fails_at_every_place",
    "tests/packaging/test_contents.py",
    "tests/packaging/test_metadata.py",
    "tests/packaging/test_pins.py",
    "tests/packaging/test_release.py",
    "tests/reliability",
    "tests/sensors/test_fleets.py::test_the_table_in_poke_and_deferred_mode",
    "tests/sensors/test_modes.py::test_deferred",
    "tests/simulator",
    "tests/test_develop.py",
    "tests/test_docstrings.py",
    "tests/test_evidence.py",
    "tests/test_imports.py",
    "tests/test_docs.py",
    "tests/test_parts.py",
    "tests/triggers/test_stress.py",
)

MARKERS = {"airflow": AIRFLOW, "smoke": SMOKE, "once": ONCE}

#: Tests that take seconds each, most of them because they wait for an Airflow or another process. They begin first, so
#: that shorter tests run at the same time.
LONG = (
    "tests/triggerer/test_real_triggerer.py",  # two to three minutes
    "tests/docs/test_recipes.py::TestTheVerifiedCutOver",  # whole migrations, one to two minutes each
    "tests/example_dags/test_example_dags.py::TestObjects",
    "tests/demo/test_demo.py",
    "tests/triggerer",
    "tests/benchmarks",
    "tests/docs/test_testing.py",
    "tests/test_develop.py",
    "tests/operators/test_dag_run.py",
    "tests/example_dags",
    "tests/lineage/test_dag_run.py",
    "tests/tasks/test_metrics.py",
    "tests/docs/test_recipes.py",
    "tests/cli/test_process.py",
    "tests/cli/test_docs.py",
    "tests/docs/test_daily_job.py",
    "tests/packaging",
    "tests/docs/test_install.py",
)


#: By marker, a pattern for the ids of its tests.
_PATTERNS = {name: re.compile(rf"({'|'.join(map(re.escape, paths))})(/|::|\[|$)") for name, paths in MARKERS.items()}


_LONG = [re.compile(rf"{re.escape(path)}(/|::|$)") for path in LONG]


def place(test: str) -> int:
    """Return the place of a test in the order of a run; the tests that take longest have the smallest numbers.

    :param test: its id
    """
    return next((number for number, pattern in enumerate(_LONG) if pattern.match(test)), len(LONG))


def deal(tests: Sequence[T], name: Callable[[T], str], processes: int) -> list[T]:
    """Return the order of a run in which two processes begin with the tests that take long.

    Each process begins with a contiguous part of the tests (``--dist worksteal``), so the long tests must not all be in
    the first.

    :param tests: all tests
    :param name: returns the id of a test
    :param processes: how many processes share the tests
    """
    placed = sorted(((place(name(test)), test) for test in tests), key=lambda one: one[0])
    if processes < 2:
        return [test for _, test in placed]
    others = [test for where, test in placed if where == len(LONG)]
    dealt: list[T] = []
    for hand in (0, 1):
        mine = [test for where, test in placed if where < len(LONG) and where % 2 == hand]
        room = max(0, len(placed) // processes - len(mine))
        dealt += [*mine, *others[:room]]
        others = others[room:]
    return [*dealt, *others]


def markers(test: str) -> list[str]:
    """Return the markers of a test.

    :param test: its id: the path of its file in the checkout, and its name
    """
    return [name for name, pattern in _PATTERNS.items() if pattern.match(test)]


def may_hold(file: str, part: str) -> bool:
    """Return whether a file may contain tests of a part; if not, it needn't be collected.

    :param file: its path in the checkout
    :param part: a marker
    """
    return any(file == path or file.startswith(f"{path}/") or path.startswith(f"{file}::") for path in MARKERS[part])

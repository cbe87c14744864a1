"""The memory of reschedule mode on Airflow 3.3: it is that of the last poke or none, whatever fails between two pokes.

The store works like Airflow's, and can fail at every call; the pokes go through Airflow's own ``execute``.
"""

from __future__ import annotations

import itertools
import json
import time

import pytest

from airflow_provider_oms.exceptions import OmsOperationError
from airflow_provider_oms.milestones.memory import Memory, Names
from airflow_provider_oms.sensors.state_store import KEY, MemoryStore
from airflow_provider_oms.simulator import Fault, Project
from airflow_provider_oms.tasks import clock
from airflow_provider_oms.tasks.airflow_version import has_task_state_store
from tests import modes
from tests.clocks import Elapsed

pytestmark = pytest.mark.skipif(not has_task_state_store(), reason="the task state store came with Airflow 3.3")

HOLD = 600


class Store(modes.Store):
    """A task state store that can be made to fail."""

    fails: str = ""
    wrote = 0

    def get(self, key, default=None):
        self._check("get")
        return super().get(key, default)

    def set(self, key, value):
        self.wrote += 1
        self._check("set")
        if self.wrote > 1:
            self._check("second")
        super().set(key, value)

    def _check(self, what):
        if what in self.fails:
            raise RuntimeError("API server: 500")


class Task:
    """A task in reschedule mode with an OMS whose lag can be set, and a clock."""

    def __init__(self, sim, monkeypatch, **arguments):
        self.sim, self.monkeypatch = sim, monkeypatch
        self.arguments = {"max_lag": 60, "hold_for": HOLD, **arguments}
        self.store = Store()
        # The wall clock is ahead, so that no answer seems to be late. Pokes share no monotonic clock.
        self.clock = Elapsed(time.time() + 1_000_000.0)
        self.pokes = itertools.count()
        self.tries = 1
        self.clock.install(monkeypatch, clock)

    def poke(self, lag=10, after=30, fails=""):
        """Poke once, and return the result."""
        self.clock.passed += after
        self.store.fails, self.store.wrote = fails, 0
        now = int(self.sim.clock.now())
        said = {"status": "RUNNING", "enableFullTransfer": True, "fullTransferProgress": 100, "enableIncrSync": True}
        self.sim.set_answer(
            "DescribeProjectProgress", {"success": True, "data": {**said, "incrSyncCheckpoint": now - lag}}
        )
        gate = modes.make("OmsCheckpointLagSensor", self.arguments, mode="reschedule")
        return modes.reschedule(gate, self.monkeypatch, self.store, poke=next(self.pokes), try_number=self.tries).state

    def retry(self):
        """Begin another try, as after a clear; the store keeps its content."""
        self.tries, self.pokes = self.tries + 1, itertools.count()


@pytest.fixture
def task(sim, monkeypatch):
    sim.set_answer("DescribeProjectSteps", {"success": True, "data": []})
    return Task(sim, monkeypatch)


def pokes_until_open(task, limit=40):
    for number in range(1, limit):
        if task.poke() == modes.REACHED:
            return number
    raise AssertionError("it stays shut")


def test_a_lag_that_holds_opens_the_gate(task):
    assert pokes_until_open(task) == HOLD / 30 + 1


@pytest.mark.parametrize("fails", ["get", "set", "get set"])
@pytest.mark.parametrize("when", [0, 1, 5, 19])
def test_whatever_fails_an_older_memory_is_never_believed(task, fails, when):
    """At one poke the lag is large and the store fails: the hold begins after it."""
    for number in range(20):
        state = task.poke(lag=5000, fails=fails) if number == when else task.poke()
        assert state == modes.WAITING
    # After 20 pokes, those after the bad one count; if the store failed there, one less counts.
    counted = (19 - when) * 30
    opened = pokes_until_open(task)
    assert counted + opened * 30 >= HOLD + 30
    assert counted + opened * 30 <= HOLD + 90


@pytest.mark.parametrize("fails", ["get", "set"])
def test_a_store_that_always_fails_opens_nothing(task, fails):
    for _ in range(60):
        assert task.poke(fails=fails) == modes.WAITING


def test_a_poke_that_crashed_is_followed_by_a_try_of_its_own(task):
    for _ in range(20):
        task.poke()
    task.retry()
    assert pokes_until_open(task) == HOLD / 30 + 1


def test_a_crash_before_the_memory_is_kept_leaves_none(task):
    """Airflow reschedules a poke whose last message was lost: it is counted, but has stored nothing."""
    for _ in range(20):
        task.poke()
    next(task.pokes)
    assert pokes_until_open(task) == HOLD / 30 + 1


def test_where_a_clock_goes_back_no_time_counts(task):
    for _ in range(20):
        task.poke()
    assert task.poke(after=-5000) == modes.WAITING
    assert pokes_until_open(task) == HOLD / 30 - 19


def test_workers_whose_clocks_differ_open_nothing_early(task):
    """Every second poke runs on a worker whose clock is 90 s ahead."""
    assert [task.poke(), *(task.poke(after=after) for after in (120, -60) * 9)] == [modes.WAITING] * 19


def test_a_clock_that_leaps_or_a_worker_that_came_late_counts_as_little(task):
    assert [task.poke(), task.poke(after=86_400)] == [modes.WAITING] * 2
    assert pokes_until_open(task) == HOLD / 30 - 1


def test_an_outage_is_counted_over_pokes_and_not_with_an_older_memory(task, sim, pauses):
    sim.add_fault(Fault("status", status=503))
    states = [task.poke() for _ in range(15)]
    sim.clear_faults()
    assert task.poke(fails="set") == modes.WAITING  # an answer, of which the next poke knows nothing
    sim.add_fault(Fault("status", status=503))
    states += [task.poke() for _ in range(20)]
    assert states == [modes.WAITING] * 35
    # By then no answer of the last ten minutes is known.
    assert task.poke() == modes.FAILED


# A gate stays with one project


@pytest.fixture
def named(sim, monkeypatch, task):
    sim.add_project(Project(id="np_1", name="shop", status="RUNNING"))
    task.arguments = {"max_lag": 60, "hold_for": HOLD, "project_name": "shop"}

    def looked_up():
        return [record.action for record in sim.requests].count("ListProjects")

    return task, looked_up


def test_a_name_is_looked_up_at_the_first_poke(named):
    task, looked_up = named
    for _ in range(3):
        task.poke()
    assert looked_up() == 1


@pytest.mark.parametrize("fails", ["get", "set", "get set"])
@pytest.mark.parametrize("when", [1, 3])
def test_a_failing_store_makes_no_gate_follow_another_project(named, fails, when):
    task, looked_up = named
    for number in range(8):
        assert task.poke(fails=fails if number == when else "") == modes.WAITING
    assert looked_up() == 1
    assert task.store[KEY]["memory"]["projects"] == {"shop": "np_1"}


def test_a_poke_that_cannot_read_the_id_does_not_ask_oms(named, sim):
    task, _ = named
    task.poke()
    before = len(sim.requests)
    assert task.poke(fails="get") == modes.WAITING
    assert len(sim.requests) == before


def test_an_id_that_was_never_kept_is_not_looked_up_again(named):
    """The first poke stores that it begins, and then can't store the id."""
    task, looked_up = named
    assert task.poke(fails="second") == modes.WAITING
    assert looked_up() == 1
    with pytest.raises(OmsOperationError, match="A retry, or clearing this task, looks it up again"):
        task.poke()
    assert looked_up() == 1
    task.retry()
    assert task.poke() == modes.WAITING
    assert looked_up() == 2


def test_where_nothing_can_be_noted_no_name_is_looked_up(named, sim):
    task, looked_up = named
    assert [task.poke(fails="set") for _ in range(3)] == [modes.WAITING] * 3
    assert not sim.requests
    assert task.poke() == modes.WAITING
    assert looked_up() == 1


def test_another_try_that_continues_counting_begins_again(named):
    """As if a worker had died with the queued task: Airflow retries it, and doesn't reset the number of the poke."""
    task, looked_up = named
    for _ in range(3):
        task.poke()
    task.tries += 1
    assert pokes_until_open(task) == HOLD / 30 + 1
    assert looked_up() == 2


def test_pokes_that_never_came_have_looked_up_nothing(named):
    """Airflow 3.3 reschedules a task if it doesn't find the DAG at its start, and counts that as a poke."""
    task, looked_up = named
    next(task.pokes)
    next(task.pokes)
    assert pokes_until_open(task) == HOLD / 30 + 1
    assert looked_up() == 1


def test_another_try_looks_the_name_up_again(named):
    task, looked_up = named
    task.poke()
    task.retry()
    task.poke()
    assert looked_up() == 2


# The store alone


def store_with(stored, **which):
    store = Store()
    if stored is not None:
        store[KEY] = json.loads(json.dumps(stored))
    return MemoryStore(modes.context(store, **which))


KEPT = Memory({"shop": "np_1"}, {"lag small": 5.0}, 1, 7.0)


def test_the_memory_of_the_last_poke_comes_back():
    store = Store()
    MemoryStore(modes.context(store, poke=3, try_number=2)).save(KEPT)
    assert MemoryStore(modes.context(store, poke=4, try_number=2)).load() == KEPT


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({"poke": 3}, Memory({"shop": "np_1"}, kept=False, names=Names.LOST)),
        ({"poke": 5}, Memory({"shop": "np_1"}, kept=False, names=Names.LOST)),
        ({"poke": 6}, Memory({"shop": "np_1"}, kept=False, names=Names.LOST)),
        ({"poke": 4, "try_number": 2}, Memory()),
        ({"poke": 0, "try_number": 2}, Memory()),
        ({"poke": None}, Memory(kept=False)),
    ],
    ids=str,
)
def test_that_of_any_other_poke_is_none(which, expected):
    assert store_with({"try": 1, "poke": 3, "memory": KEPT.as_dict()}, **which).load() == expected


@pytest.mark.parametrize(
    "stored",
    ["text", [], {"poke": 0}, {"try": 1, "poke": 0, "memory": {"since": "x"}}, {"try": "1", "poke": 0}],
    ids=str,
)
def test_what_somebody_else_has_written_there_is_none(stored):
    assert store_with(stored, poke=1).load() == Memory(kept=False, names=Names.LOST)


def test_where_nothing_is_stored_there_was_no_poke():
    assert store_with(None, poke=3).load() == Memory()


def test_without_a_store_nothing_is_remembered():
    alone = MemoryStore(modes.context())
    alone.begin(KEPT)
    alone.save(KEPT)
    assert alone.load() == Memory(kept=False)

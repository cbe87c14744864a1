"""The simulated OMS in a separate process that can be killed; its state is stored on disk.

``python -m reliability.oms FOLDER PORT PORT`` serves the simulators that :func:`prepare` has stored in the folder. Each
change is written to disk before it is answered, so a request has either been carried out and recorded, or has had no
effect.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from airflow_provider_oms.simulator import Clock, RequestRecord, Simulator
from reliability.postgres import free_port
from tests.triggerer.witness import Answered

ROOT = Path(__file__).resolve().parent.parent

#: The two simulators: one for the gates, one for the lifecycles.
GATES, LIFECYCLES = "gates", "lifecycles"

#: How the names of actions begin that only read.
_READS = ("Describe", "List", "Get")


@dataclass
class Kept:
    """A simulator whose state is stored on disk.

    :param file: the file with the state, which is read if it exists
    :param port: where the simulator listens; 0 for any
    :param begin: the time on its stopped clock if the file doesn't exist yet
    """

    file: Path
    port: int = 0
    begin: float | None = None
    changes: list[RequestRecord] = field(default_factory=list)
    seen: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        stored = io.BytesIO(self.file.read_bytes()) if self.file.exists() else None
        self._answered = self.file.parent / f"{self.file.name}.answers"
        self._lock = threading.Lock()
        clock = Clock(speed=0, start=self.begin)
        if stored is not None:
            at, real, speed = pickle.load(stored)
            clock = Clock(speed, at + (time.time() - real) * speed)
        self.simulator = Simulator(clock=clock, port=self.port, on_request=self._note)
        if stored is not None:
            self._load(stored)

    def _load(self, stored: io.BytesIO) -> None:
        store = self.simulator._store
        known = {"clock": self.simulator.clock, "lock": store.lock}
        content, self.changes, self.seen = _Unpickler(stored, known).load()
        vars(store).update(content)

    def save(self) -> None:
        """Write the state to disk, atomically."""
        simulator, store = self.simulator, self.simulator._store
        with self._lock, store.lock:
            self.seen.update(store.projects)
            stream = io.BytesIO()
            moment = (simulator.clock.now(), time.time(), simulator.clock.speed)
            pickle.dump(moment, stream)
            names = {id(simulator.clock): "clock", id(store.lock): "lock"}
            content = {name: value for name, value in vars(store).items() if name not in ("clock", "lock", "edition")}
            _Pickler(stream, names).dump((content, self.changes, self.seen))
            new = self.file.with_suffix(".new")
            new.write_bytes(stream.getvalue())
            new.replace(self.file)

    def _note(self, record: RequestRecord) -> None:
        try:
            if record.action is not None and not record.action.startswith(_READS):
                self.changes.append(record)
                self.save()
            if record.project_id:
                told = [record.time, time.time(), record.action, record.project_id, record.outcome]
                with self._answered.open("ab", buffering=0) as answers:
                    answers.write(b"\n" + json.dumps(told).encode())
        except BaseException:
            # An error must end the process: otherwise the simulator continues without storing its state.
            os._exit(70)

    def answers(self) -> list[Answered]:
        """Return the answers about projects, oldest first."""
        lines = self._answered.read_text().splitlines() if self._answered.exists() else []
        told = [json.loads(line) for line in lines if line.endswith("]")]
        return [Answered(*one[:4]) for one in told if one[4] == "success"]


class _Pickler(pickle.Pickler):
    """Writes a name instead of an object that can't be stored.

    :param names: the names, by the ids of the objects
    """

    def __init__(self, stream: io.BytesIO, names: Mapping[int, str]) -> None:
        super().__init__(stream)
        self.names = names

    def persistent_id(self, thing: Any) -> str | None:
        return self.names.get(id(thing))


class _Unpickler(pickle.Unpickler):
    """Reads an object for each of these names.

    :param known: the objects
    """

    def __init__(self, stream: io.BytesIO, known: Mapping[str, Any]) -> None:
        super().__init__(stream)
        self.known = known

    def persistent_load(self, name: str) -> Any:
        return self.known[name]


class Oms:
    """The process of the simulated OMS; a context manager that ends it.

    :param folder: the folder with the simulators' states
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.ports = folder, (free_port(), free_port())
        self._process: subprocess.Popen[bytes] | None = None
        self._speed: float | None = None

    def start(self) -> None:
        """Start the process; return once it listens."""
        with (self.folder / "oms.log").open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "reliability.oms", str(self.folder), *map(str, self.ports)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
            )
        self._hear("listens")
        if self._speed is not None:
            self.begin(self._speed)

    def begin(self, speed: float) -> None:
        """Start the gates' projects and the clock of their simulator.

        :param speed: simulated seconds in a real one
        """
        self._speed = speed
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018
        self._process.stdin.write(f"{speed}\n".encode())
        self._process.stdin.flush()
        self._hear("begun")

    def _hear(self, word: str) -> None:
        assert self._process is not None and self._process.stdout is not None  # noqa: PT018
        if self._process.stdout.readline().decode().strip() != word:
            raise RuntimeError(f"The simulated OMS has ended.\n{(self.folder / 'oms.log').read_text()[-3000:]}")

    def kill(self) -> int:
        """Kill the process with SIGKILL; return how many processes there were."""
        if self._process is None:
            return 0
        self._process.kill()
        self._process.communicate()
        self._process = None
        return 1

    def check(self) -> None:
        """Check that the process is running.

        :raises RuntimeError: it has ended by itself
        """
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"The simulated OMS has ended.\n{(self.folder / 'oms.log').read_text()[-3000:]}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def connection_json(self, which: str) -> str:
        """Return the connection to a simulator.

        :param which: ``gates`` or ``lifecycles``
        """
        port = self.ports[(GATES, LIFECYCLES).index(which)]
        return Simulator(port=port).connection_json

    def kept(self, which: str) -> Kept:
        """Read a simulator from disk.

        :param which: ``gates`` or ``lifecycles``
        """
        return Kept(self.folder / which)


def prepare(folder: Path, projects: Iterable[Any], sources: Iterable[Any], now: float) -> None:
    """Store two simulators in a folder.

    :param folder: the folder
    :param projects: the projects of the gates' simulator
    :param sources: the data sources of the lifecycles' simulator
    :param now: the time on the stopped clock of the gates' simulator
    """
    gates, lifecycles = Kept(folder / GATES, begin=now), Kept(folder / LIFECYCLES)
    for project in projects:
        gates.simulator.add_project(project)
    for source in sources:
        lifecycles.simulator.add_data_source(source)
    lifecycles.simulator.clock.speed = 1.0
    gates.save()
    lifecycles.save()


def main(folder: Path, ports: list[int]) -> None:
    """Serve, and execute the commands on standard input until it is closed."""
    gates, lifecycles = (Kept(folder / name, port) for name, port in zip((GATES, LIFECYCLES), ports, strict=True))
    with gates.simulator, lifecycles.simulator:
        print("listens", flush=True)
        for line in sys.stdin:
            for project in gates.simulator.projects.values():
                if project.status == "INIT":
                    project.start()
            gates.simulator.clock.speed = float(line)
            gates.save()
            print("begun", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(port) for port in sys.argv[2:]])

"""Draw docs/images/dashboard.svg: what docs/grafana-dashboard.json shows while three projects are migrated.

.venv-airflow-3.3-test-lint/bin/python scripts/dashboard_picture.py

Gates of three simulated projects poll for two simulated hours with an outage of OMS in between. Airflow sends their
metrics to a statsd server here, and the script draws the values that arrive. It doesn't use Grafana: the titles and
places of the panels are the dashboard's, but Grafana draws the curves differently.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "docs" / "grafana-dashboard.json"
FILE = ROOT / "docs" / "images" / "dashboard.svg"

#: Simulated seconds: between two polls, and in total.
INTERVAL, WHOLE = 60, 7200

#: The simulated second at which an outage of OMS begins, and how long it lasts.
AWAY, AWAY_FOR = 2700, 300

#: Pixels of a unit of the dashboard's grid, whose panels may be 24 units wide.
UNIT_X, UNIT_Y = 40, 34
COLOURS = ("#1d4ed8", "#c2410c", "#15803d")
#: The values that a quarter of a panel's height may stand for.
ROUND = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
GREY, INK = "#e4e7eb", "#1f2933"


@dataclass
class Received:
    """What statsd received, by simulated second.

    :param lag: points for each project
    :param progress: the last percentage of each project
    :param verdicts: the polls of an interval, by verdict
    :param outages: how many
    """

    lag: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    progress: dict[str, float] = field(default_factory=dict)
    verdicts: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {"waiting": [], "reached": [], "failed": []}
    )
    outages: int = 0

    def take(self, second: float, lines: Sequence[str]) -> None:
        """Add the metrics of an interval."""
        counted = dict.fromkeys(self.verdicts, 0)
        for line in lines:
            name, _, value = line.partition(":")
            kind, _, of = name.removeprefix("airflow.oms.").partition(".")
            number = float(value.partition("|")[0])
            if kind == "lag":
                self.lag.setdefault(of, []).append((second, number))
            elif kind == "progress":
                self.progress[of] = number
            elif kind == "verdicts":
                counted[of] += int(number)
            elif kind == "outages":
                self.outages += int(number)
        for state, polls in counted.items():
            self.verdicts[state].append((second, polls))


def receive() -> Received:
    """Let gates poll, and return what statsd receives from them."""
    home = tempfile.mkdtemp(prefix="oms-dashboard-")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        # Before Airflow is imported, because it reads these settings only once.
        os.environ.update(
            AIRFLOW_HOME=home,
            AIRFLOW__METRICS__STATSD_ON="True",
            AIRFLOW__METRICS__STATSD_HOST="127.0.0.1",
            AIRFLOW__METRICS__STATSD_PORT=str(listening.getsockname()[1]),
            AIRFLOW__METRICS__STATSD_PREFIX="airflow",
            AIRFLOW__LOGGING__LOGGING_LEVEL="ERROR",
        )
        try:
            return _poll_gates(listening)
        finally:
            shutil.rmtree(home, ignore_errors=True)


def _poll_gates(listening: socket.socket) -> Received:
    from airflow_provider_oms.client.operations import run_flow
    from airflow_provider_oms.client.settings import ClientSettings
    from airflow_provider_oms.client.sync import OmsClient
    from airflow_provider_oms.milestones.gate import Gate
    from airflow_provider_oms.milestones.kinds import CutoverReadyMilestone
    from airflow_provider_oms.milestones.memory import Memory, Now
    from airflow_provider_oms.milestones.poll import poll
    from airflow_provider_oms.simulator import Clock, Fault, Project, Simulator
    from airflow_provider_oms.tasks.metrics import Metrics

    received = Received()
    with Simulator(clock=Clock(speed=0)) as oms:
        for number, name in enumerate(("shop", "billing", "stock")):
            pace = {"FULL_TRANSFER": 1500.0 * 2.5**number}
            oms.add_project(
                Project(id=f"np_{name}", name=name, durations=pace, initial_lag=1800 + 1200 * number, catch_up_rate=1.6)
            )
            oms.project(f"np_{name}").start()
        gates = [
            Gate(CutoverReadyMilestone(max_lag=30), project_id=project_id, poke_interval=INTERVAL)
            for project_id in oms.projects
        ]
        memories: list[Memory | None] = [Memory() for _ in gates]
        with OmsClient(ClientSettings(oms.url, oms.login, oms.password, retries=0)) as client:
            for second in range(0, WHOLE + 1, INTERVAL):
                oms.clear_faults()
                if AWAY <= second < AWAY + AWAY_FOR:
                    oms.add_fault(Fault("status", status=503, times=99))
                for place, (gate, memory) in enumerate(zip(gates, memories, strict=True)):
                    if memory is None:
                        continue
                    verdict = run_flow(client, poll(gate, memory, Now(second, oms.clock.now())))
                    Metrics(gate, beside_the_loop=False).count(verdict)
                    if verdict.state.value != "waiting":
                        memories[place] = None
                received.take(second, list(_ours(listening)))
                oms.clock.advance(INTERVAL)
    return received


def _ours(listening: socket.socket) -> Iterator[str]:
    while True:
        try:
            lines = listening.recv(65536).decode().splitlines()
        except BlockingIOError:
            return
        yield from (line for line in lines if line.startswith("airflow.oms."))


def draw(received: Received) -> str:
    """Return the picture.

    :param received: what statsd received
    """
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    panels = {panel["title"]: panel for panel in dashboard["panels"]}
    shown = {
        "Lag": lambda box: _curves(box, received.lag, "s", sorted(received.lag)),
        "Progress": lambda box: _bars(box, received.progress),
        "Verdicts": lambda box: _curves(box, received.verdicts, "polls", list(received.verdicts)),
        "Outages": lambda box: [_text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + 20, str(received.outages), 56)],
    }
    width = max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in panels.values()) * UNIT_X
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels.values()) * UNIT_Y
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f"<title>{dashboard['title']}: lag, progress, verdicts and outages of three projects</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for title, panel in panels.items():
        place = panel["gridPos"]
        left, top = place["x"] * UNIT_X + 6, place["y"] * UNIT_Y + 6
        right, bottom = left + place["w"] * UNIT_X - 12, top + place["h"] * UNIT_Y - 12
        frame = f'x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"'
        parts += [
            f'<rect {frame} rx="4" fill="none" stroke="#9aa5b1"/>',
            _text(left + 12, top + 24, title, 17, "start"),
        ]
        parts += shown[title]((left + 76, top + 46, right - 16, bottom - 54))
    return "\n".join([*parts, "</svg>"]) + "\n"


Box = tuple[float, float, float, float]


def _curves(box: Box, series: dict[str, list[tuple[float, float]]], unit: str, order: Sequence[str]) -> list[str]:
    left, top, right, bottom = box
    highest = max(value for points in series.values() for _, value in points)
    most = float(next(4 * step for step in ROUND if 4 * step >= highest))
    parts = []
    for part in range(5):
        height = bottom - part / 4 * (bottom - top)
        parts += [
            f'<line x1="{left}" y1="{height:.1f}" x2="{right}" y2="{height:.1f}" stroke="{GREY}"/>',
            _text(left - 8, height + 5, f"{most * part / 4:,.0f} {unit}" if part else "0", 13, "end"),
        ]
    for hour in range(WHOLE // 3600 + 1):
        parts.append(_text(left + hour * 3600 / WHOLE * (right - left), bottom + 20, f"{hour} h", 13))
    for number, name in enumerate(order):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{left + second / WHOLE * (right - left):.1f},{bottom - value / most * (bottom - top):.1f}"
            for second, value in series[name]
        )
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
            _text(left + 130 * number, bottom + 42, name, 14, "start", colour),
        ]
    return parts


def _bars(box: Box, progress: dict[str, float]) -> list[str]:
    left, top, right, bottom = box
    left, parts = left - 62, list[str]()
    each = (bottom + 30 - top) / len(progress)
    for number, (name, percent) in enumerate(sorted(progress.items())):
        at, width = top + number * each, (right - left) * percent / 100
        colour = COLOURS[number % len(COLOURS)]
        parts += [
            _text(left, at + 16, name, 14, "start"),
            _text(right, at + 16, f"{percent:g} %", 14, "end"),
            f'<rect x="{left}" y="{at + 24:.1f}" width="{right - left:.1f}" height="22" fill="{GREY}"/>',
            f'<rect x="{left}" y="{at + 24:.1f}" width="{width:.1f}" height="22" fill="{colour}"/>',
        ]
    return parts


def _text(x: float, y: float, text: Any, size: int, anchor: str = "middle", colour: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{text}</text>'


if __name__ == "__main__":
    FILE.write_text(draw(receive()), encoding="utf-8")
    print(FILE.name)

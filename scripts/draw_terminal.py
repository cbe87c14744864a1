"""Draw the pictures of the terminal. ``terminal_pictures.py`` runs this in an environment.

The simulated clock and ids are fixed, so the same version of rich draws the same pictures.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from rich.console import Console
from rich.live import Live

from airflow_provider_oms.cli.commands import watch
from airflow_provider_oms.cli.main import parser
from airflow_provider_oms.cli.running import run
from airflow_provider_oms.cli.screen import Screen
from airflow_provider_oms.simulator import Clock, Failure, Project, Simulator, Table

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images" / "terminal"

#: 2027-01-15T02:45:00Z
BEGIN = 1_799_981_100

WIDE, NARROW = 124, 60

#: For each picture: its width in columns, the command, and after how many polls Ctrl-C is pressed
PICTURES: dict[str, tuple[int, str, int | None]] = {
    "projects": (WIDE, "projects", None),
    "projects-narrow": (NARROW, "projects", None),
    "status": (WIDE, "status shop_orders", None),
    "status-failed": (NARROW, "status warehouse", None),
    "watch": (WIDE, "watch shop_customers --max-lag 60", 12),
    "verify": (WIDE, "verify billing", None),
    "wait": (WIDE, "wait shop_customers --max-lag 10m --poke-interval 60", None),
}


def simulated() -> Simulator:
    """Return an OMS with a project in every state that a picture shows, at 03:00 of its clock."""
    warehouse = Project(
        id="np_4w3rk2m9tq04",
        name="warehouse",
        rows=100_000,
        status="RUNNING",
        step="FULL_TRANSFER",
        failures=[Failure("FULL_TRANSFER", at=40, code="GHANA-MIGRAT000201", message="No space left in the target.")],
    )
    simulator = Simulator([warehouse], clock=Clock(start=BEGIN, speed=0))
    simulator.clock.advance(900)
    for project in (
        Project(
            id="np_4w3rk2m9tq01",
            name="shop_orders",
            status="RUNNING",
            step="FULL_TRANSFER",
            rows=48_000_000,
            durations={"FULL_TRANSFER": 900},
            step_progress=37,
        ),
        Project(
            id="np_4w3rk2m9tq02",
            name="shop_customers",
            status="RUNNING",
            step="INCR_TRANSFER",
            initial_lag=5400,
            catch_up_rate=20,
        ),
        Project(
            id="np_4w3rk2m9tq03",
            name="billing",
            status="RUNNING",
            step="FULL_VERIFIER",
            step_progress=100,
            verification=[
                Table(schema="billing", table="invoices", consistent=812_000),
                Table(schema="billing", table="prices", result_type="INCONSISTENT", consistent=990, mismatched=10),
                Table(schema="billing", table="discounts", result_type="TARGET_TABLE_NOT_EXIST", consistent=0),
            ],
        ),
        Project(id="np_4w3rk2m9tq05", name="archive", status="SUSPEND", step="FULL_TRANSFER", step_progress=12),
        Project(
            id="np_4w3rk2m9tq06",
            name="to_kafka",
            type="SYNC",
            status="RUNNING",
            step="INCR_TRANSFER",
            sink_type="KAFKA",
            initial_lag=5,
        ),
        Project(id="np_4w3rk2m9tq07", name="not_started_yet"),
    ):
        simulator.add_project(project)
    simulator.clock.advance(12)
    return simulator


def draw(name: str) -> str:
    """Run a command and return the picture of its terminal, as SVG.

    :param name: one of :data:`PICTURES`
    """
    width, typed, polls = PICTURES[name]
    console = Console(
        record=True,
        width=width,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        highlight=False,
        markup=False,
        _environ={},
    )
    screen = Screen(console.file, console.file)
    screen.out = screen.err = console
    svg = ""
    with simulated() as oms:
        passed = SimpleNamespace(polls=0)

        def sleep(seconds: float) -> None:
            nonlocal svg
            passed.polls += 1
            if polls is not None and passed.polls == polls - 1:
                console.export_text(clear=True)  # discards the frames that a terminal has overwritten
            if passed.polls == polls:
                svg = _svg(console, name, typed)
                raise KeyboardInterrupt
            oms.clock.advance(seconds)

        clock = SimpleNamespace(
            monotonic=oms.clock.now,
            time=oms.clock.now,
            sleep=sleep,
            strftime=lambda pattern: _time_of_day(oms.clock.now()),
        )
        with (
            patch.dict(os.environ, AIRFLOW_CONN_OMS_DEFAULT=json.dumps(oms.connection_kwargs | {"conn_type": "oms"})),
            patch("airflow_provider_oms.cli.waiting.time", clock),
            patch("airflow_provider_oms.cli.screen.time", clock),
            patch.object(watch, "time", clock),
            patch.object(watch, "Live", partial(Live, auto_refresh=False)),
        ):
            given = parser().parse_args(typed.split())
            run(given.command, given, screen)
    return svg or _svg(console, name, typed)


def words(svg: str) -> list[str]:
    """Return the text of a picture."""
    return " ".join(re.findall(r"<text[^>]*>([^<]*)</text>", svg)).replace("&#160;", " ").split()


def _svg(console: Console, name: str, typed: str) -> str:
    svg = console.export_svg(title=f"airflow-oms {typed}", unique_id=name, clear=False)
    # No fonts from the internet: the reader's own monospaced font is used instead.
    svg = re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def _time_of_day(at: float) -> str:
    return f"{int(at) // 3600 % 24:02d}:{int(at) // 60 % 60:02d}:{int(at) % 60:02d}"


def main() -> Iterator[str]:
    """Draw all of them, and name each."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(draw(name), encoding="utf-8")
        yield name


if __name__ == "__main__":
    for drawn in main():
        sys.stdout.write(f"{drawn}.svg\n")

"""The controls of the simulator's page and of ``ctl``: one table, so that both offer the same."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.state import NotAllowed
from airflow_provider_oms.simulator.store import Store


class Wrong(Exception):
    """A control that can't be carried out, with the reason."""


@dataclass(frozen=True)
class Control:
    """A control.

    :param name: its name in the command.
    :param words: its name on the page.
    :param needs: the parameter that it needs besides the project, by its name on the page and in the command.
    :param do: changes a project; None for a control of the whole simulator.
    """

    name: str
    words: str
    needs: str | None
    do: Callable[[LiveProject, str], object] | None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < 1e9:
        raise Wrong(f"seconds must be a number, not {text!r}.")
    return seconds


def _tables(text: str) -> dict[str, list[str]]:
    """Read ``shop.orders shop.prices``; without a schema the table is in ``test``."""
    found: dict[str, list[str]] = {}
    for item in text.replace(",", " ").split():
        schema, _, table = item.rpartition(".")
        found.setdefault(schema or "test", []).append(table)
    if not found or not all(all(names) for names in found.values()):
        raise Wrong("tables must be names such as shop.orders.")
    return found


def _fail(live: LiveProject, message: str) -> None:
    live.fail(message=message or "Failed on demand.")


CONTROLS = {
    control.name: control
    for control in (
        Control("start", "Start", None, lambda live, _: live.start()),
        Control("fail", "Fail", "message", _fail),
        Control("recover", "Recover", None, lambda live, _: live.recover()),
        Control("pause", "Pause", None, lambda live, _: live.pause()),
        Control("resume", "Resume", None, lambda live, _: live.resume()),
        Control("complete", "Complete the person's step", None, lambda live, _: live.advance()),
        Control("lag", "Set lag", "seconds", lambda live, text: live.set_lag(_seconds(text))),
        Control("add", "Add tables", "tables", lambda live, text: live.add_objects(_tables(text))),
        Control("remove", "Remove tables", "tables", lambda live, text: live.remove_objects(_tables(text))),
        Control("fail-addition", "Fail the addition", None, lambda live, _: live.fail_modification()),
        Control("finish-addition", "Finish the addition", None, lambda live, _: live.finish_modification()),
        Control("skip-verification", "Skip the verification", None, lambda live, _: live.skip_verification()),
        Control("reverify", "Verify again", None, lambda live, _: live.reverify()),
        Control("speed", "Set the clock's speed", "seconds", None),
        Control("advance-clock", "Move the clock", "seconds", None),
        Control("down", "Take OMS down", "seconds", None),
    )
}


@dataclass(frozen=True)
class Done:
    """A control that was carried out: its time, a sentence about it, and how many real seconds OMS stays down."""

    time: float
    words: str
    down: float = 0.0


class Controls:
    """Carries out controls, and remembers the latest ones for the page."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.log: deque[Done] = deque(maxlen=5)

    def carry_out(self, name: str, given: Mapping[str, Any]) -> Done:
        """Carry out a control.

        :param name: the name of the control.
        :param given: ``project`` (id or name), and the parameters that the control needs.
        :raises Wrong: when it can't be carried out, with the reason.
        """
        control = CONTROLS.get(name)
        if control is None:
            raise Wrong(f"There is no {name!r}; there are {', '.join(CONTROLS)}.")
        text = str(given.get(control.needs or "") or "").strip()
        if control.do is None:
            done = self._whole(control, _seconds(text))
        else:
            done = self._project(control, str(given.get("project") or ""), text)
        self.log.appendleft(done)
        return done

    def _project(self, control: Control, name: str, text: str) -> Done:
        assert control.do is not None  # noqa: S101 - for the type checker
        try:
            live = self.store.find(name)
        except KeyError as error:
            raise Wrong(str(error.args[0])) from None
        try:
            control.do(live, text)
        except (NotAllowed, ValueError) as error:
            raise Wrong(f"{live.name}: {error}") from None
        what = f"{control.words.lower()} {text}".strip()
        return Done(self.store.clock.now(), f"{live.name}: {what}. It is {live.status} at {live.current_step}.")

    def _whole(self, control: Control, seconds: float) -> Done:
        clock = self.store.clock
        if control.name == "speed":
            clock.speed = seconds
            return Done(clock.now(), f"The clock runs {seconds:g} simulated seconds a second.")
        if control.name == "advance-clock":
            return Done(clock.advance(seconds), f"The clock was moved by {seconds:g} s.")
        return Done(clock.now(), f"OMS is down for {seconds:g} s.", down=seconds)


def listed(projects: Iterable[LiveProject]) -> list[dict[str, Any]]:
    """Return the projects in short, for the command."""
    rows = []
    for live in projects:
        state = live.state()
        stream = state.stream(state.current_step)
        rows.append(
            {
                "id": live.id,
                "name": live.name,
                "status": state.shown_status,
                "step": state.current_step,
                "progress": state.steps[state.current_step].progress,
                "lag": None if stream.checkpoint is None else max(0, round(state.time - stream.checkpoint)),
                "waits_for_person": state.waits_for_person,
            }
        )
    return rows

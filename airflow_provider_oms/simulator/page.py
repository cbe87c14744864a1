"""The page for people at ``GET /``: projects in short and in full, the latest requests, and the controls."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from airflow_provider_oms.simulator import steps
from airflow_provider_oms.simulator.control import CONTROLS, Control, Controls
from airflow_provider_oms.simulator.envelope import seconds_text
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.records import RequestRecord
from airflow_provider_oms.simulator.state import State, StepState

NOTICE = (
    "This is a simulator. It was built from OceanBase's documents, not from an OMS, and is untested against a real one."
)

_STATIC = Path(__file__).with_name("static")
_STYLE = (_STATIC / "page.css").read_text(encoding="utf-8")
_SCRIPT = (_STATIC / "page.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


#: Only the page's own style and script are allowed, and its form can only be sent to this server.
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _breakable(text: object) -> str:
    """Return a text, escaped, with possible line breaks after underscores for narrow screens."""
    return escape(str(text)).replace("_", "_<wbr>")


def _cell(text: object, css: str = "") -> str:
    return f'<td class="{escape(css)}">{_breakable(text)}</td>'


def _lag(state: State, step: str) -> float | None:
    at = state.stream(step).checkpoint
    return None if at is None else max(0.0, state.time - at)


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{rest} s"


def _speed(speed: float) -> str:
    return "standing still" if speed == 0 else f"{speed:g} times as fast as real time"


def _bar(progress: int) -> str:
    return f'<span class="bar"><progress max="100" value="{progress}"></progress> {progress}%</span>'


def _summary_row(live: LiveProject) -> str:
    state = live.state()
    step = state.steps[state.current_step]
    status = state.shown_status
    waits = '<br><span class="waits">waits for a person</span>' if state.waits_for_person else ""
    return (
        f'<tr><td class="name"><a href="#p-{escape(live.id)}">{_breakable(live.name)}</a></td>'
        f'<td class="wide">{escape(live.project.type)}</td>'
        f'<td><b class="{escape(status)}">{_breakable(status)}</b>{waits}</td>'
        f"<td>{_breakable(step.name)}<br>{_bar(step.progress)}</td>"
        f"{_cell(_duration(_lag(state, step.name)), 'number')}</tr>"
    )


def _summary(projects: Sequence[LiveProject]) -> str:
    if not projects:
        return "<p>No projects.</p>"
    counts = Counter(live.status for live in projects)
    waiting = sum(live.state().waits_for_person for live in projects)
    words = [f"{len(projects)} project{'s' if len(projects) != 1 else ''}"]
    words += [f"{number} {status}" for status, number in sorted(counts.items())]
    words += [f"{waiting} waiting for a person"] if waiting else []
    return (
        f"<p>{escape(', '.join(words))}</p>"
        '<table><tr><th class="name">project<th class="wide">type<th>status<th>step<th class="number">lag</tr>'
        f"{''.join(map(_summary_row, projects))}</table>"
    )


def _step_row(state: State, step: StepState) -> str:
    words = ""
    if step.error is not None:
        words = f"{step.error.code}: {step.error.message}"
    elif step.name in (steps.INCR, steps.REVERSE) and _lag(state, step.name) is not None:
        at = seconds_text(state.stream(step.name).checkpoint)
        words = f"checkpoint {at}, {_duration(_lag(state, step.name))} behind"
    elif step.cut_at is not None:
        words = "skipped"
    below = f'<br><span class="soft">{escape(words)}</span>' if words else ""
    return (
        f'<tr><td class="name">{_breakable(step.name)}{below}</td>{_cell(step.status, step.status)}'
        f"<td>{_bar(step.progress)}</td></tr>"
    )


def _project(live: LiveProject) -> str:
    state = live.state()
    records = "".join(
        f"<tr>{_cell(live.record_id(record))}{_cell(record.kind)}{_cell(record.status, record.status)}"
        f"{_cell(record.error.message if record.error else '')}</tr>"
        for record in reversed(state.modifications.records)
    )
    if records:
        records = f"<h2>Objects that were added or removed</h2><table>{records}</table>"
    notes = "".join(f'<p class="waits">The script could not {escape(words)}</p>' for words in state.not_allowed)
    return (
        f'<details id="p-{escape(live.id)}"><summary><b>{escape(live.name)}</b> <code>{escape(live.id)}</code> '
        f'<b class="{escape(state.shown_status)}">{escape(state.shown_status)}</b></summary>'
        f"<p>{escape(live.project.type)}, {escape(live.project.source_type)} → {escape(live.project.sink_type)}. "
        f"{'It waits for a person (AdvanceProject).' if state.waits_for_person else ''}</p>{notes}"
        f'<table><tr><th class="name">step<th>status<th>progress</tr>'
        f"{''.join(_step_row(state, step) for step in state.steps.values())}</table>{records}</details>"
    )


def _requests(records: Iterable[RequestRecord]) -> str:
    rows = "".join(
        f"<tr>{_cell((seconds_text(r.time) or '')[11:])}{_cell(r.action or r.path, 'name')}"
        f"{_cell(r.project_id or '', 'wide')}{_cell(r.status or '-')}{_cell(r.outcome, 'name')}</tr>"
        for r in records
    )
    return (
        '<h2>Latest requests</h2><table><tr><th>time<th>action<th class="wide">project<th>HTTP<th>outcome</tr>'
        f"{rows}</table>"
    )


def _buttons(controls: Iterable[Control]) -> str:
    return "".join(f'<button name="control" value="{c.name}">{escape(c.words)}</button>' for c in controls)


def _form(projects: Sequence[LiveProject], token: str) -> str:
    of_projects = [control for control in CONTROLS.values() if control.do is not None]
    of_all = [control for control in CONTROLS.values() if control.do is None]
    options = "".join(f'<option value="{escape(live.id)}">{escape(live.name)}</option>' for live in projects)
    return (
        "<h2>Make something happen</h2>"
        '<p class="soft">The browser asks for the simulator\'s login. The same is done by '
        "<code>python -m airflow_provider_oms.simulator ctl</code>.</p>"
        f'<form method="post" action="/control"><input type="hidden" name="token" value="{escape(token)}">'
        f'<div class="row"><label>project<select name="project">{options}</select></label>'
        '<label>message of a failure<input name="message" placeholder="no space left"></label>'
        '<label>tables<input name="tables" placeholder="shop.orders shop.prices"></label>'
        '<label>seconds<input name="seconds" inputmode="decimal" value="30"></label></div>'
        f'<div class="row">{_buttons(of_projects)}</div>'
        f'<div class="row">{_buttons(of_all)}</div></form>'
    )


def page(controls: Controls, records: Sequence[RequestRecord], token: str) -> str:
    """Return the page. Everything from outside is escaped; passwords have been removed before.

    :param controls: the controls, and what they did last.
    :param records: the requests so far.
    :param token: the token that a form must send back, so that another site can't send the form.
    """
    store = controls.store
    with store.lock:
        projects = list(store.projects.values())
        summary, details = _summary(projects), "".join(map(_project, projects))
    log = "".join(
        f"<li>{escape((seconds_text(done.time) or '')[11:])} {escape(done.words)}</li>" for done in controls.log
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<noscript><meta http-equiv=refresh content=5></noscript>"
        f"<title>OMS simulator</title><style>{_STYLE}</style></head><body><h1>OMS simulator</h1>"
        f'<p class="notice">{escape(NOTICE)}</p><p id="away" role="status"></p><div class="live" id="summary">'
        f"<p>Simulated time: {seconds_text(store.clock.now())} UTC, {_speed(store.clock.speed)}</p>{summary}"
        f"{f'<ul>{log}</ul>' if log else ''}</div>{_form(projects, token)}"
        f'<div class="live" id="details"><h2>Projects</h2>{details}{_requests(reversed(records[-30:]))}</div>'
        f"<script>{_SCRIPT}</script></body></html>"
    )

"""The page for people at ``GET /``: the projects, their steps, and what was asked lately."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from airflow_provider_oms.simulator.envelope import seconds_text
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.records import RequestRecord
from airflow_provider_oms.simulator.store import Store

NOTICE = (
    "This is a simulator. It was built from OceanBase's documents, not from an OMS, and is untested against a real one."
)

_STYLE = """
body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em;color:#222}
.notice{background:#fff3cd;border:1px solid #e6c200;padding:.6em 1em;border-radius:4px}
table{border-collapse:collapse;width:100%;margin:.5em 0 2em}
td,th{text-align:left;padding:.15em .6em;border-bottom:1px solid #eee;vertical-align:top}
progress{width:14em}.FAILED{color:#b00020}.MONITORING,.FINISHED{color:#1b7a2f}.INIT{color:#888}
"""


def _project(live: LiveProject) -> str:
    state = live.state()
    rows = []
    for step in state.steps.values():
        lag = ""
        stream = state.stream(step.name)
        if step.name in ("INCR_TRANSFER", "REVERSE_INCR_TRANSFER") and stream.checkpoint is not None:
            lag = (
                f"checkpoint {seconds_text(stream.checkpoint)}, {max(0.0, state.time - stream.checkpoint):.0f} s behind"
            )
        if step.error is not None:
            lag = f"{step.error.code}: {step.error.message}"
        rows.append(
            f"<tr><td>{escape(step.name)}</td><td class='{escape(step.status)}'>{escape(step.status)}</td>"
            f"<td><progress max=100 value={step.progress}></progress> {step.progress}%</td><td>{escape(lag)}</td></tr>"
        )
    waits = " — waits for a person (AdvanceProject)" if state.waits_for_person else ""
    return (
        f"<h2>{escape(live.name)}</h2><p><code>{escape(live.id)}</code> {escape(live.project.type)} "
        f"{escape(live.project.source_type)} → {escape(live.project.sink_type)}: "
        f"<b class='{escape(state.shown_status)}'>{escape(state.shown_status)}</b>{waits}</p>"
        f"<table><tr><th>step<th>status<th>progress<th></tr>{''.join(rows)}</table>"
    )


def page(store: Store, records: Sequence[RequestRecord]) -> str:
    """Return the page. Everything that came from outside is escaped; passwords were removed before."""
    with store.lock:
        projects = "".join(_project(live) for live in store.projects.values()) or "<p>No projects.</p>"
    rows = "".join(
        f"<tr><td>{escape(seconds_text(r.time) or '')}</td><td>{escape(r.method)}</td>"
        f"<td>{escape(str(r.action or r.path))}</td><td>{escape(str(r.project_id or ''))}</td>"
        f"<td>{escape(str(r.status or '-'))}</td><td>{escape(r.outcome)}</td></tr>"
        for r in reversed(records[-30:])
    )
    now = seconds_text(store.clock.now())
    return (
        "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><meta http-equiv=refresh content=2>"
        f"<title>OMS simulator</title><style>{_STYLE}</style></head><body><h1>OMS simulator</h1>"
        f"<p class=notice>{escape(NOTICE)}</p><p>Simulated time: {now} UTC</p>{projects}"
        "<h2>Latest requests</h2><table><tr><th>time<th>method<th>action<th>project<th>HTTP<th>outcome</tr>"
        f"{rows}</table></body></html>"
    )

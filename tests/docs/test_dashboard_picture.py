"""The picture of the dashboard has the dashboard's panels, and draws the values in statsd's lines."""

from __future__ import annotations

import json
import sys

from tests.docs.pages import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import dashboard_picture


def test_every_panel_is_in_it():
    titles = [panel["title"] for panel in json.loads(dashboard_picture.DASHBOARD.read_text())["panels"]]
    drawn = dashboard_picture.FILE.read_text()
    assert [title for title in titles if f">{title}</text>" not in drawn] == []


def test_the_lines_of_a_statsd_are_drawn():
    received = dashboard_picture.Received()
    received.take(0, ["airflow.oms.verdicts.waiting:1|c", "airflow.oms.outages:1|c"])
    received.take(
        60, ["airflow.oms.verdicts.reached:1|c", "airflow.oms.lag.np_a:7|g", "airflow.oms.progress.np_a:42|g"]
    )
    assert received.lag == {"np_a": [(60, 7.0)]}
    assert received.verdicts["waiting"] == [(0, 1), (60, 0)]
    drawn = dashboard_picture.draw(received)
    assert ">42 %</text>" in drawn
    assert 'font-size="56" text-anchor="middle" fill="#1f2933">1</text>' in drawn

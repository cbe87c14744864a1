"""The curve of a figure: its drawing, its description, its table."""

from __future__ import annotations

import re

import pytest

from airflow_provider_oms.pages.curve import HEIGHT, LAG, RATE, WIDTH, curve_of

#: 2026-01-01T00:00:00Z
MIDNIGHT = 1_767_225_600.0


def numbers(path):
    return [float(number) for number in re.findall(r"-?[0-9.]+", path)]


@pytest.mark.parametrize("points", [[], [(MIDNIGHT, 5.0)], [(MIDNIGHT, 5.0), (MIDNIGHT, 6.0)]])
def test_too_little_to_draw(points):
    assert curve_of(points, LAG) is None


def test_a_curve():
    curve = curve_of([(MIDNIGHT, 3600.0), (MIDNIGHT + 300, 1800.0), (MIDNIGHT + 600, 0.0)], LAG)
    assert curve.line == f"M0.0 {HEIGHT / 2:.1f} L{WIDTH / 2:.1f} {HEIGHT * 0.75:.1f} L{WIDTH:.1f} {HEIGHT:.1f}"
    assert (curve.top, curve.middle) == ("2 h", "1 h")
    assert curve.words == "Lag from 00:00 to 00:10 UTC: highest 1 h, lowest 0 s, last 0 s."
    assert (curve.begins, curve.ends) == ("2026-01-01T00:00:00+00:00", "2026-01-01T00:10:00+00:00")
    assert curve.rows == (("00:00", "1 h"), ("00:05", "30 min"), ("00:10", "0 s"))


def test_a_time_without_points_is_no_line():
    points = [(MIDNIGHT + at, 1.0) for at in (0, 20, 40, 7200, 7220)]
    assert curve_of(points, LAG).line.count("M") == 2
    assert curve_of([(MIDNIGHT + at, 1.0) for at in range(0, 7200, 120)], LAG).line.count("M") == 1


@pytest.mark.parametrize("scale", [LAG, RATE], ids=["lag", "rate"])
@pytest.mark.parametrize("figure", [0.0, 1.0, 59.0, 61.0, 999.9, 86_000.0, 90_000.0, 5e6, 1e12, 9.9e17])
def test_nothing_is_drawn_outside(figure, scale):
    curve = curve_of([(MIDNIGHT, 0.0), (MIDNIGHT + 1, figure), (MIDNIGHT + 30, figure / 2)], scale)
    found = numbers(curve.line)
    assert all(0 <= x <= WIDTH for x in found[::2])
    assert all(0 <= y <= HEIGHT for y in found[1::2])


def test_a_small_lag_is_drawn_low():
    assert curve_of([(MIDNIGHT, 3.0), (MIDNIGHT + 10, 3.0)], LAG).top == "1 min"


@pytest.mark.parametrize(
    ("rate", "top", "middle"),
    [(0.0, "10", "5"), (40.0, "50", "25"), (96.0, "200", "100"), (8889.0, "10,000", "5,000")],
)
def test_a_rate(rate, top, middle):
    curve = curve_of([(MIDNIGHT, 0.0), (MIDNIGHT + 60, rate)], RATE)
    assert (curve.top, curve.middle, curve.last) == (top, middle, f"{rate:,.0f}")
    assert curve.words == f"Rows per second from 00:00 to 00:01 UTC: highest {rate:,.0f}, lowest 0, last {rate:,.0f}."

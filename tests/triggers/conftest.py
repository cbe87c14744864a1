"""Fixtures that let time pass without real pauses, also for the answers that gates share."""

from __future__ import annotations

import asyncio

import pytest

from airflow_provider_oms.triggers import shared
from tests.clocks import pause_at_once


def let_pass(seconds):
    """Make every answer that this event loop's gates share older by a number of seconds."""
    for oms in shared._shared.get(asyncio.get_running_loop(), {}).values():
        oms._checked_at -= seconds
        for question in oms._session._asked.values() if oms._session else ():
            question.at -= seconds


@pytest.fixture
def pauses(monkeypatch):
    """The pauses so far, in seconds. They return at once."""
    asked: list[float] = []

    def pause(seconds):
        asked.append(seconds)
        let_pass(seconds)

    pause_at_once(monkeypatch, pause)
    return asked

"""The picture of when a gate opens is the output of its script, and has its labels in the right places."""

from __future__ import annotations

import sys

import pytest

from tests.docs.pages import DOCS, ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import opening_picture


def test_it_is_drawn_by_its_script():
    assert opening_picture.FILE.read_text() == opening_picture.draw(), "Run scripts/opening_picture.py."


def test_it_opens_where_the_checkpoint_passes_midnight():
    assert opening_picture.opening() == pytest.approx(1.8)
    assert "crosses midnight two hours late" in (DOCS / "recipes" / "daily-job.md").read_text()

"""Tests of files for the project's host. The sdist doesn't contain these files."""

from __future__ import annotations

import pytest

from tests.hosting.files import ROOT


def pytest_collection_modifyitems(items):
    if not (ROOT / ".github").exists():
        for item in items:
            if item.path.is_relative_to(ROOT / "tests" / "hosting"):
                item.add_marker(pytest.mark.skip(reason="there is no checkout, only what a release carries"))

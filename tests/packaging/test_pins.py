"""The pins of every Airflow satisfy the package's and the tests' requirements. scripts/constraints.py renews them."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.hosting.files import PROJECT, pinned
from versions import AIRFLOWS, MAIN

ASKED = [
    *PROJECT["project"]["dependencies"],
    *PROJECT["dependency-groups"]["test"],
    *PROJECT["dependency-groups"]["lint"],
]


@pytest.mark.parametrize("version", AIRFLOWS)
def test_the_pins_fit(version):
    pins = {canonicalize_name(name): pin for name, pin in pinned(f"airflow-{version}").items()}
    assert pins["apache-airflow"] == AIRFLOWS[version].release
    for requirement in map(Requirement, ASKED):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)], prereleases=True), requirement


def test_the_client_is_tested_once_for_both_main_versions():
    """The client's tests have the marker ``once`` (tests/parts.py), so its libraries must have the same pins."""
    newest, other = (pinned(f"airflow-{version}") for version in MAIN)
    for library in ("aiohttp", "certifi", "requests", "tenacity", "urllib3", "yarl"):
        assert newest[library] == other[library], library

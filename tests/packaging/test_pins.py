"""The pins of every Airflow fit what the package and its tests ask for: scripts/constraints.py renews them."""

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
    """Its tests have the marker ``once`` of tests/parts.py: these are all the libraries that it uses."""
    newest, other = (pinned(f"airflow-{version}") for version in MAIN)
    for library in ("aiohttp", "certifi", "requests", "tenacity", "urllib3", "yarl"):
        assert newest[library] == other[library], library

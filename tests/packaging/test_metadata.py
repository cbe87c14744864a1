"""What PyPI shows of the package, and what pip decides by."""

from __future__ import annotations

import tomllib
import zipfile

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

from airflow_provider_oms import __version__
from tests.packaging.conftest import ROOT, run

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def metadata(built):
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Metadata.from_email(archive.read(name), validate=True)


def test_pypi_would_take_it_and_show_the_readme(built, tmp_path):
    """A warning counts as a failure: it means a page of raw text."""
    said = run("-m", "twine", "check", "--strict", built.sdist, built.wheel, cwd=tmp_path, NO_COLOR="1")
    assert said.count("PASSED") == 2


def test_what_it_is(metadata):
    assert (metadata.name, str(metadata.version)) == ("airflow-provider-oms", __version__)
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert metadata.description_content_type == "text/markdown"
    assert metadata.description == (ROOT / "README.md").read_text()


def test_what_it_needs(metadata):
    assert str(metadata.requires_python) == PROJECT["requires-python"]
    assert sorted(map(str, metadata.requires_dist)) == sorted(map(str, map(Requirement, PROJECT["dependencies"])))
    assert not metadata.provides_extra


def test_it_is_listed_where_people_look_for_providers(metadata):
    assert "Framework :: Apache Airflow :: Provider" in metadata.classifiers
    assert "Typing :: Typed" in metadata.classifiers
    assert "airflow-provider" in metadata.keywords


def test_a_shared_airflow_can_still_choose_its_versions():
    """Lower bounds only: an upper bound would hold back everybody else's packages."""
    operators = {spec.operator for text in PROJECT["dependencies"] for spec in Requirement(text).specifier}
    assert operators == {">="}

"""The metadata that PyPI shows and pip reads."""

from __future__ import annotations

import re
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
    """A warning counts as a failure, because PyPI would show the README as plain text."""
    said = run("-m", "twine", "check", "--strict", built.sdist, built.wheel, cwd=tmp_path, NO_COLOR="1")
    assert said.count("PASSED") == 2


def test_what_it_is(metadata):
    assert (metadata.name, str(metadata.version)) == ("airflow-provider-oms", __version__)
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert metadata.description_content_type == "text/markdown"


def test_the_readme_is_shown_with_links_that_lead_somewhere_from_there(metadata):
    link = r"\]\(([^)\s]+)\)"
    readme = (ROOT / "README.md").read_text()
    assert re.sub(link, "](...)", metadata.description) == re.sub(link, "](...)", readme)
    urls = PROJECT["urls"]
    for before, after in zip(re.findall(link, readme), re.findall(link, metadata.description), strict=True):
        if before.startswith("http"):
            assert after == before
        elif before.startswith("docs/"):
            page = after.removeprefix(urls["Documentation"]).strip("/")
            assert ROOT / before in (ROOT / "docs" / f"{page}.md", ROOT / "docs" / page / "index.md")
        else:
            assert after == f"{urls['Source']}/blob/v{__version__}/{before}"


def test_it_says_where_it_is_at_home(metadata):
    assert metadata.project_urls == PROJECT["urls"]
    assert {"Documentation", "Source", "Issues", "Changelog"} <= set(metadata.project_urls)


def test_the_pythons_are_those_that_the_page_about_releases_calls_tested(metadata):
    page = (ROOT / "docs" / "releases.md").read_text()
    (tested, accepted) = re.findall(r"^\| Python \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)[0]
    told = [line.removeprefix("Programming Language :: Python :: ") for line in metadata.classifiers]
    assert [text for text in told if text.startswith("3.")] == re.findall(r"3\.\d+", tested)
    assert f">={re.findall(r'3.[0-9]+', accepted)[0]}" == str(metadata.requires_python)


def test_what_it_needs(metadata):
    assert str(metadata.requires_python) == PROJECT["requires-python"]
    needed = [one for one in metadata.requires_dist if one.marker is None]
    assert sorted(map(str, needed)) == sorted(map(str, map(Requirement, PROJECT["dependencies"])))


def test_what_each_extra_adds(metadata):
    extras = PROJECT["optional-dependencies"]
    assert sorted(metadata.provides_extra) == sorted(extras)
    for extra, wanted in extras.items():
        added = [one for one in metadata.requires_dist if one.marker and one.marker.evaluate({"extra": extra})]
        assert [one.name for one in added] == [Requirement(text).name for text in wanted]


def test_it_is_listed_where_people_look_for_providers(metadata):
    assert "Framework :: Apache Airflow :: Provider" in metadata.classifiers
    assert "Typing :: Typed" in metadata.classifiers
    assert "airflow-provider" in metadata.keywords


def test_a_shared_airflow_can_still_choose_its_versions():
    """Only lower bounds, because an upper bound would hold back the other packages of an Airflow installation."""
    operators = {spec.operator for text in PROJECT["dependencies"] for spec in Requirement(text).specifier}
    assert operators == {">="}


@pytest.mark.parametrize(
    ("name", "bomb"),
    [
        ("aiohttp", "3.13.2"),  # CVE-2025-69223
        ("urllib3", "2.6.2"),  # CVE-2025-66418, CVE-2025-66471, CVE-2026-21441
    ],
)
def test_versions_that_unpack_without_limits_are_left_out(name, bomb):
    (wanted,) = [one for one in map(Requirement, PROJECT["dependencies"]) if one.name == name]
    assert not wanted.specifier.contains(bomb)

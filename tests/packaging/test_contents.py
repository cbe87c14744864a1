"""The files that the wheel and the sdist contain."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import PurePosixPath

import pytest

from airflow_provider_oms import __version__
from tests.packaging.conftest import ROOT, run

PACKAGE = "airflow_provider_oms"
INFO = f"{PACKAGE}-{__version__}.dist-info"


def tracked(*folders):
    """The files that git tracks."""
    if not (ROOT / ".git").exists():
        pytest.skip("there is no git checkout to compare with")
    # The checkout may belong to another user, as in a container.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *folders]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}


@pytest.fixture(scope="module")
def wheel(built):
    with zipfile.ZipFile(built.wheel) as archive:
        yield archive


@pytest.fixture(scope="module")
def sdist(built):
    """The names in the sdist, without its top folder."""
    with tarfile.open(built.sdist) as archive:
        names = [PurePosixPath(member.name) for member in archive.getmembers() if member.isfile()]
    assert {name.parts[0] for name in names} == {f"{PACKAGE}-{__version__}"}
    return {str(name.relative_to(name.parts[0])) for name in names}


def test_the_names_of_the_files_say_what_they_are(built):
    assert built.wheel.name == f"{PACKAGE}-{__version__}-py3-none-any.whl"
    assert built.sdist.name == f"{PACKAGE}-{__version__}.tar.gz"


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    assert {name.split("/")[0] for name in wheel.namelist()} == {PACKAGE, INFO}


def test_the_wheel_holds_the_tracked_files_of_the_package_and_no_others(wheel):
    inside = {name for name in wheel.namelist() if name.startswith(f"{PACKAGE}/")}
    assert inside == tracked(PACKAGE)
    assert f"{PACKAGE}/py.typed" in inside
    kinds = {PurePosixPath(name).suffix for name in inside}
    assert kinds == {".css", ".html", ".js", ".py", ".typed", ".yaml"}, "caches, logs and the like don't belong there"


def test_the_wheel_s_metadata_is_complete(wheel):
    names = {name.removeprefix(f"{INFO}/") for name in wheel.namelist() if name.startswith(INFO)}
    assert names == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}


def test_the_entry_points(wheel):
    parser = ConfigParser()
    parser.read_string(wheel.read(f"{INFO}/entry_points.txt").decode())
    assert {section: dict(parser[section]) for section in parser.sections()} == {
        "airflow.plugins": {"oms_progress": f"{PACKAGE}.pages.plugin:OmsProgressPlugin"},
        "apache_airflow_provider": {"provider_info": f"{PACKAGE}.get_provider_info:get_provider_info"},
        "console_scripts": {"airflow-oms": f"{PACKAGE}.cli.main:main"},
    }


def test_a_wheel_made_from_the_sdist_is_the_one_made_from_the_checkout(built):
    assert built.wheel.read_bytes() == built.direct.read_bytes()


def test_the_sdist_holds_all_that_git_does_but_what_only_serves_this_repository(sdist):
    hosted = (".ci/", ".devcontainer/", ".editorconfig", ".github/", ".pre-commit-config.yaml")
    left_out = {name for name in tracked() - sdist if not name.startswith(hosted)}
    assert not left_out, "name it in [tool.hatch.build.targets.sdist] of pyproject.toml"


def test_the_sdist_holds_nothing_that_was_made_on_this_machine(sdist):
    assert "PKG-INFO" in sdist
    strange = {name for name in sdist if {"__pycache__", "logs", "dist"} & set(name.split("/")) or "/." in f"/{name}"}
    assert strange == {".gitignore"}


#: Files that may exist in a checkout but must not be packaged; git ignores the second one.
LYING_ABOUT = (
    f"{PACKAGE}/notes.py",
    f"{PACKAGE}/logs/oms.log",
    f"{PACKAGE}/key [1].pem",
    "tests/answers/real oms.json",
    ".env",
)


@pytest.mark.parametrize("within", [False, True], ids=["a checkout", "an sdist within another checkout"])
def test_what_git_does_not_know_is_in_no_release(within, tmp_path):
    checkout = tmp_path / "checkout"
    for name in tracked():
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    outer = tmp_path if within else checkout
    for command in (
        ["init", "-q"],
        ["add", "-A"] if not within else ["add", "checkout/README.md"],
        ["commit", "-qm", "x"],
    ):
        subprocess.run([*git, *command], cwd=outer, check=True, capture_output=True)
    for name in LYING_ABOUT:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("secret")
    out = tmp_path / "out"
    run("-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", out, checkout, cwd=tmp_path)

    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive, tarfile.open(sdist) as source:
        inside = [*archive.namelist(), *(name.partition("/")[2] for name in source.getnames())]
    assert f"{PACKAGE}/__init__.py" in inside
    assert {f"{PACKAGE}/py.typed"} <= set(inside)
    if not within:
        assert not set(LYING_ABOUT) & set(inside)

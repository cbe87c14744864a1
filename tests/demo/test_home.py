"""Tests of the throw-away home and its environment."""

from __future__ import annotations

import pytest

from demo.home import (
    airflow_environment,
    airflow_version,
    example_dags,
    standalone_environment,
    throw_away_home,
)


def test_a_home_is_gone_afterwards():
    with throw_away_home() as home:
        (home / "file").touch()
    assert not home.exists()


def test_also_after_ctrl_c():
    with pytest.raises(KeyboardInterrupt), throw_away_home() as home:
        raise KeyboardInterrupt
    assert not home.exists()


def test_it_is_kept_when_told_to(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with throw_away_home(keep=True) as home:
        pass
    assert home.parent == tmp_path
    assert home.is_dir()


def test_nothing_of_the_users_airflow_reaches_the_demos(tmp_path):
    made = airflow_environment(
        tmp_path,
        tmp_path / "dags",
        "{}",
        deferrable=True,
        surrounding={
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://production",
            "AIRFLOW_CONN_OTHER": "x",
            "AIRFLOW_HOME": "/home/me/airflow",
            "_AIRFLOW__AS_LIBRARY": "1",
            "HOME": "/home/me",
            "PATH": "/bin",
            "LANG": "C",
            "HTTP_PROXY": "http://proxy",
            "no_proxy": "intranet",
        },
    )
    assert not [value for value in made.values() if "production" in value or value.startswith("/home/me/airflow")]
    assert "AIRFLOW_CONN_OTHER" not in made
    assert "_AIRFLOW__AS_LIBRARY" not in made
    assert made["AIRFLOW_HOME"] == made["HOME"] == str(tmp_path)
    assert made["AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE"] == "True"
    assert made["LANG"] == "C"
    assert made["no_proxy"] == "intranet,127.0.0.1,localhost"
    assert made["NO_PROXY"] == "127.0.0.1,localhost"
    assert made["PATH"].endswith(":/bin")


def test_tasks_ask_the_port_that_airflow_is_on():
    made = standalone_environment(18080)
    assert made["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18080/execution/"
    assert made["AIRFLOW__API__PORT"] == made["AIRFLOW__WEBSERVER__WEB_SERVER_PORT"] == "18080"


def test_the_examples_are_found():
    assert (example_dags() / "example_oms_gate.py").is_file()


def test_airflows_version_is_that_of_airflow():
    from airflow import __version__

    assert airflow_version() == tuple(int(part) for part in __version__.split(".")[:2])

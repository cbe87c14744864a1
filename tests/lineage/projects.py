"""Answers of DescribeProject, in OMS's own keys, with every secret that they can contain."""

from __future__ import annotations

from airflow_provider_oms.client.models import Project

#: Texts that must not be in an event.
SECRETS = ("s3cr3t-one", "s3cr3t-two", "drc-s3cr3t", "login-of-the-source", "login-of-the-sink", "where-s3cr3t")


def end(host="10.0.0.5", port=3306, **more):
    """One endpoint of a project: its location, and its secrets."""
    return {
        "host": host,
        "port": port,
        "username": SECRETS[3] if port == 3306 else SECRETS[4],
        "password": SECRETS[0],
        "connectionInfo": f"jdbc:mysql://root:{SECRETS[1]}@{host}:{port}/",
        "connExtraAttributes": {"drcUser": "drc", "drcPassword": SECRETS[2], "configUrl": f"http://u:{SECRETS[1]}@h/"},
        **more,
    }


def table(name, mapped=None, **more):
    return {
        "name": name,
        "mappedName": name if mapped is None else mapped,
        "whereClause": f"t = '{SECRETS[5]}'",
        **more,
    }


def column(name, mapped=None, **more):
    return {"columnName": name, "mappedName": mapped, **more}


def database(name, tables, mapped=None, views=None):
    return {"name": name, "mappedName": name if mapped is None else mapped, "tables": tables, "views": views}


def row(*databases, source="MYSQL", sink="OB_MYSQL", mode="SPECIFIC", **more):
    """Return an answer of DescribeProject."""
    return {
        "id": "np_1",
        "sourceEndpointType": source,
        "sinkEndpointType": sink,
        "sourceConnectInfo": end(),
        "sinkConnectInfo": end("ob.example.com", 2883),
        "transferMapping": {"mode": mode, "databases": list(databases)},
        **more,
    }


def project(*databases, **more):
    return Project(row(*databases, **more))

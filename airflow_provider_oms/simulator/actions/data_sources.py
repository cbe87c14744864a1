"""The actions on data sources: create, list, delete. Passwords arrive in Base64 and are never sent back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from airflow_provider_oms.simulator import render
from airflow_provider_oms.simulator.actions.parameters import paged, text, values
from airflow_provider_oms.simulator.actions.registry import action
from airflow_provider_oms.simulator.envelope import PARAM_ERROR, OmsRefusal, Page
from airflow_provider_oms.simulator.model import DataSource
from airflow_provider_oms.simulator.store import Store

Payload = Mapping[str, Any]


def decoded(payload: Payload, key: str, needed: bool = True) -> str | None:
    """Decode a password, which arrives in Base64."""
    if not needed and payload.get(key) in (None, ""):
        return None
    try:
        return base64.b64decode(text(payload, key), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise OmsRefusal(PARAM_ERROR, f"The parameter {key} must be encoded in Base64.") from None


def add_source(store: Store, payload: Payload, kind: str, **more: Any) -> str:
    """Add a data source and return its id; ``more`` are further fields."""
    name = text(payload, "name")
    if any(source.name == name for source in store.data_sources.values()):
        raise OmsRefusal(PARAM_ERROR, f"The data source name {name} already exists.")
    port = payload.get("port")
    if port is not None and (isinstance(port, bool) or not isinstance(port, int) or not 0 < port < 65536):
        raise OmsRefusal(PARAM_ERROR, f"The parameter port must be a port number, not {port!r}.")
    source = DataSource(
        name=name,
        type=kind,
        owner=store.owner,
        schema=payload.get("schema"),
        ip=payload.get("ip"),
        port=port,
        region=payload.get("region"),
        description=payload.get("description"),
        **more,
    )
    return store.add_data_source(source).id


@action("CreateMySqlDataSource")
def create_mysql_data_source(store: Store, payload: Payload) -> str:
    """CreateMySqlDataSource (the spelling of the request path)."""
    name = text(payload, "name")
    if any(letter.isspace() for letter in name) or len(name) > 32:
        raise OmsRefusal(PARAM_ERROR, "The data source name must have no spaces and at most 32 characters.")
    text(payload, "ip")
    return add_source(
        store,
        payload,
        "MYSQL",
        username=text(payload, "username"),
        password=decoded(payload, "password"),
        try_keep_hb=bool(payload.get("tryKeepHb")),
    )


@action("CreateOceanBaseDataSource")
def create_oceanbase_data_source(store: Store, payload: Payload) -> str:
    """CreateOceanBaseDataSource: ``userName`` in the document's sample, ``username`` in its table; accepts both."""
    user = payload.get("userName") or payload.get("username")
    if not user:
        raise OmsRefusal(PARAM_ERROR, "The parameter userName must be given.")
    decoded(payload, "innerDrcPassword", needed=False)
    return add_source(
        store,
        payload,
        str(payload.get("type") or "OB_MYSQL"),
        username=str(user),
        password=decoded(payload, "password"),
        tenant=payload.get("tenant"),
        cluster=payload.get("cluster"),
        ocp_name=payload.get("ocpName"),
        config_url=payload.get("configUrl"),
        drc_username=payload.get("drcUserName"),
        drc_password=decoded(payload, "drcPassword", needed=False),
    )


@action("CreateKafkaDataSource")
def create_kafka_data_source(store: Store, payload: Payload) -> str:
    """CreateKafkaDataSource: SASL needs a user and a password, except with GSSAPI."""
    sasl = bool(payload.get("enableSASL"))
    if sasl and payload.get("saslMechanism") not in ("GSSAPI", "PLAIN", "SCRAM_SHA_256", "SCRAM_SHA_512"):
        raise OmsRefusal(PARAM_ERROR, f"The parameter saslMechanism must not be {payload.get('saslMechanism')!r}.")
    login = sasl and payload.get("saslMechanism") != "GSSAPI"
    for key in ("kdcPath", "saslKerberosPrincipal", "serviceName") if sasl and not login else ():
        text(payload, key)
    return add_source(
        store,
        payload,
        "KAFKA",
        username=text(payload, "username") if login else None,
        password=decoded(payload, "password", needed=login),
        attributes={
            "endpoint": text(payload, "endpoint"),
            **_given(payload, "enableSSL", "certSSLId", "enableSASL", "saslMechanism", "kdcPath", "serviceName"),
        },
    )


@action("CreateOceanBaseODPDataSource")
def create_oceanbase_odp_data_source(store: Store, payload: Payload) -> str:
    """CreateOceanBaseODPDataSource."""
    return add_source(
        store,
        payload,
        "DBP_OP_ROUTE",
        username=text(payload, "userName"),
        password=decoded(payload, "password"),
        drc_username=payload.get("drcUserName"),
        drc_password=decoded(payload, "drcPassword", needed=False),
        attributes={
            "url": text(payload, "url"),
            **_given(payload, "obProxy", "route", "instanceId", "middlewareInstanceId"),
        },
        secrets=_given(payload, "accessKey", "secretKey"),
    )


def _create_polardb_data_source(store: Store, payload: Payload) -> str:
    """CreatePolarDBDataSource."""
    return add_source(
        store,
        payload,
        "POLARDB",
        username=text(payload, "username"),
        password=decoded(payload, "password"),
        attributes=_given(payload, "intranetAddr"),
        secrets={key: str(payload[key]) for key in ("accessKey", "secretKey") if payload.get(key)},
    )


# The first is the spelling of the document's title, the second that of its request path.
action("CreatePolarDBDataSource")(_create_polardb_data_source)
action("CreatePilarDBDataSource")(_create_polardb_data_source)


def _given(payload: Payload, *keys: str) -> dict[str, Any]:
    return {key: payload[key] for key in keys if payload.get(key) is not None}


@action("ListDataSource")
def list_data_source(store: Store, payload: Payload) -> Page:
    """ListDataSource: pages of at most 10."""
    found = list(store.data_sources.values())
    key = payload.get("searchKey")
    if key:
        found = [source for source in found if str(key) in source.name or str(key) == source.id]
    if kinds := values(payload, "types"):
        found = [source for source in found if source.type in kinds]
    return paged(payload, [render.data_source_row(source) for source in found], maximum=10)


@action("DeleteDataSource")
def delete_data_source(store: Store, payload: Payload) -> None:
    """DeleteDataSource: refused while a project uses it (a guess)."""
    source = text(payload, "id")
    if source not in store.data_sources:
        raise OmsRefusal(PARAM_ERROR, f"The data source {source} does not exist.")
    for live in store.projects.values():
        if source in (live.project.source_endpoint_id, live.project.sink_endpoint_id):
            raise OmsRefusal(PARAM_ERROR, f"The data source {source} is used by the project {live.name}.")
    del store.data_sources[source]

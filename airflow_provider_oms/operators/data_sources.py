"""Operators that create data sources from Airflow connections: one for each kind that has a documented action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.operators import data_source_kinds as kinds
from airflow_provider_oms.operators.data_source_base import OmsDataSourceOperator
from airflow_provider_oms.tasks.templates import is_literal

_LONGEST_NAME = 32


class OmsCreateMySqlDataSourceOperator(OmsDataSourceOperator):
    """Create a MySQL data source from an Airflow connection (``CreateMySqlDataSource``), once.

    Its name must have no blanks and at most 32 characters. Takes the arguments of :class:`OmsDataSourceOperator`, too.

    :param mysql_conn_id: the Airflow connection of the database (templated)
    :param schema: the only database that the data source may use; default is that of the Airflow connection (templated)
    :param try_keep_hb: let OMS write heartbeats into the database, so that an idle source keeps a small lag. Without
        heartbeats, a lag or checkpoint gate on a source without writes never opens
    """

    template_fields: Sequence[str] = (*OmsDataSourceOperator.template_fields, "mysql_conn_id", "schema")
    kind = kinds.MYSQL

    oms_action = "CreateMySqlDataSource"

    def __init__(
        self,
        *,
        mysql_conn_id: str = "mysql_default",
        schema: str | None = None,
        try_keep_hb: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.mysql_conn_id = mysql_conn_id
        self.schema = schema
        self.try_keep_hb = None if try_keep_hb is None else arguments.flag("try_keep_hb", try_keep_hb)

    def _check_text(self, argument: str) -> None:
        super()._check_text(argument)
        if argument == "name":
            _check_short_name(self.name)


class OmsCreateOceanBaseDataSourceOperator(OmsDataSourceOperator):
    """Create an OceanBase data source from Airflow connections (``CreateOceanBaseDataSource``), once.

    The connection's login may contain the tenant and the cluster, in OceanBase's form (``user@tenant#cluster``).
    Takes the arguments of :class:`OmsDataSourceOperator`, too.

    :param oceanbase_conn_id: the Airflow connection of the database; it may be of any type with host, port, login and
        password (templated)
    :param schema: the only database that the data source may use; default is that of the Airflow connection (templated)
    :param tenant: the tenant (templated)
    :param cluster: the tenant's cluster (templated)
    :param data_source_type: OB_MYSQL, OB_MYSQL_CE or OB_ORACLE; OMS Community Edition doesn't need it (templated)
    :param drc_conn_id: an Airflow connection with the user that reads incremental logs, and its password (templated)
    :param inner_drc_conn_id: an Airflow connection with the password of ``__oceanbase_inner_drc_user`` (templated)
    :param ocp_name: the OceanBase Cloud Platform that the cluster belongs to (templated)
    :param config_url: the cluster's ``obconfig_url`` (templated)
    """

    template_fields: Sequence[str] = (
        *OmsDataSourceOperator.template_fields,
        *("oceanbase_conn_id", "schema", "tenant", "cluster", "data_source_type"),
        *("drc_conn_id", "inner_drc_conn_id", "ocp_name", "config_url"),
    )
    kind = kinds.OCEANBASE

    oms_action = "CreateOceanBaseDataSource"

    def __init__(
        self,
        *,
        oceanbase_conn_id: str,
        schema: str | None = None,
        tenant: str | None = None,
        cluster: str | None = None,
        data_source_type: str | None = None,
        drc_conn_id: str | None = None,
        inner_drc_conn_id: str | None = None,
        ocp_name: str | None = None,
        config_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.oceanbase_conn_id = oceanbase_conn_id
        self.schema = schema
        self.tenant = tenant
        self.cluster = cluster
        self.data_source_type = data_source_type
        self.drc_conn_id = drc_conn_id
        self.inner_drc_conn_id = inner_drc_conn_id
        self.ocp_name = ocp_name
        self.config_url = config_url


class OmsCreateKafkaDataSourceOperator(OmsDataSourceOperator):
    """Create a Kafka data source from an Airflow connection (``CreateKafkaDataSource``), once.

    This needs OMS Community Edition 4.2.12 or later. Takes the arguments of :class:`OmsDataSourceOperator`, too.

    :param kafka_conn_id: an Airflow connection with the brokers: host and port, or in the host several ``host:port``,
        separated by commas; and with login and password if the SASL mechanism needs them (templated)
    :param sasl_mechanism: GSSAPI, PLAIN, SCRAM_SHA_256 or SCRAM_SHA_512; None if Kafka needs no login (templated)
    :param kdc_path: for GSSAPI, the address of the key distribution centre (templated)
    :param sasl_kerberos_principal: for GSSAPI, the user's principal (templated)
    :param service_name: for GSSAPI, the server's principal (templated)
    :param enable_ssl: whether to use TLS
    :param cert_ssl_id: the id of a certificate that was uploaded to OMS before (templated)
    """

    template_fields: Sequence[str] = (
        *OmsDataSourceOperator.template_fields,
        *("kafka_conn_id", "sasl_mechanism", "kdc_path", "sasl_kerberos_principal", "service_name", "cert_ssl_id"),
    )
    kind = kinds.KAFKA

    oms_action = "CreateKafkaDataSource"

    def __init__(
        self,
        *,
        kafka_conn_id: str,
        sasl_mechanism: str | None = None,
        kdc_path: str | None = None,
        sasl_kerberos_principal: str | None = None,
        service_name: str | None = None,
        enable_ssl: bool | None = None,
        cert_ssl_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kafka_conn_id = kafka_conn_id
        self.sasl_mechanism = sasl_mechanism
        self.kdc_path = kdc_path
        self.sasl_kerberos_principal = sasl_kerberos_principal
        self.service_name = service_name
        self.enable_ssl = None if enable_ssl is None else arguments.flag("enable_ssl", enable_ssl)
        self.cert_ssl_id = cert_ssl_id
        if sasl_mechanism is not None and is_literal(sasl_mechanism):
            kinds.check_sasl_mechanism(sasl_mechanism)


class OmsCreateOceanBaseODPDataSourceOperator(OmsDataSourceOperator):
    """Create a data source for OceanBase behind its proxy (``CreateOceanBaseODPDataSource``), once.

    Its values come from Airflow connections. This needs OMS Enterprise 4.2.2 or later. Takes the arguments of
    :class:`OmsDataSourceOperator`, too.

    :param oceanbase_conn_id: an Airflow connection with the database's login and password, and optionally the
        proxy's host and port (templated)
    :param url: the address of the gateway, or of its JSON file (templated)
    :param access_key_conn_id: an Airflow connection with the visitor's access key as login and its secret key as
        password (templated)
    :param drc_conn_id: an Airflow connection with the user that reads incremental logs, and its password (templated)
    :param route: the route, for example ``MiddleWareCluster-ODP`` (templated)
    :param instance_id: the id of the proxy's node (templated)
    :param middleware_instance_id: the id of the middleware (templated)
    """

    template_fields: Sequence[str] = (
        *OmsDataSourceOperator.template_fields,
        *("oceanbase_conn_id", "url", "access_key_conn_id", "drc_conn_id"),
        *("route", "instance_id", "middleware_instance_id"),
    )
    kind = kinds.OCEANBASE_ODP

    oms_action = "CreateOceanBaseODPDataSource"

    def __init__(
        self,
        *,
        oceanbase_conn_id: str,
        url: str,
        access_key_conn_id: str | None = None,
        drc_conn_id: str | None = None,
        route: str | None = None,
        instance_id: str | None = None,
        middleware_instance_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.oceanbase_conn_id = oceanbase_conn_id
        self.url = url
        self.access_key_conn_id = access_key_conn_id
        self.drc_conn_id = drc_conn_id
        self.route = route
        self.instance_id = instance_id
        self.middleware_instance_id = middleware_instance_id


class OmsCreatePolarDBDataSourceOperator(OmsDataSourceOperator):
    """Create a data source for PolarDB-X 1.0 from Airflow connections (``CreatePolarDBDataSource``), once.

    This needs OMS Enterprise 4.2.4 or later. Its name must have no blanks and at most 32 characters. Takes the
    arguments of
    :class:`OmsDataSourceOperator`, too.

    :param polardb_conn_id: an Airflow connection with the database's login and password, and optionally its
        internal host and port (templated)
    :param access_key_conn_id: an Airflow connection with an AccessKey of Alibaba Cloud: its id as login, its secret as
        password (templated)
    """

    template_fields: Sequence[str] = (*OmsDataSourceOperator.template_fields, "polardb_conn_id", "access_key_conn_id")
    kind = kinds.POLARDB

    oms_action = "CreatePolarDBDataSource"

    def __init__(self, *, polardb_conn_id: str, access_key_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.polardb_conn_id = polardb_conn_id
        self.access_key_conn_id = access_key_conn_id

    def _check_text(self, argument: str) -> None:
        super()._check_text(argument)
        if argument == "name":
            _check_short_name(self.name)


def _check_short_name(name: str) -> None:
    """Check a name whose length OMS limits. Source: docs/develop/oms-actions.md#data-sources"""
    if len(name) > _LONGEST_NAME or len(name.split()) != 1:
        raise ValueError(f"name must have no blanks and at most {_LONGEST_NAME} characters; it is {name!r}")

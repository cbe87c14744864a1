"""Create data sources of every kind in OMS, unless they exist, with passwords from Airflow connections."""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_oms.operators.oms import (
    OmsCreateKafkaDataSourceOperator,
    OmsCreateOceanBaseODPDataSourceOperator,
    OmsCreatePolarDBDataSourceOperator,
)

DOC = """
### Data sources

Each task looks the name up first, and does nothing if that data source already exists. Addresses, users and
passwords are in the connections `shop_kafka`, `shop_odp`, `shop_polardb` and `shop_access_key`.
"""

with DAG(
    dag_id="example_oms_data_sources",
    schedule=None,
    start_date=datetime(2026, 1, 1),
    catchup=False,
    default_args={"retries": 1, "retry_delay": timedelta(seconds=30)},
    tags=["oms", "example"],
    doc_md=DOC,
) as dag:
    # --8<-- [start:kafka]
    kafka = OmsCreateKafkaDataSourceOperator(
        task_id="kafka",
        name="shop_kafka",
        kafka_conn_id="shop_kafka",
        sasl_mechanism="SCRAM_SHA_256",
    )
    # --8<-- [end:kafka]

    # --8<-- [start:odp]
    odp = OmsCreateOceanBaseODPDataSourceOperator(
        task_id="odp",
        name="shop_odp",
        oceanbase_conn_id="shop_odp",
        url="http://gateway.example:8080/services",
        access_key_conn_id="shop_access_key",
    )
    # --8<-- [end:odp]

    # --8<-- [start:polardb]
    polardb = OmsCreatePolarDBDataSourceOperator(
        task_id="polardb",
        name="shop_polardb",
        polardb_conn_id="shop_polardb",
        access_key_conn_id="shop_access_key",
    )
    # --8<-- [end:polardb]

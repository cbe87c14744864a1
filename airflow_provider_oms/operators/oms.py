"""The operators. Each can be retried, and run twice, without harm."""

from airflow_provider_oms.operators.advance import OmsAdvanceProjectOperator
from airflow_provider_oms.operators.any_action import OmsActionOperator
from airflow_provider_oms.operators.base import OmsOperator, OmsProjectOperator
from airflow_provider_oms.operators.config import OmsUpdateProjectConfigOperator
from airflow_provider_oms.operators.create import OmsCreateProjectOperator
from airflow_provider_oms.operators.data_source_base import OmsDataSourceOperator
from airflow_provider_oms.operators.data_sources import (
    OmsCreateKafkaDataSourceOperator,
    OmsCreateMySqlDataSourceOperator,
    OmsCreateOceanBaseDataSourceOperator,
    OmsCreateOceanBaseODPDataSourceOperator,
    OmsCreatePolarDBDataSourceOperator,
)
from airflow_provider_oms.operators.labels import (
    OmsLabelOperator,
    OmsStartProjectsByLabelOperator,
    OmsStopProjectsByLabelOperator,
)
from airflow_provider_oms.operators.modify import OmsModifyObjectsOperator
from airflow_provider_oms.operators.projects import (
    OmsDeleteProjectOperator,
    OmsProjectActionOperator,
    OmsReleaseProjectOperator,
    OmsResumeProjectOperator,
    OmsStartProjectOperator,
    OmsStopProjectOperator,
)
from airflow_provider_oms.operators.transfer_mapping import table, transfer_mapping
from airflow_provider_oms.operators.verification_report import OmsFullVerificationReportOperator
from airflow_provider_oms.operators.waits import OmsWaitingOperator

__all__ = [
    "OmsActionOperator",
    "OmsAdvanceProjectOperator",
    "OmsCreateKafkaDataSourceOperator",
    "OmsCreateMySqlDataSourceOperator",
    "OmsCreateOceanBaseDataSourceOperator",
    "OmsCreateOceanBaseODPDataSourceOperator",
    "OmsCreatePolarDBDataSourceOperator",
    "OmsCreateProjectOperator",
    "OmsDataSourceOperator",
    "OmsDeleteProjectOperator",
    "OmsFullVerificationReportOperator",
    "OmsLabelOperator",
    "OmsModifyObjectsOperator",
    "OmsOperator",
    "OmsProjectActionOperator",
    "OmsProjectOperator",
    "OmsReleaseProjectOperator",
    "OmsResumeProjectOperator",
    "OmsStartProjectOperator",
    "OmsStartProjectsByLabelOperator",
    "OmsStopProjectOperator",
    "OmsStopProjectsByLabelOperator",
    "OmsUpdateProjectConfigOperator",
    "OmsWaitingOperator",
    "table",
    "transfer_mapping",
]

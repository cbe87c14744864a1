"""The actions on OMS, each of which can be retried, and run twice, without harm."""

from airflow_provider_oms.operators.base import OmsOperator, OmsProjectOperator
from airflow_provider_oms.operators.projects import (
    OmsDeleteProjectOperator,
    OmsProjectActionOperator,
    OmsReleaseProjectOperator,
    OmsResumeProjectOperator,
    OmsStartProjectOperator,
    OmsStopProjectOperator,
)

__all__ = [
    "OmsDeleteProjectOperator",
    "OmsOperator",
    "OmsProjectActionOperator",
    "OmsProjectOperator",
    "OmsReleaseProjectOperator",
    "OmsResumeProjectOperator",
    "OmsStartProjectOperator",
    "OmsStopProjectOperator",
]

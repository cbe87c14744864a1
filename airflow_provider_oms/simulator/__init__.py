"""A local OMS for demos and for tests of DAGs.

Built from OceanBase's documents, not from an OMS; untested against a real one. It shares no code with this provider's
client, so that an error in one is not repeated in the other.
"""

from airflow_provider_oms.simulator.clock import Clock
from airflow_provider_oms.simulator.faults import ODD_TEXT, Fault
from airflow_provider_oms.simulator.live import LiveProject
from airflow_provider_oms.simulator.model import DataSource, Failure, Label, Pause, Project, Scripted, Table
from airflow_provider_oms.simulator.modifications import Modification
from airflow_provider_oms.simulator.records import RequestRecord
from airflow_provider_oms.simulator.scenario import Scenario
from airflow_provider_oms.simulator.simulator import Simulator
from airflow_provider_oms.simulator.state import NotAllowed

__all__ = [
    "ODD_TEXT",
    "Clock",
    "DataSource",
    "Failure",
    "Fault",
    "Label",
    "LiveProject",
    "Modification",
    "NotAllowed",
    "Pause",
    "Project",
    "RequestRecord",
    "Scenario",
    "Scripted",
    "Simulator",
    "Table",
]

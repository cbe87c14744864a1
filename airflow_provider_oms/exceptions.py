"""The exceptions with which this provider fails an Airflow task."""

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException


class OmsMilestoneFailedError(AirflowFailException):
    """A milestone can't be reached any more, or only after somebody acts, so a retry would not help."""


class OmsOperationError(AirflowException):
    """An action could not be carried out; a retry may help."""


class OmsOperationRefusedError(AirflowFailException):
    """An action isn't allowed in the project's current state, so a retry would not help."""

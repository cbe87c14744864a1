"""How this provider fails an Airflow task."""

from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException


class OmsMilestoneFailedError(AirflowFailException):
    """A milestone can't be reached any more, or not without a person: a retry would not help."""


class OmsOperationError(AirflowException):
    """An action could not be carried out; a retry may help."""


class OmsOperationRefusedError(AirflowFailException):
    """An action doesn't apply to the state that the project is in: a retry would not help."""

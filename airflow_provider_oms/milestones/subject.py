"""What a message is about: the project, what the task does with it, and the Airflow connection.

An alert shows a single task's exception, even if a hundred mapped tasks run. So every message with which a task ends
says what it is about, by means of this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from airflow_provider_oms.client.safe_text import safe_text


class Subject(NamedTuple):
    """What a gate or an operator is about.

    :param about: the object in OMS, such as ``project 'shop' (np_1)``; empty if there is none
    :param purpose: what the task does, such as ``waiting for step FULL_TRANSFER to be done`` or ``StartProject``
    :param oms_conn_id: the Airflow connection
    """

    about: str
    purpose: str
    oms_conn_id: str

    def explain(self, message: str) -> str:
        """Return a message with what it is about. The project comes first, because alerts cut long messages.

        :param message: the message, in whole sentences
        """
        head = f"{self.about[:1].upper()}{self.about[1:]}: " if self.about else ""
        purpose = f"{self.purpose}, " if self.purpose else ""
        return f"{head}{message} ({purpose}Airflow connection {self.oms_conn_id!r})"

    @classmethod
    def read(cls, stored: Any) -> Subject | None:
        """Read what ``_asdict`` returned; None if it is something else.

        :param stored: a subject as JSON
        """
        if not isinstance(stored, Mapping):
            return None
        parts = [stored.get(name) for name in cls._fields]
        return cls(*map(str, parts)) if all(isinstance(part, str) for part in parts) else None


def called(project_id: str | None, project_name: str | None) -> str:
    """Return the words for a project in a message: its name and its id, if they are known.

    :param project_id: its id
    :param project_name: its name
    """
    parts = [safe_text(repr(project_name), 200)] if project_name else []
    if project_id:
        parts.append(f"({safe_text(project_id, 200)})" if parts else safe_text(project_id, 200))
    return " ".join(["project", *parts])

"""An OMS with many projects, without a network, for the tests of gates over many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.verdict import Verdict
from tests.gate_cases import ALL_DONE, CASES, NOW, REACHED, TASK, Case, Reply, refusal, success
from tests.milestones.support import FakeOms, gate_of, poll_once

NOT_FOUND = Reply(refusal("GHANA-PROJECT000001", "the project does not exist"))

#: Gates that read steps only for their messages.
_BY_PROGRESS = ("OmsFullTransferSensor", "OmsCheckpointLagSensor", "OmsCheckpointReachedSensor")

_CHECKPOINTS = {"INCR_TRANSFER": "incrSyncCheckpoint", "REVERSE_INCR_TRANSFER": "reverseIncrTransferCheckpoint"}

LABEL = {"id": "l_1", "name": "wave-7"}


def over(sensor: str, arguments: Mapping[str, Any] | None = None, **fleet: Any) -> Gate:
    """Return a gate over many."""
    given = dict(arguments or {})
    settings = {name: given.pop(name) for name in ("min_projects", "on_failure") if name in given}
    return gate_of(sensor, given, fleet=Fleet(**fleet, **settings))


def companion(case: Case) -> Case:
    """Return a row of the table in which the same gate opens, or the row itself if there is none."""
    ready = (one for one in CASES if (one.sensor, one.arguments) == (case.sensor, case.arguments))
    return next((one for one in ready if one.expected == REACHED and not one.apart and not one.date_offset), case)


class Wave:
    """A gate over many with its memory, and an OMS with these projects.

    :param gate: its settings
    :param projects: the answers about each project, by id
    :param rows: the rows of ``ListProjects``; None for an OMS that refuses to list
    """

    def __init__(
        self, gate: Gate, projects: Mapping[str, Case], rows: Iterable[Any] | None = (), **memory: Any
    ) -> None:
        self.gate = gate
        self.projects = dict(projects)
        self.rows = None if rows is None else list(rows)
        self.labels: list[Any] = [LABEL]
        self.memory = Memory(**memory)
        self.asked: Counter[str] = Counter()
        self.lost = False
        #: What a search for an id finds that the list lacks.
        self.found_by_id: list[Any] = []

    def poll(self, at: float = NOW) -> Verdict:
        """Poll at a time."""
        fake = FakeOms(self._reply, at, at)
        verdict = poll_once(self.gate, fake, self.memory, at)
        self.asked = Counter(fake.asked)
        return verdict

    def _reply(self, action: str, payload: Any) -> Reply:
        if self.lost:
            return Reply(fault="reset_before")
        if action == "ListAllLabels":
            return Reply(success(self.labels))
        if action == "ListProjects":
            if self.rows is None:
                return Reply(refusal("NO", "this user may not list"))
            size, page = payload["pageSize"], payload["pageNumber"]
            found = [
                row
                for row in self.rows
                if str(payload.get("searchKey", "")) in f"{row['name']} {row['id']} {row.get('note')}"
            ]
            found += [row for row in self.found_by_id if row["id"] == payload.get("searchKey")]
            return Reply(success(found[size * (page - 1) : size * page], total=len(found)))
        project_id = payload.get("id") or payload.get("projectId")
        case = self.projects.get("np_1" if project_id == TASK else project_id)
        if case is None:
            return NOT_FOUND
        reply = case.reply(action, payload)
        # Every row of the table is about np_1, and an answer about another project is refused.
        return replace(reply, body=reply.raw.decode().replace('"np_1"', f'"{project_id}"'))


def row(project_id: str, case: Case, **more: Any) -> dict[str, Any]:
    """Return the row of ``ListProjects`` for a case, as far as a row contains its values."""
    progress = case.progress if isinstance(case.progress, dict) else {}
    told = {
        "enableFullTransfer": progress.get("enableFullTransfer"),
        "enableIncrTransfer": progress.get("enableIncrSync"),
        "enableReverseIncrTransfer": progress.get("enableReverseIncrTransfer"),
    }
    given = list(case.steps) if isinstance(case.steps, list | tuple) else []
    if not given and case.sensor in _BY_PROGRESS:  # the table has only what the gate asks for
        given = [step for step in ALL_DONE if step["name"] != "FULL_VERIFIER"]
    steps = [dict(step) if isinstance(step, dict) else step for step in given]
    for step in steps:
        if not isinstance(step, dict):
            continue
        name = str(step.get("name"))
        if name == "FULL_TRANSFER" and case.sensor in _BY_PROGRESS:
            step["progress"] = progress.get("fullTransferProgress")
        if (at := progress.get(_CHECKPOINTS.get(name, ""))) is not None:
            step["stepInfo"] = {**(step.get("stepInfo") or {}), "incrTimestampCheckpoint": at}
    name = project_id.replace("np_", "shop_")
    return {"id": project_id, "name": name, "status": progress.get("status"), "steps": steps, **told, **more}

"""Helpers for the tests of the milestones: gates made from cases, and an OMS without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from email.utils import formatdate
from typing import Any

from airflow_provider_oms.client.errors import ErrorDetails, OmsConnectionLostError, OmsError
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.client.protocol import Answer, Call, HttpAnswer, read_answer
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import (
    CheckpointLagMilestone,
    CheckpointReachedMilestone,
    CutoverReadyMilestone,
    FullTransferMilestone,
    FullVerificationMilestone,
    Milestone,
    ObjectsMilestone,
    ProjectStatusMilestone,
    StepMilestone,
)
from airflow_provider_oms.milestones.memory import Memory, Now
from airflow_provider_oms.milestones.poll import poll
from airflow_provider_oms.milestones.verdict import Verdict
from tests.gate_cases import CASES, NOW, Apart, Case, Reply, success

MILESTONES: dict[str, type[Milestone]] = {
    "OmsStepSensor": StepMilestone,
    "OmsFullTransferSensor": FullTransferMilestone,
    "OmsCheckpointLagSensor": CheckpointLagMilestone,
    "OmsCheckpointReachedSensor": CheckpointReachedMilestone,
    "OmsFullVerificationSensor": FullVerificationMilestone,
    "OmsObjectsSensor": ObjectsMilestone,
    "OmsProjectStatusSensor": ProjectStatusMilestone,
    "OmsCutoverReadySensor": CutoverReadyMilestone,
}

PATIENCE = ("fail_on_suspend", "allow_modifying", "failure_grace", "outage_tolerance", "poke_interval")

PROJECT = "np_1"

#: What a template renders for a missing value, and what can't be a name.
NOT_A_PROJECT = (
    *("", " ", "\n", "None", "none", " NONE ", "null", "nil", "nan", "NaN", "NaT", "<NA>", "undefined"),
    *("[]", "{}", "()", "set()", "''", '""', "a\nb", "a\x00b", "a\tb", "a\u202eb", "a\u2028b", "a\ud83db"),
)

#: What can be the name of a project, but not its id.
NOT_AN_ID = (
    *("np 1", "np_1,np_2", "['np_1']", "{'id': 'np_1'}", "1.0", "True", "false", "np_1/x", "np_1?x=1", "../np_1"),
    *("n" * 129, "プロジェクト", "np_1{{ x }}", "np_\u00e4", "np_1;"),
)


#: The gates of the table, each argument set once.
GATES = list({f"{case.sensor}{dict(case.arguments)}": (case.sensor, case.arguments) for case in CASES}.values())


def gate_of(sensor: str, arguments: Mapping[str, Any] | None = None, **project: Any) -> Gate:
    """Return the gate of a sensor with these arguments."""
    given = dict(arguments or {})
    patience = {name: given.pop(name) for name in PATIENCE if name in given}
    return Gate(MILESTONES[sensor](**given), **(project or {"project_id": PROJECT}), **patience)


class FakeOms:
    """Answers calls as OMS does over HTTP, without a network.

    :param reply: returns the answer to an action and its payload; an error is raised
    :param date: OMS's clock; None if OMS sends no date
    :param local: the local clock
    """

    def __init__(
        self, reply: Callable[[str, Any], Reply | OmsError], date: float | None = NOW, local: float = NOW
    ) -> None:
        self.reply = reply
        self.date = date
        self.local = local
        self.asked: list[str] = []

    def send(self, call: Call[Any]) -> Answer[Any]:
        self.asked.append(call.action)
        reply = self.reply(call.action, call.payload)
        if isinstance(reply, OmsError):
            raise reply
        if reply.fault is not None:
            raise OmsConnectionLostError(f"{reply.fault}.", ErrorDetails(asked=call.asked))
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if self.date is not None:
            headers.setdefault("date", formatdate(self.date, usegmt=True))
        return read_answer(call, HttpAnswer(reply.status, headers, reply.raw, self.local))


def poll_once(gate: Gate, oms: FakeOms, memory: Memory | None = None, now: float = NOW, address: str = "") -> Verdict:
    """Poll once and return the verdict."""
    return run_flow(oms, poll(gate, memory if memory is not None else Memory(), Now(now, now), address))


def poll_case(case: Case, *, kept: bool = True) -> Verdict:
    """Poll once with the answers of a case."""
    oms = FakeOms(case.reply, NOW + case.date_offset)
    return poll_once(gate_of(case.sensor, case.arguments), oms, Memory(kept=kept))


class Script:
    """A gate with its memory, and an OMS with other answers at every poll."""

    def __init__(self, gate: Gate, memory: Memory | None = None) -> None:
        self.gate = gate
        self.memory = memory or Memory()
        self.asked: list[str] = []

    def poll(
        self,
        at: float,
        progress: Any = None,
        steps: Any = (),
        verify: Iterable[Any] = (),
        *,
        project: Any = None,
        apart: Apart | None = None,
        projects: Any = (),
        date: float | None = -1,
        took: float = 0,
        error: OmsError | None = None,
        oms: str = "",
    ) -> Verdict:
        """Poll at a time. OMS's clock is the local one unless ``date`` is given; the answer takes ``took`` seconds.

        ``oms`` is its address.
        """
        pages = verify if isinstance(verify, Reply) else tuple(verify)
        case = Case("", "", {}, progress, steps, pages, project, apart)

        def reply(action: str, payload: Any) -> Reply | OmsError:
            if error is not None:
                return error
            if action == "ListProjects" and apart is None:
                if isinstance(projects, Reply):
                    return projects
                rows = list(projects) if payload["pageNumber"] == 1 else []
                return Reply(success(rows, total=len(projects)))
            return case.reply(action, payload)

        fake = FakeOms(reply, at if date == -1 else date, at + took)
        verdict = poll_once(self.gate, fake, self.memory, at, oms)
        self.asked = fake.asked
        return verdict

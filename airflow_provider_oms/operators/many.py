"""An action on many projects: each is checked first, a few at a time, and one report lists all results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_oms.client.errors import OmsError, safe_text
from airflow_provider_oms.client.operations import Sender, run_flow
from airflow_provider_oms.client.sync import OmsClient
from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.hooks.oms import OmsHook
from airflow_provider_oms.links.oms import push_console_url
from airflow_provider_oms.milestones.fleet import Fleet
from airflow_provider_oms.milestones.gate import Gate
from airflow_provider_oms.milestones.kinds import ActionMilestone
from airflow_provider_oms.milestones.members import members_of
from airflow_provider_oms.milestones.memory import Memory
from airflow_provider_oms.milestones.status import DELETED
from airflow_provider_oms.milestones.transitions import Kind, name_of, plan
from airflow_provider_oms.operators.base import status_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.operators.projects import OmsProjectActionOperator

T = TypeVar("T")

#: The XCom key under which the report is pushed before any waiting.
XCOM_KEY = "projects"

#: How many projects are checked, and sent an action, at the same time.
AT_ONCE = 5

#: The most rounds: one for each action that may have to be sent (stop, release, delete), and one for the last check.
_ROUNDS = 4

#: The most projects to name in an error, and the most characters of each reason.
_NAMED, _WHY = 10, 300


@dataclass
class _Result:
    """The result for a project in a round.

    :param waits_for: the action whose effect must be waited for; empty if there is none
    :param since: when OMS accepted the action; None if this round didn't send it
    :param refused: why the action can't be carried out; empty if it can
    :param unclear: why it isn't known whether OMS carried out the action; empty if it is known
    :param sent: whether an action was sent
    """

    waits_for: str = ""
    since: float | None = None
    refused: str = ""
    unclear: str = ""
    sent: bool = False


class ManyProjects:
    """The work of an operator on many projects.

    :param operator: the operator
    :param context: Airflow's context
    :param hook: the open hook
    """

    def __init__(self, operator: OmsProjectActionOperator, context: Context, hook: OmsHook) -> None:
        self._operator, self._context, self._hook, self._log = operator, context, hook, operator.log

    def begin(self, fleet: Fleet) -> dict[str, Any]:
        """Find the projects, and carry out the action on each that needs it.

        :param fleet: the settings that select the projects
        :raises OmsOperationError: if the operation failed and a retry may help
        :raises OmsOperationRefusedError: if the operation failed and a retry would not help
        """
        operator = self._operator
        milestone = ActionMilestone(operator.action, operator.action)
        gate = Gate(milestone, oms_conn_id=operator.oms_conn_id, fleet=fleet)
        members = run_flow(self._hook, members_of(gate, Memory(), self._hook.get_conn().settings.origin))
        push_console_url(self._context, self._hook, None)
        # Released or deleted projects may no longer be listed, so a retry may find fewer.
        gone_is_done = plan(operator.action, DELETED, stop_first=operator.stop_first).kind is Kind.DONE
        if len(members) < operator.min_projects and not gone_is_done:
            raise OmsOperationRefusedError(
                f"{name_of(operator.action)}: there are {len(members)} of {fleet.describe()}; "
                f"min_projects is {operator.min_projects}."
            )
        report: dict[str, Any] = {"total": len(members), "done": [], "already": [], "refused": {}, "ids": {}}
        for member in members:
            if member.id is not None and not member.problem:
                report["ids"][member.id] = member.name
            elif gone_is_done:
                self._log.warning("Nothing to do: %s", member.problem)
                report["already"].append(member.name)
            else:
                report["refused"][member.name] = member.problem[:_WHY]
        return self._carry_on(report)

    def go_on(self) -> dict[str, Any]:
        """Continue after the triggerer has waited.

        :raises OmsOperationError: if the operation failed and a retry may help
        :raises OmsOperationRefusedError: if the operation failed and a retry would not help
        """
        ti: Any = self._context["ti"]
        report = ti.xcom_pull(task_ids=self._operator.task_id, key=XCOM_KEY, map_indexes=ti.map_index)
        if not isinstance(report, dict) or not isinstance(report.get("ids"), dict):
            raise OmsOperationError(f"The result so far isn't in XCom any more (key {XCOM_KEY}). A retry checks again.")
        return self._carry_on(report)

    def _carry_on(self, report: dict[str, Any]) -> dict[str, Any]:
        operator = self._operator
        for _ in range(_ROUNDS):
            ids: dict[str, str] = report["ids"]
            results = dict(zip(ids, self._each(self._do_one, ids), strict=True))
            self._note(report, results)
            waiting = {one: result for one, result in results.items() if result.waits_for}
            report["ids"] = {one: ids[one] for one in waiting}
            self._context["ti"].xcom_push(key=XCOM_KEY, value=report)
            unclear = {ids[one]: result.unclear for one, result in results.items() if result.unclear}
            if unclear:
                raise OmsOperationError(f"{self._told(report)} Not known: {_few(unclear)}. A retry checks each first.")
            if not waiting:
                break
            for action in sorted({result.waits_for for result in waiting.values()}):
                those = {one: result for one, result in waiting.items() if result.waits_for == action}
                since = min((at for result in those.values() if (at := result.since) is not None), default=None)
                milestone = ActionMilestone(operator.action, action, operator.stop_first, since)
                fleet = Fleet(project_ids=tuple(those), on_failure="wait_for_others")
                gate = Gate(
                    milestone, oms_conn_id=operator.oms_conn_id, poke_interval=operator.poke_interval, fleet=fleet
                )
                origin = self._hook.get_conn().settings.origin
                operator.wait_at(self._hook, gate, Memory(observed=dict.fromkeys(those, origin)))
        else:
            raise OmsOperationError(
                f"{self._told(report)} Somebody else keeps changing the status of {len(report['ids'])}."
            )
        del report["ids"]
        self._log.info("%s", self._told(report))
        if report["refused"]:
            raise OmsOperationRefusedError(f"{self._told(report)} Refused: {_few(report['refused'])}.")
        return report

    def _note(self, report: dict[str, Any], results: dict[str, _Result]) -> None:
        for project_id, result in results.items():
            name = report["ids"][project_id]
            if result.refused:
                report["refused"][name] = result.refused[:_WHY]
                report["done"] = [one for one in report["done"] if one != project_id]
                self._log.warning("Refused: %s: %s", safe_text(name, 80), result.refused)
            elif project_id not in report["done"] and not result.unclear:
                report["done" if result.sent or result.waits_for else "already"].append(project_id)

    def _do_one(self, sender: Sender, project_id: str) -> _Result:
        """Check a project, and send the next action that it needs."""
        operator = self._operator
        try:
            status, sent = status_of(sender, project_id), False
            while True:
                move = plan(operator.action, status, stop_first=operator.stop_first)
                if move.kind is Kind.DONE:
                    return _Result(sent=sent)
                if move.kind is Kind.REFUSE:
                    return _Result(refused=move.reason)
                since: float | None = None
                if move.kind is Kind.SEND:
                    sent = True
                    since, moved_to = operator.send_once(sender, project_id, move)
                    if moved_to is not None:
                        status = moved_to
                        continue
                if move.action == operator.action and not operator.wait_for_completion:
                    return _Result(sent=sent)
                return _Result(move.action, since, sent=sent)
        except OmsError as error:
            return _Result(unclear=str(error)) if error.temporary else _Result(refused=str(error))
        except OmsOperationError as error:
            return _Result(unclear=str(error))
        except OmsOperationRefusedError as error:
            return _Result(refused=str(error))

    def _each(self, do: Callable[[Sender, str], T], ids: Iterable[str]) -> list[T]:
        """Call a function for each project, for a few at the same time, each with its own client."""
        settings, clients = self._hook.get_conn().settings, SimpleQueue[OmsClient]()
        every = [OmsClient(settings) for _ in range(AT_ONCE)]
        for client in every:
            clients.put(client)

        def one(project_id: str) -> T:
            client = clients.get()
            try:
                return do(client, project_id)
            finally:
                clients.put(client)

        try:
            with ThreadPoolExecutor(AT_ONCE, "oms") as pool:
                return list(pool.map(one, ids))
        finally:
            for client in every:
                client.close()

    def _told(self, report: dict[str, Any]) -> str:
        counts = (len(report["done"]), len(report["already"]), len(report["refused"]))
        done = "{} done, {} had nothing to do, {} refused".format(*counts)
        return f"{name_of(self._operator.action)} of {report['total']} projects: {done}."


def _few(reasons: dict[str, str]) -> str:
    told = [f"{safe_text(name, 80)}: {why.rstrip('.')}" for name, why in list(reasons.items())[:_NAMED]]
    more = f"; and {len(reasons) - _NAMED} more" if len(reasons) > _NAMED else ""
    return f"{'; '.join(told)}{more}"

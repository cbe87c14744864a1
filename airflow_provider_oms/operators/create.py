"""Creates a project, but only once."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client.errors import OmsError, OmsRejectedError, safe_text
from airflow_provider_oms.client.models import PreCheckItem, Project
from airflow_provider_oms.client.numbers import counted
from airflow_provider_oms.client.operations import run_flow
from airflow_provider_oms.exceptions import OmsOperationError, OmsOperationRefusedError
from airflow_provider_oms.links.oms import project_links, push_console_url, push_progress_url
from airflow_provider_oms.milestones import arguments
from airflow_provider_oms.milestones.durations import duration
from airflow_provider_oms.milestones.lookup import label_by_name, project_by_name
from airflow_provider_oms.milestones.status import DELETED
from airflow_provider_oms.milestones.subject import called
from airflow_provider_oms.milestones.transitions import Kind, PreCheck, judge_existing, judge_pre_check
from airflow_provider_oms.operators.base import OmsOperator, answer_was_lost, to_airflow_error
from airflow_provider_oms.operators.data_source_base import find_data_sources
from airflow_provider_oms.operators.lineage import TellsLineage
from airflow_provider_oms.operators.project_body import LABEL_NAMES, LABELS, SINK_NAME, SOURCE_NAME, check
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.hooks.oms import OmsHook

#: Seconds between two polls of a pre-check.
PRE_CHECK_INTERVAL = 5.0


class OmsCreateProjectOperator(TellsLineage, OmsOperator):
    """Create a project, once (``CreateProject``). It isn't started.

    The operator looks up the name first (``ListProjects``). If a project with the same name, type and endpoints exists,
    its id is returned. The task fails if the existing project differs, or can't be started any more (FINISHED,
    RELEASING, RELEASED). If the answer to a create was lost, the name is looked up again. A create is never sent twice,
    because OMS might create two projects. Returns the project's id as XCom, which is pushed under ``project_id``, too.

    The body has OMS's own keys, and is checked before anything is sent. It may also hold names instead of ids:
    ``sourceEndpointName``, ``sinkEndpointName`` (looked up with ``ListDataSource``) and ``labelNames``
    (``ListAllLabels``). For ``transferMapping`` see
    :func:`~airflow_provider_oms.operators.transfer_mapping.transfer_mapping`.

    :param project: the body, a dictionary or the path of a ``.json`` file (templated)
    :param precheck: let OMS check the body first, and fail with a list of what it found (``SubmitPreCheck``, Enterprise
        V4.2.2). The operator waits on the worker. The statuses of a check aren't documented, and this is untested
        against a real OMS
    :param precheck_timeout: seconds (or timedelta) to wait for the pre-check
    :param create_labels: create the labels in ``labelNames`` that don't exist (``CreateLabel``) instead of failing
    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument or a key of ``project`` is invalid; the message names it
    """

    action = "create"
    template_fields: Sequence[str] = ("project", "oms_conn_id")
    template_fields_renderers = {"project": "json"}
    operator_extra_links = project_links()

    oms_action = "CreateProject"

    def __init__(
        self,
        *,
        project: Mapping[str, Any] | str,
        precheck: bool = False,
        precheck_timeout: timedelta | float = 600.0,
        create_labels: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.precheck = arguments.flag("precheck", precheck)
        self.precheck_timeout = arguments.seconds("precheck_timeout", precheck_timeout)
        self.create_labels = arguments.flag("create_labels", create_labels)
        if is_literal(project) and not isinstance(project, str):
            check(project)

    def render_template(
        self, content: Any, context: Context, jinja_env: Any = None, seen_oids: set[int] | None = None
    ) -> Any:
        """Render a template; ``project`` may be the path of a ``.json`` file with a template.

        Airflow's own ``template_ext`` isn't used, because it would take every text in the body that ends with
        ``.json`` for a path.

        :param content: the template
        :param context: Airflow's context
        :param jinja_env: the environment to render with
        :param seen_oids: the objects that are rendered already
        """
        if content is self.project and isinstance(content, str) and content.strip().endswith(".json"):
            environment = jinja_env or self.get_template_env()
            content = environment.loader.get_source(environment, content.strip())[0]
        return super().render_template(content, context, jinja_env, seen_oids)

    def about(self) -> str:
        """Return the project's name, for messages."""
        try:
            return called(None, _read(self.project).get("name"))
        except (ValueError, AttributeError):  # it isn't a body at all
            return ""

    def carry_out(self, context: Context, hook: OmsHook) -> str:
        """Create the project, unless it exists.

        :param context: Airflow's context
        :param hook: the open hook
        :raises OmsOperationRefusedError: if it exists but differs, or can't be started any more
        """
        body = _read(self.project)
        check(body)
        body = self._with_ids(hook, body)
        there = self._find(hook, body)
        if there is None:
            if self.precheck:
                self._check_first(hook, body)
            project_id = self._create(hook, body)
        else:
            project_id = self._take(there)
        context["ti"].xcom_push(key="project_id", value=project_id)
        push_console_url(context, hook, project_id)
        push_progress_url(context)
        self._worked_on = project_id
        return project_id

    def _create(self, hook: OmsHook, body: Mapping[str, Any]) -> str:
        try:
            project_id = hook.create_project(body)
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            found = self._find(hook, body)
            if found is None:
                remark = "OMS lists no project of that name now. A retry checks first."
                raise to_airflow_error(error, remark if error.temporary else "") from None
            self.log.warning("%s Project %s exists nevertheless.", error, body["name"])
            return self._take(found)
        self.log.info("OMS has created project %s: %s.", body["name"], project_id)
        return project_id

    def _take(self, there: Project) -> str:
        """Return the id of a project that exists already.

        :raises OmsOperationRefusedError: if it can't be started any more
        """
        move = judge_existing(there.status)
        if move.kind is Kind.REFUSE:
            raise OmsOperationRefusedError(f"Project {there.name} ({there.id}) exists already. {move.reason}")
        level = logging.WARNING if move.reason else logging.INFO
        self.log.log(level, "Nothing to do: project %s exists already, %s. %s", there.name, there.id, move.reason)
        return str(there.id)

    def _find(self, hook: OmsHook, body: Mapping[str, Any]) -> Project | None:
        """Return the project with the name; None if there is none.

        :raises OmsError: if several projects have the name
        :raises OmsOperationRefusedError: if its type or an endpoint differs
        """
        row = run_flow(hook, project_by_name(body["name"]))
        if row is None or row.id is None or row.status == DELETED:
            return None
        wanted = (body["type"], body["sourceEndpointId"], body["sinkEndpointId"])
        traits = _traits(row)
        if None in traits:
            traits = _traits(hook.describe_project(row.id))
        if traits != wanted:
            there = ", ".join(str(safe_text(trait, 100)) if trait else "unknown" for trait in traits)
            raise OmsOperationRefusedError(
                f"OMS has another project named {body['name']!r}, {row.id}: its type, source and target are {there}; "
                f"the body has {', '.join(wanted)}. Use another name, or delete that project."
            )
        return row

    def _with_ids(self, hook: OmsHook, body: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the names of data sources and labels by their ids."""
        resolved = {key: value for key, value in body.items() if key not in (SOURCE_NAME, SINK_NAME, LABEL_NAMES)}
        for by_name, key in ((SOURCE_NAME, "sourceEndpointId"), (SINK_NAME, "sinkEndpointId")):
            if (name := body.get(by_name)) is not None:
                resolved[key] = _data_source_id(hook, name, by_name)
        names = body.get(LABEL_NAMES)
        if names:
            ids = [self._need_label(hook, name) for name in names]
            resolved["labelIds"] = list(dict.fromkeys([*(body.get("labelIds") or []), *ids]))
        return resolved

    def _need_label(self, hook: OmsHook, name: str) -> str:
        found = _label_id(hook, name)
        if found is not None:
            return found
        if not self.create_labels:
            raise OmsOperationRefusedError(
                f"OMS has no label named {safe_text(name, 200)!r} (labelNames). Create it, or set create_labels=True."
            )
        try:
            return hook.create_label(name)
        except OmsError as error:
            found = _label_id(hook, name) if answer_was_lost(error) or isinstance(error, OmsRejectedError) else None
            if found is None:
                raise
            return found

    def _check_first(self, hook: OmsHook, body: Mapping[str, Any]) -> None:
        """Let OMS check the body.

        :raises OmsOperationRefusedError: if the check failed; the message lists what OMS found
        :raises OmsOperationError: if the check takes too long
        """
        check_id = hook.submit_pre_check(body)
        self.log.info("OMS checks the project first: pre-check %s.", check_id)
        began = time.monotonic()
        while True:
            result = hook.get_pre_check_result(check_id)
            verdict, failed = judge_pre_check(result)
            if verdict is PreCheck.PASSED:
                self.log.info("The pre-check passed, %s.", counted(len(result.items), "item"))
                return
            if verdict is PreCheck.FAILED:
                found = "; ".join(map(_describe, failed)) or "OMS doesn't say why"
                raise OmsOperationRefusedError(f"OMS's pre-check of project {body['name']} failed: {found}")
            left = began + self.precheck_timeout - time.monotonic()
            if left <= 0:
                raise OmsOperationError(
                    f"The pre-check isn't done after {duration(self.precheck_timeout)} (precheck_timeout)."
                )
            time.sleep(min(PRE_CHECK_INTERVAL, left))


def _read(project: Any) -> dict[str, Any]:
    """Return the body. Text is the content of a rendered template or ``.json`` file."""
    if isinstance(project, str):
        try:
            project = json.loads(project)
        except ValueError as error:
            raise ValueError(f"project isn't JSON: {error}") from None
    if not isinstance(project, Mapping):
        return project  # type: ignore[no-any-return]  # check() raises for an invalid body
    lists = {key: arguments.texts(key, project[key]) for key in LABELS if project.get(key) is not None}
    name = project.get("name")
    return {**project, **lists, **({"name": name.strip()} if isinstance(name, str) else {})}


def _label_id(hook: OmsHook, name: str) -> str | None:
    found = run_flow(hook, label_by_name(name))
    return found.id if found else None


def _traits(row: Project) -> tuple[str | None, str | None, str | None]:
    """Return the properties that must be the same: type, source, target."""
    ends = []
    for side in ("sourceConnectInfo", "sinkConnectInfo"):
        info = row.get(side)
        value = info.get("endpointId") or info.get("EndpointId") if isinstance(info, Mapping) else None
        ends.append(str(value) if value else None)
    return row.type, ends[0], ends[1]


def _data_source_id(hook: OmsHook, name: str, key: str) -> str:
    found = find_data_sources(hook, name)
    if len(found) != 1:
        many = f"{len(found)} data sources" if found else "no data source"
        raise OmsOperationRefusedError(f"OMS shows this user {many} named {safe_text(name, 200)!r} ({key}).")
    return str(found[0].id)


def _describe(item: PreCheckItem) -> str:
    where = f" ({item.endpoint_type})" if item.endpoint_type else ""
    skippable = ", may be skipped" if item.skippable else ""
    return f"{safe_text(item.name, 200)}{where}: {safe_text(item.message or item.status, 500)}{skippable}"

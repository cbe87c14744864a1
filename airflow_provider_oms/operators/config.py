"""Changing a project's configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_oms.client.errors import OmsError, OmsRejectedError
from airflow_provider_oms.client.models import Project
from airflow_provider_oms.exceptions import OmsOperationRefusedError
from airflow_provider_oms.milestones.transitions import Kind, plan
from airflow_provider_oms.operators.base import OmsProjectOperator, answer_was_lost, to_airflow_error
from airflow_provider_oms.tasks.templates import is_literal

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_oms.hooks.oms import OmsHook

#: The sections of a configuration that ``UpdateProjectConfig`` accepts.
SECTIONS = ("commonTransferConfig", "structTransferConfig", "fullTransferConfig", "incrTransferConfig")


class OmsUpdateProjectConfigOperator(OmsProjectOperator):
    """Change items of a project's configuration and keep the others (``UpdateProjectConfig``, Enterprise V4.2.4).

    OMS's action replaces the whole configuration and deletes items that are left out, so the current one is read first
    (``DescribeProject``). Nothing is sent if nothing would change. OMS only allows the action in INIT, SUSPEND and
    FAILED, so the task fails for a running project. Returns the items that were changed as XCom, such as
    ``{"fullTransferConfig": {...}}``; ``project_id`` is pushed, too.

    It isn't documented whether the action accepts every item that ``DescribeProject`` shows. The operator is untested
    against a real OMS.

    :param config: the items to change, in OMS's own keys, by section: ``commonTransferConfig``,
        ``structTransferConfig``, ``fullTransferConfig``, ``incrTransferConfig``. None deletes an item (templated)
    :param project_id: the project's id (templated)
    :param project_name: the project's name instead; it is looked up with ``ListProjects`` (templated)
    :param oms_conn_id: the Airflow connection (templated)
    :raises ValueError: if an argument is invalid; the message names it
    """

    template_fields: Sequence[str] = ("project_id", "project_name", "config", "oms_conn_id")
    template_fields_renderers = {"config": "json"}

    oms_action = "UpdateProjectConfig"

    def __init__(self, *, config: Mapping[str, Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config = config
        if is_literal(config):
            _check(config)

    def carry_out(self, context: Context, hook: OmsHook) -> dict[str, Any]:
        """Read the current configuration, and change the items that differ.

        :param context: Airflow's context
        :param hook: the open hook
        :raises OmsOperationRefusedError: if OMS doesn't allow the change in the project's status
        """
        _check(self.config)
        project_id = self.need_project(hook)
        self.announce(context, hook, project_id)
        project = hook.describe_project(project_id)
        present = present_config(project)
        wanted, changes = merged(present, self.config), differences(present, self.config)
        if not changes:
            self.log.info("Nothing to do: project %s is configured like that already.", project_id)
            return {}
        move = plan("configure", project.status)
        if move.kind is Kind.REFUSE:
            raise OmsOperationRefusedError(move.reason)
        try:
            hook.update_project_config(project_id, wanted)
        except OmsError as error:
            if not (answer_was_lost(error) or isinstance(error, OmsRejectedError)):
                raise
            if differences(present_config(hook.describe_project(project_id)), self.config):
                raise to_airflow_error(error, "The configuration is unchanged. A retry checks first.") from None
            self.log.warning("%s The project has the requested configuration nevertheless.", error)
        self.log.info("OMS has taken the new configuration of project %s: %s", project_id, changes)
        return changes


def present_config(project: Project) -> dict[str, dict[str, Any]]:
    """Return the configuration that ``DescribeProject`` shows, without items that aren't set.

    :param project: the project
    """
    found = {section: project.get(section) for section in SECTIONS}
    return {section: _set_items(items) for section, items in found.items() if isinstance(items, Mapping)}


def merged(present: Mapping[str, Mapping[str, Any]], asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the whole configuration with some items changed. The value None deletes an item.

    :param present: the configuration now
    :param asked: the items to change, by section
    """
    return {
        section: _set_items({**present.get(section, {}), **asked.get(section, {})})
        for section in SECTIONS
        if section in present or section in asked
    }


def differences(present: Mapping[str, Mapping[str, Any]], asked: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the items to change whose current value differs.

    :param present: the configuration now
    :param asked: the items to change, by section
    """
    found = {
        section: {name: value for name, value in items.items() if present.get(section, {}).get(name) != value}
        for section, items in asked.items()
    }
    return {section: items for section, items in found.items() if items}


def _set_items(items: Mapping[str, Any]) -> dict[str, Any]:
    # A proxy may have written the keys in PascalCase; OMS's own keys begin with a small letter.
    return {name[:1].lower() + name[1:]: value for name, value in items.items() if value is not None}


def _check(config: Any) -> None:
    """Raise an error for a configuration that OMS couldn't read.

    :raises ValueError: if a key or a value is invalid; the message names it
    """
    if not isinstance(config, Mapping) or not config:
        raise ValueError(f"config must map {', '.join(SECTIONS)} to the items to change; it is {config!r}")
    for section, items in config.items():
        if section not in SECTIONS:
            raise ValueError(f"config has no section {section!r}; it takes {', '.join(SECTIONS)}")
        if not isinstance(items, Mapping) or not items:
            raise ValueError(f"config[{section!r}] must map items to values; it is {items!r}")

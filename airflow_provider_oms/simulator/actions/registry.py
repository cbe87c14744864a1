"""The registry of the actions of ``POST /api/v2?Action=...``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow_provider_oms.simulator.envelope import CHECK_FAILED, INNER_ERROR, OmsRefusal
from airflow_provider_oms.simulator.state import NotAllowed
from airflow_provider_oms.simulator.store import Store

Handler = Callable[[Store, Mapping[str, Any]], Any]

ACTIONS: dict[str, Handler] = {}

#: Actions that only the hosted OMS of Alibaba Cloud has, or that differ in it.
HOSTED: dict[str, Handler] = {}


def action(name: str, registry: dict[str, Handler] = ACTIONS) -> Callable[[Handler], Handler]:
    """Register a function as an action of OMS's API.

    :param name: the action's name, as OMS spells it.
    :param registry: :data:`ACTIONS` or :data:`HOSTED`.
    """

    def register(handler: Handler) -> Handler:
        registry[name] = handler
        return handler

    return register


def run(
    store: Store, name: str, payload: Mapping[str, Any], unsupported: Iterable[str] = (), hosted: bool = False
) -> Any:
    """Run an action and return its ``data``.

    :param store: the data of the simulated OMS.
    :param name: the action.
    :param payload: the parameters, in OMS's own keys.
    :param unsupported: actions that this OMS doesn't know.
    :param hosted: whether the action runs in the hosted OMS.
    :raises OmsRefusal: when OMS would refuse.
    """
    handler = (HOSTED.get(name) if hosted else None) or ACTIONS.get(name)
    if handler is None or name in unsupported or name in store.edition.unsupported:
        raise OmsRefusal(INNER_ERROR, f"Unsupported action: {name}")
    with store.lock:
        try:
            return handler(store, payload)
        except NotAllowed as error:
            raise OmsRefusal(CHECK_FAILED, str(error)) from None

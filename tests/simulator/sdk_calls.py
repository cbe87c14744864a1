"""Call the hosted OMS with Alibaba Cloud's official SDK. This runs in a separate environment (``scripts/cloud.py``).

It reads a JSON object from stdin: ``client``, the SDK's configuration, and ``calls``, a list of action and parameters
in the SDK's own keys. For each call it writes the SDK's result, and the values that the SDK's model doesn't declare, or
declares otherwise.
"""

from __future__ import annotations

import json
import sys
import typing
from collections.abc import Iterator
from typing import Any

from alibabacloud_oceanbasepro20190901 import models
from alibabacloud_oceanbasepro20190901.client import Client
from alibabacloud_tea_openapi.models import Config


def snake(action: str) -> str:
    """Return the name of an action's method: ``StartProject`` is ``start_project``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in action).lstrip("_")


def method(client: Client, action: str) -> Any:
    """Return an action's method; the SDK's names may have several capitals in a row."""
    plain = {name.replace("_", ""): name for name in dir(client)}
    return getattr(client, plain[snake(action).replace("_", "")])


def complaints(model: Any, raw: Any, where: str) -> Iterator[str]:
    """Yield the values of an answer that the SDK's model doesn't declare, or declares otherwise."""
    declared = typing.get_type_hints(type(model).__init__)
    known = type(model)().from_map(dict(raw)).to_map()
    for key in raw:
        if raw[key] is not None and key not in known:
            yield f"{where}.{key} is not declared"
    fields = {name.replace("_", "").lower(): name for name in declared}
    for key, value in raw.items():
        name = fields.get(key.lower())
        if name is not None and value is not None:
            yield from _wrong(declared[name], getattr(model, name), value, f"{where}.{key}")


def _wrong(declared: Any, read: Any, raw: Any, where: str) -> Iterator[str]:
    origin = typing.get_origin(declared)
    if declared is Any:
        return
    if origin is list:
        if not isinstance(raw, list):
            yield f"{where} is no list"
            return
        for number, (item, raw_item) in enumerate(zip(read or [], raw, strict=True)):
            yield from _wrong(typing.get_args(declared)[0], item, raw_item, f"{where}[{number}]")
    elif origin is dict:
        if not isinstance(raw, dict):
            yield f"{where} is no object"
    elif hasattr(declared, "from_map"):
        if isinstance(raw, dict):
            yield from complaints(read, raw, where)
        else:
            yield f"{where} is no object"
    elif not isinstance(raw, (int, float) if declared is float else declared) or (
        declared is int and isinstance(raw, bool)
    ):
        yield f"{where} is {type(raw).__name__}, not {declared.__name__}"


def main() -> None:
    given = json.load(sys.stdin)
    client = Client(Config(**given["client"]))
    answered: dict[str, Any] = {}
    call_api = client.call_api

    def remembered(*arguments: Any) -> Any:
        answered.update(call_api(*arguments))
        return answered

    client.call_api = remembered
    results: list[dict[str, Any]] = []
    for action, parameters in given["calls"]:
        request = getattr(models, f"{action}Request", None)
        try:
            response = method(client, action)(*([request().from_map(parameters)] if request else []))
        except Exception as error:
            results.append(
                {"error": getattr(error, "code", repr(error)), "status": getattr(error, "status_code", None)}
            )
            continue
        found = sorted(set(complaints(response.body, answered["body"], action)))
        results.append({"body": response.body.to_map(), "complaints": found})
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()

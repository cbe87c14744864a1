"""Read Sphinx's roles in docstrings as links: an extension of Griffe, for the API reference of the documentation site."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, NameResolutionError, Object

_ROLE = re.compile(r":(?:class|data|func|meth|mod):`(~?)([\w.]+)`")


class DocstringRoles(Extension):
    """Turns ``:class:`Name``` into a link where the reference has that name, and into code where it hasn't."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite an object's docstring."""
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(lambda role: _link(obj, role[1], role[2]), obj.docstring.value)


def _link(obj: Object, tilde: str, name: str) -> str:
    shown = name.rpartition(".")[2] if tilde else name
    try:
        target = obj.resolve(name)
    except NameResolutionError:
        target = name
    return f'<autoref identifier="{target}" optional>`{shown}`</autoref>'

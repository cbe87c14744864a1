"""Build hook of hatchling: PyPI shows the README without the files beside it, so its links are made absolute."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class AbsoluteLinks(MetadataHookInterface):
    """Gives the release a ``readme`` whose links lead to the site, and to the repository as it was tagged."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set ``readme``, from README.md and ``[project.urls]``.

        :param metadata: the table ``[project]``; its version is known already
        """
        site = metadata["urls"]["Documentation"].rstrip("/")
        source = f"{metadata['urls']['Source'].rstrip('/')}/blob/v{metadata['version']}"

        def absolute(link: re.Match[str]) -> str:
            target = link[1]
            if page := re.fullmatch(r"docs/(.*?)(?:(?:^|/)index)?\.md(#.*)?", target):
                return f"]({site}/{page[1]}/{page[2] or ''})"
            return f"]({source}/{target})"

        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = re.sub(r"\]\((?!https?:|#)([^)\s]+)\)", absolute, readme)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}

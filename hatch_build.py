"""Build hooks of hatchling.

PyPI shows the README without the files beside it, so its links are made absolute. And a release holds what git knows:
what lies about in a checkout (notes, keys, answers of an OMS) is left out.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
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


class TrackedFilesOnly(BuildHookInterface):
    """Leaves untracked files out of a release. An unpacked sdist has no git, and all of its files are kept."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Exclude the untracked files.

        :param version: the kind of the build
        :param build_data: what it is told
        """
        excluded = self.build_config.target_config.setdefault("exclude", [])
        # Each is a pattern as in .gitignore.
        excluded += ["/" + re.sub(r"([\\*?\[\]! #])", r"\\\1", name) for name in untracked(Path(self.root))]


def untracked(root: Path) -> list[str]:
    """Return the paths that git doesn't track, a whole folder as one path; nothing outside a checkout.

    :param root: the checkout
    """

    def git(*arguments: str) -> str:
        # The checkout may belong to another user, as in a container.
        command = ["git", "-c", "safe.directory=*", *arguments]
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout  # noqa: S603 - git

    try:
        if Path(git("rev-parse", "--show-toplevel").strip()).resolve() != root.resolve():
            return []  # an sdist that was unpacked within another checkout
        return [name for name in git("ls-files", "--others", "--directory", "-z").split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        return []

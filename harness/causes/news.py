"""What was released since a cell was measured: which cells are worth to be measured again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.causes.releases import Release, Releases
from harness.causes.resolver import NO_DAYS, OTHER_INDEX
from harness.cells import Cell
from harness.environments import legacy
from harness.environments.names import takes
from harness.errors import HarnessError
from harness.results.result import Result

#: What tox.ini asks for by exact version: a release of it changes nothing until that is raised.
_FIXED = {"django", "coverage"}


@dataclass
class News:
    """Finds what was released since; each package is asked for once, whatever number of cells has it."""

    releases: Releases

    def __post_init__(self) -> None:
        self._known: dict[str, list[Release]] = {}

    def since(self, results: Mapping[str, Result]) -> dict[str, list[str]]:
        """Return the cells of *results* that have something new, each with it, such as ``redis 8.1.0 → 8.1.1``.

        Raises:
            HarnessError: the index is out of reach, or does not say when anything was uploaded.
        """
        found = {name: list(self._of(result)) for name, result in results.items()}
        if self._known and not any(each.uploaded for of_one in self._known.values() for each in of_one):
            none = "has none of the packages" if not any(self._known.values()) else NO_DAYS
            raise HarnessError(f"the package index {none}", OTHER_INDEX)
        return {name: new for name, new in found.items() if new}

    def _of(self, result: Result) -> Iterator[str]:
        cell, versions = Cell.parse(result.cell), result.versions
        # Below Python 3.6 nothing is resolved any more.
        if versions is None or cell.python in legacy.VERSIONS:
            return
        for name, version in sorted(versions.installed.items()):
            project = str(canonicalize_name(name))
            if project not in _FIXED and (newer := self._newer(project, version, cell.python, result)):
                yield f"{name} {version} → {newer}"

    def _newer(self, project: str, version: str, python: str, result: Result) -> str:
        """Return the newest release that was uploaded since, and that *python* can take; nothing without one."""
        if project not in self._known:
            self._known[project] = self.releases.of(project)
        measured = result.varying.installed_on or result.varying.started[:10]
        try:
            mine = Version(version)
        except InvalidVersion:
            return ""
        for each in reversed(self._known[project]):
            if Version(each.version) <= mine:
                break
            if each.uploaded >= measured and takes(each.requires_python, python):
                return each.version
        return ""

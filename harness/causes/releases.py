"""The releases of a project that an index has: in their order, with the days on which they were uploaded.

Source: https://packaging.python.org/en/latest/specifications/simple-repository-api/.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging.version import InvalidVersion, Version
from unearth import PackageFinder, TargetPython

from harness.cells import numbers
from harness.environments.archives import INDEX, configured
from harness.errors import HarnessError


@dataclass(frozen=True)
class Release:
    """One release of a project that can be installed."""

    version: str
    #: The day on which its first file was uploaded, ``2026-05-26``; empty where the index does not say.
    uploaded: str
    #: Which Pythons it says that it runs on; empty where it does not say.
    requires_python: str = ""


@dataclass(frozen=True)
class Releases:
    """Asks the index for the releases that one Python, such as ``3.13``, can take; neither withdrawn nor early ones."""

    #: Empty for those of every Python.
    python: str
    env: Mapping[str, str]

    @cached_property
    def _finder(self) -> PackageFinder:
        named = self.env.get("UV_DEFAULT_INDEX") or self.env.get("UV_INDEX_URL")
        return PackageFinder(
            index_urls=named.split() if named else configured("index-url") or [INDEX],
            find_links=[] if named else configured("find-links"),
            target_python=TargetPython(py_ver=numbers(self.python)[:2]) if self.python else None,
            ignore_compatibility=not self.python,
        )

    def of(self, project: str) -> list[Release]:
        """Return the releases of *project*, the oldest first.

        Raises:
            HarnessError: the index is out of reach.
        """
        uploaded: dict[Version, str] = {}
        pythons: dict[Version, str] = {}
        for version, day, requires in self._files(project):
            known = uploaded.get(version, "")
            uploaded[version] = min(filter(None, (known, day)), default="")
            pythons[version] = requires
        return [Release(str(version), uploaded[version], pythons[version]) for version in sorted(uploaded)]

    def between(self, project: str, first: str, last: str) -> list[Release]:
        """Return the releases of *project* from *first* to *last*, both of them whether or not the index has them.

        Raises:
            HarnessError: the index is out of reach.
        """
        low, high = Version(first), Version(last)
        found = {release.version: release for release in self.of(project) if low <= Version(release.version) <= high}
        for each in (first, last):
            found.setdefault(str(Version(each)), Release(each, ""))
        return sorted(found.values(), key=lambda release: Version(release.version))

    def _files(self, project: str) -> Iterator[tuple[Version, str, str]]:
        try:
            for package in self._finder.find_all_packages(project, allow_yanked=False):
                try:
                    version = Version(package.version or "")
                except InvalidVersion:
                    continue
                if not version.is_prerelease:
                    link = package.link
                    yield version, str(getattr(link, "upload_time", None) or "")[:10], link.requires_python or ""
        except Exception as error:  # of whatever unearth fetches with
            text = f"the index cannot be asked for the releases of {project}: {error}"
            raise HarnessError(text, "look at the network, and at UV_DEFAULT_INDEX") from error

"""The releases of a project that an index has: in their order, with the days on which they were uploaded.

Source: https://packaging.python.org/en/latest/specifications/simple-repository-api/.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast
from urllib.parse import urlsplit

from packaging.version import InvalidVersion, Version
from unearth import PackageFinder, TargetPython
from unearth.fetchers import Fetcher, PyPIClient, Response

from harness.cells import numbers
from harness.environments.archives import INDEX, configured
from harness.errors import HarnessError

# What unearth tells of indexes that do not have a project is no news: others may.
logging.getLogger("unearth").addHandler(logging.NullHandler())
#: A name that uv lets an index have, before its address.
_NAME = re.compile(r"^[\w.-]+=")
#: The statuses by which an index says that it does not have a project.
_NOT_THERE = (404, 410)


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
    #: What an index answered that does not tell whether it has a project: a status such as 503 → where.
    _refused: dict[int, str] = field(default_factory=dict, init=False, compare=False)

    @cached_property
    def _finder(self) -> PackageFinder:
        named = self._named("UV_DEFAULT_INDEX") or self._named("UV_INDEX_URL")
        links = [each for each in self.env.get("UV_FIND_LINKS", "").split(",") if each]
        return PackageFinder(
            # Its own types do not say that it is one.
            cast(Fetcher, PyPIClient(follow_redirects=True, event_hooks={"response": [self._look]})),
            index_urls=[
                *self._named("UV_INDEX"),
                *self._named("UV_EXTRA_INDEX_URL"),
                *(named or configured("index-url") or [INDEX]),
            ],
            find_links=[*links, *([] if named else configured("find-links"))],
            target_python=TargetPython(py_ver=numbers(self.python)[:2]) if self.python else None,
            ignore_compatibility=not self.python,
        )

    def _named(self, variable: str) -> list[str]:
        """Return the indexes that *variable* names, without the names that uv lets them have: ``mine=https://…``."""
        return [_NAME.sub("", each) for each in self.env.get(variable, "").split()]

    def _look(self, response: Response) -> None:
        # unearth takes whatever is no answer for an index that does not have the project.
        if response.status_code >= 400 and response.status_code not in _NOT_THERE:
            self._refused[response.status_code] = urlsplit(str(response.url)).hostname or ""

    def of(self, project: str) -> list[Release]:
        """Return the releases of *project*, the oldest first.

        Raises:
            HarnessError: the index is out of reach, or refuses to answer.
        """
        self._refused.clear()
        uploaded: dict[Version, str] = {}
        pythons: dict[Version, str] = {}
        for version, day, requires in self._files(project):
            known = uploaded.get(version, "")
            uploaded[version] = min(filter(None, (known, day)), default="")
            pythons[version] = requires
        if not uploaded and self._refused:
            told = ", ".join(f"{host} answers {status}" for status, host in self._refused.items())
            text = f"the index cannot be asked for the releases of {project}: {told}"
            raise HarnessError(text, "look at UV_DEFAULT_INDEX, and at who is let in there")
        return [Release(str(version), uploaded[version], pythons[version]) for version in sorted(uploaded)]

    def between(self, project: str, first: str, last: str) -> list[Release]:
        """Return the releases of *project* from *first* to *last*, both of them whether or not the index has them.

        Raises:
            HarnessError: the index is out of reach, or does not have the project: what lies between is not known.
        """
        low, high = Version(first), Version(last)
        known = self.of(project)
        if not known:
            text = f"the index names no releases of {project}, so what lies between {first} and {last} is not known"
            raise HarnessError(text, "name the index that has it in UV_INDEX or UV_DEFAULT_INDEX")
        found = {release.version: release for release in known if low <= Version(release.version) <= high}
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

"""What was installed in a cell: what it added, what it claims, and the versions of all that took part."""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from harness.results.model import Model


class Pin(Model, frozen=True, kw_only=True):
    """A requirement that is narrower than what the library itself asks for, and why."""

    #: What the installer is asked for, such as ``redis<8``.
    requirement: str
    reason: str


class Claims(Model, frozen=True, kw_only=True):
    """What the metadata of a release says that it runs on.

    Source: https://packaging.python.org/specifications/core-metadata/, Requires-Python and the classifiers of
    https://pypi.org/classifiers/.
    """

    version: str
    #: The specifiers of ``Requires-Python``; empty where the metadata has none.
    requires_python: str
    #: The versions that its classifiers name, the oldest first; empty where they name none.
    pythons: list[str]
    djangos: list[str]

    @property
    def release(self) -> Version:
        """The version, to compare with; what is none comes before all others."""
        try:
            return Version(self.version)
        except InvalidVersion:
            return Version("0")


class Installation(Model, frozen=True, kw_only=True):
    """What installing the library added to an environment that had Django and coverage."""

    #: What the installer was asked for.
    requirements: list[str]
    pins: list[Pin]
    #: What came with it, as ``name==version``.
    added: list[str]
    #: The bytes of all files of those, without compiled ones.
    added_bytes: int
    #: What the release claims; None where it is not installed, or was recorded before claims were.
    claims: Claims | None = None


class Versions(Model, frozen=True, kw_only=True):
    """Everything that took part, exactly."""

    python: str
    implementation: str
    django: str
    #: The version of the library; empty where it could not be installed.
    library: str
    #: Name and version of the broker, such as ``Valkey 9.1.2``; empty where none was started.
    broker: str
    harness: str
    #: Name and version of the installer; empty where nothing was installed.
    installer: str
    #: All distributions of the cell's environment: names → versions.
    installed: dict[str, str]
    #: Those of them that the server imports; empty where that is not known.
    imported: list[str] = []


class Repeats(Model, frozen=True, kw_only=True):
    """What came how often, where a cell was run several times for one result."""

    times: int
    #: What the second round of each run was shuffled with.
    seeds: list[int]
    #: Of what was not always the same: a verdict or a question → what was seen → how often.
    came: dict[str, dict[str, int]]


class Candidate(Model, frozen=True, kw_only=True):
    """What is not released, or is not what an installer resolves today; it is kept apart from what is."""

    #: The name of its folder: what was asked for, in small letters, digits, dots and hyphens.
    profile: str
    #: What was installed instead, as it was asked for, without a path of the machine.
    requirements: list[str] = []
    #: Where each of these came from: ``the index``, an address, a file with its digest, or a folder with its commit.
    origins: dict[str, str] = {}
    #: The Django that took the place of the cell's own, as it was asked for; empty where none did.
    django: str = ""
    #: The day as of which everything but Django was resolved, ``2024-06-01``; empty for today.
    as_of: str = ""
    #: Whether the cell may be one that is not in the matrix.
    any_cell: bool = False

    @property
    def local(self) -> list[str]:
        """What came from a folder or a file of the machine where it was measured, of which the path is not told."""
        return [shown for shown, origin in self.origins.items() if origin != "the index" and "://" not in origin]

    @property
    def options(self) -> list[str]:
        """The options of the command line that ask for it; what is :attr:`local` is put into a folder ``PATH``."""
        place = {each: f"PATH/{each}" for each in self.local}
        told = [option for each in self.requirements for option in ("--with", place.get(each, each))]
        told += ["--django", place.get(self.django, self.django)] if self.django else []
        told += ["--as-of", self.as_of] if self.as_of else []
        # One that changes nothing else is of a cell that is not in the matrix.
        return [*told, *(["--any"] if self.any_cell or not told else [])]

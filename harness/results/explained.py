"""What explains a result: what a user of the cell runs into, what it comes from, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.results.model import Model
from harness.verdict import Verdict

#: What becomes of a user whom an answer disappoints.
Kind = Literal["loses messages", "drops sockets", "lets somebody in", "does not stop"]

#: What stands between several pins that mend something together.
TOGETHER = ", "


class Catch(Model, frozen=True, kw_only=True):
    """What a user of a cell that works will still run into."""

    #: The id of the question that was answered otherwise than expected.
    question: str
    kind: Kind
    #: The question and what was seen, in one sentence.
    text: str


class Turned(Model, frozen=True, kw_only=True):
    """A package whose release turned an answer; a version is empty where the package was not installed."""

    package: str
    #: The last release with which the answer is good, and the first with which it is not.
    good: str
    bad: str
    #: The day on which that was uploaded, ``2026-05-26``; empty where the index does not say.
    uploaded: str = ""
    #: Releases between the two that could not be tried, the first of which may be the guilty one.
    untried: list[str] = []
    #: The packages that came along with it, where it is they that turned the answer.
    brings: list[str] = []

    def met(self, installed: Mapping[str, str]) -> bool:
        """Tell whether what is *installed*, names → versions, is on the bad side of it."""
        have = {canonicalize_name(name): version for name, version in installed.items()}
        here = have.get(canonicalize_name(self.package), "")
        if not self.bad or not here:
            return self.bad == here
        if not self.good:
            return True
        try:
            good, bad, installed_one = Version(self.good), Version(self.bad), Version(here)
        except InvalidVersion:  # as a build of somebody's own may have: nothing is known of that
            return False
        return installed_one >= bad if good < bad else installed_one <= bad

    @property
    def pin(self) -> str:
        """The smallest requirement that keeps the bad release away, such as ``redis<8``; empty where none can."""
        if not self.good:
            return ""  # it came with something else
        if not self.bad:
            return f"{self.package}=={self.good}"
        good, bad = Version(self.good), Version(self.untried[0] if self.untried else self.bad)
        short = str(bad)
        if short == bad.base_version:
            while short.endswith(".0"):
                short = short.removesuffix(".0")
        return f"{self.package}{'<' if good < bad else '>'}{short}"


class Cause(Model, frozen=True, kw_only=True):
    """What a verdict or a catch comes from."""

    #: The id of the question; empty for the verdict.
    question: str = ""
    #: The packages that turned it, which had to come together where there are several; none where it was always so.
    turned: list[Turned]
    #: What is seen with the good release, and what with the bad one.
    text: str
    #: Everything installed with which the answer was good, and with which it was not, as ``name==version``.
    good: list[str]
    bad: list[str]
    #: The day on which it was found.
    found_on: str


class Cure(Model, frozen=True, kw_only=True):
    """What mends a verdict or a catch: it was tried, and measured."""

    #: The id of the question; empty for the verdict.
    question: str = ""
    kind: Literal["pin", "setting", "server", "cell"]
    #: The requirement, the way of the library, the server, or the cell.
    change: str
    #: What came of it: the verdict of that run, and what was seen of the question.
    verdict: Verdict
    text: str
    #: Whether it may be chance: the answer is that of one try, or what it mends was chance itself.
    chance: bool = False
    #: What else it changes, a sentence each; nothing of it is worse than what it mends.
    changes: list[str] = []
    #: What a user runs into with it and not without, each milder than what it mends.
    brings: list[Catch] = []
    #: The day on which it was tried.
    tried_on: str

    @property
    def pins(self) -> list[str]:
        """The requirements that it consists of; none where it is no pin."""
        return self.change.split(TOGETHER) if self.kind == "pin" else []


class Attempt(Model, frozen=True, kw_only=True):
    """What does not mend a verdict or a catch, though it was tried."""

    #: The id of the question; empty for the verdict.
    question: str = ""
    kind: Literal["pin", "setting", "server"]
    #: The requirement, the way of the library, or the server.
    change: str
    #: What was seen of the question with it, or what it makes worse.
    text: str
    #: The day on which it was tried.
    tried_on: str

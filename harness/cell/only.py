"""One question that is asked alone: what else its set would ask of the cell is left out."""

from __future__ import annotations

from dataclasses import dataclass

from harness.results.questions import apart, identifier
from harness.results.result import Finding


@dataclass(frozen=True)
class Only:
    """What is asked of a cell in the place of everything: one question, or for the verdict alone."""

    #: The set that the question is in: a probe, one of the library's own, ``isolation``, or ``stopping``; empty for the
    #: verdict.
    set: str = ""
    #: The question as it stands in a result; empty for the verdict.
    question: str = ""

    @property
    def id(self) -> str:
        """The short name of the question; ``verdict`` for the verdict."""
        return identifier(self.question) if self.question else "verdict"

    @property
    def way(self) -> str:
        """The way of the library, or the deployment, that it is put to; empty for the usual one."""
        return apart(self.question)[1]

    def begins(self, *questions: str) -> bool:
        """Tell whether it is one of *questions*, or begins as one of them does."""
        return self.question.startswith(questions)

    def answers(self, finding: Finding) -> bool:
        """Tell whether *finding* is the answer to it."""
        return finding.id == self.id

"""What was observed of a cell's server: everything that its result is made of once the server has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.captured import output
from harness.chat.conversation import Chat
from harness.chat.exchanges import Exchanged
from harness.errors import CellFailure
from harness.results.result import Cost, Exchange, Finding, Judgement, Probe, VariantResult


@dataclass
class Observations:
    """What was seen of a cell's servers; what is None or empty was not come to, or there was nothing of it."""

    #: Why there is no database, where the servers were started all the same.
    migration: CellFailure | None = None
    #: Why the server that carries the chat did not start, or a page of it failed.
    web_server: CellFailure | None = None
    #: How Django's development server did, where that is another one than the server of the chat.
    django_server: Judgement | None = None
    #: What was wrong with the handshakes or the exchanges.
    channels: CellFailure | None = None
    #: How often the server of the chat was started, to be asked.
    starts: int = 0
    #: The rounds of exchanges, one on each start of the server.
    rounds: list[Exchanged] = field(default_factory=list)
    #: The rows of the table, over all rounds.
    exchanges: list[Exchange] = field(default_factory=list)
    isolation: list[Finding] = field(default_factory=list)
    #: The library's own sets of questions.
    sets: list[Probe] = field(default_factory=list)
    variants: list[VariantResult] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)
    #: What the server printed before it was first asked for something.
    startup_output: str = ""
    #: The last traceback that the server had printed when something failed.
    said: output.Failure | None = None
    #: How each server stopped: the name of its step → the signal, the exit status, what became of open sockets.
    stopped: dict[str, str] = field(default_factory=dict)
    #: Whether the server ends when it is told to.
    stopping: list[Finding] = field(default_factory=list)
    #: What was tried again, a sentence each.
    repeated: list[str] = field(default_factory=list)
    fences: int = 0
    fences_again: int = 0
    #: What a probe counted, by its question: it differs from run to run.
    counted: dict[str, str] = field(default_factory=dict)
    #: What a probe was made with beside the cell and the harness, with its version, by the probe's name.
    tools: dict[str, str] = field(default_factory=dict)
    #: What a message cost by each transport.
    costs: dict[str, Cost] = field(default_factory=dict)

    def take_over(self, chat: Chat) -> None:
        """Count the fences that were sent in *chat*, and note what was tried again there."""
        self.repeated += chat.repeated
        self.fences += chat.fences_sent
        self.fences_again += chat.fences_sent_again

"""Decode the frames that arrive on a crowd's sockets, each different one once: the same few arrive on all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.clients.frame_format import FrameFormat

#: How many different frames are remembered with what they mean; a server may send rubbish without end.
_REMEMBERED = 10_000


@dataclass
class FrameDecoder:
    """Finds in a frame the texts that were sent, and tells them from those that nobody sent."""

    frame_format: FrameFormat
    #: The texts that were sent → their numbers.
    numbers: dict[str, int] = field(default_factory=dict)
    #: The frames that have been decoded → the numbers of the texts in them.
    known: dict[bytes, tuple[int, ...]] = field(default_factory=dict)
    #: The frames that want an answer → the answers.
    answers: dict[bytes, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.answers = {each.encode(): answer.encode() for each, answer in self.frame_format.answers.items()}

    def decode(self, data: bytes) -> tuple[tuple[int, ...], int]:
        """Return the numbers of the texts in a frame, and how many texts are in it that nobody sent."""
        messages = self.frame_format.messages(data.decode("utf-8", "replace"))
        numbers = tuple(self.numbers[text] for text in messages if text in self.numbers)
        foreign = len(messages) - len(numbers)
        if not foreign and len(self.known) < _REMEMBERED:  # what is foreign is counted each time
            self.known[data] = numbers
        return numbers, foreign

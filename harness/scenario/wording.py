"""What members of somebody's own chat say, in frames; and what frames have to say of it."""

from __future__ import annotations

from harness.scenario.frames import Reader, filled, pointer
from harness.scenario.model import ExchangeTable, Scenario

#: The words of templates that only those know who are let in.
SECRETS = ("PASSWORD", "TOKEN", "TICKET")


class Wording:
    """The frames of *scenario*. :attr:`tokens` are what ``$TOKEN`` stands for, by member: a login may give others."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.tokens = {name: each.token for name, each in scenario.members.items()}

    def reader(self) -> Reader:
        """Return what finds the messages in frames that arrive."""
        frames = self._scenario.frames
        pointers = [frames.read] if isinstance(frames.read, str) else frames.read
        own = [each.says for each in self._scenario.connections.values()]
        own += [each.says for each in self._scenario.exchanges]
        says = dict.fromkeys(pointer(where) for each in [frames.says, *own] for where in each)
        return Reader(pointers, frames.prefix, frames.match, frames.ignore, says)

    def words(self, member: str) -> dict[str, str]:
        """Return what stands for the words of a template that *member* fills in; a stranger where that is empty."""
        table = self._scenario.members.get(member)
        return {
            "MEMBER": member or "stranger",
            "USER": (table.user if table else "") or member or "stranger",
            "PASSWORD": table.password if table else "",
            "TOKEN": self.tokens.get(member, ""),
        }

    def saying(self, member: str, text: str, to: str = "") -> dict[str, str]:
        """Return what stands for the words of a template in which *member* says *text*."""
        return {**self.words(member), "TEXT": text, "TO": to}

    def template(self, connection: str) -> str:
        """Return the frame that says something on *connection*."""
        return self._scenario.connections[connection].send or self._scenario.frames.send

    def frame(self, exchange: ExchangeTable, text: str) -> str:
        """Return the frame in which *exchange* has *text* said."""
        template = exchange.send or self.template(self._scenario.said_on(exchange) or "")
        return filled(template, self.saying(exchange.sender, text, exchange.to))

    def frame_on(self, connection: str, text: str, member: str) -> str:
        """Return the frame in which *member* says *text* on *connection*, as one of the exchanges does.

        It is one with the frame of the connection, if there is one; else, of those that have frames of their own, the
        one that most people hear.
        """
        said = [each for each in self._scenario.exchanges if self._scenario.said_on(each) == connection]
        plain = [each for each in said if not each.send]
        like = max(plain or said, key=lambda each: len(self._scenario.hearers(each)), default=None)
        frame = (like.send if like else "") or self.template(connection)
        return filled(frame, self.saying(member, text, like.to if like else ""))

    def says(self, exchange: ExchangeTable, text: str) -> dict[str, str]:
        """Return what has to stand in frames where *text* is the message of *exchange*: pointers → values."""
        said_on = self._scenario.said_on(exchange)
        connection = self._scenario.connections[said_on].says if said_on else {}
        words, wanted = self.saying(exchange.sender, text, exchange.to), dict[str, str]()
        for table in (self._scenario.frames.says, connection, exchange.says):
            wanted |= {pointer(where): filled(template, words) for where, template in table.items()}
        return wanted

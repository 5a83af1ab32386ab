"""What a cell measures: a library, under a server, with or without the best known pins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from packaging.requirements import Requirement

from harness.cells import Cell
from harness.environments.direct import Direct
from harness.environments.names import project_of
from harness.libraries.base import Library
from harness.results.installed import Pin
from harness.results.result import Profile
from harness.servers.catalogue import Server

#: The last factor of a cell in which the best known pins hold.
PINS: Final = "pins"


@dataclass(frozen=True)
class Setup:
    """A library, the server that carries its chat, and the profile: what holds back versions."""

    library: Library
    server: Server
    profile: Profile
    #: What takes the place of the library's own requirements, and of those of the server, by their projects.
    instead: tuple[Direct, ...] = ()
    #: Which of the best known pins do not hold, to see whether they are still needed.
    without: tuple[str, ...] = ()

    @property
    def pinned(self) -> bool:
        """Whether the best known pins hold, instead of what an installer resolves today."""
        return self.profile == PINS

    @property
    def locks(self) -> tuple[str, ...]:
        """What ``environments/locks`` calls the exact versions for a Python that nothing is resolved for any more."""
        return self.library.name + (f"-{PINS}" if self.pinned else ""), self.server.name

    def requirements(self, cell: Cell) -> list[str]:
        """Return what the installer is asked for."""
        pins = [pin.requirement for pin in self.pins(cell)]
        # A pin takes the place of the server's own, looser requirement.
        named = {project_of(each) for each in [*self.library.requirements(cell), *pins]}
        server = [each for each in self.server.requirements if project_of(each) not in named]
        return self._replaced([*self.library.requirements(cell), *server, *pins])

    def _replaced(self, requirements: list[str]) -> list[str]:
        """Return *requirements* with what takes the place of some of them; each keeps its extras."""
        found: dict[str, Requirement] = {}
        for each in self.instead:
            asked = found.setdefault(each.project, Requirement(str(each.requirement)))
            # Of one that is asked for several times, such as >=1 and <2, all of it holds.
            asked.specifier &= each.requirement.specifier
            asked.extras |= each.requirement.extras
        kept = []
        for text in requirements:
            if (name := project_of(text)) in found:
                found[name].extras |= Requirement(text).extras
            else:
                kept.append(text)
        return [*kept, *map(str, found.values())]

    def pins(self, cell: Cell) -> list[Pin]:
        """Return what is held back, each with its reason."""
        best = self.library.best_pins(cell) if self.pinned else []
        return [*self.library.pins(cell), *(pin for pin in best if pin.requirement not in self.without)]

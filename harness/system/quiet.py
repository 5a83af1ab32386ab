"""Whether a measurement had the machine to itself: how much of its processors others used meanwhile."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass, field

import psutil

#: Processors that others may use on average in a run that is called quiet.
_OTHERS = 0.3


def _busy() -> float:
    """Return the seconds that all processors together have worked since the machine was started."""
    times = psutil.cpu_times()
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal")))


def _own() -> float:
    """Return the seconds of processors that this process has used, with its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@dataclass
class Quiet:
    """Looks at the machine from its making on; what was started since has to have ended when it is asked."""

    _began: float = field(default_factory=time.monotonic)
    _busy_then: float = field(default_factory=_busy)
    _own_then: float = field(default_factory=_own)

    @property
    def others(self) -> float:
        """How many processors others have used on average."""
        elapsed = time.monotonic() - self._began
        used = (_busy() - self._busy_then) - (_own() - self._own_then)
        return max(used, 0.0) / elapsed if elapsed else 0.0

    def __bool__(self) -> bool:
        """Tell whether others have left the machine alone."""
        return self.others < _OTHERS

"""A made-up machine: answers like psutil, as a function of the clock alone, so that runs repeat."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

SECOND = 10**9


class Times(NamedTuple):
    user: float
    system: float
    idle: float
    iowait: float


class MadeMachine:
    """Load, memory and processor of a machine on which something happens every so often."""

    class Error(Exception):
        """As psutil.Error."""

    def __init__(self, now: Callable[[], int], period: int = 600, lasts: int = 60) -> None:
        self.now, self.period, self.lasts = now, period, lasts

    def _noise(self, of: int) -> float:
        tick = self.now() // (5 * SECOND)
        return float(np.random.default_rng([of, tick]).normal())

    def _trouble(self) -> bool:
        return self.now() // SECOND % self.period < self.lasts

    def virtual_memory(self) -> Any:
        used = 4e9 + 2e7 * self._noise(1) + (6e9 if self._trouble() else 0)
        return SimpleNamespace(total=16e9, available=16e9 - used, used=used)

    def getloadavg(self) -> tuple[float, float, float]:
        load = 1.0 + 0.1 * self._noise(2) + (8.0 if self._trouble() else 0.0)
        return load, 1.0 + 0.05 * self._noise(3), 1.0 + 0.02 * self._noise(4)

    def cpu_times(self) -> Times:
        """The integral of 10 % user and 2 % system over one core."""
        seconds = self.now() / SECOND % 1e6
        return Times(0.1 * seconds, 0.02 * seconds, 0.88 * seconds, 0.0)

    def pids(self) -> list[int]:
        return [1, 2, 3]

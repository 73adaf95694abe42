"""What some method says of the rows of one input, and what that cost."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from amiss.data import Array, Floats


@dataclass(frozen=True, slots=True)
class Said:
    """A score for each of T rows, NaN for none, and which of them would be told."""

    score: Floats  # (T,) nats; what ranks only may have another unit
    alert: Array  # (T,) bool
    lower: Floats | None = None  # (T,), NaN for no band
    upper: Floats | None = None
    blame: tuple[tuple[str, ...], ...] = ()  # (T,), the strongest first


@dataclass(slots=True)
class Cost:
    """What it took: processor time of this process, rows (times series), memory at its peak."""

    seconds: float = 0.0
    rows: int = 0
    peak_mb: float = 0.0
    state_bytes: int | None = None  # of a series or system, the largest seen; None: not known

    @property
    def rows_per_second(self) -> float:
        """Rows a second of processor time."""
        return self.rows / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Costs:
    """Of all methods, by set and method."""

    by: dict[tuple[str, str], Cost] = field(default_factory=dict)

    @contextmanager
    def charged(self, measure: str, method: str, rows: int) -> Iterator[Cost]:
        """What is done meanwhile is charged to a method."""
        cost = self.by.setdefault((measure, method), Cost())
        _forget_peak()
        began = time.process_time()
        yield cost
        cost.seconds += time.process_time() - began
        cost.rows += rows
        cost.peak_mb = max(cost.peak_mb, _peak_mb())


def _forget_peak() -> None:
    """Where Linux allows it, the peak of memory begins anew; else it is that since the start."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        held = next(line for line in lines if line.startswith("VmHWM"))
        return int(held.split()[1]) / 1e3
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)

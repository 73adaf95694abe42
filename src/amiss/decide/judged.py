"""What grouping is handed: scores with all that explains them, and what a user may set."""

from dataclasses import dataclass, field

from amiss.data import HOUR, MINUTE, Array, Blamed, Floats, Times
from amiss.decide.finding import Finding

LEAST = 4.0  # nats below which nobody needs to look


@dataclass(frozen=True, slots=True)
class Policy:
    """What a user may set of all this."""

    name: str  # of the pipeline
    a_day: float  # incidents
    calm: int = 2 * MINUTE
    silence: int = HOUR
    settle: int = 6 * HOUR


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores with what a person needs to understand them, for T ticks of S series."""

    time: Times  # (T,)
    keys: tuple[str, ...]  # S
    systems: tuple[str, ...]  # S, the system of each series
    scores: Floats  # (T, S) nats
    value: Floats  # (T, S)
    expected: Floats  # (T, S)
    lower: Floats  # (T, S)
    upper: Floats  # (T, S)
    interval: Floats  # (T, S) seconds
    watched: Floats  # (T, S) days of samples that came before
    ready: Array  # (T, S) bool: seen long enough to open an incident
    many: Floats | None = None  # (T, S) nats by which the bar of one of many is higher
    blame: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)
    blamed: dict[tuple[int, int], tuple[Blamed, ...]] = field(default_factory=dict)
    said: dict[tuple[int, int], str] = field(default_factory=dict)  # by single records, one a line
    found: dict[tuple[int, int], Finding] = field(default_factory=dict)  # told by itself
    votes: dict[tuple[int, int], tuple[str, ...]] = field(default_factory=dict)  # of several asked
    among: dict[tuple[int, int], int] = field(default_factory=dict)  # of them: how many were seen

    def is_record(self, t: int, s: int) -> bool:
        """Whether it is about single records: how far apart these are is not how a series goes."""
        return (t, s) in self.among or (t, s) in self.said

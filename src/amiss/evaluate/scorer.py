"""What all ways of scoring a table share: memories, alerts within a budget, what is written."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from amiss.data import Array, Floats, Times
from amiss.decide import budget
from amiss.errors import ConfigError
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.tables import Table
from amiss.memory import grow
from amiss.spans import parse_rate
from amiss.steps.judge import WARM, States

MOST_A_DAY = 1_000_000
P = TypeVar("P", bound=Sized)
"""Some rows of a table."""


@dataclass(slots=True)
class Memory:
    """All that is remembered of some series that share their times."""

    keys: tuple[str, ...] = ()
    states: States = field(default_factory=dict)

    def copy(self) -> "Memory":
        """The same, on its own."""
        return deepcopy(self)


Memories = dict[frozenset[tuple[str, str]], Memory]
"""By the labels that say whose the numbers are; one alone for a table without such."""


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a piece."""

    samples: int
    alerts: int
    names: Sequence[str]  # of what was judged
    lines: Iterable[bytes]  # the rows, as CSV; made when they are asked for


class Scorer(Protocol[P]):
    """A way of scoring a table."""

    @property
    def header(self) -> tuple[str, ...]:
        """The columns that it writes."""

    def pieces(
        self, table: Table, asked: Asked, notes: Notes, tell: Callable[[int], None]
    ) -> Iterator[P]:
        """The rows of a table, in order, as it wants them."""

    def learn(self, memories: Memories, piece: P, past: bool = False) -> Told:
        """Judge each row by those before it, then learn from it. `past`: it is history."""

    def settle(self, memories: Memories) -> None:
        """The history is over."""


def a_week(budget: str, what: str) -> float:
    """Alerts a week of a budget such as 1/week or 5/day. Raises ConfigError, naming `what`."""
    try:
        rate = parse_rate(budget)
    except ValueError as exc:
        raise ConfigError(f"{what}: {exc}") from None
    if not isinstance(rate, float) or not 0 < rate < MOST_A_DAY:
        raise ConfigError(
            f"{what}: {str(budget)[:60]!r} is not above 0 and below {MOST_A_DAY:,}/day; "
            "write 1/week"
        )
    return 7.0 * rate


def alerts(
    states: States,
    time: Times,
    scores: Floats,
    interval: Floats,
    before: Array,
    a_week: float,
    control: tuple[float, float] = (1.0, 0.125),
) -> Array:
    """Who would be told (T, S), for scores in nats (T, S) with so many samples before each.

    As live, nobody is told of what has been seen too little. But it counts: who is often strange
    in the beginning is often strange. Only the silence after what would have been told ends with
    the warming up.
    """
    rations = grow(states.get("ration", {}), budget.init, scores.shape[1])
    if before[:1].min(initial=WARM + 1) <= WARM:  # it only grows
        young, never = before < WARM, budget.init(1)["last"]
        early = np.where(young, scores, np.nan)
        rations, _ = budget.ration(rations, time, early, interval, a_week, *control)
        scores = np.where(young, np.nan, scores)
        rations["last"] = np.where((before == WARM).any(axis=0), never, rations["last"])
    states["ration"], alert = budget.ration(rations, time, scores, interval, a_week, *control)
    return alert

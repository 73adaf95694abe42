"""The few single records of a step that may be worth telling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import Floats, Reason, Times
from amiss.decide.finding import Finding


@dataclass(frozen=True, slots=True)
class Strange:
    """In order of time; each (N,). A run of records is one more, at the last of them."""

    time: Times
    key: Sequence[str]  # whom it is about, as a series
    score: Floats  # nats
    interval: Floats  # seconds between two records
    watched: Floats  # days
    blame: Sequence[tuple[Reason, ...]]
    said: Sequence[str]  # of a run by several, one a line
    found: Sequence[Finding | None]  # by rules, or of a run
    among: Sequence[int]  # how many records had been seen

    def __getitem__(self, rows: slice) -> "Strange":
        return Strange(*(getattr(self, name)[rows] for name in self.__slots__))

    def __len__(self) -> int:
        return len(self.time)

    def before(self, time: int) -> int:
        """How many came before this time."""
        return int(np.searchsorted(self.time, time, "left"))

    def and_also(self, more: "Strange") -> "Strange":
        """These and others; of one moment these come first."""
        if not len(more):
            return self
        order = np.argsort(np.concatenate([self.time, more.time]), kind="stable")

        def merged(name: str) -> object:
            one, other = getattr(self, name), getattr(more, name)
            if isinstance(one, np.ndarray):
                return np.concatenate([one, other])[order]
            both = [*one, *other]
            return [both[k] for k in order.tolist()]

        return Strange(*(merged(name) for name in self.__slots__))  # type: ignore[arg-type]


_NOTHING = np.zeros(0)
NONE = Strange(np.zeros(0, np.int64), (), _NOTHING, _NOTHING, _NOTHING, (), (), (), ())

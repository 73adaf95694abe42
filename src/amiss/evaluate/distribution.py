"""How strange samples were, in all: counts of scores beside what calm alone would give. Pure."""

from dataclasses import dataclass, field

import numpy as np

from amiss.data import Array, Floats

BINS = 24
"""Of one nat each; the last has all that is beyond."""


@dataclass(slots=True)
class Distribution:
    """Scores are -ln p: where nothing is amiss, a share e^-x of them is x or more."""

    counts: Array = field(default_factory=lambda: np.zeros(BINS, np.int64))
    unjudged: int = 0  # samples without an opinion

    def take(self, scores: Floats, values: Floats | None = None) -> None:
        """Scores of any shape, in nats; NaN is no opinion, and no sample where `values` is NaN."""
        there = np.isfinite(scores)
        which = np.clip(scores[there], 0.0, BINS - 1).astype(np.int64)
        self.counts += np.bincount(which, minlength=BINS)
        if values is not None:
            self.unjudged += int((np.isfinite(values) & ~there).sum())

    @property
    def judged(self) -> int:
        """Samples with an opinion."""
        return int(self.counts.sum())

    def expected(self) -> Floats:
        """How many of these there would be in each bin if nothing were amiss."""
        edges = np.exp(-np.arange(BINS + 1.0))
        edges[-1] = 0.0
        found: Floats = self.judged * -np.diff(edges)
        return found

    def beyond(self, nats: int) -> float:
        """The share of samples with a score of so many nats or more; NaN without any."""
        return float(self.counts[nats:].sum() / self.judged) if self.judged else float("nan")

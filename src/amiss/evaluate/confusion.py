"""What was amiss against what was told, by time: for spans of which there are labels. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

Stretch = tuple[int, int]  # ns, from and to


@dataclass(frozen=True, slots=True)
class Confusion:
    """Nanoseconds of a span. An incident counts from its first to its last strange moment."""

    told_amiss: int
    missed: int
    told_calm: int
    calm: int


def confusion(told: Iterable[Stretch], amiss: Iterable[Stretch], start: int, end: int) -> Confusion:
    """Of the span from `start` to `end` (ns); stretches may overlap and reach beyond it."""
    edges = np.array([start, end], np.int64)
    both = [_clipped(stretches, start, end) for stretches in (told, amiss)]
    cuts = np.unique(np.concatenate([edges, *(np.ravel(one) for one in both)]))
    wide, middle = np.diff(cuts), cuts[:-1]
    is_told, is_amiss = (_inside(middle, one) for one in both)
    return Confusion(
        told_amiss=int(wide[is_told & is_amiss].sum()),
        missed=int(wide[~is_told & is_amiss].sum()),
        told_calm=int(wide[is_told & ~is_amiss].sum()),
        calm=int(wide[~is_told & ~is_amiss].sum()),
    )


def _clipped(stretches: Iterable[Stretch], start: int, end: int) -> np.ndarray:
    found = [(max(a, start), min(b, end)) for a, b in stretches]
    return np.array([one for one in found if one[0] < one[1]], np.int64).reshape(-1, 2)


def _inside(at: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Whether pieces that begin `at` lie in any of the stretches, at whose ends they are cut."""
    begun = np.searchsorted(np.sort(stretches[:, 0]), at, "right")
    ended = np.searchsorted(np.sort(stretches[:, 1]), at, "right")
    found: np.ndarray = begun > ended
    return found

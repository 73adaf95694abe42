"""A map of what was told: alike lies near. Principal components, so that it can be said what of.

Each entry is a point in as many dimensions as there are series or reasons, in the direction of its
nats: what it consists of counts, not how strange it was. The map shows the two directions in which
they differ most, and says how much of all difference that is: what is near on the map may be far
apart in the rest. The same entries always give the same map.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import Floats
from amiss.evaluate.entries import Entry

FEWEST = 3  # entries
MOST = 500  # the latest of them
DIMENSIONS = 200  # that most entries have
NAMED = 2  # of an axis, at each end


@dataclass(frozen=True, slots=True)
class Axis:
    """A direction of the map."""

    share: float  # of all difference
    low: tuple[str, ...]  # what lies there
    high: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Embedding:
    """Where entries lie."""

    entries: tuple[Entry, ...]
    places: Floats  # (N, 2), between -1 and 1
    axes: tuple[Axis, Axis]


def embed(entries: Sequence[Entry]) -> Embedding | None:
    """The map; None where there are too few, or all are alike. O(N D min(N, D)), 500 x 200 at most.

    An axis points to where its strongest dimension lies.
    """
    shown = [one for one in entries if one.of][-MOST:]
    often = Counter(name for one in shown for name in one.of)
    names = sorted(sorted(often), key=lambda name: -often[name])[:DIMENSIONS]
    x = np.array([[one.of.get(name, 0.0) for name in names] for one in shown])
    if len(shown) < FEWEST or not names:
        return None
    long = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, long, out=np.zeros_like(x), where=long > 0)
    away = x - x.mean(axis=0)
    _, size, directions = np.linalg.svd(away, full_matrices=False)
    total = float((size**2).sum())
    if total < 1e-12:
        return None
    places, axes = np.zeros((len(shown), 2)), list[Axis]()
    for k in range(2):
        if k >= len(size) or size[k] ** 2 < 1e-12 * total:
            axes.append(Axis(0.0, (), ()))
            continue
        direction = directions[k] * np.sign(directions[k][np.argmax(np.abs(directions[k]))])
        places[:, k] = away @ direction
        axes.append(Axis(float(size[k] ** 2) / total, *_ends(names, direction)))
    return Embedding(tuple(shown), places / np.abs(places).max(), (axes[0], axes[1]))


def _ends(names: Sequence[str], direction: Floats) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What pulls to the low and to the high end, the strongest first."""
    strong = 0.5 * np.abs(direction).max()
    order = np.argsort(direction, kind="stable")
    low = [names[j] for j in order if direction[j] < -strong]
    high = [names[j] for j in order[::-1] if direction[j] > strong]
    return tuple(low[:NAMED]), tuple(high[:NAMED])

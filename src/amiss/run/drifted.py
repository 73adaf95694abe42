"""Whether scores have been higher of late than ever before: when a model is worth fitting anew.

Scores are looked at in blocks of some hours. p of a block is its rank among all blocks so far:

    p_n = (number of blocks before n that are higher + u_n times that of those as high, itself
          included) / n,   u_n between 0 and 1 from a seeded sequence
    f(p) = integral of e p^(e - 1) over e from 0 to 1 = (1 - p + p ln p) / (p ln(p)^2)
    R_n = (1 + R_(n-1)) f(p_n)

While blocks are exchangeable the p are independent and uniform, so that f(p) is a fair bet against
it and R - n a martingale: on average it takes at least c blocks until R reaches c, however often
one looks. Higher blocks in a row multiply it.

Vovk, Petej, Nouretdinov, Ahlberg, Carlsson and Gammerman, "Retrain or not retrain: conformal test
martingales for change-point detection", COPA 2021; R is that of Shiryaev and Roberts.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from math import log

import numpy as np

LEAST = 1e-9  # of p: the bet is finite


def evidence(blocks: Iterable[float]) -> Iterator[float]:
    """R after each block. Cost: O(log n) a block, and moving what is above it."""
    past, found, chance = list[float](), 0.0, np.random.default_rng(0)
    for score in blocks:
        insort(past, score)
        least, most = bisect_left(past, score), bisect_right(past, score)
        above = len(past) - most + float(chance.random()) * (most - least)
        found = (1.0 + found) * bet(above / len(past))
        yield found


def bet(p: float) -> float:
    """f(p) of the equation above, 1 / 2 at p = 1."""
    if p > 1.0 - 1e-4:
        return 0.5
    p = max(p, LEAST)
    return (1.0 - p + p * log(p)) / (p * log(p) ** 2)

"""How strange it is that something lasts longer than it ever did. Pure.

Of n stretches that ended the longest lasted L. That the next one is the longest of all has p of
1/(n + 1), by its rank, whatever they are distributed like; how much longer it lasts is judged by
a tail as heavy as any that has no mean (Pareto, 1):

    p = 1/(n + 1) L/k                    for a stretch of k > L so far

n and L fade with the memory, so that a month is compared with the last one.
"""

from math import exp, log

from amiss.kernel import kernel


@kernel
def nats(now: float, longest: float, ended: float) -> float:
    """-ln p of a stretch that is longer than the longest of those that ended."""
    return log(ended + 1.0) + log(now / max(longest, 1e-9))


@kernel
def faded(x: float, dt: float, memory: float) -> float:
    """What is left of x after dt."""
    return x * exp(-max(dt, 0.0) / memory)

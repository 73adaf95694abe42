"""How strange it is that two words stand together for the first time.

    -ln c,   c = 1/2 * d(a) / t(a) * d(b) / t(b),   both shares at most 1

t is in how many lines a word was, d how many different ones came after a, or before b, each one
more than it was. c stands for the count of a pair that had none: d / t is how often a word had
company that was new (Witten and Bell, as in features/grams.py). So a new name after `user`, which
has many, is hardly a surprise; two common words, each always in the same company, are one when
they meet. What is no word, a slot or an edge, says nothing: its side counts 1.
"""

from math import log

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing
from amiss.text.hashes import count, had, mixed

AFTER, BEFORE = np.uint64(0x2545F4914F6CDD1D), np.uint64(0xDA942042E4DD58B5)
NEVER_MET = log(2.0)  # nats of a pair whose words say nothing: as -ln(0 + .5)


@borrowing
def strangest(
    forms: Array, words: Array, pair: Array, beside: Array, a: int, b: int, alone: int
) -> tuple[float, int]:
    """Of the pairs from a to b that were never met, the nats of the strangest, and which it is."""
    most, which = 0.0, -1
    for k in range(a, b):
        if had(forms, pair[k]) <= alone:
            after = _settled(forms, words, beside[k, 0], AFTER, alone)
            now = NEVER_MET + after + _settled(forms, words, beside[k, 1], BEFORE, alone)
            if now > most:
                most, which = now, k
    return most, which


@borrowing
def learn(forms: Array, used: Array, beside: Array) -> None:
    """These two (2,) stood together for the first time."""
    count(forms, used, mixed(beside[0] ^ AFTER), 1)
    count(forms, used, mixed(beside[1] ^ BEFORE), 1)


@borrowing
def _settled(forms: Array, words: Array, word: np.uint64, side: np.uint64, alone: int) -> float:
    """ln(t / d) of a word on one side, at least 0."""
    times = max(had(words, word) - alone, 0) + 1.0
    company = max(had(forms, mixed(word ^ side)) - alone, 0) + 1.0
    return max(log(times / company), 0.0)

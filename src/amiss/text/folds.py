"""Values that are a word with something in brackets, such as LOCAL(0) or root(uid=0). Compiled.

A fold of some tokens has one slot where a word, the brackets glued to it and what they hold
stood. What is a template with a slot there, and a template with that fold, are one.
"""

import numpy as np

from amiss.data import Array
from amiss.kernel import kernel
from amiss.text.hashes import NONE, mixed, tell, told
from amiss.text.shapes import SLOT

BESIDE = 3
"""Words beside the slot, at least: with fewer, too much is left to chance."""
OPENS, CLOSES = np.frombuffer(b"([{", np.uint8), np.frombuffer(b")]}", np.uint8)


@kernel
def _last(line: Array, begin: Array, end: Array, word: Array, fixed: Array, n: int, k: int) -> int:
    """The token that ends the value which begins with the word k, or -1."""
    if fixed[k] or k + 2 >= n or begin[k + 1] != end[k] or not fixed[k + 1]:
        return -1
    for b in range(len(OPENS)):
        if line[begin[k + 1]] == OPENS[b]:
            for j in range(k + 2, n):
                if line[begin[j]] == CLOSES[b] and end[j] == begin[j] + 1:
                    return j
            # a slot takes in punctuation and the slots after it
            return k + 2 if word[k + 2] == SLOT else -1
    return -1


@kernel
def _fold(
    line: Array, begin: Array, end: Array, word: Array, fixed: Array, n: int, k: int, powers: Array
) -> np.uint64:
    """The hash of some tokens where the value at k is a slot, or 0 if there is none."""
    last = _last(line, begin, end, word, fixed, n, k)
    if last < 0:
        return NONE
    beside, total = 0, SLOT * powers[k]
    for j in range(n):
        if not k <= j <= last:
            beside += not fixed[j]
            total += word[j] * powers[j if j < k else j - last + k]
    return mixed(total) if beside >= BESIDE else NONE


@kernel
def known(
    line: Array, begin: Array, end: Array, word: Array, fixed: Array, n: int, powers: Array,
    exact: Array,
) -> int:  # fmt: skip
    """What some tokens with a fold stand for, or -1."""
    for k in range(n):
        key = _fold(line, begin, end, word, fixed, n, k, powers)
        if key != NONE:
            found = told(exact, key)
            if found >= 0:
                return int(found)
    return -1


@kernel
def remember(
    line: Array, begin: Array, end: Array, word: Array, fixed: Array, n: int, powers: Array,
    folded: Array, used: Array, which: int, template: int,
) -> None:  # fmt: skip
    """Let each fold of some tokens stand for their template."""
    for k in range(n):
        key = _fold(line, begin, end, word, fixed, n, k, powers)
        if key != NONE:
            tell(folded, used, which, key, template)

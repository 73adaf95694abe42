"""The numbers by which a line is judged, and what is counted for them.

0 skeleton   1 rarest pair of neighbouring words   2 sequence of keys   3 rarest key
4 largest surprise of a character   5 all surprise of a value, over the root of its length
6 the value itself   7, 8 its length, both ways

0 to 3 and 6 are -ln(count + .5); a pair that was never met has that of novelty.py. What lines are
made of (features/parts.py) is counted in one table and values in another, so that values which
never come again do not push out the rest.
"""

from math import log, log1p
from typing import Any, NamedTuple

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide.novelty import learn as learn_company
from amiss.decide.novelty import strangest
from amiss.features.grams import learn as learn_text
from amiss.features.grams import surprise
from amiss.features.parts import Parts, fresh
from amiss.kernel import kernel
from amiss.text.hashes import COUNT, LARGEST, NONE, TAG, cell, count, had

SKELETON, PAIR, SEQUENCE, KEY, CHARACTER, ALL, VALUE, LONG, SHORT = range(9)
LEAST = np.array([1, 1, 1, 1, 1, 0.5, 1, 0.2, 0.2])  # beta of each kind at least, nats
OF_LINE, OF_VALUE = 4, 5  # numbers
NEVER = -20.0  # the rarity of what is not to be judged
NOTHING = np.uint64(0)

States = dict[str, State]


class Measures(NamedTuple):
    """The numbers of some lines: first four of each line, then five of each value."""

    line: Array
    kind: Array
    place: Array  # the hash of the field, of the skeleton, or 0
    number: Floats
    which: Array  # of the pairs or values of all lines, or -1


def measure(states: States, found: Parts, alone: bool = False) -> Measures:
    """All numbers of some lines. `alone`: they were learned themselves; leave each out."""
    lines, values = len(found.skeleton), int(found.values_to[-1])
    size = OF_LINE * lines + OF_VALUE * values
    out = Measures(
        np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.uint64),
        np.empty(size), np.empty(size, np.int64),
    )  # fmt: skip
    grams = states["grams"]
    memo = np.zeros(1 << (2 * values + 1).bit_length(), np.uint64)
    _measure(
        found, states["forms"]["cells"], states["values"]["cells"], states["words"]["cells"],
        grams["contexts"], grams["grams"], int(alone), memo, out,
    )  # fmt: skip
    return out


def learn(states: States, found: Parts, taken: Array) -> None:
    """Count all that some lines are made of, those that are taken (N,), in place."""
    grams, values = states["grams"], int(found.values_to[-1])
    memo = np.zeros(1 << (2 * values + 1).bit_length(), np.uint64)
    _learn(
        found, taken, states["forms"]["cells"], states["forms"]["used"], states["values"]["cells"],
        states["values"]["used"], states["words"]["cells"], states["words"]["used"],
    )  # fmt: skip
    _learn_texts(
        found, taken, memo, np.zeros(values, np.int64), grams["contexts"], grams["grams"],
        grams["owner"], grams["used"],
    )  # fmt: skip


@kernel
def _first(memo: Array, form: Array, k: int) -> Any:
    """The first value that is the same as this one but for its digits, in the same field."""
    at = cell(memo, form[k])
    if memo[at] == NONE:
        memo[at] = (form[k] & TAG) | np.uint64(k + 1)
    return np.int64(memo[at] & COUNT) - 1


@kernel
def _rare(times: int, alone: int) -> float:
    return -log(max(times - alone, 0) + 0.5)


@kernel
def _put(
    out: Measures, at: int, line: int, kind: int, place: np.uint64, number: float, which: int
) -> int:
    out.line[at], out.kind[at], out.place[at] = line, kind, place
    out.number[at], out.which[at] = number, which
    return at + 1


@kernel
def _measure(
    found: Parts, forms: Array, values: Array, words: Array, contexts: Array, grams: Array,
    alone: int, memo: Array, out: Measures,
) -> None:  # fmt: skip
    at = 0
    for n in range(len(found.skeleton)):
        skeleton = found.skeleton[n]
        times = had(forms, skeleton) - alone
        at = _put(out, at, n, SKELETON, NOTHING, _rare(times, 0), -1)
        least, which = LARGEST, -1
        for k in range(found.pairs_to[n], found.pairs_to[n + 1]):
            now = had(forms, found.pair[k])
            if now < least:
                least, which = now, k
        number = _rare(least, alone)
        if least <= alone:
            a, b = found.pairs_to[n], found.pairs_to[n + 1]
            number, which = strangest(forms, words, found.pair, found.beside, a, b, alone)
        at = _put(out, at, n, PAIR, NOTHING, number, which)
        known = times > 0  # under a skeleton that is new, all keys are
        number = _rare(had(forms, found.sequence[n]), alone) if known else NEVER
        at = _put(out, at, n, SEQUENCE, skeleton, number, -1)
        least, which = times + alone, -1
        for k in range(found.values_to[n], found.values_to[n + 1]):
            now = had(forms, found.field[k])
            if now < least:
                least, which = now, k
        at = _put(out, at, n, KEY, skeleton, _rare(least, alone) if known else NEVER, which)
    size = found.values_to[-1]
    largest, whole = np.empty(size), np.empty(size)
    for n in range(len(found.skeleton)):
        for k in range(found.values_to[n], found.values_to[n + 1]):
            field, same = found.field[k], _first(memo, found.form, k)
            if same == k:
                a, b = found.text_to[k], found.text_to[k + 1]
                largest[k], whole[k] = surprise(found.text, a, b, field, alone, contexts, grams)
            at = _put(out, at, n, CHARACTER, field, largest[same], k)
            at = _put(out, at, n, ALL, field, whole[same], k)
            at = _put(out, at, n, VALUE, field, _rare(had(values, found.itself[k]), alone), k)
            size_ = log1p(found.length[k])
            at = _put(out, at, n, LONG, field, size_, k)
            at = _put(out, at, n, SHORT, field, -size_, k)


@kernel
def _learn(
    found: Parts, taken: Array, forms: Array, forms_used: Array, values: Array, values_used: Array,
    words: Array, words_used: Array,
) -> None:  # fmt: skip
    for n in np.flatnonzero(taken):
        count(forms, forms_used, found.skeleton[n], 1)
        count(forms, forms_used, found.sequence[n], 1)
        for k in range(found.pairs_to[n], found.pairs_to[n + 1]):
            if count(forms, forms_used, found.pair[k], 1):
                learn_company(forms, forms_used, found.beside[k])
        first = found.values_to[n]
        for k in range(first, found.values_to[n + 1]):
            if fresh(found.field, first, k):
                count(forms, forms_used, found.field[k], 1)
            if fresh(found.itself, first, k):
                count(values, values_used, found.itself[k], 1)
        for k in range(found.words_to[n], found.words_to[n + 1]):
            count(words, words_used, found.word[k], 1)


@kernel
def _learn_texts(
    found: Parts, taken: Array, memo: Array, times: Array, contexts: Array, grams: Array,
    owner: Array, used: Array,
) -> None:  # fmt: skip
    for n in np.flatnonzero(taken):
        for k in range(found.values_to[n], found.values_to[n + 1]):
            times[_first(memo, found.form, k)] += 1
    for k in range(len(times)):
        if times[k]:
            a, b = found.text_to[k], found.text_to[k + 1]
            learn_text(found.text, a, b, found.field[k], times[k], contexts, grams, owner, used)

"""The numbers by which a line is judged, and what is counted for them.

0 skeleton   1 rarest pair of neighbouring words   2 sequence of keys   3 rarest key
4 largest surprise of a character   5 all surprise of a value, over the root of its length
6 the value itself   7, 8 its length, both ways

0 to 3 and 6 are -ln(count + .5); a pair that was never met has that of novelty.py. What lines are
made of (features/parts.py) is counted in one table and values in another, so that values which
never come again do not push out the rest.
"""

from math import log, log1p
from typing import NamedTuple

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide.novelty import learn as learn_company
from amiss.decide.novelty import strangest
from amiss.features import grams
from amiss.features.parts import Parts, fresh
from amiss.kernel import inlined, kernel
from amiss.text.characters import Characters, characters
from amiss.text.hashes import LARGEST, count, had, touched

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
    many: Array  # of each line


def measure(states: States, found: Parts, letters: Characters, alone: bool = False) -> Measures:
    """All numbers of some lines. `alone`: they were learned themselves; leave each out."""
    lines, values = len(found.skeleton), int(found.values_to[-1])
    size = OF_LINE * lines + OF_VALUE * values
    out = Measures(
        np.empty(size, np.int32), np.empty(size, np.uint8), np.empty(size, np.uint64),
        np.empty(size), np.empty(size, np.int32),
        OF_LINE + OF_VALUE * np.diff(found.values_to),
    )  # fmt: skip
    tables = states["forms"]["cells"], states["words"]["cells"]
    _measure_lines(found, *tables, int(alone), out)
    surprise = grams.surprise(states["grams"], letters, alone)
    _measure_values(found, states["values"]["cells"], int(alone), *surprise, out)
    return out


def learn(states: States, found: Parts, letters: Characters, taken: Array) -> None:
    """Count all that some lines are made of, those that are taken (N,), in place."""
    _learn(
        found, taken, states["forms"]["cells"], states["forms"]["used"], states["values"]["cells"],
        states["values"]["used"], states["words"]["cells"], states["words"]["used"],
    )  # fmt: skip
    values = np.flatnonzero(np.repeat(taken, np.diff(found.values_to)))
    grams.learn(states["grams"], letters, values)


def characters_of(found: Parts) -> Characters:
    """The characters of all values."""
    many = int(found.values_to[-1])
    return characters(found.text, found.text_to[: many + 1], found.field[:many], found.form[:many])


@inlined
def _rare(times: int, alone: int) -> float:
    return -log(max(times - alone, 0) + 0.5)


@kernel
def _measure_lines(found: Parts, forms: Array, words: Array, alone: int, out: Measures) -> None:
    at, (lines, kinds, places, numbers, whiches, _) = 0, out  # in a loop, `out.` takes time
    pairs_to, values_to, pair, fields = found.pairs_to, found.values_to, found.pair, found.field
    skeletons, sequence, beside = found.skeleton, found.sequence, found.beside
    for n in range(len(skeletons)):
        skeleton = skeletons[n]
        times = had(forms, skeleton) - alone
        for kind in range(OF_LINE):
            lines[at + kind], kinds[at + kind], whiches[at + kind] = n, kind, -1
        places[at], places[at + 1], places[at + 2], places[at + 3] = (
            NOTHING, NOTHING, skeleton, skeleton,
        )  # fmt: skip
        numbers[at] = _rare(times, 0)
        least = LARGEST
        for k in range(pairs_to[n], pairs_to[n + 1]):
            now = had(forms, pair[k])
            if now < least:
                least, whiches[at + 1] = now, k
        numbers[at + 1] = _rare(least, alone)
        if least <= alone:
            numbers[at + 1], whiches[at + 1] = strangest(
                forms, words, pair, beside, pairs_to[n], pairs_to[n + 1], alone
            )
        known = times > 0  # under a skeleton that is new, all keys are
        numbers[at + 2] = _rare(had(forms, sequence[n]), alone) if known else NEVER
        least = times + alone
        for k in range(values_to[n], values_to[n + 1]):
            now = had(forms, fields[k])
            if now < least:
                least, whiches[at + 3] = now, k
        numbers[at + 3] = _rare(least, alone) if known else NEVER
        at += OF_LINE


@kernel
def _measure_values(
    found: Parts, values: Array, alone: int, largest: Array, whole: Array, out: Measures
) -> None:
    lines, kinds, places, numbers, whiches, _ = out
    values_to, fields, itself, length = found.values_to, found.field, found.itself, found.length
    at = OF_LINE * len(found.skeleton)
    touched(values, itself[: values_to[-1]])
    for n in range(len(values_to) - 1):
        for k in range(values_to[n], values_to[n + 1]):
            numbers[at], numbers[at + 1] = largest[k], whole[k]
            numbers[at + 2] = _rare(had(values, itself[k]), alone)
            numbers[at + 3] = log1p(length[k])
            numbers[at + 4] = -numbers[at + 3]
            for j in range(OF_VALUE):
                lines[at + j], kinds[at + j], whiches[at + j] = n, CHARACTER + j, k
                places[at + j] = fields[k]
            at += OF_VALUE


@kernel
def _learn(
    found: Parts, taken: Array, forms: Array, forms_used: Array, values: Array, values_used: Array,
    words: Array, words_used: Array,
) -> None:  # fmt: skip
    pairs_to, values_to, words_to = found.pairs_to, found.values_to, found.words_to
    pair, field, itself, word = found.pair, found.field, found.itself, found.word
    for n in np.flatnonzero(taken):
        count(forms, forms_used, found.skeleton[n], 1)
        count(forms, forms_used, found.sequence[n], 1)
        for k in range(pairs_to[n], pairs_to[n + 1]):
            if count(forms, forms_used, pair[k], 1):
                learn_company(forms, forms_used, found.beside[k])
        first = values_to[n]
        for k in range(first, values_to[n + 1]):
            if fresh(field, first, k):
                count(forms, forms_used, field[k], 1)
            if fresh(itself, first, k):
                count(values, values_used, itself[k], 1)
        for k in range(words_to[n], words_to[n + 1]):
            count(words, words_used, word[k], 1)

"""The numbers by which a line is judged, and what is counted for them.

    0 skeleton                     rare = -ln(count + .5)
    1 pair of neighbouring words   rare of the rarest; of one never met what decide/novelty.py says
    2 sequence of keys             rare, 3 key  rare of the rarest; none under a new skeleton
    4 character of a value         the largest -ln P (features/grams.py)
    5 all characters of a value    sum of -ln P / sqrt(their number)
    6 value itself                 rare
    7, 8 long and short            ln(1 + length) and -ln(1 + length), in characters

What lines are made of (features/parts.py) is counted in one table and values in another, so that
values which never come again do not push out the rest.
"""

from math import log, log1p
from typing import NamedTuple

import numpy as np

from amiss.data import Array, Floats, State
from amiss.decide import tails
from amiss.decide.novelty import learn as learn_company
from amiss.decide.novelty import strangest
from amiss.features import grams
from amiss.features.parts import Parts, fresh
from amiss.kernel import borrowing, inlined
from amiss.text.characters import Characters, characters
from amiss.text.hashes import LARGEST, count, had, touched

SKELETON, PAIR, SEQUENCE, KEY, CHARACTER, ALL, VALUE, LONG, SHORT = range(9)
LEAST = np.array([1, 1, 1, 1, 1, 0.5, 1, 0.2, 0.2])  # beta of each kind at least, nats
OF_LINE, OF_VALUE = 4, 5  # numbers
NEVER = -20.0  # the rarity of what is not to be judged

States = dict[str, State]


class Measures(NamedTuple):
    """The numbers of some lines: first four of each line, then five of each value."""

    number: Floats
    rarest: Array  # (N, 2) the pair and the value that PAIR and KEY are of, or -1
    skeleton: Array  # (N,)
    field: Array  # (values,)
    values_to: Array  # (N + 1,)
    many: Array  # (N,) of each line

    def kinds(self) -> tuple[Array, Array]:
        """The kind of each number, and what it is judged under: a field, a skeleton or 0."""
        line = np.zeros((len(self.skeleton), OF_LINE), np.uint64)
        line[:, SEQUENCE:] = self.skeleton[:, None]
        kind = [np.arange(OF_LINE), np.arange(CHARACTER, CHARACTER + OF_VALUE)]
        sizes = zip(kind, (len(self.skeleton), len(self.field)), strict=True)
        kinds = np.concatenate([np.tile(some, count) for some, count in sizes])
        return kinds, np.concatenate([line.ravel(), np.repeat(self.field, OF_VALUE)])

    def worst(self, each: Floats, line: int) -> int:
        """The first of a line's numbers for which `each` is largest."""
        lines = OF_LINE * len(self.skeleton)
        a, b = (lines + OF_VALUE * self.values_to[line : line + 2]).tolist()
        own = OF_LINE * line
        place = int(np.argmax(np.append(each[own : own + OF_LINE], each[a:b])))
        return own + place if place < OF_LINE else a + place - OF_LINE

    def of(self, number: int) -> tuple[int, int]:
        """The kind of a number, and of which pair or value of all lines it is, or -1."""
        line, kind = divmod(number, OF_LINE)
        if line >= len(self.skeleton):
            value, kind = divmod(number - OF_LINE * len(self.skeleton), OF_VALUE)
            return CHARACTER + kind, value
        pair, value = self.rarest[line].tolist()
        return kind, {PAIR: pair, KEY: value}.get(kind, -1)


def measure(states: States, found: Parts, letters: Characters, alone: bool = False) -> Measures:
    """All numbers of some lines. `alone`: they were learned themselves; leave each out."""
    lines, values = len(found.skeleton), int(found.values_to[-1])
    out = Measures(
        np.empty(OF_LINE * lines + OF_VALUE * values), np.empty((lines, 2), np.int32),
        found.skeleton, found.field[:values], found.values_to,
        OF_LINE + OF_VALUE * np.diff(found.values_to),
    )  # fmt: skip
    tables = states["forms"]["cells"], states["words"]["cells"]
    _measure_lines(found, *tables, int(alone), out.number, out.rarest)
    surprise = grams.surprise(states["grams"], letters, alone)
    _measure_values(
        states["values"]["cells"], found.itself[:values], found.length, int(alone), *surprise,
        out.number[OF_LINE * lines :],
    )  # fmt: skip
    return out


def inverse(past: State, known: Measures, alike: Floats) -> tuple[Floats, Floats]:
    """1/p of all numbers, and the sum of those of each line (N,); see decide/tails.py."""
    lines, out = len(known.skeleton), np.empty(len(known.number))
    total, at = np.zeros(lines), OF_LINE * lines
    for first, to, group, own, some in (
        (SKELETON, np.arange(lines + 1), known.skeleton, SEQUENCE, slice(0, at)),
        (CHARACTER, known.values_to, known.field, CHARACTER, slice(at, None)),
    ):
        tails.inverse(past, first, own, to, group, known.number[some], alike, out[some], total)
    return out, total


def learn(states: States, found: Parts, letters: Characters, taken: Array) -> None:
    """Count all that some lines are made of, those that are taken (N,), in place."""
    times = np.zeros(len(letters.same), np.int64)
    _learn(
        found, taken, states["forms"]["cells"], states["forms"]["used"], states["values"]["cells"],
        states["values"]["used"], states["words"]["cells"], states["words"]["used"], letters.same,
        times,
    )  # fmt: skip
    grams.learn(states["grams"], letters, times)


def characters_of(found: Parts) -> Characters:
    """The characters of all values."""
    many = int(found.values_to[-1])
    return characters(found.text, found.text_to[: many + 1], found.field[:many], found.form[:many])


@inlined
def _rare(times: int, alone: int) -> float:
    return -log(max(times - alone, 0) + 0.5)


@borrowing
def _measure_lines(
    found: Parts, forms: Array, words: Array, alone: int, numbers: Array, rarest: Array
) -> None:
    at = 0
    pairs_to, values_to, pair, fields = found.pairs_to, found.values_to, found.pair, found.field
    skeletons, sequence, beside = found.skeleton, found.sequence, found.beside
    for n in range(len(skeletons)):
        times = had(forms, skeletons[n]) - alone
        numbers[at] = _rare(times, 0)
        least, rarest[n, 0], rarest[n, 1] = LARGEST, -1, -1
        for k in range(pairs_to[n], pairs_to[n + 1]):
            now = had(forms, pair[k])
            if now < least:
                least, rarest[n, 0] = now, k
        numbers[at + 1] = _rare(least, alone)
        if least <= alone:
            numbers[at + 1], rarest[n, 0] = strangest(
                forms, words, pair, beside, pairs_to[n], pairs_to[n + 1], alone
            )
        known = times > 0  # under a skeleton that is new, all keys are
        numbers[at + 2] = _rare(had(forms, sequence[n]), alone) if known else NEVER
        least = times + alone
        for k in range(values_to[n], values_to[n + 1]):
            now = had(forms, fields[k])
            if now < least:
                least, rarest[n, 1] = now, k
        numbers[at + 3] = _rare(least, alone) if known else NEVER
        at += OF_LINE


@borrowing
def _measure_values(
    values: Array, itself: Array, length: Array, alone: int, largest: Array, whole: Array,
    numbers: Array,
) -> None:  # fmt: skip
    at, before, size, never = 0, -1, 0.0, _rare(0, 0)
    touched(values, itself)
    for k in range(len(itself)):
        times = had(values, itself[k])
        if length[k] != before:  # neighbours are often as long, and a logarithm takes time
            before, size = length[k], log1p(length[k])
        numbers[at], numbers[at + 1] = largest[k], whole[k]
        numbers[at + 2] = _rare(times, alone) if times > alone else never
        numbers[at + 3], numbers[at + 4] = size, -size
        at += OF_VALUE


@borrowing
def _learn(
    found: Parts, taken: Array, forms: Array, forms_used: Array, values: Array, values_used: Array,
    words: Array, words_used: Array, same: Array, times: Array,
) -> None:  # fmt: skip
    """`times` (values,) becomes how often each is to be counted, under the first of the same."""
    pairs_to, values_to, words_to = found.pairs_to, found.values_to, found.words_to
    pair, field, itself, word = found.pair, found.field, found.itself, found.word
    skeleton, sequence, beside = found.skeleton, found.sequence, found.beside
    for n in range(len(taken)):
        if not taken[n]:
            continue
        count(forms, forms_used, skeleton[n], 1)
        count(forms, forms_used, sequence[n], 1)
        for k in range(pairs_to[n], pairs_to[n + 1]):
            if count(forms, forms_used, pair[k], 1):
                learn_company(forms, forms_used, beside[k])
        first = values_to[n]
        for k in range(first, values_to[n + 1]):
            times[same[k]] += 1
            if fresh(field, first, k):
                count(forms, forms_used, field[k], 1)
            if fresh(itself, first, k):
                count(values, values_used, itself[k], 1)
        for k in range(words_to[n], words_to[n + 1]):
            count(words, words_used, word[k], 1)

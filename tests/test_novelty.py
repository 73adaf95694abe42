"""Two words that stand together for the first time, against a plain version, and in logs."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from math import log

import numpy as np
import pytest

from amiss.decide.lines import init, settle, step
from amiss.decide.measures import PAIR, characters_of, learn, measure
from amiss.decide.novelty import NEVER_MET
from amiss.features.parts import OFTEN, parts
from amiss.text.lines import lines_of

EDGE, SLOT = "^", "*"


class Plain:
    """Words, pairs and company by dictionaries."""

    def __init__(self) -> None:
        self.words, self.pairs = Counter[str](), Counter[tuple[str, str]]()
        self.after, self.before = Counter[str](), Counter[str]()

    def taken(self, line: str) -> Iterator[tuple[str, str]]:
        words = [word if self.words[word] >= OFTEN else SLOT for word in line.split()]
        alike = [a for a, b in zip(words, [*words[1:], ""], strict=True) if not a == b == SLOT]
        return pairwise([EDGE, *alike, EDGE])

    def learn(self, line: str) -> None:
        for a, b in dict.fromkeys(self.taken(line)):
            self.after[a] += not self.pairs[a, b]
            self.before[b] += not self.pairs[a, b]
            self.pairs[a, b] += 1
        self.words.update(set(line.split()))

    def pair(self, line: str) -> float:
        return max(self.one(a, b) for a, b in self.taken(line))

    def one(self, a: str, b: str) -> float:
        if self.pairs[a, b]:
            return -log(self.pairs[a, b] + 0.5)
        sides = (a, self.after[a]), (b, self.before[b])
        return NEVER_MET + sum(
            max(log((self.words[word] + 1) / (company + 1)), 0.0) for word, company in sides
        )


def made(seed: int, count: int) -> list[str]:
    """Names come and go; each is a word after some lines of it."""
    rng = np.random.default_rng(seed)
    forms = "accepted password for {}", "closed connection of {}", "removed file of user {}"
    return [
        forms[int(rng.integers(3))].format(f"n{'abcdefghij'[n // 40 % 10]}{'xyz'[n // 400 % 3]}")
        for n in range(count)
    ]


def test_a_pair_is_as_strange_as_its_words_keep_to_their_company() -> None:
    states, plain = init(), Plain()
    for line in made(0, 400):
        found = parts(lines_of([line]), states["words"]["cells"])
        learn(states, found, characters_of(found), np.array([True]))
        plain.learn(line)
    for line in [*made(1, 3), "accepted file of user nax", "password removed", "for of new", "new"]:
        taken = parts(lines_of([line]), states["words"]["cells"])
        found = measure(states, taken, characters_of(taken))
        assert found.number[PAIR] == pytest.approx(plain.pair(line))


@pytest.mark.parametrize("seed", range(4))
def test_common_words_in_company_they_never_kept_are_strange(seed: int) -> None:
    """Stranger than a name that is new to its word, which comes often here."""
    lines = made(seed, 1500)
    odd = {
        1050: "accepted file for nfz",
        1150: "removed password of user ngz",
        1250: "closed file of user nax",
        1350: "accepted connection of ncx",
    }
    for at, line in odd.items():
        lines[at] = line
    states, *_ = step(init(), lines_of(lines[:1000]), True)
    _, p, _ = step(settle(states, True), lines_of(lines[1000:]))
    usual = np.delete(p, [at - 1000 for at in odd])
    found = [p[at - 1000] for at in odd]
    assert max(found) < np.quantile(usual, 0.05)
    assert np.median(found) < np.quantile(usual, 0.01) / 5

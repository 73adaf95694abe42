"""Blocks that are higher than all before are evidence; what only varies is none, over years."""

import numpy as np
import pytest

from amiss.run.challengers import ALARM, BLOCK
from amiss.run.drifted import bet, evidence

YEAR = 365 * 86400 * 10**9 // BLOCK


def test_it_is_the_equation_written_out() -> None:
    scores, said = np.random.default_rng(5).normal(size=50).round(1), 0.0
    chance = np.random.default_rng(0)
    for n, found in enumerate(evidence(scores.tolist()), start=1):
        higher, as_high = (scores[:n] > scores[n - 1]).sum(), (scores[:n] == scores[n - 1]).sum()
        p = (higher + chance.random() * as_high) / n
        e = (np.arange(100_000) + 0.5) / 100_000
        said = (1 + said) * (e * p ** (e - 1)).mean()
        assert found == pytest.approx(said, rel=1e-4)


def test_a_bet_is_fair_at_best() -> None:
    """From 0 to p its integral is (p - 1) / ln p, and 1 in all."""
    p = 0.01 + 0.99 * (np.arange(100_000) + 0.5) / 100_000
    rest = 1.0 - (0.01 - 1.0) / np.log(0.01)
    assert 0.99 * np.mean([bet(x) for x in p]) == pytest.approx(rest, rel=1e-4)


@pytest.mark.parametrize("kind", ["independent", "remembers", "day and week"])
def test_what_stays_as_it_is_is_told_of_less_than_once_a_year(kind: str) -> None:
    """200 series of a year each, in blocks; those that remember are beyond what is promised."""
    chance, alarms = np.random.default_rng(1), 0
    for _ in range(200):
        x = chance.normal(size=YEAR)
        if kind == "remembers":  # half of a block is that of the one before
            for t in range(1, YEAR):
                x[t] = 0.5 * x[t - 1] + x[t]
        if kind == "day and week":
            t = np.arange(YEAR)
            x += 2.0 * np.sin(2 * np.pi * t / 4) + (t % 28 >= 20)
        alarms += max(evidence(x.tolist())) >= ALARM
    assert alarms <= (200 // 10 if kind != "remembers" else 200 // 2)


def test_what_remembers_much_is_told_of_in_most_years() -> None:
    """What the documentation warns of: four fifths of a block are those of the one before."""
    chance, alarms = np.random.default_rng(1), 0
    for _ in range(50):
        x = chance.normal(size=YEAR)
        for t in range(1, YEAR):
            x[t] = 0.8 * x[t - 1] + 0.6 * x[t]
        alarms += max(evidence(x.tolist())) >= ALARM
    assert alarms >= 45


@pytest.mark.parametrize("spread", [1.0, 0.0])
def test_a_shift_is_found_within_days(spread: float) -> None:
    """Also where scores are as high as they can be, and all alike."""
    chance = np.random.default_rng(2)
    usual, shifted = chance.normal(size=120), chance.normal(4.0, spread, size=40)
    found = list(evidence([*usual.tolist(), *shifted.tolist()]))
    assert max(found[:120]) < ALARM
    first = next(n for n, one in enumerate(found) if one >= ALARM)
    assert first - 120 < 20

"""The laws catch what they are there to catch."""

import warnings

import numpy as np
import pytest

from amiss.component import Detector, find
from amiss.data import Floats
from laws.cheats import CAUGHT_BY, Honest, Planted
from laws.laws import LAWS, SPECIAL, of
from made import Chance


def examples(special: bool) -> list[tuple[Floats, int]]:
    """A few numbers with holes, and where to cut them."""
    found = []
    for seed in range(6):
        chance = Chance(seed)
        x = 10 * chance.normal(40 * 3 * 3).reshape(40, 3, 3)
        x[chance.uniform(x.size).reshape(x.shape) < 0.2] = np.nan
        if special:
            x[5 + seed, :, :] = SPECIAL[seed + 1]
        found.append((x, 20 + seed))
    return found


def broken(detector: Detector, law: str) -> str | None:
    """What the law has to say against it, on the first example that shows it."""
    for x, at in examples(special=law == "extremes"):
        try:
            LAWS[law](of(detector), x, at)
        except AssertionError as exc:
            return str(exc) or "broken"
        except ValueError as exc:
            if "read-only" not in str(exc):
                raise
            return str(exc)
    return None


@pytest.mark.parametrize("cheat", CAUGHT_BY, ids=lambda cheat: cheat.__name__)
def test_each_cheat_is_caught_by_the_law_against_it(cheat: type[Planted]) -> None:
    assert broken(cheat(), CAUGHT_BY[cheat])


@pytest.mark.parametrize("law", LAWS)
def test_an_honest_detector_keeps_every_law(law: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # it is honest, not careful
        assert broken(Honest(), law) is None


def test_every_law_has_caught_a_cheat() -> None:
    assert set(CAUGHT_BY.values()) == LAWS.keys()


def test_no_cheat_is_taken_for_a_detector_of_the_program() -> None:
    assert not {cheat for cheat in CAUGHT_BY} & set(find("amiss.detectors", Detector).values())

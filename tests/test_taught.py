"""What is like that which people called normal, and what is not."""

from dataclasses import replace

import pytest

from amiss.data import Incident
from amiss.decide.taught import Taught, Verdict, like
from servers.incidents import incident, member

LOAD = member("load")


def taught(one: Incident, verdict: Verdict = "normal") -> Taught:
    return Taught(one, verdict, "joe", 0)


def test_the_same_again_is_like_it() -> None:
    before = taught(incident("a"))
    assert like(incident("b"), [before]) is before
    assert like(incident("b"), []) is None


@pytest.mark.parametrize(
    "other",
    [
        incident("b", members=(member(score=11.0),)),
        incident("b", members=(member(observed=0.0),)),
        incident("b", members=(member("load"),)),
        incident("b", members=(member(), LOAD), breadth=2),
        incident("b", members=(member(rules=("too much",)),)),
        incident("b", members=(member(blame=("cpu_percent",)),)),
        incident("b", breadth=2),
        incident("b", members=()),
    ],
    ids=["stranger", "below", "another", "one more", "a rule", "other blame", "wider", "nothing"],
)
def test_what_is_stranger_wider_or_another_thing_is_not(other: Incident) -> None:
    assert like(other, [taught(incident("a"))]) is None


def test_each_series_may_be_known_from_another_incident() -> None:
    both = incident("a", members=(LOAD, member("x")), breadth=2)
    known = [taught(incident("c")), taught(both)]
    assert like(incident("b", members=(member(), LOAD), breadth=2), known) is known[0]


def test_a_little_stranger_is_like_it_and_of_a_rule_any_score() -> None:
    ruled = incident("a", members=(member(rules=("too much",), score=5.0),))
    assert like(incident("b", members=(member(score=10.9),)), [taught(incident("a"))])
    again = incident("b", members=(member(rules=("too much",), score=50.0),))
    assert like(again, [taught(ruled)])


def test_the_last_word_on_a_series_counts() -> None:
    normal, problem = taught(incident("a")), taught(incident("c"), "amiss")
    assert like(incident("b"), [normal, problem]) is None
    assert like(incident("b"), [problem, normal]) is normal
    milder = taught(incident("c", members=(member(score=4.0),)), "amiss")
    assert like(incident("b"), [normal, milder]) is None  # whatever its score
    below = replace(member(), observed=0.0)
    assert like(incident("b"), [normal, taught(incident("c", members=(below,)), "amiss")])

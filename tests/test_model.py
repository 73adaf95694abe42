"""A model travels in a file without code, and what was changed on the way is found out."""

import io
from dataclasses import replace

import numpy as np
import pytest

from amiss import memory
from amiss.errors import StateError
from amiss.model import Card, card_of, content, difference, read, write

STATES = {"forest-1": {"path": np.arange(6.0).reshape(2, 3)}, "forest-1.rank": {"n": np.ones(1)}}
CARD = Card(
    name="isolation_forest",
    detector="forest-1",
    pipeline="host",
    id=content("host", "forest-1", memory.dump(STATES)),
    samples=100,
    trained=5,
    seconds=0.5,
    first=1,
    last=4,
    features=("cpu", "load"),
    systems=('host="a"',),
    figures={"validation": {"told": {"0.01": 0.02}}},
)


def test_a_model_comes_back_as_it_was() -> None:
    card, states = read(write(CARD, STATES))
    assert card == CARD
    assert states.keys() == STATES.keys()
    np.testing.assert_array_equal(states["forest-1"]["path"], STATES["forest-1"]["path"])
    assert card_of(CARD.said(), CARD.id) == CARD


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"forest-1": {"path": np.zeros((2, 3))}}, "was changed or damaged"),
        ({"forest-1": {"path": STATES["forest-1"]["path"].astype(np.float32)}}, "was changed"),
        ({**STATES, "more": {"x": np.ones(1)}}, "was changed or damaged"),
    ],
)
def test_other_arrays_than_its_id_is_of_are_refused(changed, reason) -> None:
    with pytest.raises(StateError, match=reason):
        read(write(CARD, changed))


@pytest.mark.parametrize(
    "changed", [{"features": ("cpu",)}, {"samples": 9}, {"figures": {}}, {"systems": ()}]
)
def test_another_card_than_was_exported_is_refused(changed) -> None:
    parts = memory.load(write(CARD, STATES))
    other = memory.load(write(replace(CARD, **changed), STATES))
    parts["card"]["json"] = other["card"]["json"]
    with pytest.raises(StateError, match="was changed or damaged after it was exported"):
        read(memory.dump(parts))


def test_a_file_without_a_checksum_is_refused() -> None:
    parts = memory.load(write(CARD, STATES))
    del parts["card"]["sha256"]
    with pytest.raises(StateError, match="has no checksum: an earlier version exported it"):
        read(memory.dump(parts))


def test_any_bent_byte_or_torn_end_is_refused() -> None:
    file = write(CARD, STATES)
    for at in range(0, len(file), 97):
        bent = bytearray(file)
        bent[at] ^= 0xFF
        try:
            card, states = read(bytes(bent))
        except StateError:
            continue
        # what zip does not check, such as the time of a file, changes nothing
        assert (card, states["forest-1"]["path"].tolist()) == (CARD, [[0, 1, 2], [3, 4, 5]])
    for length in range(0, len(file), 211):
        with pytest.raises(StateError):
            read(file[:length])


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(StateError, match="no model that `amiss models export` wrote"):
        read(memory.dump(STATES))
    with pytest.raises(StateError, match="damaged"):
        read(memory.MAGIC + b" nothing")
    code = io.BytesIO()
    np.savez(code, version=np.array(memory.VERSION), contents=np.array(["a/b"]),
             **{"a/b": np.array([print], dtype=object)})  # fmt: skip
    with pytest.raises(StateError, match="damaged"):
        read(code.getvalue())


def test_a_card_that_lacks_something_is_refused() -> None:
    with pytest.raises(StateError, match="the card of model x is not whole"):
        card_of({"name": "isolation_forest"}, "x")


def test_a_difference_is_named() -> None:
    assert difference(("a", "b"), ("b", "a")) == ""
    assert difference(("a", "b"), ("b", "c")) == "it knows a; it does not know c"
    many = tuple("abcdefgh")
    assert difference(many, ()) == "it knows a, b, c, d, e and 3 more"

"""A fitted model: its card, its arrays, and the file that it travels in. No code is in any of it.

A file is an `.npz` like any stored state, with the card as JSON inside. Its id is the hash of its
arrays, and a checksum is about all of it, so what was changed on the way is found out.
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np
import orjson

from amiss import memory
from amiss.data import Array, State
from amiss.errors import StateError

Figures: TypeAlias = dict[str, Any]
"""What JSON can hold: how good a model is, how it came to be."""

NAMED = 5  # features of a difference that are named


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model."""

    name: str  # the detector's type
    detector: str  # with its settings
    pipeline: str
    id: str
    samples: int
    trained: int  # ns
    seconds: float
    first: int  # ns, of the history
    last: int
    features: tuple[str, ...]
    systems: tuple[str, ...] = ()
    figures: Figures = field(default_factory=dict)

    def said(self) -> dict[str, Any]:
        """All but the id, as JSON can hold it."""
        return {
            one.name: list(value) if isinstance(value := getattr(self, one.name), tuple) else value
            for one in fields(self)
            if one.name != "id"
        }


def card_of(said: Mapping[str, Any], model: str) -> Card:
    """The card that `said` wrote. Raises StateError if it is none."""
    known = {one.name for one in fields(Card)} - {"id"}
    held = {name: value for name, value in said.items() if name in known}
    for name in ("features", "systems"):
        held[name] = tuple(held.get(name, ()))
    try:
        return Card(id=model, **held)
    except TypeError as exc:
        raise StateError(f"the card of model {model} is not whole: {exc}") from None


def content(pipeline: str, detector: str, body: bytes) -> str:
    """The id of a model: the hash of what it is for and what it holds."""
    return hashlib.blake2b(f"{pipeline}/{detector}\n".encode() + body, digest_size=8).hexdigest()


def write(card: Card, states: Mapping[str, State]) -> bytes:
    """The file of a model."""
    told = orjson.dumps(card.said() | {"id": card.id})
    seal = {"json": _array(told), "sha256": _array(_digest(told, memory.dump(states)))}
    return memory.dump({**states, "card": seal})


def read(file: bytes) -> tuple[Card, dict[str, State]]:
    """The model that `write` wrote.

    Raises StateError if it is damaged, was changed, or is of another version.
    """
    if not memory.may_be(file):
        raise StateError("this is no model that `amiss models export` wrote")
    states = memory.load(file)
    try:
        seal = states.pop("card")
        told = seal["json"].tobytes()
        said = orjson.loads(told)
        card = card_of(said, str(said["id"]))
    except (KeyError, TypeError, orjson.JSONDecodeError):
        raise StateError("this is no model that `amiss models export` wrote") from None
    if "sha256" not in seal:
        raise StateError(
            f"model {card.id} has no checksum: an earlier version exported it; export it again"
        )
    body = memory.dump(states)
    whole = seal["sha256"].tobytes() == _digest(told, body)
    if not whole or content(card.pipeline, card.detector, body) != card.id:
        raise StateError(f"model {card.id} was changed or damaged after it was exported")
    return card, states


def _digest(card: bytes, body: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(card).digest() + body).digest()


def _array(said: bytes) -> Array:
    return np.frombuffer(said, np.uint8)


def difference(model: Collection[str], there: Collection[str]) -> str:
    """In what the features of a model differ from those that are there; "" if in nothing."""
    told = []
    for verb, names in (
        ("it knows", [name for name in model if name not in set(there)]),
        ("it does not know", [name for name in there if name not in set(model)]),
    ):
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            told.append(f"{verb} {', '.join(names[:NAMED])}{more}")
    return "; ".join(told)

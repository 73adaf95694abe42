"""What grouping remembers between ticks: the price, what is open, who was told lately."""

from dataclasses import asdict, dataclass, field
from math import nan
from typing import Any

import orjson

from amiss.data import Member, Severity


@dataclass(slots=True)
class Opened:
    """An open incident."""

    id: str
    since: int
    seen: int
    bar: float  # nats at which it opened
    interval: float  # seconds between samples
    scored: int  # the last tick at which a score, not only a value, was strange
    revision: int = 0
    severity: Severity = "low"
    told_breadth: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()


@dataclass(slots=True)
class Told:
    """The last incident that a series opened."""

    at: int
    score: float
    price: float  # nats that its next one costs more, as of `at`


@dataclass(slots=True)
class Memory:
    """All of it. Bounded: open incidents have capped members, what was told is forgotten."""

    price: float | None = None  # None: nothing judged yet
    priced: int = 0  # ns, when the price was last faded
    began: int = 0  # ns, the first tick judged
    opened: dict[str, Opened] = field(default_factory=dict)  # by system
    told: dict[str, Told] = field(default_factory=dict)  # by series


def dump(memory: Memory) -> bytes:
    """As JSON, in which NaN is null."""
    return orjson.dumps(asdict(memory))


def load(text: bytes) -> Memory:
    """What `dump` wrote."""
    said = orjson.loads(text)
    said["told"] = {key: Told(**told) for key, told in said["told"].items()}
    said["opened"] = {system: _opened(it) for system, it in said["opened"].items()}
    return Memory(**said)


def _opened(it: dict[str, Any]) -> Opened:
    members = it.pop("members")
    evidence = it.pop("evidence")
    return Opened(
        **it,
        members={key: member(m) for key, m in members.items()},
        evidence=tuple(evidence),
    )


def member(said: dict[str, Any]) -> Member:
    """A member from JSON, in which NaN is null."""
    known: dict[str, Any] = {k: nan if v is None else v for k, v in said.items()}
    return Member(**known | {"blame": tuple(known["blame"])})

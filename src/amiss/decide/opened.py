"""What grouping remembers between ticks: the price, what is open, who was told lately."""

from dataclasses import dataclass, field
from math import nan
from typing import Any

import orjson

from amiss.data import Blamed, Member, Severity


@dataclass(slots=True)
class Told:
    """The last incident that a series opened or was a member of."""

    at: int  # ns, when it opened, or when it was over
    score: float
    price: float  # nats that the next one it opens costs more, as of `at`


@dataclass(slots=True)
class Opened:
    """An open incident."""

    id: str
    since: int
    seen: int
    bar: float  # nats at which it opened
    interval: float  # seconds between samples
    watched: float  # days of samples of the series that opened it
    scored: int  # the last tick at which a score, not only a value, was strange
    before: Told | None = None  # what was last told of the series that opened it
    explained: float = 0.0  # nats of the member that the evidence belongs to
    revision: int = 0
    severity: Severity = "low"
    told_breadth: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # of a person, that held
    told_rules: int = 0
    least: Severity = "low"  # what they ask for
    runs: tuple[str, ...] = ()  # of records, that it is about
    pace: float = 0.0  # of the series that opened it or joined first (s); 0: single records alone


@dataclass(slots=True)
class Memory:
    """All of it. Bounded: open incidents have capped members, what was told is forgotten."""

    price: float | None = None  # None: nothing judged yet
    priced: int = 0  # ns, when the price was last faded
    count: int = 0  # incidents opened so far
    series: int = 0  # the most series that were ever ready at once
    opened: dict[str, Opened] = field(default_factory=dict)  # by system
    told: dict[str, Told] = field(default_factory=dict)  # by series


def dump(memory: Memory) -> bytes:
    """As JSON, in which NaN is null."""
    return orjson.dumps(memory)


def load(text: bytes) -> Memory:
    """What `dump` wrote."""
    said = orjson.loads(text)
    said["told"] = {key: Told(**told) for key, told in said["told"].items()}
    said["opened"] = {system: _opened(it) for system, it in said["opened"].items()}
    return Memory(**said)


def _opened(it: dict[str, Any]) -> Opened:
    it["members"] = {key: member(m) for key, m in it["members"].items()}
    it["evidence"] = tuple(it["evidence"])
    it["rules"], it["runs"] = tuple(it.get("rules", ())), tuple(it.get("runs", ()))
    it.setdefault("pace", it["interval"])  # older versions did not tell them apart
    it["before"] = Told(**it["before"]) if it.get("before") else None
    return Opened(**it)


def member(said: dict[str, Any]) -> Member:
    """A member from JSON, in which NaN is null."""
    known: dict[str, Any] = {k: nan if v is None else v for k, v in said.items()}
    blamed = tuple(blamed_of(one) for one in known.get("blamed", ()))
    parts = {name: tuple(known.get(name, ())) for name in ("blame", "rules", "votes")}
    return Member(**known | parts | {"blamed": blamed})


def blamed_of(said: dict[str, Any]) -> Blamed:
    """The same of a metric that is blamed."""
    known: dict[str, Any] = {k: nan if v is None else v for k, v in said.items()}
    return Blamed(**known)

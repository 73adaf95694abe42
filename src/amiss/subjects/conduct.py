"""What a subject does over several records: numbers of each that fields of flows and logins give.

Which there are depends on the roles that fields play. All are of a record and those before it, and
0 where a record says nothing of them. The usual of a number is that of whom it is about.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Literal, TypeAlias

import numpy as np

from amiss.data import DAY, HOUR, MINUTE, Array, Floats, State, Strings, Times
from amiss.memory import flat, nested
from amiss.subjects import distinct, firsts, shares, slots, usual

Role: TypeAlias = Literal[
    "source", "host", "port", "protocol", "user", "address", "outcome", "device", "location",
    "latitude", "longitude", "privilege",
]  # fmt: skip
ALWAYS: tuple[Role, ...] = ("source", "host", "port", "protocol", "user", "outcome")
"""Roles without which logs of flows and of logins are none."""
WHO: tuple[Role, ...] = ("user", "address", "source")
"""The roles of those who do something."""
_FIELD = re.compile(r"{([^{}]+)}")
RANKS = {
    "guest": 0.0, "none": 0.0, "user": 1.0, "operator": 2.0, "power user": 2.0, "sudo": 3.0,
    "admin": 3.0, "administrator": 3.0, "system": 4.0, "superuser": 4.0, "root": 4.0,
}  # fmt: skip
"""How high a privilege is; a number is as high as it says, and any other word is a user's."""
FAILED = ("login_failed", "failed", "failure", "fail", "denied", "f", "false", "no", "401", "403")
SUCCEEDED = ("login", "succeeded", "success", "ok", "accepted", "t", "true", "yes", "200", "302")


@dataclass(frozen=True, slots=True)
class Number:
    """A number, in words that follow it; {role} stands for what the record says there."""

    words: str
    whom: Role
    a: float = 1.0  # what is no difference (subjects/usual.py)
    more: tuple[Role, ...] = ()  # that it needs beside those in its words
    each: Role | None = None  # whom it counts, where those who are counted are all alike

    @property
    def needs(self) -> set[str]:
        """The roles without which there is no such number."""
        return {*_FIELD.findall(self.words), *self.more}


NUMBERS = {
    "ports": Number("ports of {host} contacted by {source} in 1m", "source", more=("port",)),
    "hosts": Number("hosts contacted by {source} on port {port} in 1m", "source", more=("host",),
                    each="host"),
    "reach": Number("ports of hosts contacted by {source} in 1d", "source", more=("host", "port")),
    "mix": Number("protocols of {source} in 10m, nats from the usual ones", "source", 5.0,
                  more=("protocol",)),
    "failures": Number("failures of {user} in 10m", "user", more=("outcome",)),
    "refused": Number("failures from {address} in 10m", "address", more=("outcome",)),
    "tried": Number("users that failed from {address} in 1h", "address", more=("user", "outcome"),
                    each="user"),
    "guessed": Number("failures of {user} in 1h before a success", "user", more=("outcome",)),
    "speed": Number("km/h between two places of {user}", "user", 100.0,
                    more=("latitude", "longitude")),
    "device": Number("events of {user} per device before {device}", "user"),
    "location": Number("events of {user} per location before {location}", "user"),
    "risen": Number("events of {user} before the first as {privilege}", "user"),
}  # fmt: skip
"""ports: vertical scan; hosts: horizontal scan; reach: slow scan; mix: of protocols; failures and
refused: brute force; tried: password spraying; guessed: a success after failures; speed: impossible
travel; device and location: a new one; risen: privilege escalation."""
_STARTS = {number.words.partition("{")[0]: number.a for number in NUMBERS.values()}
BEYOND = " beyond the usual"
TWICE = log(2.0)
SHOWN = 60  # characters of a field


def rank_of(privilege: str) -> float:
    """How high a privilege is; NaN of none."""
    if not privilege:
        return np.nan
    try:
        return float(privilege)
    except ValueError:
        return RANKS.get(privilege.lower(), RANKS["user"])


def chosen(roles: Mapping[Role, str]) -> tuple[str, ...]:
    """The numbers that these fields give."""
    return tuple(
        name for name, number in NUMBERS.items() if all(role in roles for role in number.needs)
    )


def named(roles: Mapping[Role, str]) -> tuple[str, ...]:
    """The names of the numbers, with fields for roles; then those of how far they are beyond."""
    found = [_in_fields(NUMBERS[name], roles) for name in chosen(roles)]
    return (*found, *(words + BEYOND for words in found))


def _in_fields(number: Number, roles: Mapping[Role, str]) -> str:
    fields = {str(role): f"{{{field}}}" for role, field in roles.items()}
    return _FIELD.sub(lambda role: fields[role[1]], number.words)


def instead(
    roles: Mapping[Role, str], subject: tuple[str, ...], names: Sequence[str], values: Floats
) -> Strings:
    """The field that says whom each record is about, where its subject does not: (N,), else "".

    Who does the same to more than twice as many subjects as usual: of a password that is tried on
    all users it is the address. `names` and `values` (N, F) are those of all features.
    """
    found = np.zeros(len(values), f"U{max(map(len, roles.values()), default=1)}")
    for number in (NUMBERS[name] for name in chosen(roles)):
        whom = roles[number.whom]
        if number.each and roles[number.each] in subject and whom not in subject:
            beyond = values[:, names.index(_in_fields(number, roles) + BEYOND)]
            found[(found == "") & (beyond > TWICE)] = whom
    return found


@dataclass(frozen=True, slots=True)
class Events:
    """N records in order: hashes of what fields say by role, and what they mean."""

    time: Times  # (N,)
    said: Mapping[Role, Array]  # each (N,)
    failed: Array  # (N,) bool
    succeeded: Array  # (N,) bool
    where: Floats  # (N, 2) degrees north and east, or NaN
    rank: Floats  # (N,) of privilege, or NaN

    def by(self, *roles: Role) -> Array:
        """One hash (N,) of what these fields say."""
        return slots.together(*(self.said[role] for role in roles))


Step: TypeAlias = Callable[[State, Array, Events, int], Floats]
_MADE: dict[str, tuple[Callable[[int], State], Step]] = {
    "ports": (distinct.init, lambda state, gone, of, ttl: distinct.many(
        state, gone, of.time, of.by("source", "host"), of.by("port"), MINUTE, ttl)),
    "hosts": (distinct.init, lambda state, gone, of, ttl: distinct.many(
        state, gone, of.time, of.by("source", "port"), of.by("host"), MINUTE, ttl)),
    "reach": (distinct.init, lambda state, gone, of, ttl: distinct.many(
        state, gone, of.time, of.by("source"), of.by("host", "port"), DAY, ttl)),
    "tried": (distinct.init, lambda state, gone, of, ttl: distinct.many(
        state, gone, of.time, of.by("address") * of.failed, of.by("user"), HOUR, ttl)),
    "failures": (distinct.init_often, lambda state, gone, of, ttl: distinct.often(
        state, gone, of.time, of.by("user"), of.failed, of.failed, 10 * MINUTE, ttl)),
    "refused": (distinct.init_often, lambda state, gone, of, ttl: distinct.often(
        state, gone, of.time, of.by("address"), of.failed, of.failed, 10 * MINUTE, ttl)),
    "guessed": (distinct.init_often, lambda state, gone, of, ttl: distinct.often(
        state, gone, of.time, of.by("user"), of.failed, of.succeeded, HOUR, ttl)),
    "mix": (shares.init, lambda state, gone, of, ttl: shares.shift(
        state, gone, of.time, of.by("source"), of.by("protocol"), ttl)),
    "speed": (firsts.init_speed, lambda state, gone, of, ttl: firsts.speed(
        state, gone, of.time, of.by("user"), of.where, ttl)),
    "device": (firsts.init_first, lambda state, gone, of, ttl: firsts.first(
        state, gone, of.time, of.by("user"), of.by("device"), ttl)),
    "location": (firsts.init_first, lambda state, gone, of, ttl: firsts.first(
        state, gone, of.time, of.by("user"), of.by("location"), ttl)),
    "risen": (firsts.init_risen, lambda state, gone, of, ttl: firsts.risen(
        state, gone, of.time, of.by("user"), of.rank, ttl)),
}  # fmt: skip


def is_number(name: str) -> bool:
    """Whether a feature is one of these."""
    return _FIELD.search(name) is not None and name.partition("{")[0] in _STARTS


def init(roles: Mapping[Role, str], most: int) -> State:
    """Nobody known yet; room for `most` subjects of each number."""
    own = {name: _MADE[name][0](most) for name in chosen(roles)}
    return flat(own | {f"usual {name}": usual.init(most) for name in own})


def ready(state: State, roles: Mapping[Role, str], most: int) -> State:
    """The same for these roles: what is new, or has another room, begins; the rest goes."""
    known, names, room = nested(state), chosen(roles), slots.places(most)
    wanted = {*names, *(f"usual {name}" for name in names)}
    kept = {k: v for k, v in known.items() if k in wanted and len(v["tag"]) == room}
    if known.keys() == kept.keys() == wanted:
        return state
    return flat(nested(init(roles, most)) | kept)


def step(
    state: State, gone: Array, roles: Mapping[Role, str], of: Events, ttl: int
) -> tuple[State, Floats]:
    """The numbers of N records, then how far each is beyond what is usual (N, 2 M).

    `gone` (1,) counts subjects that left for others. Cost: .1 us a number and record.
    """
    states, names = nested(state), chosen(roles)
    out = np.zeros((len(of.time), 2 * len(names)))
    for j, name in enumerate(names):
        number, known = NUMBERS[name], states[f"usual {name}"]
        x = _MADE[name][1](states[name], gone, of, ttl)
        whom = of.by(number.whom)
        out[:, j] = x
        out[:, len(names) + j] = usual.beyond(known, gone, of.time, whom, x, number.a, ttl)
    return state, out


def told(name: str, values: Mapping[str, float], said: Mapping[str, str]) -> str:
    """A number with what a record says: ports of 10.0.0.5 contacted by 10.0.0.7 in 1m: 212
    (usually 3). Any other feature by its name.
    """
    name = name.removesuffix(BEYOND)
    if (z := values.get(name + BEYOND)) is None:
        return name
    a, x = _STARTS[name.partition("{")[0]], values[name]
    words = _FIELD.sub(lambda found: said.get(found[1], "nobody")[:SHOWN], name)
    counted = "before" not in name and z > 0.0
    rest = f" (usually {_written(max((a + x) * exp(-z) - a, 0.0))})" if counted else ""
    return f"{words}: {_written(x)}{rest}"


def _written(x: float) -> str:
    return f"{round(x):,}" if x >= 10.0 else f"{x:.1f}".removesuffix(".0")

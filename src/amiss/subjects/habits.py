"""What a subject (a user, an address) usually does: counts and means by its name. Pure.

    lately  = ln(1 + n),  n its events, each forgotten with five minutes
    hour    = log2((N + 1/2)/(24 M + 1/2)) in whole numbers,  N its events, M the mean of those in
              this hour of the day, the one before and the one after; 0 in its first three days
    unusual = log2((N + 1/2)/(M + 1/2)) in whole numbers,  M those with the same name in this
              field: 0 for what it nearly always has, 1 for what it has every other time
    far     = (slog x - m)/sqrt(v + 1/4),  m and v mean and variance of its numbers in this field

All of earlier events only; 0 for what is missing, or of a subject or field that is new. Memory is
bounded: each of these has a place among the four that its hash allows. Where all are taken, the
one that came least often gives way, an event at a time; once half of all are in use, or a subject
was there 2^30 times, all counts are halved, and what was seen once is forgotten.
"""

from math import copysign, exp, isfinite, log1p, log2, sqrt
from typing import Any

import numpy as np

from amiss.data import DAY, HOUR, Array, Floats, State, Times
from amiss.kernel import inlined, kernel

BITS = 17  # places: 2^BITS
WAYS = 4  # places that a hash allows
LATELY = 300.0  # seconds
SLOW = 64  # events, over which a mean is taken at most
LEAST = 0.25  # of a variance: numbers differ by less than half of themselves
MIX = np.uint64(0x9E3779B97F4A7C15)
OF_FIELD, OF_NAME = np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
MOST = 1 << 30  # events of a subject, of which none of its habits has more: counts are 32 bits
DAYS = 3  # before the hour says something
TABLES = ("tag", "count", "used", "lately", "first", "last", "mean", "variance")


def init() -> State:
    """Nobody known yet: 4.5 MB."""
    places = 1 << BITS
    return {
        "tag": np.zeros(places, np.uint16),
        "count": np.zeros(places, np.int32),
        "used": np.zeros(1, np.int64),
        "lately": np.zeros(places, np.float32),
        "first": np.zeros(places, np.int64),  # ns
        "last": np.zeros(places, np.int64),
        "mean": np.zeros(places, np.float32),
        "variance": np.zeros(places, np.float32),
    }


def step(
    state: State,
    time: Times,
    subject: Array,
    names: Array,
    numbers: Floats,
    clock: Times | None = None,
) -> tuple[State, Floats]:
    """Events in order: subject (N,), names (N, B) by hash, numbers (N, A) -> (N, 2 + B + A).

    A hash of 0 is nobody or nothing, and usual. `clock` (N,) are the times on the wall clock of
    those who are there, ns; without it, UTC. Cost: some 20 ns a field.
    """
    out = np.zeros((len(time), 2 + names.shape[1] + numbers.shape[1]))
    tables = (state[name] for name in TABLES)
    _step(time, time if clock is None else clock, subject, names, numbers, out, *tables)
    return state, out


@inlined
def _mixed(subject: int, field: int, name: int) -> Any:
    """The hash of a habit: field 0 is the subject itself, 1 its hours, then its fields."""
    mixed = (np.uint64(subject) * MIX) ^ (np.uint64(field) * OF_FIELD) ^ (np.uint64(name) * OF_NAME)
    return (mixed ^ (mixed >> np.uint64(31))) * MIX


@kernel
def _met(tag: Array, count: Array, mixed: Any) -> int:
    """How often a habit was seen."""
    begin = int(mixed >> np.uint64(64 - BITS)) & -WAYS
    for k in range(begin, begin + WAYS):
        if count[k] > 0 and tag[k] == np.uint16(mixed & np.uint64(0xFFFF)):
            return int(count[k])
    return 0


@kernel
def _place(tag: Array, count: Array, used: Array, mixed: Any) -> int:
    """Where a habit is, or is put; -1 if there is no room for it yet."""
    begin = int(mixed >> np.uint64(64 - BITS)) & -WAYS
    mine, least = np.uint16(mixed & np.uint64(0xFFFF)), begin
    for k in range(begin, begin + WAYS):
        if count[k] > 0 and tag[k] == mine:
            return k
        if count[k] < count[least]:
            least = k
    if count[least] > 0:
        count[least] -= 1
        if count[least] > 0:
            return -1
        used[0] -= 1
    tag[least] = mine
    used[0] += 1
    return least


@inlined
def _unusual(often: int, at: int, count: Array) -> float:
    """How unusual a name is, then counted; 0 where there is no room for it."""
    if at < 0:
        return 0.0
    met = int(count[at])
    count[at] += 1
    return round(log2((often + 0.5) / (met + 0.5))) if often > 0 else 0.0


@inlined
def _far(value: float, at: int, count: Array, mean: Array, variance: Array) -> float:
    """How far a number is from those before it, then learned; 0 where there is no room for it."""
    if at < 0:
        return 0.0
    x, known = copysign(log1p(abs(value)), value), int(count[at])
    count[at] += 1
    if known == 0:
        mean[at], variance[at] = x, 0.0
        return 0.0
    away, weight = x - mean[at], 1.0 / (min(known, SLOW) + 1.0)
    far = float(away / sqrt(variance[at] + LEAST))
    variance[at] += weight * (away * away - variance[at])
    mean[at] += weight * away
    return far


@inlined
def _hour(tag: Array, count: Array, subject: int, often: int, hour: int) -> float:
    """How unusual the hour of the day is."""
    nearby = 0
    for h in range(hour + 23, hour + 26):
        nearby += _met(tag, count, _mixed(subject, 1, h % 24))
    return round(log2((often + 0.5) / (8.0 * nearby + 0.5)))


@kernel
def _age(count: Array, used: Array, often: int) -> None:
    """All counts are halved if there is little room left, or one of them is very high."""
    if 2 * used[0] <= len(count) and often < MOST:
        return
    used[0] = 0
    for k in range(len(count)):
        count[k] >>= 1
        used[0] += count[k] > 0


@kernel
def _step(
    time: Array,
    clock: Array,
    subjects: Array,
    names: Array,
    numbers: Array,
    out: Array,
    tag: Array,
    count: Array,
    used: Array,
    lately: Array,
    first: Array,
    last: Array,
    mean: Array,
    variance: Array,
) -> None:
    fields = 2 + names.shape[1]
    for t in range(len(time)):
        subject = subjects[t]
        itself = -1
        if subject != 0:
            itself = _place(tag, count, used, _mixed(subject, 0, 0))
        if itself < 0:
            continue
        often = int(count[itself])
        if often == 0:
            first[itself], last[itself], lately[itself] = time[t], time[t], 0.0
        count[itself] += 1
        now = lately[itself] * exp(-max(time[t] - last[itself], 0) / 1e9 / LATELY)
        out[t, 0] = log1p(now)
        lately[itself], last[itself] = now + 1.0, max(time[t], last[itself])
        hour = (clock[t] // HOUR) % 24
        if time[t] - first[itself] >= DAYS * DAY:
            out[t, 1] = _hour(tag, count, subject, often, hour)
        at = _place(tag, count, used, _mixed(subject, 1, hour))
        count[max(at, 0)] += at >= 0
        for j in range(2, fields):
            if names[t, j - 2] != 0:
                at = _place(tag, count, used, _mixed(subject, j, names[t, j - 2]))
                out[t, j] = _unusual(often, at, count)
        for j in range(numbers.shape[1]):
            if isfinite(numbers[t, j]):
                at = _place(tag, count, used, _mixed(subject, fields + j, 0))
                out[t, fields + j] = _far(numbers[t, j], at, count, mean, variance)
        _age(count, used, often)

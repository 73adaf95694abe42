"""What a subject (a user, an address) usually does: counts and means by its name. Pure.

lately    ln(1 + n),  n = its events, each forgotten with five minutes
hour      ln((N + 1)/(24 M + 1/2)),  M = the mean of those in this hour of the day (UTC), the one
          before and the one after; 0 in the first three days of a subject
unusual   ln((N + 1)/(M + 1/2)),  N = its events, M = those with the same name in this field
far       (slog x - m)/sqrt(v + .25),  m, v = mean and variance of its numbers in this field

All of earlier events only; 0 for what is missing, or of a subject or field that is new. A cell of
a table is found by hash, so that memory is bounded: two that share one look more usual. Once half
of the cells are in use all counts are halved, and what was seen once is forgotten.
"""

from math import copysign, exp, isfinite, log, log1p, sqrt

import numpy as np

from amiss.data import DAY, HOUR, Array, Floats, State, Times
from amiss.kernel import inlined, kernel

BITS = 16  # cells of each table: 2^BITS
LATELY = 300.0  # seconds
SLOW = 64  # events, over which a mean is taken at most
LEAST = 0.25  # of a variance: numbers differ by less than half of themselves
MIX = np.uint64(0x9E3779B97F4A7C15)
OF_FIELD, OF_NAME = np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)

DAYS = 3  # before the hour says something
TABLES = ("count", "used", "lately", "first", "last", "numbers", "mean", "variance")


def init() -> State:
    """Nobody known yet: 2.2 MB."""
    cells = 1 << BITS
    return {
        "count": np.zeros(cells, np.int32),
        "used": np.zeros(1, np.int64),
        "lately": np.zeros(cells, np.float32),
        "first": np.zeros(cells, np.int64),  # ns
        "last": np.zeros(cells, np.int64),
        "numbers": np.zeros(cells, np.uint8),
        "mean": np.zeros(cells, np.float32),
        "variance": np.zeros(cells, np.float32),
    }


def step(
    state: State, time: Times, subject: Array, names: Array, numbers: Floats
) -> tuple[State, Floats]:
    """Events in order: subject (N,), names (N, B) by hash, numbers (N, A) -> (N, 2 + B + A).

    A hash of 0 is nobody or nothing, and usual. Cost: some 20 ns a field.
    """
    out = np.zeros((len(time), 2 + names.shape[1] + numbers.shape[1]))
    tables = (state[name] for name in TABLES)
    _step(time, subject, names, numbers, out, *tables)
    return state, out


@kernel
def _cell(subject: int, field: int, name: int) -> int:
    """Which cell of a table: 0 is for the subject itself, 1 for its hours, then its fields."""
    mixed = (np.uint64(subject) * MIX) ^ (np.uint64(field) * OF_FIELD) ^ (np.uint64(name) * OF_NAME)
    mixed = (mixed ^ (mixed >> np.uint64(31))) * MIX
    return int(mixed >> np.uint64(64 - BITS))


@inlined
def _add(count: Array, used: Array, cell: int) -> int:
    """How many there were; one more now."""
    before = int(count[cell])
    used[0] += before == 0
    count[cell] = before + 1
    return before


@inlined
def _far(x: float, cell: int, seen: Array, mean: Array, variance: Array) -> float:
    """How far a number is from those before it, then learned."""
    known, away, far = min(int(seen[cell]), SLOW), x - mean[cell], 0.0
    if known > 0:
        far = away / sqrt(variance[cell] + LEAST)
        variance[cell] += (away * away - variance[cell]) / (known + 1.0)
    mean[cell] += away / (known + 1.0)
    seen[cell] = min(known + 1, SLOW)
    return far


@inlined
def _nearby(count: Array, subject: int, hour: int) -> int:
    """How many came in this hour of the day, the one before and the one after."""
    total = 0
    for h in range(hour + 23, hour + 26):
        total += count[_cell(subject, 1, h % 24)]
    return total


@kernel
def _halve(count: Array, used: Array) -> None:
    used[0] = 0
    for c in range(len(count)):
        count[c] >>= 1
        used[0] += count[c] > 0


@kernel
def _step(
    time: Array,
    subjects: Array,
    names: Array,
    numbers: Array,
    out: Array,
    count: Array,
    used: Array,
    lately: Array,
    first: Array,
    last: Array,
    seen: Array,
    mean: Array,
    variance: Array,
) -> None:
    fields = 2 + names.shape[1]
    for t in range(len(time)):
        subject = subjects[t]
        if subject == 0:
            continue
        itself = _cell(subject, 0, 0)
        often = _add(count, used, itself)
        if often == 0:
            first[itself] = time[t]
        now = lately[itself] * exp(-max(time[t] - last[itself], 0) / 1e9 / LATELY)
        out[t, 0] = log1p(now)
        lately[itself], last[itself] = now + 1.0, max(time[t], last[itself])
        hour = (time[t] // HOUR) % 24
        nearby = _nearby(count, subject, hour)
        if time[t] - first[itself] >= DAYS * DAY:
            out[t, 1] = log((often + 1.0) / (8.0 * nearby + 0.5))
        _add(count, used, _cell(subject, 1, hour))
        for j in range(2, fields):
            if names[t, j - 2] != 0:
                met = _add(count, used, _cell(subject, j, names[t, j - 2]))
                out[t, j] = log((often + 1.0) / (met + 0.5)) if often > 0 else 0.0
        for j in range(numbers.shape[1]):
            if isfinite(numbers[t, j]):
                x = copysign(log1p(abs(numbers[t, j])), numbers[t, j])
                of = _cell(subject, fields + j, 0)
                out[t, fields + j] = _far(x, of, seen, mean, variance)
        if 2 * used[0] > len(count):
            _halve(count, used)

"""One tick of the default detectors, compiled as a whole.

To call a kernel takes a microsecond and to hand it an array .3, which for a single sample is more
than all its arithmetic. So the memory of the series is one array of bytes here, and each column
begins where `at` says. On them run the kernels that `judge` runs: the scores are the same.
"""

from math import isfinite

import numpy as np

from amiss.data import SECOND, Array
from amiss.decide import bounds, budget, expect, fuse, rank, size
from amiss.detectors import drift, level, step, surprise
from amiss.evaluate.metrics import SINGLE
from amiss.kernel import kernel
from amiss.steps.judge import PAST, WARM, States, name_of

PLANES = 18
"""Of (1, S) numbers that a tick works on: the value is in the first of them."""
SAID = slice(14, 18)
"""Those that hold score, expected, lower and upper after it."""
DRIFT = next(2.0 / (d.span + 1.0) for d in SINGLE if isinstance(d, drift.Drift))
MONTH = next(d.memory for d in SINGLE if isinstance(d, level.Level)) / SECOND
NEVER = int(budget.init(1)["last"][0])
SLOTS = 48


def fresh(series: int) -> States:
    """The memory of series never seen before, in the order in which `tick` takes it."""
    states = {"expect": expect.init(series)}
    for detector in SINGLE:
        name = name_of(detector)
        states[name] = detector.init(series, len(expect.FEATURES))
        states[f"{name}.{detector.calibration}"] = PAST[detector.calibration].init(series)
    return states | {"ration": budget.init(series)}


@kernel
def _f8(m: Array, at: Array, k: int, n: int) -> Array:
    return m[at[k] : at[k] + 8 * n].view(np.float64)


@kernel
def _f4(m: Array, at: Array, k: int, n: int) -> Array:
    return m[at[k] : at[k] + 4 * n].view(np.float32)


@kernel
def _u2(m: Array, at: Array, k: int, n: int) -> Array:
    return m[at[k] : at[k] + 2 * n].view(np.uint16)


@kernel
def _u1(m: Array, at: Array, k: int, n: int) -> Array:
    return m[at[k] : at[k] + n]


@kernel
def _ranked(m: Array, at: Array, k: int, scores: Array, inverse: Array) -> None:
    """The rank of scores whose past begins with column k."""
    n = scores.shape[1]
    rank._rank(
        scores, inverse,
        _u2(m, at, k, n * rank.BINS).reshape((n, rank.BINS)),
        _f8(m, at, k + 1, n),
        _u2(m, at, k + 2, n),
        _f8(m, at, k + 3, n),
    )  # fmt: skip


@kernel
def _expected(m: Array, at: Array, time: Array, planes: Array, inside: Array) -> None:
    """What was expected of the values."""
    n = planes.shape[2]
    expect._expect(
        time, time, planes[0], planes[1], planes[2], planes[3], planes[4], inside,
        m[at[0] : at[0] + 4 * n].view(np.int32),
        m[at[1] : at[1] + 8 * n].view(np.int64),
        _f4(m, at, 2, n * expect.HALF).reshape((n, expect.HALF)),
        _u1(m, at, 3, n),
        _f4(m, at, 4, n),
        _f8(m, at, 5, n * 3).reshape((n, 3)),
        _f8(m, at, 6, n),
        _f8(m, at, 7, n * 2).reshape((n, 2)),
        _f4(m, at, 8, n * SLOTS).reshape((n, SLOTS)),
        _u2(m, at, 9, n * SLOTS).reshape((n, SLOTS)),
        _f4(m, at, 10, n * SLOTS).reshape((n, SLOTS)),
        _f4(m, at, 11, n * SLOTS).reshape((n, SLOTS)),
        _u1(m, at, 12, n * SLOTS // 4).reshape((n, SLOTS // 4)),
        m[at[13] : at[13] + n].view(np.int8),
        _f8(m, at, 14, n),
        _f8(m, at, 15, n),
    )  # fmt: skip


@kernel
def tick(m: Array, at: Array, time: Array, planes: Array, flags: Array, a_week: float) -> None:
    """Judge the values in the first plane (1, S) and learn them; planes[SAID] and flags[0] say.

    `m` holds the memory, `at` where its columns begin; `time` (1,) is in ns.
    """
    n = planes.shape[2]
    count = m[at[0] : at[0] + 4 * n].view(np.int32)
    last = m[at[40] : at[40] + 8 * n].view(np.int64)
    value, recent, usual, interval, error = planes[0], planes[1], planes[2], planes[3], planes[4]
    raw, inverse, large, rare, width = planes[5], planes[6:9], planes[9], planes[10], planes[11]
    early, late, score = planes[12], planes[13], planes[14]
    flags[:] = False
    for s in range(n):
        early[0, s] = count[s]
        if count[s] == WARM:  # the silence after what would have been told ends here
            last[s] = NEVER
    _expected(m, at, time, planes, flags[1])
    level._level(
        value, interval, MONTH, raw, _f8(m, at, 16, n), m[at[17] : at[17] + 4 * n].view(np.int32)
    )
    _ranked(m, at, 18, raw, inverse[0])
    step._step(value, raw, _f8(m, at, 22, n))
    _ranked(m, at, 23, raw, inverse[1])
    drift._drift(value, usual, DRIFT, raw, _f8(m, at, 27, n))
    _ranked(m, at, 28, raw, inverse[2])
    surprise._surprise(value[0], recent[0], usual[0], raw[0])
    size._size(
        raw, large, rare, width,
        _u2(m, at, 32, n * size.BINS).reshape((n, size.BINS)),
        _u1(m, at, 33, n * size.CARRIES).reshape((n, size.CARRIES)),
        _f8(m, at, 34, n),
        m[at[35] : at[35] + 4 * n].view(np.uint32),
        m[at[36] : at[36] + 4 * n].view(np.uint32),
        _u1(m, at, 37, n),
    )  # fmt: skip
    fuse._fuse(inverse[:, 0], flags[1, 0], large[0], rare[0], score[0])
    for s in range(n):
        young = early[0, s] < WARM  # nobody is told yet, but it counts
        early[0, s] = score[0, s] if young else np.nan
        late[0, s] = np.nan if young else score[0, s]
        low, high = bounds.band(recent[0, s], usual[0, s], error[0, s], width[0, s])
        planes[15, 0, s] = recent[0, s]
        planes[16, 0, s] = low if isfinite(low) else np.nan
        planes[17, 0, s] = high if isfinite(high) else np.nan
    told, integral = _f8(m, at, 38, n), _f8(m, at, 39, n)
    for scores, alerts in ((early, flags[1]), (late, flags[0])):
        budget._ration(
            time, scores, interval, a_week, budget.PRICE, budget.GAIN, alerts, told, integral, last
        )

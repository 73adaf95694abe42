"""What a series is expected to be, from the samples before: shared by all views of it.

    m   recent    median of the last three samples
    l   level     l <- l + min(max(1/n, dt/day), 1) (x - l)
    q   profile   24 hours x {weekday, weekend} of the frame's clock, linear between the hours'
                  centres; of the nearer one  q <- q + max(1/n, .1 min(1, dt/hour)) (x - q)
    b   usual     q where its E is less than that of l, else l
    E   error     of l and of q; that of b is told  E <- E + .01 (min(|x - b|, 8 E) - E)
    dt  interval  median of 31 gaps between samples, in seconds; measured anew every 1,024

and whether the sample lies inside the usual daily envelope, once two days of its half-hour are
known. When a half-hour is over, what was highest and lowest in it is learned:

    top <- top + max(1/4, 1/n) (highest - top);   bottom <- bottom + max(1/4, 1/n) (lowest - bottom)
    inside = bottom - room <= x <= top + room,   room = (top - bottom)/4

for the highest top and the lowest bottom of the half-hour and the two beside it. n counts what the
mean is of: samples, those of the hour, days. Several views need these, and a profile for each of
them would cost 600 bytes a series.
"""

import numpy as np
from numpy.typing import NDArray

from amiss.data import DAY, HOUR, LARGEST, Array, Frame, State
from amiss.kernel import borrowing, inlined

FEATURES = ("value", "recent", "usual", "interval", "error")
DAY_SECONDS = 86400.0
HALF_HOUR = HOUR // 2
GAPS = 31
HALF = 16  # the median of 31 is among so many, whatever is still to come
RENEW = 1024  # samples after which the interval is measured again: it may have been changed
MOST = 2147483647
WIDEST = 3e38  # float32 holds no more
NEVER = -(1 << 62)


def init(series: int) -> State:
    """The references of `series` series never seen before: 830 bytes each."""
    return {
        "count": np.zeros(series, np.int32),
        "before": np.zeros(series, np.int64),
        "gaps": np.zeros((series, HALF), np.float32),
        "known": np.zeros(series, np.uint8),
        "interval": np.full(series, 300.0, np.float32),
        "last": np.zeros((series, 3)),
        "level": np.zeros(series),
        "errors": np.zeros((series, 2)),
        "profile": np.zeros((series, 48), np.float32),
        "seen": np.zeros((series, 48), np.uint16),
        "top": np.zeros((series, 48), np.float32),
        "bottom": np.zeros((series, 48), np.float32),
        "cycles": np.zeros((series, 12), np.uint8),
        "slot": np.full(series, -1, np.int8),
        "slot_top": np.full(series, -np.inf),
        "slot_bottom": np.full(series, np.inf),
    }


COLUMNS = tuple(init(0))


def step(state: State, frame: Frame) -> tuple[State, Frame, NDArray[np.bool_]]:
    """Value -> value, recent, usual, interval, error (T, S, 5), and inside the envelope (T, S).

    Each is what was known before the sample came. A NaN sample, or one that is no
    measurement, gives NaN and changes nothing.
    Cost: O(T S), 35 to 60 ns a point.
    """
    value = frame.column("value")
    # one contiguous (T, S) plane for each feature: what the kernels that follow read
    planes = np.empty((len(FEATURES), *value.shape))
    planes[0] = value
    inside = np.zeros(value.shape, np.bool_)
    columns = (state[name] for name in COLUMNS)
    clock = frame.time if frame.clock is None else frame.clock
    _expect(
        frame.time, clock, planes[0], planes[1], planes[2], planes[3], planes[4], inside, *columns
    )
    features = Frame(frame.time, frame.keys, FEATURES, planes.transpose(1, 2, 0))
    return state, features, inside


@borrowing
def _measure(gaps: Array, known: Array, dts: Array, s: int, count: int, gap: float) -> None:
    """Insert a gap among the known ones of row s, which are sorted; their median is the interval.

    Of the first 31 from the start, later when there are 31 new ones. Beyond 16 the smallest and
    the largest are forgotten with each new one: neither can become the median any more.
    """
    if known[s] == GAPS:
        known[s] = 0
    n, x = known[s], np.float32(gap)
    if n < HALF:
        i = n
        while i > 0 and gaps[s, i - 1] > x:
            gaps[s, i] = gaps[s, i - 1]
            i -= 1
    else:
        last = 2 * HALF - 1 - n
        x = min(max(x, gaps[s, 0]), gaps[s, last])
        i = 0
        while i < last - 1 and gaps[s, i + 1] < x:
            gaps[s, i] = gaps[s, i + 1]
            i += 1
    gaps[s, i] = x
    n += 1
    known[s] = n
    if n == GAPS or count < RENEW:
        half = n // 2 - max(n - HALF, 0)
        dts[s] = gaps[s, half] if n % 2 else 0.5 * (gaps[s, half - 1] + gaps[s, half])


@borrowing
def _half_hour(time: int) -> tuple[int, int, int, int, int, int]:
    """When a half-hour began, its slot in the envelope, and what is the same all through it.

    The hour slots whose centres enclose it, when the centre of the first was, and the near slot.
    """
    day = time // DAY
    weekend = 24 if (day + 3) % 7 >= 5 else 0  # the first day was a Thursday
    half = (time - day * DAY) // HALF_HOUR
    first = (half + 1) // 2 - 1  # -1 in the first half-hour
    began, centre = day * DAY + half * HALF_HOUR, day * DAY + first * HOUR + HALF_HOUR
    second = first + 1 if first < 23 else 0
    first = first if first >= 0 else 23
    near = second if half % 2 == 0 else first
    return began, half, first + weekend, second + weekend, centre, near + weekend


@borrowing
def _of_day(
    profile: Array, seen: Array, s: int, first: int, second: int, weight: float
) -> tuple[bool, float]:
    """The daily profile of row s between two slots, and whether there is one."""
    if seen[s, first] > 0 and seen[s, second] > 0:
        return True, (1.0 - weight) * profile[s, first] + weight * profile[s, second]
    if seen[s, first] > 0:
        return True, float(profile[s, first])
    return seen[s, second] > 0, float(profile[s, second])


@borrowing
def _narrow(x: float) -> float:
    """As float32 can hold it."""
    return min(max(x, -WIDEST), WIDEST)


@borrowing
def _cycles(cycles: Array, s: int, k: int) -> int:
    """How many days of half-hour k are known, 3 if there are more; two bits each."""
    return (int(cycles[s, k // 4]) >> (2 * (k % 4))) & 3


@borrowing
def _close(
    top: Array, bottom: Array, cycles: Array, s: int, k: int, high: float, low: float,
) -> None:  # fmt: skip
    """The envelope learns a half-hour when it is over, so its own samples are not in it."""
    if k < 0:
        return
    known = _cycles(cycles, s, k)
    if known < 3:
        cycles[s, k // 4] += 1 << (2 * (k % 4))
    gain = max(0.25, 1.0 / (known + 1))
    top[s, k] = _narrow(top[s, k] + gain * (high - top[s, k]))
    bottom[s, k] = _narrow(bottom[s, k] + gain * (low - bottom[s, k]))


@borrowing
def _envelope(half: int, top: Array, bottom: Array, cycles: Array, s: int) -> tuple[float, float]:
    """The envelope of this half-hour and its neighbours, a quarter wider; empty before two days."""
    high, low = -np.inf, np.inf
    if _cycles(cycles, s, half) < 2:
        return low, high
    for near in range(half - 1, half + 2):
        k = near % 48
        if _cycles(cycles, s, k) > 0:
            high, low = max(high, top[s, k]), min(low, bottom[s, k])
    room = 0.25 * (high - low)
    return low - room, high + room


@inlined
def _clipped(mean: float, error: float) -> float:
    """The mean error with one more, that counts at most eight times the mean."""
    most = 8.0 * mean if mean > 0.0 else error
    return mean + 0.01 * (min(error, most) - mean)


@inlined
def _learn_profile(profile: Array, seen: Array, s: int, k: int, v: float, least: float) -> None:
    """Gain 1/n at first, then the least."""
    if seen[s, k] == 0:
        profile[s, k] = _narrow(v)
    if seen[s, k] < 60000:
        seen[s, k] += 1
    gain = max(1.0 / seen[s, k], least)
    profile[s, k] = _narrow(profile[s, k] + gain * (v - profile[s, k]))


@borrowing
def _expect(
    time: Array, clock: Array, value: Array,
    recent: Array, usual: Array, interval: Array, error: Array, inside: Array,
    count: Array, before: Array, gaps: Array, known: Array, dts: Array, last: Array, level: Array,
    errors: Array, profile: Array, seen: Array, top: Array, bottom: Array, cycles: Array,
    slot: Array, slot_top: Array, slot_bottom: Array,
) -> None:  # fmt: skip
    ticks, series = value.shape
    began, half, first, second, centre, near = NEVER, 0, 0, 0, 0, 0
    for s in range(series):
        n, then, dt = int(count[s]), before[s], float(dts[s])
        mean, of_level, of_profile = level[s], errors[s, 0], errors[s, 1]
        x1, x2, x3 = last[s, 0], last[s, 1], last[s, 2]
        open_, high, low = int(slot[s]), slot_top[s], slot_bottom[s]
        least, most = _envelope(open_, top, bottom, cycles, s)
        for t in range(ticks):
            v = value[t, s]
            if not abs(v) <= LARGEST:
                value[t, s] = recent[t, s] = usual[t, s] = interval[t, s] = error[t, s] = np.nan
                continue
            if n == 0:
                mean = x1 = x2 = x3 = v
            elif time[t] > then:
                if known[s] < GAPS or n % RENEW == 0:
                    _measure(gaps, known, dts, s, n, (time[t] - then) / 1e9)
                    dt = float(dts[s])
            then = time[t]
            n = min(n + 1, MOST)
            if not began <= clock[t] < began + HALF_HOUR:
                began, half, first, second, centre, near = _half_hour(clock[t])
            weight = (clock[t] - centre) / HOUR
            has, q = _of_day(profile, seen, s, first, second, weight)
            recent[t, s] = max(min(x1, x2), min(max(x1, x2), x3))
            better = has and of_profile < of_level
            usual[t, s] = q if better else mean
            error[t, s] = of_profile if better else of_level
            interval[t, s] = dt

            if half != open_:
                _close(top, bottom, cycles, s, open_, high, low)
                open_, high, low = half, -np.inf, np.inf
                least, most = _envelope(half, top, bottom, cycles, s)
            high, low = max(high, v), min(low, v)
            inside[t, s] = least <= v <= most

            if has:
                of_level = _clipped(of_level, abs(v - mean))
                of_profile = _clipped(of_profile, abs(v - q))
            _learn_profile(profile, seen, s, near, v, 0.1 / max(1.0, 3600.0 / dt))
            mean += min(max(1.0 / n, dt / DAY_SECONDS), 1.0) * (v - mean)
            x1, x2, x3 = v, x1, x2
        count[s], before[s] = n, then
        level[s], errors[s, 0], errors[s, 1] = mean, of_level, of_profile
        last[s, 0], last[s, 1], last[s, 2] = x1, x2, x3
        slot[s], slot_top[s], slot_bottom[s] = open_, high, low

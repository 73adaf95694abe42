"""How far the mix of what a subject does lately is from its usual one. Pure.

    x = sum_k f_k ln((f_k/f) / ((s_k + 1/2)/(s + 4))),  at least 0

f_k, s_k: its events of kind k, forgotten with ten minutes and with seven days; f, s their sums.
The evidence in nats that the kinds are not drawn as usual. Eight kinds; later ones are the eighth.
"""

from math import exp, log

import numpy as np

from amiss.data import DAY, MINUTE, Array, Floats, State, Times
from amiss.kernel import kernel
from amiss.subjects import slots
from amiss.subjects.slots import place

KINDS = 8
LATELY, USUALLY = 10 * MINUTE, 7 * DAY
FORGOTTEN = 1e-9  # of an event


def init(most: int) -> State:
    """Nobody has done anything yet."""
    table = slots.init(most)
    room = len(table["tag"])
    return table | {
        "at": np.zeros(room, np.int64),
        "kind": np.zeros((room, KINDS), np.int64),
        "lately": np.zeros((room, KINDS)),
        "usually": np.zeros((room, KINDS)),
    }


def shift(state: State, gone: Array, time: Times, key: Array, kind: Array, ttl: int) -> Floats:
    """x (N,). Hashes of 0 are nobody and nothing. Cost: some 200 ns an event."""
    out = np.zeros(len(time))
    _shift(time, key, kind, ttl, out, gone, *(state[name] for name in init(1)))
    return out


@kernel
def _shift(
    time: Array, key: Array, kind: Array, ttl: int, out: Array, gone: Array,
    tag: Array, seen: Array, last: Array, kinds: Array, lately: Array, usually: Array,
) -> None:  # fmt: skip
    for t in range(len(time)):
        if key[t] == 0 or kind[t] == 0:
            continue
        at, fresh = place(tag, seen, gone, key[t], time[t], ttl)
        if fresh:
            kinds[at], lately[at], usually[at], last[at] = 0, 0.0, 0.0, time[t]
        mine = KINDS - 1
        for k in range(KINDS - 1, -1, -1):
            if kinds[at, k] == kind[t] or kinds[at, k] == 0:
                mine = k
        kinds[at, mine] = kind[t]
        passed = float(time[t] - last[at])
        last[at] = time[t]
        lately[at] *= exp(-passed / LATELY)
        usually[at] *= exp(-passed / USUALLY)
        lately[at, mine] += 1.0
        f, s = lately[at].sum(), usually[at].sum()
        x = 0.0
        for k in range(KINDS):
            if lately[at, k] > FORGOTTEN:
                usual = (usually[at, k] + 0.5) / (s + 0.5 * KINDS)
                x += lately[at, k] * log(lately[at, k] / f / usual)
        if s > 0.0:
            out[t] = max(x, 0.0)
        usually[at, mine] += 1.0

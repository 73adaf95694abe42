"""Whether records in a row are odder than they would be by chance, though none is by itself.

    y = -ln((number of past x >= x, + 1)/(n + 1))        x: nats of a record
    G <- max(0, G + y/2 - ln 2);   a run lasts from 0 to 0, or until G is 4 below its top
    score = -ln(e^-min(G, R) + c/n)

Where records are exchangeable, each term is at most a betting gain with an expectation of 1,
e^(y/2)/2, a calibrator of p (Vovk and Gammerman's conformal martingales, 2003; as a CUSUM:
Volkhonskiy and others, "Inductive conformal martingales for change-point detection", 2017). So of
all runs at most a share e^-G gets as high as G, whatever x is, and there are no more runs than
records: -ln p of a record and G are held against the same number of records. (Past x weigh less
once they are to be forgotten: each p is valid all the same, all of them together nearly so.) Half
of y is what tells best records that are twice as odd as usual, and there is no length to be chosen;
by its rank one record alone is 3.8 at most.

Real records are odd in company, so a run is held against those before it: c past ones of n records
had as high a top, and the tail beyond the highest tenth of all tops is taken to be exponential:

    R = (ln(n/t))+ + (G - u)+ / b,   b = max(1, (m - u)/ln 2),   t = max(4, a tenth of all tops)

for the t-th highest top u and the median m of those t: deeper quantiles are made of what is to be
found. It begins with 20 records that had the runs of chance; of a strange run a tenth is learned.
Tops and ranks are those of all streams of a view.
"""

from dataclasses import dataclass
from math import exp, log

import numpy as np

from amiss.data import DAY, Array, Floats, State, Times
from amiss.decide.judged import LEAST
from amiss.kernel import borrowing, kernel
from amiss.subjects import slots
from amiss.subjects.slots import place

HALF, EVEN = 0.5, log(2.0)  # of y, and what it has to be more than
OVER = 4.0  # nats below its top at which a run is over
MOST = 30.0  # nats of G
LONG = 1024  # records: what goes on for longer is no run, and before so many there is none
ODD = log(10.0)  # nats of y: one in ten
STREAMS = 4096  # of a view
FINE, X = 16, 512  # bins a nat, and bins, of past x
COARSE, TOPS = 4, 128  # the same of tops
KEEP, LASTING = 8192.0, 262_144.0  # past x, and records with tops, of which half is then forgotten
PRIOR = 20.0
SHARE, FEWEST = 0.1, 4.0
LITTLE = 0.1  # of a strange run is learned

_edges = np.exp(-np.arange(TOPS) / COARSE)
CHANCE = PRIOR * np.append(_edges[:-1] - _edges[1:], _edges[-1])


def init(views: int) -> State:
    """No record yet, and so many ways to sort them into streams: 270 kB each."""
    table = slots.init(STREAMS)
    room = len(table["tag"])
    return {
        "past": np.zeros(X),
        "seen": np.zeros(1, np.int64),  # records that were judged
        "gone": np.zeros(1, np.int64),  # streams that left for others in the middle of a run
        "tops": np.tile(CHANCE, (views, 1)),
        "records": np.full((views, 1), PRIOR),
        "tag": np.tile(table["tag"], (views, 1)),
        "last": np.tile(table["seen"], (views, 1)),
        "g": np.zeros((views, room)),
        "top": np.zeros((views, room)),
        "first": np.zeros((views, room), np.int64),  # number of the record that began it
        "since": np.zeros((views, room), np.int64),  # its time
        "count": np.zeros((views, room), np.int64),
        "odd": np.zeros((views, room), np.int64),
    }


OF_VIEW = tuple(init(1))[3:]


@dataclass(frozen=True, slots=True)
class Runs:
    """What is thought of T records in V views."""

    number: Array  # (T,) of each record, by those that were judged
    y: Floats  # (T,) nats
    score: Floats  # (T, V) nats of a run that is as high as it ever was; NaN of all others
    first: Array  # (T, V) number of the record that began it
    since: Times  # (T, V) its time
    count: Array  # (T, V) its records
    odd: Array  # (T, V) those of them that are odd


def step(state: State, time: Times, nats: Floats, stream: Array) -> tuple[State, Runs]:
    """Judge records in order (T,), of streams (T, V) by hashes; learn.

    NaN is no record, and a stream of 0 none. Cost: about .5 us a record.
    """
    state = dict(state)
    number = state["seen"] + np.cumsum(~np.isnan(nats))
    state["seen"] = number[-1:] if len(number) else state["seen"]
    streams = np.ascontiguousarray(stream.T)  # a row for each view: one kernel for all shapes
    y, score = np.full(len(time), np.nan), np.full(streams.shape, np.nan)
    first, since, count, odd = np.zeros((4, *streams.shape), np.int64)
    _ranks(nats, state["past"], y)
    for v, one in enumerate(streams):
        _runs(
            time, y, number, one, score[v], first[v], since[v], count[v], odd[v],
            state["gone"], *(state[name][v] for name in OF_VIEW),
        )  # fmt: skip
    return state, Runs(number, y, *(said.T for said in (score, first, since, count, odd)))


@borrowing
def _ranks(nats: Array, past: Array, y: Array) -> None:
    """-ln of the share of past x that are as large as each, which is then learned."""
    for t in range(len(nats)):
        if nats[t] != nats[t]:
            continue
        # held within the bins first: what is too large for a whole number would be the smallest
        at, above, total = int(min(max(nats[t], 0.0) * FINE, X - 1.0)), 0.0, 0.0
        for k in range(X):
            total += past[k]
            if k >= at:
                above += past[k]
        y[t] = log((total + 1.0) / (above + 1.0))
        past[at] += 1.0
        if total >= KEEP:
            past *= 0.5


@borrowing
def _highest(tops: Array, many: float) -> float:
    """The top that so many are above, linear in its bin."""
    above, top = 0.0, 0.0
    for k in range(TOPS - 1, -1, -1):
        if above + tops[k] >= many:
            top = (k + 1.0 - (many - above) / tops[k]) / COARSE
            break
        above += tops[k]
    return top


@borrowing
def _score(g: float, tops: Array, records: float) -> float:
    """The score of a run that is as high as G."""
    total, above = 0.0, 0.0
    for k in range(TOPS - 1, -1, -1):
        total += tops[k]
        if k == min(int(g * COARSE), TOPS - 1):
            above = total
    t = max(FEWEST, SHARE * total)
    u = _highest(tops, t)
    b = max((_highest(tops, t / 2.0) - u) / log(2.0), 1.0)
    tail = log(max(records / t, 1.0)) + max(g - u, 0.0) / b
    score: float = -log(exp(-min(g, tail)) + above / records)
    return score


@kernel
def _runs(
    time: Array, y: Array, number: Array, stream: Array, score: Array,
    run: Array, began: Array, records: Array, odd_ones: Array, gone: Array,
    tops: Array, all_records: Array, tag: Array, last: Array,
    g: Array, top: Array, first: Array, since: Array, count: Array, odd: Array,
) -> None:  # fmt: skip
    """One view."""
    for t in range(len(time)):
        if stream[t] == 0 or y[t] != y[t]:
            continue
        before = gone[0]
        s, fresh = place(tag, last, gone, stream[t], time[t], DAY)
        if fresh:
            gone[0] = gone[0] if g[s] > 0.0 else before  # nothing of it is lost
            g[s] = top[s] = 0.0
        if g[s] == 0.0:
            first[s], since[s], count[s], odd[s] = number[t], time[t], 0, 0
        g[s] = min(max(g[s] + HALF * y[t] - EVEN, 0.0), MOST)
        count[s] += 1
        odd[s] += y[t] >= ODD
        all_records[0] += 1.0
        if all_records[0] > LASTING:
            all_records *= 0.5
            tops *= 0.5
        if g[s] == 0.0 or g[s] < top[s] - OVER:
            if top[s] > 0.0:
                strange = _score(top[s], tops, all_records[0]) >= LEAST
                tops[min(int(top[s] * COARSE), TOPS - 1)] += LITTLE if strange else 1.0
            g[s] = top[s] = 0.0
        elif g[s] >= top[s]:
            top[s] = g[s]
            if count[s] <= LONG <= number[t]:
                score[t] = _score(g[s], tops, all_records[0])
                run[t], began[t], records[t], odd_ones[t] = first[s], since[s], count[s], odd[s]

"""Several single records in a row that are slightly odd, none of which would be told by itself.

Such a run (decide/cusum.py) is told like one more record beside those that it is made of: a run
among all records of a system, and among those of one subject.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from amiss.data import Array, Floats, Frame, Reason, Records, State, series_key
from amiss.decide import cusum
from amiss.decide.finding import Finding
from amiss.decide.judged import LEAST
from amiss.steps import singles
from amiss.steps.judge import States
from amiss.steps.strange import Strange
from amiss.steps.whom import Whom, said
from amiss.subjects import slots
from amiss.text.dictionary import encoded
from amiss.text.names import hashed
from amiss.words.units import listed

IN_A_ROW = "_in_a_row"
KEPT = 64  # odd records that are remembered, to be shown
SHOWN = 5
MOST = 300.0  # nats
REASON, PART = "\t", "\x1f"  # between reasons, and between the parts of one


@dataclass(frozen=True, slots=True)
class _Odd:
    """Odd records in order: the latest of those before these, then those among these."""

    number: Array  # (K,)
    stream: Array  # (K, V)
    before: State
    records: Records
    rows: list[int]  # of these
    why: dict[int, tuple[Reason, ...]]  # of these that are strange, by their rows
    who: Array  # (K, W) what they say of Whom.names

    def of(self, number: int, first: int, v: int, stream: int) -> list[int]:
        """Those that a run is made of, up to this number."""
        end = int(np.searchsorted(self.number, number, "right"))
        here = slice(max(end - KEPT, 0), end)
        mine = (self.number[here] >= first) & (self.stream[here, v] == stream)
        return (here.start + np.flatnonzero(mine)).tolist()

    def said(self, k: int) -> str:
        """As it was written."""
        t = k - len(self.before["odd.said"])
        return singles.said_of(self.records, self.rows[t]) if t >= 0 else self.before["odd.said"][k]

    def blame(self, k: int) -> str:
        """What is odd about it, as it is kept: whether it comes from there makes no difference."""
        t = k - len(self.before["odd.blame"])
        return _written(self.why.get(self.rows[t], ())) if t >= 0 else self.before["odd.blame"][k]

    def kept(self) -> State:
        """What to remember of them."""
        last, who = range(max(len(self.number) - KEPT, 0), len(self.number)), self.who[-KEPT:]
        return {
            "odd.number": self.number[-KEPT:],
            "odd.stream": self.stream[-KEPT:],
            "odd.said": np.array([self.said(k) for k in last], dtype=str),
            "odd.blame": np.array([self.blame(k) for k in last], dtype=str),
            "odd.who": np.array(who.tolist(), dtype=str).reshape(who.shape),  # no wider than it is
        }


def judge(
    states: States, frame: Frame, nats: Floats, those: Strange, whom: Whom,
    interval: Floats, watched: Floats, seen: Array,
) -> tuple[States, Strange, Floats]:  # fmt: skip
    """T records and the strange ones -> these with runs, in order of time, and nats (T,) of both.

    Where a subject is more than its system, there are two ways to find a run, and each has half of
    the chance. The rest is as in singles.py. Cost: some 2 us a record.

    A run of a system is told as one of what the odd records in it have in common, such as the
    address that guesses the passwords of many; a run of a subject as one of whom its last record
    is about.
    """
    ways, records = whom.ways, singles.records_of(frame)
    state = states.get("streaks", {})
    if not state or len(state["tops"]) != len(ways):
        state = cusum.init(len(ways)) | _nothing(len(ways))
    who, shape = state.get("odd.who"), (len(state["odd.number"]), len(whom.names))
    if who is None or who.shape != shape:  # other settings, or an older version
        state = state | {"odd.who": np.zeros(shape, "U1")}
    stream = np.stack([_streams(records, way) for way in ways], axis=1)
    if len(ways) > 1:
        stream[stream[:, 1] == stream[:, 0], 1] = 0  # about nobody
    state, runs = cusum.step(state, frame.time, nats, stream)
    scores = runs.score - log(len(ways))
    odd = _odd(state, frame, runs, stream, nats, those, whom)
    at, which = np.nonzero(scores >= LEAST)
    found = list(zip(at.tolist(), which.tolist(), strict=True))
    made = [odd.of(runs.number[t], runs.first[t, v], v, stream[t, v]) for t, v in found]
    members = {k for of in made for k in of}  # runs have many in common
    reasons = {k: _read(odd.blame(k)) for k in members}
    texts = {k: odd.said(k) for k in {k for of in made for k in of[-SHOWN:]}}
    why = [[reason for k in of for reason in reasons[k]] for of in made]
    shown = [
        [texts[k] for k in of[-SHOWN:]] or [singles.said_of(records, t)]
        for of, (t, _) in zip(made, found, strict=True)
    ]
    own = [said(records, t, ways[v]) for t, v in found]
    named = [
        whom.of(records, t) if v else one | whom.common(odd.who[of])
        for one, of, (t, v) in zip(own, made, found, strict=True)
    ]
    more = Strange(
        time=frame.time[at],
        key=[_key(records, t, labels) for labels, (t, _) in zip(named, found, strict=True)],
        score=scores[at, which],
        interval=interval[at],
        watched=np.minimum(watched, seen * interval / 86400.0)[at],
        blame=[_most(some) for some in why],
        said=["\n".join(filter(None, some)) for some in shown],
        found=[
            Finding(
                _words(runs, t, v, _whose(one, labels, whom)),
                since=int(runs.since[t, v]),
                run=_key(records, t, one),
                about=_about(some),
            )
            for (t, v), some, one, labels in zip(found, why, own, named, strict=True)
        ],
        among=seen[at].tolist(),
    )
    states = states | {"streaks": state | odd.kept()}
    return states, those.and_also(more), np.fmax(nats, np.fmax.reduce(scores, axis=1))


def _key(records: Records, t: int, labels: Mapping[str, str]) -> str:
    name = str(records.name[t])
    return series_key(f"{name}{'' if name.endswith('s') else 's'}{IN_A_ROW}", labels)


def _words(runs: cusum.Runs, t: int, v: int, whose: str) -> str:
    """Where few are odd by themselves, to count those would sound like nothing."""
    odd, count = int(runs.odd[t, v]), int(runs.count[t, v])
    if 2 * odd < count:
        return f"the last {count}{whose} all together"
    return f"{odd} of the last {count}{whose} as odd as one in ten"


def _whose(own: Mapping[str, str], named: Mapping[str, str], whom: Whom) -> str:
    """Of which subject a run is that is told as one of somebody else."""
    of = [text for name, text in own.items() if name not in named and name not in whom.by]
    return f" of {listed(of)}" if of else ""


def _odd(
    state: State, frame: Frame, runs: cusum.Runs, stream: Array, nats: Floats, those: Strange,
    whom: Whom,
) -> _Odd:  # fmt: skip
    """Those that are remembered and those that came; why they are is known of the strange ones."""
    rows, hot = np.flatnonzero(runs.y >= cusum.ODD), np.flatnonzero(nats >= LEAST).tolist()
    return _Odd(
        np.concatenate([state["odd.number"], runs.number[rows]]),
        np.concatenate([state["odd.stream"], stream[rows]]),
        state,
        singles.records_of(frame),
        rows.tolist(),
        dict(zip(hot, those.blame, strict=True)),
        np.concatenate([state["odd.who"], whom.kept(singles.records_of(frame), rows)]),
    )


def _nothing(views: int) -> State:
    none = np.zeros(0, np.int64)
    return {
        "odd.number": none,
        "odd.stream": np.zeros((0, views), np.int64),
        "odd.said": np.zeros(0, "U1"),
        "odd.blame": np.zeros(0, "U1"),
    }


def _written(reasons: Sequence[Reason]) -> str:
    """Both separators are white space, of which no part has any but blanks."""
    parts = (
        (" ".join(r.about.split()), f"{r.nats:.4g}", " ".join(r.words.split())) for r in reasons
    )
    return REASON.join(map(PART.join, parts))


def _read(text: str) -> list[Reason]:
    """Those that were written; older versions wrote the words alone, whatever stood in them."""
    return [_parted(one) for one in text.split(REASON) if one]


def _parted(text: str) -> Reason:
    try:
        about, nats, words = text.split(PART)
        return Reason(about, words, float(nats))
    except ValueError:
        return Reason("", " ".join(text.split()))


def _most(reasons: list[Reason]) -> tuple[Reason, ...]:
    """What is most to blame for all of them, each kind once, by the sum of exp(nats).

    Not by how often: a number of ports is said of a record with a new one alone, and what goes
    along with it of each.
    """
    kinds, words = dict[str, float](), dict[str, dict[str, float]]()
    for one in reasons:
        kind, weight = one.about or one.words, exp(min(one.nats, MOST))
        kinds[kind] = kinds.get(kind, 0.0) + weight
        of = words.setdefault(kind, {})
        of[one.words] = of.get(one.words, 0.0) + weight
    worst = sorted(kinds, key=lambda kind: -kinds[kind])[: singles.BLAMED]
    return tuple(Reason(kind, max(words[kind], key=words[kind].__getitem__)) for kind in worst)


def _about(reasons: list[Reason]) -> str:
    """What most of them are about, whatever it said; "" if that is not known."""
    counts = Counter(one.about for one in reasons if one.about)
    return counts.most_common(1)[0][0] if counts else ""


def _streams(records: Records, way: tuple[str, ...]) -> Array:
    """A hash of these labels and what they say of each record (N,), never 0."""
    found = np.ones(len(records), np.uint64)
    for name in way:
        if name in records.labels:
            first, which = encoded(records.labels[name])
            texts = records.labels[name][first]
            named = hashed([f"{name}\n{text}" for text in texts.tolist()])
            said = np.where(texts == "", 0, named).astype(np.uint64)[which]
            found = np.where(said > 0, (found ^ said) * slots.MIX | np.uint64(1), found)
    return found.view(np.int64)

"""Single records: judged one by one, and told beside the series of the same systems."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from amiss.component import Detector
from amiss.data import (
    Array,
    Floats,
    Frame,
    Reason,
    Records,
    Scores,
    Strings,
    parse_key,
    series_key,
)
from amiss.decide import fuse, rank
from amiss.decide.finding import Finding, both
from amiss.decide.judged import LEAST, Judged
from amiss.memory import grow, place
from amiss.steps.judge import States, above, name_of
from amiss.steps.outcome import Outcome
from amiss.steps.strange import Strange
from amiss.steps.systems import system_of
from amiss.steps.whom import Whom
from amiss.subjects import conduct
from amiss.text.dictionary import encoded
from amiss.words.units import listed

BLAMED = 3  # fields named
LONGEST = 300  # characters of what a record said
TOGETHER = 256  # strange records that are grouped at once
BY_TICK = (
    "time", "scores", "value", "expected", "lower", "upper", "interval", "watched", "ready",
)  # fmt: skip


def judge_each(
    detectors: Sequence[Detector], states: States, frame: Frame
) -> tuple[States, Floats, list[tuple[Reason, ...]], list[Finding | None]]:
    """Score each record: (T, 1, F) -> nats (T,), and what is odd about the strange ones; learn.

    Also what rules found in those: where one holds, a record is strange. The harmonic mean of p, as
    for series; not compressed, as records may come by the thousand a second, of which one in a
    million is to be told. A detector without an opinion is left out.
    """
    states, opinions = dict(states), list[Scores]()
    ruled = np.zeros(len(frame.time), np.bool_)
    inverse = np.full((len(detectors), len(frame.time), 1), np.nan)
    for k, detector in enumerate(detectors):
        name = name_of(detector)
        width = len(frame.features)
        state = states.get(name) or detector.init(1, width)
        states[name], raw = detector.step(state, frame)
        if detector.apart:
            ruled |= raw.values[:, 0] > 0
            continue
        if detector.calibration == "nats":
            inverse[k] = np.exp(raw.values)
        else:
            past = grow(states.get(f"{name}.rank", {}), rank.init, 1)
            states[f"{name}.rank"], inverse[k] = rank.step(past, above(raw, detector.zero))
        opinions.append(raw)
    nats = fuse.harmonic(inverse[:, :, 0])
    nats[ruled] = np.fmax(nats[ruled], LEAST)
    hot = _hot(nats)
    odd = frame[hot]
    why: list[tuple[Reason, ...]] = [()] * len(odd.time)
    for raw in opinions:
        if raw.blame is not None:
            more = _blamed(odd, raw.blame[hot, 0])
        else:
            found = zip(hot.tolist(), nats[hot].tolist(), strict=True)
            said = raw.why or {}
            more = [tuple(replace(one, nats=x) for one in said.get(t, ())) for t, x in found]
        why = [(*before, *after) for before, after in zip(why, more, strict=True)]
    return states, nats, why, _found(detectors, states, odd)


def _found(detectors: Sequence[Detector], states: States, odd: Frame) -> list[Finding | None]:
    """What rules say of each of these records."""
    found: list[Finding | None] = [None] * len(odd.time)
    for detector in detectors:
        if detector.apart and detector.rule is not None:
            name, severity = detector.rule
            why, grave = detector.why(states[name_of(detector)], odd), detector.grave(odd)
            for t, (reasons, own) in enumerate(zip(why, grave, strict=True)):
                if reasons:
                    words = listed([one.words for one in reasons])
                    said = Finding(f"with {words}", (name,), own or severity)
                    found[t] = both(found[t], said)
    return found


def _hot(nats: Floats) -> Array:
    """The records that somebody may need to look at."""
    return np.flatnonzero(nats >= LEAST)


def strange(
    frame: Frame,
    nats: Floats,
    why: list[tuple[Reason, ...]],
    found: list[Finding | None],
    whom: Whom,
    interval: Floats,
    watched: Floats,
    seen: Array,
) -> Strange:
    """The strange ones of T records, and `why` each is; `whom` they are about.

    `interval`, `watched` and `seen` as in decide/pace.py. A record is no rarer than all that were
    seen can show: no more days are held to have been watched than so many take now.
    """
    records, hot = records_of(frame), _hot(nats)
    rows = hot.tolist()
    return Strange(
        time=frame.time[hot],
        key=[series_key(str(records.name[t]), whom.of(records, t)) for t in rows],
        score=nats[hot],
        interval=interval[hot],
        watched=np.minimum(watched, seen * interval / 86400.0)[hot],
        blame=why,
        said=[said_of(records, t) for t in rows],
        found=found,
        among=seen[hot].tolist(),
    )


def records_of(frame: Frame) -> Records:
    """Those that the ticks of a frame of single records are."""
    if frame.records is None:
        raise TypeError("features that give single records give them with the frame")
    return frame.records


def labelled(records: Records, by: tuple[str, ...]) -> Strings:
    """What these labels say of each record (N,), as a system is written: host="a"."""
    names = [name for name in by if name in records.labels]
    if not names or not len(records):
        return np.zeros(len(records), "U1")
    columns = [records.labels[name] for name in names]
    first, which = encoded(*columns)
    rows = zip(*(column[first].tolist() for column in columns), strict=True)
    found = [system_of(dict(zip(names, row, strict=True)), by) for row in rows]
    return np.array(found, dtype=str)[which]


def pieces(judged: Judged, those: Strange, by: tuple[str, ...]) -> Iterator[Judged]:
    """Series and single records in order of time, a few records at a time.

    Each may be about somebody else, and has a column then: together that is their square.
    """
    at = 0
    for first in range(0, len(those), TOGETHER):
        some, last = those[first : first + TOGETHER], first + TOGETHER >= len(those)
        due = len(judged.time) if last else int(np.searchsorted(judged.time, some.time[-1], "left"))
        yield merged(_ticks(judged, at, due), some, by)
        at = due
    if not len(those):
        yield judged


def _ticks(judged: Judged, first: int, end: int) -> Judged:
    """Some of its ticks."""
    if (first, end) == (0, len(judged.time)):
        return judged
    cut = {name: getattr(judged, name)[first:end] for name in BY_TICK}
    if judged.many is not None:
        cut["many"] = judged.many[first:end]
    blame = {(t - first, s): of for (t, s), of in judged.blame.items() if first <= t < end}
    blamed = {(t - first, s): of for (t, s), of in judged.blamed.items() if first <= t < end}
    found = {(t - first, s): of for (t, s), of in judged.found.items() if first <= t < end}
    votes = {(t - first, s): of for (t, s), of in judged.votes.items() if first <= t < end}
    return replace(judged, blame=blame, blamed=blamed, found=found, votes=votes, **cut)


def merged(judged: Judged, those: Strange, by: tuple[str, ...]) -> Judged:
    """Series and single records as one: a row for each tick and each record, in order of time."""
    known = set(judged.keys)
    keys = tuple(dict.fromkeys(key for key in those.key if key not in known))
    column = {key: s for s, key in enumerate((*judged.keys, *keys))}
    time = np.concatenate([those.time, judged.time])
    order = np.argsort(time, kind="stable")  # of one moment the records come first
    at, back = np.split(np.argsort(order), [len(those.time)])
    where = np.array([column[key] for key in those.key])

    def wide(values: Array, own: Floats | None) -> Floats:
        rows = np.full((len(those.time) + len(values), len(column)), np.nan)
        rows[len(those.time) :, : values.shape[1]] = values
        rows = rows[order]
        if own is not None:
            rows[at, where] = own
        return rows

    ready = np.zeros((len(time), len(column)), np.bool_)
    ready[len(those.time) :, : len(judged.keys)] = judged.ready
    ready = ready[order]
    ready[at, where] = True
    blame = {(int(back[t]), s): of for (t, s), of in judged.blame.items()}
    why = zip(at, where, those.blame, strict=True)
    blame |= {(int(t), int(s)): tuple(one.words for one in of) for t, s, of in why}
    found = {(int(back[t]), s): of for (t, s), of in judged.found.items()}
    said = {(int(t), int(s)): of for t, s, of in zip(at, where, those.said, strict=True) if of}
    holds = zip(at, where, those.found, strict=True)
    found |= {(int(t), int(s)): of for t, s, of in holds if of is not None}
    among = {(int(t), int(s)): of for t, s, of in zip(at, where, those.among, strict=True)}
    whose = tuple(system_of(parse_key(key)[1], by) for key in keys)
    return replace(
        judged,
        time=time[order],
        keys=tuple(column),
        systems=(*judged.systems, *whose),
        scores=wide(judged.scores, those.score),
        value=wide(judged.value, None),
        expected=wide(judged.expected, None),
        lower=wide(judged.lower, None),
        upper=wide(judged.upper, None),
        interval=wide(judged.interval, those.interval),
        many=None if judged.many is None else np.nan_to_num(wide(judged.many, None)),
        watched=wide(judged.watched, those.watched),
        ready=ready,
        blame=blame,
        blamed={(int(back[t]), s): of for (t, s), of in judged.blamed.items()},
        votes={(int(back[t]), s): of for (t, s), of in judged.votes.items()},
        said=said,
        found=found,
        among=among,
    )


def shown(outcome: Outcome, frame: Frame, worst: Floats) -> Outcome:
    """What is shown of each minute: the strangest record in it, if that is more than the count."""
    scores = outcome.scores
    strangest = place(worst, frame.keys, scores.keys)
    return replace(outcome, scores=replace(scores, values=np.fmax(scores.values, strangest)))


def _blamed(frame: Frame, blame: Floats) -> list[tuple[Reason, ...]]:
    """What is most to blame for each record (N, F), worst first, in words: country KP."""
    found = []
    for t, shares in enumerate(np.nan_to_num(blame)):
        said, least = _labels(records_of(frame), t), shares.max(initial=0.0) / 2
        worst = np.argsort(-shares, kind="stable")[:BLAMED].tolist()
        names = [frame.features[f] for f in worst if shares[f] > 0 and shares[f] >= least]
        values = dict(zip(frame.features, frame.values[t, 0].tolist(), strict=True))
        told = {n: f"{n} {_short(said[n], 40)}" for n in names if n in said}
        words = (told.get(n) or conduct.told(n, values, said) for n in names)
        each = (float(share) for share in shares[worst])
        found.append(tuple(map(Reason, names, words, each)))
    return found


def _labels(records: Records, t: int) -> dict[str, str]:
    return {name: str(column[t]) for name, column in records.labels.items() if column[t]}


def said_of(records: Records, t: int) -> str:
    """A record as it was written, or its fields."""
    text = "" if records.text is None else str(records.text[t])
    labels = sorted(_labels(records, t).items())
    return _short(text or ", ".join(f"{k}={v}" for k, v in labels), LONGEST)


def _short(text: str, most: int) -> str:
    line = " ".join(text[: 2 * most].split())
    return line if len(line) <= most else f"{line[:most]}..."

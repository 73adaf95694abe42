"""Series and the systems that they belong to: a host, a service, whatever `by` names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Blamed, Floats, Frame, Scores, parse_key, series_key
from amiss.decide.judged import LEAST, Judged
from amiss.decide.whole import expectations, higher
from amiss.steps.judge import WARM, Opinion, States, judge_whole, squeezed

BLAMED = 3  # metrics named
SYSTEM = "system"
"""What the score of all metrics of a system together is called."""


@lru_cache(maxsize=16)
def systems_of(keys: tuple[str, ...], by: tuple[str, ...]) -> tuple[str, ...]:
    """The system of each series, written like labels: host="web-3"; "" if it has none of `by`."""
    return tuple(system_of(parse_key(key)[1], by) for key in keys)


def system_of(labels: Mapping[str, str], by: tuple[str, ...]) -> str:
    """The system that these labels name."""
    return series_key("", {name: labels.get(name, "") for name in by})[1:-1]


def distinct(keys: tuple[str, ...], by: tuple[str, ...]) -> tuple[str, ...]:
    """Each system once, in the order of its first series: the rows of a joint detector."""
    return tuple(dict.fromkeys(systems_of(keys, by)))


@lru_cache(maxsize=16)
def _layout(
    keys: tuple[str, ...], by: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], Array, Array, Array]:
    """Systems, metrics, the place of each series among them, and who has what (systems, metrics).

    Others may look at the arrays, and nobody may change them.
    """
    metrics = []
    for key in keys:
        name, labels = parse_key(key)
        metrics.append(series_key(name, {k: v for k, v in labels.items() if k not in by}))
    systems = systems_of(keys, by)
    rows = {system: i for i, system in enumerate(distinct(keys, by))}
    columns = {metric: i for i, metric in enumerate(dict.fromkeys(metrics))}
    row = np.array([rows[s] for s in systems], np.int64)
    column = np.array([columns[m] for m in metrics], np.int64)
    there = np.zeros((len(rows), len(columns)), np.bool_)
    there[row, column] = True
    return tuple(rows), tuple(columns), row, column, there


def view(frame: Frame, by: tuple[str, ...]) -> Frame:
    """The same numbers with a system as series and its metrics as features.

    (T, S, 1) -> (T, systems, metrics); what a system does not have is NaN.
    """
    systems, metrics, row, column, _ = _layout(frame.keys, by)
    values = np.full((len(frame.time), len(systems), len(metrics)), np.nan)
    values[:, row, column] = frame.values[:, :, 0]
    return Frame(frame.time, systems, metrics, values)


def features_of(keys: tuple[str, ...], by: tuple[str, ...]) -> frozenset[str]:
    """The metrics of all systems, as `view` calls them."""
    return frozenset(_layout(keys, by)[1])


def judge_system(
    views: Sequence[Detector], states: States, frame: Frame, opinion: Opinion, by: tuple[str, ...]
) -> tuple[States, Scores, Scores, Array]:
    """Each system as a whole: F and nats (T, systems), and how many scores came before each.

    The nats come with blame and expectations; there is no opinion on a system of one metric.
    """
    own, nats = has(frame.keys, by), replace(frame, values=opinion.scores.values[:, :, None])
    said = judge_whole(views, states, view(frame, by), view(nats, by).values, own)
    states, raw, each, before = said
    several = own.sum(axis=1) > 1
    raw = replace(raw, values=np.where(several, raw.values, np.nan))
    expected, lower, upper = expectations(each, (*raw.values.shape, own.shape[1]))
    whole = replace(squeezed(raw), expected=expected, lower=lower, upper=upper)
    return states, raw, whole, before


def has(keys: tuple[str, ...], by: tuple[str, ...]) -> Array:
    """Which metrics each system has (systems, metrics), as `view` lays them out."""
    return _layout(keys, by)[4]


def joint_key(detector: str, system: str) -> str:
    """What the score of a whole system is called among the series: isolation_forest{host="a"}."""
    return f"{detector.partition('-')[0]}{{{system}}}"


def members_of(
    frame: Frame,
    opinion: Opinion,
    joint: Mapping[str, Scores],
    before: Mapping[str, Array],
    by: tuple[str, ...],
    voices: Mapping[str, Callable[[Floats], tuple[str, ...]]],
) -> Judged:
    """Series and whole systems side by side, as grouping wants them.

    `before`, by joint detector: (T, systems) how many scores came before each; `voices`: how those
    whom it asked say their votes.
    """
    scores, said = opinion.scores, [opinion.scores.expected, opinion.scores.lower]
    expected, lower, upper = (
        np.full(scores.values.shape, np.nan) if x is None else x[:, :, 0]
        for x in (*said, scores.upper)
    )
    shown = [scores.values, frame.values[:, :, 0], expected, lower, upper, opinion.interval]
    earlier = opinion.before
    keys, systems = frame.keys, systems_of(frame.keys, by)
    blame: dict[tuple[int, int], tuple[str, ...]] = {}
    blamed: dict[tuple[int, int], tuple[Blamed, ...]] = {}
    votes: dict[tuple[int, int], tuple[str, ...]] = {}
    if joint:
        together = view(frame, by)
        often = view(replace(frame, values=opinion.interval[:, :, None]), by)
        interval = np.fmin.reduce(often.values, axis=2, initial=np.inf)
        interval[np.isinf(interval)] = np.nan
        nothing = np.full(interval.shape, np.nan)
    for name, whole in joint.items():
        for (t, s), worst in _worst(whole, together):
            blame[t, len(keys) + s] = tuple(together.features[f] for f in worst)
            if whole.expected is not None:
                blamed[t, len(keys) + s] = _against(whole, together, t, s, worst)
        if whole.votes is not None:
            for t, s in np.argwhere(whole.values >= LEAST).tolist():
                votes[t, len(keys) + s] = voices[name](whole.votes[t, s])
        keys += tuple(joint_key(name, system) for system in whole.keys)
        systems += whole.keys
        more = [whole.values, whole.values, nothing, nothing, nothing, interval]
        shown = [np.concatenate(pair, axis=1) for pair in zip(shown, more, strict=True)]
        earlier = np.concatenate([earlier, before[name]], axis=1)
    score, value, expected, lower, upper, interval = shown
    many = None
    if SYSTEM in joint:  # which speaks for all of them; each has its own chance to be strange
        spoken = np.isfinite(joint[SYSTEM].values) & (before[SYSTEM] >= WARM)
        many = np.zeros(score.shape)
        dearer = np.where(spoken, higher(has(frame.keys, by)), 0.0)
        many[:, : len(frame.keys)] = dearer[:, _layout(frame.keys, by)[2]]
    return Judged(
        time=frame.time,
        keys=keys,
        systems=systems,
        scores=score,
        value=value,
        expected=expected,
        lower=lower,
        upper=upper,
        interval=interval,
        watched=earlier * interval / 86400.0,
        ready=earlier >= WARM,
        many=many,
        blame=blame,
        blamed=blamed,
        votes=votes,
    )


def _worst(whole: Scores, metrics: Frame) -> Iterator[tuple[tuple[int, int], list[int]]]:
    """Where a system is strange, the few metrics that are most to blame, worst first.

    Where it says what was expected of them, only those that were there.
    """
    if whole.blame is None:
        return
    for t, s in np.argwhere(whole.values >= LEAST).tolist():
        blame = np.nan_to_num(whole.blame[t, s])
        if whole.expected is not None:
            blame = np.where(np.isfinite(metrics.values[t, s]), blame, 0.0)
        worst = np.argsort(-blame, kind="stable")[:BLAMED].tolist()
        least = blame.max(initial=0.0) / 2
        yield (t, s), [f for f in worst if blame[f] > 0 and blame[f] >= least]


def _against(whole: Scores, metrics: Frame, t: int, s: int, worst: list[int]) -> tuple[Blamed, ...]:
    """What was seen of these metrics of a system, and what the others let expect."""
    found = []
    for f in worst:
        name, labels = parse_key(metrics.features[f])
        key = series_key(name, labels | parse_key(f"x{{{metrics.keys[s]}}}")[1])
        bands = (whole.expected, whole.lower, whole.upper)
        said = [float(band[t, s, f]) for band in bands if band is not None]
        found.append(Blamed(key, float(metrics.values[t, s, f]), *said))
    return tuple(found)

"""Series and the systems that they belong to: a host, a service, whatever `by` names."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from amiss.data import Array, Frame, Scores, parse_key, series_key
from amiss.decide.group import LEAST, Judged
from amiss.judge import WARM, Opinion

BLAMED = 3  # metrics named


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
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...], tuple[int, ...]]:
    """Systems, metrics, and the place of each series among them."""
    metrics = []
    for key in keys:
        name, labels = parse_key(key)
        metrics.append(series_key(name, {k: v for k, v in labels.items() if k not in by}))
    systems = systems_of(keys, by)
    rows = {system: i for i, system in enumerate(distinct(keys, by))}
    columns = {metric: i for i, metric in enumerate(dict.fromkeys(metrics))}
    return (
        tuple(rows),
        tuple(columns),
        tuple(rows[s] for s in systems),
        tuple(columns[m] for m in metrics),
    )


def view(frame: Frame, by: tuple[str, ...]) -> Frame:
    """The same numbers with a system as series and its metrics as features.

    (T, S, 1) -> (T, systems, metrics); what a system does not have is NaN.
    """
    systems, metrics, row, column = _layout(frame.keys, by)
    values = np.full((len(frame.time), len(systems), len(metrics)), np.nan)
    values[:, list(row), list(column)] = frame.values[:, :, 0]
    return Frame(frame.time, systems, metrics, values)


def joint_key(detector: str, system: str) -> str:
    """What the score of a whole system is called among the series: isolation_forest{host="a"}."""
    return f"{detector.partition('-')[0]}{{{system}}}"


def members_of(
    frame: Frame,
    opinion: Opinion,
    joint: Mapping[str, Scores],
    before: Mapping[str, Array],
    by: tuple[str, ...],
) -> Judged:
    """Series and whole systems side by side, as grouping wants them.

    `before`, by joint detector: (T, systems) how many scores came before each.
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
    if joint:
        often = view(replace(frame, values=opinion.interval[:, :, None]), by)
        interval = np.fmin.reduce(often.values, axis=2, initial=np.inf)
        interval[np.isinf(interval)] = np.nan
        nothing = np.full(interval.shape, np.nan)
    for name, whole in joint.items():
        for (t, s), worst in _blamed(whole, often.features):
            blame[t, len(keys) + s] = worst
        keys += tuple(joint_key(name, system) for system in whole.keys)
        systems += whole.keys
        more = [whole.values, whole.values, nothing, nothing, nothing, interval]
        shown = [np.concatenate(pair, axis=1) for pair in zip(shown, more, strict=True)]
        earlier = np.concatenate([earlier, before[name]], axis=1)
    score, value, expected, lower, upper, interval = shown
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
        blame=blame,
    )


def _blamed(
    whole: Scores, metrics: tuple[str, ...]
) -> Iterator[tuple[tuple[int, int], tuple[str, ...]]]:
    """Where a system is strange, the few metrics that are most to blame, worst first."""
    if whole.blame is None:
        return
    for t, s in np.argwhere(whole.values >= LEAST).tolist():
        blame = np.nan_to_num(whole.blame[t, s])
        worst = np.argsort(-blame, kind="stable")[:BLAMED].tolist()
        least = blame.max(initial=0.0) / 2
        yield (t, s), tuple(metrics[f] for f in worst if blame[f] > 0 and blame[f] >= least)

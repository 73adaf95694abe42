"""Series and the systems that they belong to: a host, a service, whatever `by` names."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from amiss.data import Frame, Scores, parse_key, series_key
from amiss.decide.group import Judged
from amiss.judge import Opinion


@lru_cache(maxsize=16)
def systems_of(keys: tuple[str, ...], by: tuple[str, ...]) -> tuple[str, ...]:
    """The system of each series, written like labels: host="web-3"; "" if it has none of `by`."""
    return tuple(system_of(parse_key(key)[1], by) for key in keys)


def system_of(labels: Mapping[str, str], by: tuple[str, ...]) -> str:
    """The system that these labels name."""
    return series_key("", {name: labels.get(name, "") for name in by})[1:-1]


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
    rows = {system: i for i, system in enumerate(dict.fromkeys(systems))}
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
    frame: Frame, opinion: Opinion, joint: Mapping[str, Scores], by: tuple[str, ...], warm: int
) -> Judged:
    """Series and whole systems side by side, as grouping wants them."""
    scores, said = opinion.scores, [opinion.scores.expected, opinion.scores.lower]
    expected, lower, upper = (
        np.full(scores.values.shape, np.nan) if x is None else x[:, :, 0]
        for x in (*said, scores.upper)
    )
    shown = [scores.values, frame.values[:, :, 0], expected, lower, upper, opinion.interval]
    ready = opinion.before >= warm
    keys, systems = frame.keys, systems_of(frame.keys, by)
    blame: dict[tuple[int, int], tuple[str, ...]] = {}
    if joint and len(frame.time):
        metrics = _layout(frame.keys, by)[1]
        often = np.nanmin(opinion.interval, axis=1, initial=np.inf)
        for name, opinions in joint.items():
            first = len(keys)
            keys += tuple(joint_key(name, system) for system in opinions.keys)
            systems += opinions.keys
            shape = opinions.values.shape
            nothing = np.full(shape, np.nan)
            interval = np.repeat(often[:, None], shape[1], axis=1)
            more = [opinions.values, opinions.values, nothing, nothing, nothing, interval]
            shown = [np.concatenate(pair, axis=1) for pair in zip(shown, more, strict=True)]
            ready = np.concatenate([ready, np.isfinite(opinions.values)], axis=1)
            if opinions.blame is not None:
                for t, s in np.argwhere(opinions.values >= 4.0).tolist():
                    worst = np.argsort(-np.nan_to_num(opinions.blame[t, s]))[:3]
                    blame[t, first + s] = tuple(metrics[f] for f in worst.tolist())
    score, value, expected, lower, upper, interval = shown
    return Judged(
        frame.time, keys, systems, score, value, expected, lower, upper, interval, ready, blame
    )

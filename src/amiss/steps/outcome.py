"""What one step of a pipeline has to say, and how that of several pieces becomes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from amiss.data import Array, Floats, Frame, Incident, Scores
from amiss.memory import align, place


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one step has to say."""

    frame: Frame  # the values that were judged, one column for each known series
    scores: Scores  # (T, S) nats, with expected, lower and upper (T, S, 1)
    seen: Array  # (S,) samples that each series has been seen
    joint: Mapping[str, Scores] = field(default_factory=dict)  # by detector: (T, systems) nats
    raw: Mapping[str, Scores] = field(default_factory=dict)  # the same before calibration
    incidents: tuple[Incident, ...] = ()  # new revisions, in order
    skipped: Mapping[str, int] = field(default_factory=dict)  # what was left out, by reason


def join(parts: Sequence[Outcome]) -> Outcome:
    """One outcome of several that follow one another; the series known at the end come first.

    Of joint detectors the scores alone: their metrics may be others in each part.
    """
    if len(parts) == 1:
        return parts[0]
    last, keys = parts[-1], dict.fromkeys(parts[-1].frame.keys)
    for part in parts[:-1]:  # and those forgotten on the way, if they have something to show
        there = np.any(np.isfinite(part.frame.values), axis=(0, 2))
        keys |= {key: None for key, was in zip(part.frame.keys, there, strict=True) if was}
    frames = [align(part.frame, tuple(keys)) for part in parts]
    time = np.concatenate([frame.time for frame in frames])
    values = np.concatenate([frame.values for frame in frames])
    joint, raw = (
        {name: _chain([getattr(p, of)[name] for p in parts]) for name in getattr(last, of)}
        for of in ("joint", "raw")
    )
    return Outcome(
        frame=Frame(time, tuple(keys), last.frame.features, values),
        scores=_chain([part.scores for part in parts], tuple(keys), bands=True),
        seen=np.concatenate([last.seen, np.zeros(len(keys) - len(last.seen), last.seen.dtype)]),
        joint=joint,
        raw=raw,
        incidents=tuple(incident for part in parts for incident in part.incidents),
    )


def _chain(parts: Sequence[Scores], keys: tuple[str, ...] = (), bands: bool = False) -> Scores:
    """Scores that follow one another, for these keys, or for all that any part has."""
    keys = keys or tuple(dict.fromkeys(key for part in reversed(parts) for key in part.keys))

    def column(name: str) -> Floats:
        return np.concatenate([place(getattr(part, name), part.keys, keys) for part in parts])

    said = [column(name) for name in ("expected", "lower", "upper")] if bands else []
    return Scores(np.concatenate([part.time for part in parts]), keys, column("values"), *said)

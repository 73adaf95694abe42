"""Models of one kind of sample each: fitted, validated, asked together, written and read.

Each is an `Ensemble` of one detector, whose past is what it said of the last fifth of its history,
which it was not fitted on; those of one kind of sample together are an `Ensemble` of all.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss import fitting, memory, model
from amiss.component import Detector
from amiss.data import SECOND, Floats, Frame, State
from amiss.detectors.ensemble import Ensemble
from amiss.errors import ConfigError, StateError
from amiss.facade.config import KINDS
from amiss.model import Card, Figures
from amiss.steps.judge import name_of

LEAST = 100  # samples: a fifth of them is the past that a model is calibrated on


@dataclass(frozen=True, slots=True)
class Trained:
    """One model."""

    name: str  # isolation_forest, lstm or dbscan
    kind: str  # of its samples
    detector: Detector
    features: tuple[str, ...]
    state: State  # of an ensemble of this one
    samples: int
    at: int  # ns
    seconds: float
    figures: Figures


def alone(detector: Detector) -> Ensemble:
    """An ensemble asks for two at least, and reckons with one as well."""
    return Ensemble.model_construct(detectors=(detector,))


def frame(rows: Floats, features: tuple[str, ...], kind: str, first: int = 0) -> Frame:
    """Samples (N, F) as ticks of one system: the n-th at n seconds, as they have no time."""
    at = (first + 1 + np.arange(len(rows))) * SECOND
    return Frame(at, (f'kind="{kind}"',), features, rows[:, None, :])


def train(
    name: str, kind: str, detector: Detector, rows: Floats, features: tuple[str, ...]
) -> Trained:
    """Fit on samples (N, F), in their order, and validate on the last fifth.

    Raises ConfigError for too few samples, StateError where nothing can be learned from them.
    Cost: that of two fits.
    """
    if len(rows) < LEAST:
        raise ConfigError(
            f"{name}: {len(rows)} samples of kind {kind!r} are too few to train on; "
            f"{LEAST} are needed"
        )
    began, history, one = time.monotonic(), frame(rows, features, kind), alone(detector)
    try:
        (state,) = fitting.fit(one, {}, history).values()
    except StateError as exc:
        hint = "; a larger eps or fewer min_samples make a crowd" if name == "dbscan" else ""
        raise StateError(f"{name}, samples of kind {kind!r}: {exc}{hint}") from None
    figures = fitting.validate(one, history)
    return Trained(
        name, kind, detector, features, state, len(rows), time.time_ns(),
        round(time.monotonic() - began, 3), {"validation": figures},
    )  # fmt: skip


class Asked:
    """The models of one kind of sample, and what the one that remembers has seen."""

    def __init__(self, models: Sequence[Trained], contamination: float) -> None:
        self.models = tuple(models)
        self.features = self.models[0].features
        self.ensemble = Ensemble.model_construct(
            detectors=tuple(one.detector for one in self.models), contamination=contamination
        )
        self._state = {
            _placed(column, k): array.copy()
            for k, one in enumerate(self.models)
            for column, array in one.state.items()
        }
        self._seen = 0

    def ask(self, rows: Floats) -> tuple[Floats, Floats, Floats]:
        """Samples (N, F) in their order -> nats (N,), those of each model (N, K), blame (N, F)."""
        ticks = frame(rows, self.features, self.models[0].kind, self._seen)
        self._state, scores = self.ensemble.step(self._state, ticks)
        self._seen += len(rows)
        blame, votes = scores.blame, scores.votes
        assert blame is not None and votes is not None  # noqa: S101 - an ensemble has both
        return scores.values[:, 0], votes[:, 0], blame[:, 0]


def _placed(column: str, k: int) -> str:
    """The name of a column of an ensemble of one in that of several."""
    if column == "past.0":
        return f"past.{k}"
    return f"{k}.{column.removeprefix('0.')}"


def save(one: Trained, folder: Path) -> Path:
    """One file, arrays and a card, no code. ConfigError if it cannot be written."""
    own = name_of(one.detector)
    states: Mapping[str, State] = {own: one.state}
    card = Card(
        name=one.name, detector=own, pipeline=one.kind,
        id=model.content(one.kind, own, memory.dump(states)), samples=one.samples,
        trained=one.at, seconds=one.seconds, first=0, last=one.samples, features=one.features,
        figures=one.figures | {"settings": one.detector.model_dump(mode="json")},
    )  # fmt: skip
    path = folder / f"{one.name}.{one.kind}.npz"
    part = path.with_name(f"{path.name}.part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.write_bytes(model.write(card, states))
        part.replace(path)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror}") from None
    return path


def load(path: Path) -> Trained:
    """What `save` wrote. StateError if it is damaged, ConfigError if it cannot be read."""
    try:
        card, states = model.read(path.read_bytes())
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from None
    except StateError as exc:
        raise StateError(f"{path}: {exc}") from None
    try:
        figures = dict(card.figures)
        detector = KINDS[card.name].model_validate(figures.pop("settings"))
        state = states[card.detector]
    except (KeyError, ValueError):
        raise StateError(f"{path}: is no model of this kind, or of another version") from None
    return Trained(
        card.name, card.pipeline, detector, card.features, state, card.samples, card.trained,
        card.seconds, figures,
    )  # fmt: skip

"""Several models asked about one snapshot, and what they say together."""

from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import ConfigDict, Field, model_validator

from amiss.component import FEEDBACK, AnyOf, Detector
from amiss.data import Array, Floats, Frame, Scores, State, measured
from amiss.decide import tail
from amiss.detecting.snapshots import evenly
from amiss.errors import StateError
from amiss.memory import flat, nested

HELD = 5  # one tick in so many, the latest, is kept to calibrate on
LEAST = 20  # scores in the past of a member before it has an opinion
MOST = 8192  # that are kept
LITTLE = 1e-300
SURE = 500.0  # nats; there is nothing between it and certainty
APART = 0.5  # confidences of members that differ by more disagree


def _member(kind: type[Any]) -> bool:
    """Detectors of whole systems that are fitted."""
    return bool(kind.joint and kind.fits() and kind is not Ensemble)


class Ensemble(Detector):
    """Detectors of whole systems, each calibrated by its own past, and one confidence of them all.

        s_k = nats of member k: how rare its score is among those of its past (decide/tail.py)
        score = s, of `voting`:
          mean      -ln of the harmonic mean of the p_k = exp(-s_k), by `weights`
          any       the largest s_k, less ln of how many were heard
          majority  what more than half reach, less ln of one in how many that is
          all       the least s_k
        confidence = c B / (c B + 1 - c),   B = (e^s - 1 - s) / s^2,   c = contamination

    exp(-s) is a p-value; for `mean` up to a small factor (Vovk and Wang, "Combining p-values via
    averaging", 2020). The confidence is the probability that the snapshot is an anomaly, if one in
    1 / c is and if p of anomalies is distributed as x p^(x - 1), every x between 0 and 1 as likely
    as any other (Sellke, Bayarri and Berger, "Calibration of p values", 2001, bound it over x).
    At s = 0 it is about c / 2, at c = .05 and s = 5 it is .23, at s = 10 .92.

    Members are fitted on the first four fifths of the history, and their past is what they say of
    the rest, which they have not seen: at least 20 scores, without what is labelled suspicious if
    one of them reads labels; the others never see those, and where these are `feedback` nothing of
    what is not called normal. A member that could not be fitted has no opinion and is left out.
    Blame: each metric's share in what each member blames, by its s_k.
    `voices` says in words what each of them said, and whether they disagree. Cost: that of the
    members.
    """

    model_config = ConfigDict(defer_build=True)  # members are in the same folder

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 1_000_000
    tolerance: ClassVar[float] = 1e-9

    type: Literal["ensemble"] = "ensemble"
    detectors: Annotated[
        tuple[Annotated[Detector, AnyOf("amiss.detectors", _member)], ...],
        Field(
            min_length=2,
            max_length=8,
            examples=[
                [{"type": "isolation_forest"}, {"type": "one_class_svm"}, {"type": "dbscan"}]
            ],
        ),
    ]
    """Two or more that judge whole systems and are fitted."""
    voting: Literal["mean", "any", "majority", "all"] = "mean"
    """How many of them it takes: the mean weighs all, any is enough, more than half, or all."""
    weights: tuple[Annotated[float, Field(gt=0, le=1e6)], ...] = ()
    """Of the mean: what each of them weighs; all the same if it is not said."""
    contamination: float = Field(0.05, gt=0, le=0.5)
    """The share of snapshots that are anomalies, as far as is known: the confidence follows it,
    no alert does."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.weights and self.voting != "mean":
            raise ValueError(f"weights: with voting: {self.voting} nobody weighs more; leave them")
        if self.weights and len(self.weights) != len(self.detectors):
            raise ValueError(
                f"weights: {len(self.weights)} for {len(self.detectors)} detectors; write one each"
            )
        for detector in self.detectors:
            if self.detectors.count(detector) > 1:
                raise ValueError(f"detector {_type(detector)!r} is in it twice with equal settings")
        if (held := sum(detector.state_bytes for detector in self.detectors)) > self.state_bytes:
            raise ValueError(
                f"together these remember {held:,} bytes of a system; {self.state_bytes:,} is most"
            )
        return self

    @property
    def shared(self) -> frozenset[str]:  # type: ignore[override]
        """What the members share, and the scores of their pasts."""
        own = enumerate(self.detectors)
        columns = {f"{k}.{name}" for k, detector in own for name in detector.shared}
        return frozenset(columns | {f"past.{k}" for k in range(len(self.detectors))})

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether a member learns from what people said of incidents."""
        return any(_label(detector) == FEEDBACK for detector in self.detectors)

    def init(self, series: int, features: int) -> State:
        """Nobody has learned anything."""
        own = enumerate(self.detectors)
        members = flat({str(k): detector.init(series, features) for k, detector in own})
        return members | {f"past.{k}": np.zeros(0) for k in range(len(self.detectors))}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Ask each, and put together what they say."""
        state, said, blame = self._ask(state, frame)
        scores = self.fused(said)
        blame[np.isnan(scores)] = np.nan
        votes = np.moveaxis(said, 0, 2)
        return state, Scores(frame.time, frame.keys, scores, blame=blame, votes=votes)

    def forecast(self, state: State) -> dict[str, Floats]:
        """What its members forecast; of two that do the same metric the first."""
        states, found = nested(state), dict[str, Floats]()
        for k, detector in enumerate(self.detectors):
            found = detector.forecast(states[str(k)]) | found
        return found

    def confidence(self, scores: Floats) -> Floats:
        """The probability that it is an anomaly, by the equation above."""
        s = np.clip(scores, 0.0, SURE)
        small = s < 1e-3  # where the difference would lose all digits
        some = np.where(small, 1.0, s)
        factor = np.where(small, 0.5 + s / 6.0, (np.expm1(some) - some) / some**2)
        odds = factor * self.contamination / (1.0 - self.contamination)
        found: Floats = odds / (1.0 + odds)
        return found

    def fused(self, said: Floats) -> Floats:
        """What members say (K, T, S) -> what they say together (T, S); NaN where nobody does."""
        heard = np.isfinite(said)
        count = heard.sum(axis=0)
        most = np.maximum(count, 1)
        if self.voting == "mean":
            weights = np.array(self.weights or [1.0] * len(said))[:, None, None] * heard
            inverse = (weights * np.exp(np.where(heard, said, 0.0))).sum(axis=0)
            fused = np.log(np.maximum(inverse, LITTLE) / np.maximum(weights.sum(axis=0), LITTLE))
        else:
            ranked = -np.sort(-np.where(heard, said, -1.0), axis=0)  # the strangest first
            needed = {"any": np.ones_like(most), "majority": count // 2 + 1, "all": most}
            some = np.minimum(needed[self.voting], most)
            fused = np.take_along_axis(ranked, some[None] - 1, axis=0)[0] - np.log(most / some)
        found: Floats = np.where(count > 0, np.maximum(fused, 0.0), np.nan)
        return found

    def voices(self, votes: Floats) -> tuple[str, ...]:
        """The confidence of all, that of each that has an opinion, and whether they disagree."""
        together, each = self.fused(votes[:, None, None])[0, 0], self.confidence(votes)
        heard = each[np.isfinite(each)]
        if not len(heard):
            return ()
        names = [_type(detector) for detector in self.detectors]
        sure = float(self.confidence(np.array(together)))
        words = [f"{n} {c:.2f}" for n, c in zip(names, each, strict=True) if np.isfinite(c)]
        words = [f"confidence {sure:.2f}", *words]
        return (*words, "they disagree") if float(np.ptp(heard)) > APART else tuple(words)

    def silent(self, state: State) -> tuple[str, ...]:
        """Members without a past."""
        members = enumerate(self.detectors)
        return tuple(_type(detector) for k, detector in members if not len(state[f"past.{k}"]))

    def fit(self, state: State, history: Frame) -> State:
        """All members anew, on history (T, S, F).

        The old ones stay where none has learned enough to have an opinion. Raises StateError if
        all refuse.
        """
        cut = len(history.time) - len(history.time) // HELD
        labels = {_label(detector) for detector in self.detectors} - {""}
        usual = ~_suspicious(history[cut:], labels)
        states, pasts, refused = dict[str, State](), dict[str, Array](), list[StateError]()
        for k, detector in enumerate(self.detectors):
            seen = history if _label(detector) else _without(history, labels)
            first = detector.init(len(history.keys), len(seen.features))
            try:
                states[str(k)], past = _learned(detector, first, seen, cut, usual)
            except StateError as exc:
                states[str(k)], past = first, np.zeros(0)
                refused.append(exc)
            pasts[str(k)] = past if len(past) >= LEAST else np.zeros(0)
        if not any(len(past) for past in pasts.values()):
            if len(refused) == len(self.detectors):
                raise refused[0]
            return state
        return flat(states) | flat({"past": pasts})

    def _ask(self, state: State, frame: Frame) -> tuple[State, Floats, Floats]:
        """What members say (K, T, S), and the shares that they blame, by that (T, S, F)."""
        states = nested(state)
        said = np.full((len(self.detectors), *frame.values.shape[:2]), np.nan)
        blamed = np.zeros(frame.values.shape)
        for k, detector in enumerate(self.detectors):
            states[str(k)], scores = detector.step(states[str(k)], frame)
            if len(past := states["past"][str(k)]):
                heard = np.isfinite(scores.values)
                said[k][heard] = tail.nats(past, scores.values[heard])
            if scores.blame is not None:
                blame = np.nan_to_num(scores.blame)
                share = blame / np.maximum(blame.sum(axis=2, keepdims=True), LITTLE)
                blamed += np.nan_to_num(said[k])[..., None] * share
        total = np.nan_to_num(said).sum(axis=0)[..., None]
        return flat(states), said, blamed / np.maximum(total, LITTLE)


def _learned(
    detector: Detector, first: State, history: Frame, cut: int, usual: Array
) -> tuple[State, Array]:
    """A member fitted before the cut, and its sorted scores of what was usual after it."""
    fitted = detector.fit(first, history[:cut])
    state = {name: array.copy() for name, array in fitted.items()}
    if set(state) - detector.shared:
        state, _ = detector.step(state, history[:cut])
    raw = detector.step(state, history[cut:])[1].values
    past = np.sort(raw[usual & np.isfinite(raw)])[::-1]
    return fitted, past[evenly(len(past), MOST)][::-1].copy()  # the largest among them


def _suspicious(history: Frame, labels: set[str]) -> Array:
    """(T, S): what somebody called suspicious."""
    found = np.zeros(history.values.shape[:2], np.bool_)
    for label in labels & set(history.features):
        found |= measured(history.column(label)) > 0
    return found


def _without(history: Frame, labels: set[str]) -> Frame:
    """History without labels, and where they are feedback without what is not called normal."""
    kept = [f for f, name in enumerate(history.features) if name not in labels]
    names, values = tuple(history.features[f] for f in kept), history.values[:, :, kept]
    if FEEDBACK in labels & set(history.features):
        normal = measured(history.column(FEEDBACK)) == 0
        values = np.where(normal[:, :, None], values, np.nan)
    return Frame(history.time, history.keys, names, values)


def _label(detector: Detector) -> str:
    """The metric that this member learns from; "" if it needs none."""
    return str(getattr(detector, "label", ""))


def _type(detector: Detector) -> str:
    return str(getattr(detector, "type"))  # noqa: B009

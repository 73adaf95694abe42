"""What a network of another program says: its own score, or how far its forecast is off."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from amiss.component import Detector
from amiss.data import Array, Floats, Frame, Scores, State, measured
from amiss.detecting import inference
from amiss.detecting.inference import Network
from amiss.dropped import FAILED
from amiss.errors import StateError
from amiss.networks import gaps, scaling, sliding
from amiss.networks.columns import observed, share, taken
from amiss.networks.scaling import Scaling


class Onnx(Detector):
    """A network in the ONNX format, trained anywhere, on windows of rows of the metrics named.

        score: output           what it says, a number; higher is stranger
        score: forecast         mean over the metrics of (x - what it says of the row)^2, by the
                                `window` rows before it
        score: reconstruction   the same mean over all of the window that it gives back

    Its input is (1, window, metrics) or (1, window x metrics), float or double, in the order in
    which metrics are named; a double one is given float32 values too, none beyond 3e38. With
    `standardise` it is given deviations from the mean, both of the history that it is fitted on,
    and forecasts and gives back such. A metric that is not there counts as its mean, and its error
    as nothing. No opinion before the first fit, which learns means, calibrates and keeps the
    network with the model; nor until the window is full, nor of a window that the network cannot
    be run on, or says no number of: these are counted. Run by ONNX Runtime in one thread, window by
    window: the same in any company. Blame is the share of a metric in the error. Cost: one run of
    the network a row.
    """

    joint: ClassVar[bool] = True
    state_bytes: ClassVar[int] = 400_028  # with as many rows and metrics as there may be
    shared: ClassVar[frozenset[str]] = frozenset(("scaling", "interval", "network"))
    tolerance: ClassVar[float] = 1e-9

    type: Literal["onnx"] = "onnx"
    file: str = Field(min_length=1, examples=["forecaster.onnx"])
    """The network, 16 MB at most, weights included."""
    sha256: str = Field("", pattern=r"^([0-9a-f]{64})?$", validate_default=True)
    """The checksum that the file must have; without, it is that of the file as it is now."""
    metrics: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        min_length=1, max_length=200, examples=[["cpu_percent", "memory_percent"]]
    )
    """What the network is given, in its order."""
    window: int = Field(1, ge=1, le=500)
    """Rows that it is given at once."""
    score: Literal["output", "forecast", "reconstruction"] = "output"
    """What its output is."""
    standardise: bool = False
    """Whether it is given deviations from the mean, learned when it is fitted."""
    input: str = ""
    """The name of its input, if it has several."""
    output: str = ""
    """The name of its output, if it has several."""

    @field_validator("file")
    @classmethod
    def _there(cls, file: str, info: ValidationInfo) -> str:
        if looked_at(info):
            inference.read(file)
        return file

    @field_validator("sha256")
    @classmethod
    def _unchanged(cls, sha256: str, info: ValidationInfo) -> str:
        if "file" not in info.data or not looked_at(info):
            return sha256
        found = inference.read(info.data["file"])[1]
        if sha256 not in ("", found):
            raise ValueError(f"{info.data['file']} was changed: its SHA-256 is now {found}")
        return found

    @model_validator(mode="after")
    def _fitting(self, info: ValidationInfo) -> Self:
        if not looked_at(info):
            return self
        body, digest = inference.read(self.file)
        try:
            network = self._network(body, digest)
        except ValueError as exc:
            raise ValueError(f"{self.file}: {exc}") from None
        said = network.size
        sizes = {
            "output": 1,
            "forecast": len(self.metrics),
            "reconstruction": self.window * len(self.metrics),
        }
        if said != sizes[self.score]:
            raise ValueError(
                f"{self.file}: its output {network.output!r} is of {said} numbers; with score: "
                f"{self.score} it must be of {sizes[self.score]}"
            )
        return self

    @property
    def _rows(self) -> int:
        """The rows of a window with the one that is forecast."""
        return self.window + (self.score == "forecast")

    def _network(self, body: bytes | memoryview, digest: str) -> Network:
        named = (self.input, self.output)
        return inference.network(body, digest, self.window, len(self.metrics), named)

    def init(self, series: int, features: int) -> State:
        """No network yet; of each system the last rows."""
        return {
            "scaling": np.zeros((4, len(self.metrics))),
            "interval": np.zeros(1, np.int64),
            "network": np.zeros(0, np.uint8),
            FAILED: np.zeros(series, np.int64),
            **gaps.init(series),
            **sliding.init(series, self._rows, len(self.metrics)),
        }

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """Ask the network about each row with those before it."""
        scores = np.full(frame.values.shape[:2], np.nan)
        if not len(state["network"]):
            return state, Scores(frame.time, frame.keys, scores)
        network = self._network(state["network"].data, self.sha256)
        *scale, mean = state["scaling"]
        away = Scaling(*scale)(taken(measured(frame.values), frame.features, self.metrics))
        away = np.clip(away, -inference.MOST, inference.MOST)
        error = np.full(away.shape, np.nan)

        def ask(windows: Floats) -> Floats:
            return network(np.where(np.isnan(windows), mean, windows)[:, : self.window])

        for s, ticks, given, said in sliding.through(state, frame.time, away, ask, _plain):
            state[FAILED][s] += int((~np.isfinite(said)).all(axis=1).sum())
            if self.score == "output":
                scores[ticks, s] = said[:, 0]
            elif self.score == "forecast":
                error[ticks, s] = (given[:, -1] - said) ** 2
            else:
                square = (given - said.reshape(given.shape)) ** 2
                there = np.isfinite(square).sum(axis=1)
                total = np.nan_to_num(square).sum(axis=1) / np.maximum(there, 1)
                error[ticks, s] = np.where(there > 0, total, np.nan)
        if self.score == "output":
            scores[~np.isfinite(scores)] = np.nan
            return state, Scores(frame.time, frame.keys, scores)
        scores, blame = share(np.where(np.isfinite(error), error, np.nan))
        told = taken(blame, self.metrics, frame.features)
        return state, Scores(frame.time, frame.keys, scores, blame=told)

    def fit(self, state: State, history: Frame) -> State:
        """Take the network in, and learn means and deviations of history (T, S, F).

        The old state stays where one of the metrics is never there. Raises StateError if the file
        cannot be read, or is another one since.
        """
        values = taken(measured(history.values), history.features, self.metrics)
        rows = values[observed(values)]
        if not len(rows) or not np.isfinite(rows).any(axis=0).all():
            return state
        try:
            body, digest = inference.read(self.file)
        except ValueError as exc:
            raise StateError(f"nothing to fit: {exc}") from None
        if digest != self.sha256:
            raise StateError(
                f"nothing to fit: {self.file} was changed: its SHA-256 is now {digest}"
            )
        scale, mean = scaling.learn(rows), np.zeros(rows.shape[1])
        if not self.standardise:
            scale, mean = Scaling(mean, np.ones(len(mean)), np.full(len(mean), np.inf)), scale.mean
        return self.init(len(history.keys), len(history.features)) | {
            "scaling": np.array([scale.mean, scale.scale, scale.most, mean]),
            "interval": gaps.usual(history.time),
            "network": np.frombuffer(body, np.uint8).copy(),
        }


def looked_at(info: ValidationInfo) -> bool:
    """Whether files are to be there: not for an example, nor of a model that has its own."""
    return not (info.context or {}).get("without_files")


def _plain(windows: Floats) -> Array:
    """As they are."""
    return windows

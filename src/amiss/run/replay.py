"""One pipeline over what was recorded: the same steps as live, and nobody is told.

Live fits the models of joint detectors by the way, in the background; here that is done at the
sample that it is due, and the model is in use from the next one on.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from amiss.component import Detector
from amiss.data import Frame, Records
from amiss.errors import StateError
from amiss.judge import States, name_of
from amiss.memory import align
from amiss.outcome import Outcome
from amiss.pipeline import Pipeline
from amiss.run.commits import NOTHING
from amiss.run.fit import fit_apart
from amiss.run.training import FIRST
from amiss.run.watch import put_to_use
from amiss.run.watched import Fitted
from amiss.systems import view

MOST_BYTES = 256 * 2**20  # of samples held to fit models on


def replay(pipeline: Pipeline, batches: Iterable[Records]) -> Iterator[Outcome]:
    """Records of the past, by time -> what each step has to say, from an empty memory on.

    The result does not depend on how they come in batches, as long as no time is in two.
    A model that could not be fitted is counted among what was skipped.
    """
    states, models, last = pipeline.init(), _Models(pipeline), 0
    for batch in batches:
        last = int(batch.time[-1])
        for records in models.cut(batch):
            states, outcome = pipeline.step(states, records)
            models.see(outcome.frame, len(np.unique(records.time)))
            failed = models.fit(states)
            yield replace(outcome, skipped={**outcome.skipped, **failed}) if failed else outcome
    # nothing more is to come, so the tick that the last record lies in is complete
    end = last + getattr(pipeline.features, "every", 0)
    yield pipeline.step(states, replace(NOTHING, watermark=end))[1]


@dataclass(slots=True)
class _Models:
    """What is to be fitted, and the samples for that."""

    pipeline: Pipeline
    times: int = 0  # that were stepped
    held: deque[Frame] = field(default_factory=deque)
    bytes: int = 0

    @property
    def detectors(self) -> list[Detector]:
        """Those that have anything to fit."""
        return [d for d in self.pipeline.detectors if d.joint and d.fits()]

    @property
    def due(self) -> int | None:
        """How many times are to be seen before the next fit."""
        left = (n for n in FIRST if n > self.times)
        return next(left, None) if self.detectors else None

    def cut(self, batch: Records) -> Iterator[Records]:
        """A batch in parts, so that one ends where models are due."""
        while self.due is not None and len(batch):
            edges = np.append(np.flatnonzero(np.diff(batch.time)) + 1, len(batch))
            wanted = self.due - self.times
            if wanted >= len(edges):
                break
            end = int(edges[wanted - 1])
            yield replace(batch[:end], watermark=int(batch.time[end - 1]))
            batch = batch[end:]
        if len(batch):
            yield batch

    def see(self, frame: Frame, times: int) -> None:
        """Hold what models are to be fitted on."""
        if self.due is None:
            self.held.clear()
            return
        self.times += times
        with np.errstate(over="ignore"):  # as live holds them
            slim = replace(frame, values=frame.values.astype(np.float32))
        self.held.append(slim)
        self.bytes += slim.values.nbytes
        while self.bytes > MOST_BYTES and len(self.held) > 1:
            self.bytes -= self.held.popleft().values.nbytes

    def fit(self, states: States) -> dict[str, int]:
        """Fit what is due and put it to use; the models with which that did not work."""
        failed: dict[str, int] = {}
        if self.times not in FIRST or not self.detectors or not self.held:
            return failed
        keys = self.held[-1].keys
        frames = [align(frame, keys) for frame in self.held]
        time = np.concatenate([frame.time for frame in frames])[-self.times :]
        values = np.concatenate([frame.values for frame in frames])[-self.times :]
        together = view(Frame(time, keys, ("value",), values.astype(float)), self.pipeline.by)
        for detector in self.detectors:
            name = name_of(detector)
            try:
                fitted = fit_apart(detector, {}, together)
            except StateError:
                failed[f"model {name.partition('-')[0]} could not be fitted"] = 1
            else:
                put_to_use(self.pipeline, states, Fitted(name, together.keys, fitted))
        return failed

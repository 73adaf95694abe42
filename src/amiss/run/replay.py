"""One pipeline over what was recorded: the same steps as live, and nobody is told.

Live fits the models of joint detectors by the way, in the background; here that is done at the
sample that it is due, and the model is in use from the next one on.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from amiss.component import Detector
from amiss.data import Frame, Records, Times
from amiss.errors import StateError
from amiss.fitting import trained
from amiss.memory import align
from amiss.pipeline import Pipeline
from amiss.run.commits import NOTHING
from amiss.run.fit import fit_apart
from amiss.run.training import FIRST
from amiss.run.watch import put_to_use
from amiss.run.watched import Fitted
from amiss.steps.judge import States, name_of
from amiss.steps.outcome import Outcome
from amiss.steps.systems import view

MOST_BYTES = 256 * 2**20  # of samples held to fit models on


def replay(pipeline: Pipeline, batches: Iterable[Records]) -> Iterator[Outcome]:
    """Records of the past, by time -> what each step has to say, from an empty memory on.

    The result does not depend on how they come in batches, as long as no time is in two.
    A model that could not be fitted is counted among what was skipped.
    """
    states, models, last = pipeline.init(), _Models(pipeline), 0
    for batch in batches:
        last = int(batch.time.max(initial=last))
        for records in models.cut(batch):
            states, outcome = pipeline.step(states, records)
            models.see(outcome.frame, records)
            failed = models.fit(states)
            yield replace(outcome, skipped={**outcome.skipped, **failed}) if failed else outcome
    # nothing more is to come, so the tick that the last record lies in is complete
    end = last + models.every
    yield pipeline.step(states, replace(NOTHING, watermark=end))[1]


@dataclass(slots=True)
class _Models:
    """What is to be fitted, and the samples for that."""

    pipeline: Pipeline
    times: int = 0  # ticks in which something came
    newest: int | None = None  # the last of them
    ready: bool = False  # so many are there now that a fit is due
    held: deque[Frame] = field(default_factory=deque)
    bytes: int = 0

    @property
    def every(self) -> int:
        """Nanoseconds from one tick of its series to the next."""
        return self.pipeline.every

    def _tick(self, time: Times) -> Times:
        return -(-time // self.every)

    @property
    def detectors(self) -> list[Detector]:
        """Those that have anything to fit."""
        return trained(self.pipeline.detectors)

    @property
    def due(self) -> int | None:
        """How many ticks are to be seen before the next fit."""
        left = (n for n in FIRST if n > self.times)
        return next(left, None) if self.detectors else None

    def cut(self, batch: Records) -> Iterator[Records]:
        """A batch in parts, so that one ends where models are due."""
        if self.due is not None and (np.diff(batch.time) < 0).any():  # lines of a log
            order = np.argsort(batch.time, kind="stable")
            batch = replace(batch[order], skipped=batch.skipped)
        while self.due is not None and len(batch):
            tick = self._tick(batch.time)
            edges = np.append(np.flatnonzero(np.diff(tick)) + 1, len(batch))
            had = tick[0] - 1 if self.newest is None else self.newest
            ticks = np.cumsum(np.diff(tick, prepend=had) > 0)
            edges = edges[ticks[edges - 1] >= self.due - self.times]
            if not len(edges) or edges[0] == len(batch):
                break
            end = int(edges[0])
            promised = int(batch.time[end - 1])
            if batch.watermark is not None:
                promised = min(promised, batch.watermark)
            yield replace(batch[:end], watermark=promised, skipped=batch.skipped)
            batch = batch[end:]
        if len(batch) or batch.watermark is not None:
            yield batch

    def see(self, frame: Frame, records: Records) -> None:
        """Hold what models are to be fitted on."""
        if self.due is None:
            self.held.clear()
            return
        ticks = np.unique(self._tick(records.time))
        if self.newest is not None:
            ticks = ticks[ticks > self.newest]
        before, self.times = self.times, self.times + len(ticks)
        self.newest = int(ticks[-1]) if len(ticks) else self.newest
        self.ready = any(before < n <= self.times for n in FIRST)
        with np.errstate(over="ignore"):  # as live holds them
            slim = replace(frame, values=frame.values.astype(np.float32))
        self.held.append(slim)
        self.bytes += slim.values.nbytes
        while self.bytes > MOST_BYTES and len(self.held) > 1:
            self.bytes -= self.held.popleft().values.nbytes

    def fit(self, states: States) -> dict[str, int]:
        """Fit what is due and put it to use; the models with which that did not work."""
        failed: dict[str, int] = {}
        if not self.ready or not self.detectors or not self.held:
            return failed
        keys = self.held[-1].keys
        frames = [align(frame, keys) for frame in self.held]
        time = np.concatenate([frame.time for frame in frames])[-self.times :]
        values = np.concatenate([frame.values for frame in frames])[-self.times :]
        together = view(Frame(time, keys, ("value",), values.astype(float)), self.pipeline.by)
        for detector in self.detectors:
            name = name_of(detector)
            try:
                fitted = fit_apart(detector, {}, together).states
            except StateError:
                failed[f"model {name.partition('-')[0]} could not be fitted"] = 1
            else:
                put_to_use(self.pipeline, states, Fitted(name, together.keys, fitted))
        return failed

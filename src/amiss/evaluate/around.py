"""What series looked like around incidents, cut out as a replay goes by, in bounded memory."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from amiss.data import DAY, HOUR, MINUTE, SECOND, Array, Floats, Incident
from amiss.decide import pulse
from amiss.drawing.curve import broken
from amiss.steps.outcome import Outcome
from amiss.store import Points
from amiss.words.phrases import worst_first
from amiss.words.wording import is_whole

BYTES = 128 * 2**20  # of the last stretch of all series
MEMBERS = 3  # drawn of an incident
INCIDENTS = 60  # that are drawn: the worst
POINTS = 320  # of a curve
BEFORE = 120  # samples that are shown before an incident, at least
AFTER = 20


@dataclass(frozen=True, slots=True)
class Curve:
    """A series around an incident: columns as `curve.broken` gives them, time in ms."""

    series: str
    every: float  # seconds between samples
    time: Floats
    value: Floats
    score: Floats
    expected: Floats
    lower: Floats
    upper: Floats


@dataclass(slots=True)
class Around:
    """The last stretch of all series, and what was cut out of it."""

    blocks: deque[tuple[tuple[str, ...], Array, Array]] = field(default_factory=deque)
    bytes: int = 0
    waiting: dict[str, tuple[int, Incident]] = field(default_factory=dict)  # until when, by id
    drawn: dict[str, tuple[Incident, tuple[Curve, ...]]] = field(default_factory=dict)

    def take(self, outcome: Outcome, told: tuple[Incident, ...]) -> None:
        """Remember a step; of `told`, the incidents that are over are cut out a little later."""
        self._remember(outcome)
        for incident in told:
            if incident.until is not None:
                self.waiting[incident.id] = (window(incident, self._every(incident))[1], incident)
        newest = int(outcome.frame.time[-1]) if len(outcome.frame.time) else 0
        for id, (until, incident) in list(self.waiting.items()):
            if until <= newest:
                del self.waiting[id]
                self._cut(incident)

    def end(self, still: tuple[Incident, ...]) -> None:
        """Cut out what waits, and what is `still` open."""
        for incident in (*(one for _, one in self.waiting.values()), *still):
            self._cut(incident)
        self.waiting.clear()
        self.blocks.clear()

    def _remember(self, outcome: Outcome) -> None:
        frame, scores = outcome.frame, outcome.scores
        if not len(frame.time):
            return
        nothing = np.full(scores.values.shape, np.nan)
        bands = (scores.expected, scores.lower, scores.upper)
        shown = [nothing if band is None else band[:, :, 0] for band in bands]
        cells = np.stack([frame.values[:, :, 0], scores.values, *shown], axis=2)
        with np.errstate(over="ignore"):
            slim = cells.astype(np.float32)
        self.blocks.append((frame.keys, frame.time, slim))
        self.bytes += slim.nbytes
        while self.bytes > BYTES and len(self.blocks) > 1:
            self.bytes -= self.blocks.popleft()[2].nbytes

    def _cut(self, incident: Incident) -> None:
        every = self._every(incident)
        start, end = window(incident, every)
        curves = (self._curve(key, start, end) for key in drawn(incident))
        self.drawn[incident.id] = incident, tuple(curve for curve in curves if curve)
        if len(self.drawn) > INCIDENTS:
            least = worst_first([one for one, _ in self.drawn.values()])[-1]
            self.drawn[least.id] = least, ()
            self.drawn = {id: it for id, it in self.drawn.items() if it[1]}

    def _curve(self, key: str, start: int, end: int) -> Curve | None:
        points = self._points(key, start, end)
        if len(points) < 2:
            return None
        every = float(np.median(np.diff(points.time))) / SECOND
        return Curve(key, every, *broken(points, every, POINTS))

    def _points(self, key: str, start: int, end: int) -> Points:
        times, found = [np.zeros(0, np.int64)], [np.zeros((0, 5), np.float32)]
        for keys, time, cells in self.blocks:
            if time[-1] < start or time[0] > end or key not in keys:
                continue
            inside = (time >= start) & (time <= end)
            seen = cells[inside, keys.index(key)]
            there = np.isfinite(seen[:, 0])
            times.append(time[inside][there])
            found.append(seen[there])
        return Points(np.concatenate(times), *np.concatenate(found).astype(float).T)

    def _every(self, incident: Incident) -> int:
        """ns between the samples of the first member, of late."""
        key = next((m.series for m in incident.members), "")
        for keys, time, cells in reversed(self.blocks):
            if key in keys:
                there = np.isfinite(cells[:, keys.index(key), 0])
                if there.sum() > 1:
                    return int(np.median(np.diff(time[there])))
        return MINUTE


def drawn(incident: Incident) -> list[str]:
    """The series that are drawn of an incident."""
    rate = pulse.rate_of(incident.system)  # of single records, which have no curve
    keys = [rate if m.said else m.series for m in incident.members if not is_whole(m)]
    keys += [one.series for m in incident.members for one in m.blamed]
    return list(dict.fromkeys(keys))[:MEMBERS]


def window(incident: Incident, every: int) -> tuple[int, int]:
    """From when to when a picture shows what was normal, what was not, and what came then."""
    end = incident.seen if incident.until is None else incident.until
    lasted = end - incident.since
    before = max(min(max(3 * lasted, HOUR), 2 * DAY), BEFORE * every)
    return incident.since - before, end + max(lasted // 4, 10 * MINUTE, AFTER * every)

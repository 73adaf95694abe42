"""What a configuration will need, worked out before anything runs."""

from dataclasses import dataclass

from amiss.data import DAY
from amiss.decide import expect, rank, size
from amiss.pipeline import Pipeline
from amiss.run.recent import BYTES as MOST_RECENT
from amiss.run.recent import COLUMNS
from amiss.run.recent import TICKS as RECENT
from amiss.settings import Keep, Settings

PROGRAM = 200 * 2**20  # bytes without series; the dashboard takes as much again once it is opened
ON_DISK = 3.2  # bytes a point of history, measured by benchmarks/history_bytes.py


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one pipeline with so many series."""

    series: int
    memory: int  # bytes
    disk: int  # bytes of history, once it is as long as it is kept


def cost(pipeline: Pipeline, series: int, keep: Keep, share: float) -> Cost:
    """`share` is the part of the history's room that this pipeline may take."""
    recent = min(RECENT * len(COLUMNS) * 4 * series, MOST_RECENT)
    points = keep.days * DAY / pipeline.every * series
    disk = min(points * ON_DISK, share * keep.megabytes * 2**20)
    return Cost(series, state_bytes(pipeline) * series + recent, int(disk))


def state_bytes(pipeline: Pipeline) -> int:
    """Bytes of state for one series."""
    states = [expect.init(1)]
    for detector in pipeline.detectors:
        if not detector.joint:
            states.append(detector.init(1, len(detector.needs)))
            states.append((rank if detector.calibration == "rank" else size).init(1))
    return sum(array.nbytes for state in states for array in state.values())


def of_all(settings: Settings, series: dict[str, int]) -> dict[str, Cost]:
    """By pipeline."""
    total = max(sum(series.values()), 1)
    return {
        pipeline.name: cost(
            pipeline, series[pipeline.name], settings.keep, series[pipeline.name] / total
        )
        for pipeline in settings.pipelines
    }

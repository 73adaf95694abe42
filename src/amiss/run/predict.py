"""What the joint models say of the latest snapshot: the answer to /predict."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan

from amiss.data import parse_key, series_key
from amiss.run.now import Now


@dataclass(frozen=True, slots=True)
class Prediction:
    """Of the first system that is watched."""

    time: int  # ns; 0 before the first snapshot
    warming: bool  # no forest yet
    reason: str
    anomaly: bool  # the forest's score is over the bar at which an incident opens
    score: float  # nats; NaN before there is one
    p: float
    target: str  # of the forecast; "" without one
    forecast: float
    metrics: Mapping[str, float]


def predict(now: Now) -> Prediction:
    """Isolation forest and regression on the snapshot in this picture."""
    pipeline, system = (now.series[0].pipeline, now.series[0].system) if now.series else ("", "")
    series = [one for one in now.series if (one.pipeline, one.system) == (pipeline, system)]
    joint = [one for one in now.joint if (one.pipeline, one.system) == (pipeline, system)]
    said = {one.detector: one for one in joint}
    forest, regression = said.get("isolation_forest"), said.get("linear_regression")
    forecasts = regression.forecast if regression else {}
    target, forecast = next(iter(forecasts.items()), ("", nan))
    ready = forest is not None and isfinite(forest.score)
    return Prediction(
        time=max((one.time for one in series), default=0),
        warming=not ready,
        reason="" if ready else f"the models have not been fitted yet; {now.reason}",
        anomaly=forest is not None and ready and forest.score >= now.budget.bar,
        score=forest.score if forest else nan,
        p=forest.p if forest else nan,
        target=target,
        forecast=forecast,
        metrics={_metric(one.key, one.system): one.value for one in series},
    )


def _metric(key: str, system: str) -> str:
    """A key without the labels that name its system."""
    name, labels = parse_key(key)
    of_system = parse_key(f"x{{{system}}}")[1]
    return series_key(name, {k: v for k, v in labels.items() if k not in of_system})

"""Every figure that has a goal: what it is, and from where on it is acceptable, good, excellent."""

from dataclasses import dataclass
from math import inf, isnan

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """The ranges of a figure that reach its floor, its target, its stretch; None: there is none."""

    what: str
    floor: Range
    target: Range | None = None
    stretch: Range | None = None

    def reached(self, value: float) -> str:
        """The best of the three that holds the value; `below floor` if none does."""
        for name in ("stretch", "target", "floor"):
            span = getattr(self, name)
            if span is not None and span[0] <= value <= span[1]:
                return name
        return "below floor"


def written(span: Range | None) -> str:
    """A range as it stands in a table: .9, <= 1.3 or .8-1.2."""
    if span is None:
        return ""
    low, high = span
    if high == inf:
        return f"{low:,.7g}"
    return f"<= {high:,.7g}" if low == -inf else f"{low:g}-{high:g}"


def said(value: float | None) -> str:
    """A figure as it stands in a table: three digits or so; nothing for nothing."""
    if value is None or isnan(value):
        return ""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if 0.99 < value < 1.0:
        return f"{value:.4f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def _least(what: str, *levels: float) -> Goal:
    """The more the better."""
    return Goal(what, *((level, inf) for level in levels))


def _most(what: str, *levels: float) -> Goal:
    """The less the better."""
    return Goal(what, *((-inf, level) for level in levels))


RECALL = "events found at one false alert per series-week, thresholds from other curves"
FALSE = "false alerts per series-week that came of it"
BAND = "normal points inside the band"
GOALS: dict[str, Goal] = {
    "nab.theta6.standard": _least("NAB, standard profile, score >= 6", 68.5, 70.5, 75),
    "nab.best.low_fp": _least("NAB, low false positives, best threshold", 60, 62, 67),
    "nab.best.low_fn": _least("NAB, low false negatives, best threshold", 73, 75, 80.5),
    "nab.band": Goal(BAND, (0.98, 0.998)),
    "wsd.recall": _least(RECALL, 0.85, 0.91, 0.95),
    "wsd.false": _most(FALSE, 1.5, 1.3),
    "wsd.band": Goal(BAND, (0.98, 0.998)),
    "kpi.recall": _least(RECALL, 0.65, 0.72, 0.82),
    "kpi.false": _most(FALSE, 1.5, 1.3),
    "kpi.band": Goal(BAND, (0.98, 0.998)),
    "budget.nab.ratio": Goal("alerts told for one asked", (0.8, 1.2), (0.9, 1.1)),
    "budget.nab.within": _least("series told between half and double", 0.7, 0.8, 0.9),
    "budget.nab.recall": _least("events with an alert inside", 0.75, 0.81, 0.88),
    "asd.vus_pr": _least("VUS-PR, mean of hosts", 0.45, 0.53, 0.62),
    "asd.recall": _least("events with an alert, one alert a day asked", 0.65, 0.77, 0.88),
    "asd.ratio": _most("alerts told for one asked", 1.3, 1.1),
    "asd.band": Goal(BAND, (0.98, 0.998)),
    "smd.vus_pr": _least("VUS-PR, mean of hosts", 0.52, 0.62, 0.7),
    "smd.recall": _least("events with an alert, one alert a day asked", 0.55, 0.75, 0.85),
    "smd.ratio": _most("alerts told for one asked", 1.4, 1.2),
    "smd.band": Goal(BAND, (0.98, 0.998)),
    "hdfs.ap": _least("average precision of blocks", 0.93, 0.98, 0.995),
    "hdfs.f1": _least("F1 of the alerts", 0.85, 0.92, 0.96),
    "templates.ga": _least("grouping accuracy, mean of systems", 0.9, 0.96, 0.99),
    "csic.roc": _least("ROC-AUC, 5 % attacks", 0.95, 0.985, 0.995),
    "unsw.ap": _least("average precision, 5 % attacks", 0.7, 0.8, 0.86),
    "unsw.roc": _least("ROC-AUC, 5 % attacks", 0.94, 0.955, 0.97),
    "nslkdd.ap": _least("average precision, 5 % attacks", 0.87, 0.92, 0.96),
    "dirty.unsw.ap": _least("average precision, 1 % attacks in the history", 0.26, 0.45, 0.65),
    "dirty.nslkdd.ap": _least("average precision, 1 % attacks in the history", 0.83, 0.88, 0.92),
    "speed.narrow": _least("points/s on one core, one series in batches", 1e6, 1e6, 2e6),
    "speed.wide": _least("points/s on one core, 100,000 series", 1e6, 2e6, 5e6),
    "speed.state": _most("bytes of state a series", 2100, 1600, 1000),
}

"""What a run is given, and what it hands back."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

from amiss.evaluate.quality.figures import Values, values_of
from amiss.evaluate.quality.goals import GOALS, Goal
from amiss.evaluate.quality.said import Costs

AMISS = "Amiss"
LAYER = " + layer"
"""What is added to the name of a method that has the calibration of Amiss around it."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of Amiss, and the same of all others. What was not measured in full is no judge."""

    name: str
    value: float
    note: str = ""
    judged: bool = True
    beside: dict[str, float] = field(default_factory=dict)

    @property
    def goal(self) -> Goal | None:
        """What it should be."""
        return GOALS.get(self.name)

    @property
    def reached(self) -> str:
        """How far it came: floor, target, stretch, below floor, or nothing."""
        if self.goal is None or isnan(self.value):
            return ""
        return self.goal.reached(self.value) if self.judged else "not judged"


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the data are, where to write, what it costs; `tell` hears of each step that is done."""

    data: Path
    work: Path
    quick: bool = False
    costs: Costs = field(default_factory=Costs)
    tell: Callable[[str], None] = lambda _: None


def together(found: Values, beside: dict[str, Values], judged: bool = True) -> list[Figure]:
    """The figures of Amiss with the same of all others beside them."""
    others = {method: values_of(values) for method, values in beside.items()}
    return [
        Figure(name, value, note, judged, {m: of[name] for m, of in others.items() if name in of})
        for name, (value, note) in found.items()
    ]

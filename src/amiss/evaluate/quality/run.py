"""All measures, one after the other."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from amiss.errors import ConfigError
from amiss.evaluate.quality import rare, suites
from amiss.evaluate.quality.baselines import BASELINES
from amiss.evaluate.quality.bench import Bench, Figure
from amiss.evaluate.quality.inputs import Missing
from amiss.warm import warm

Measure = Callable[[Bench], list[Figure]]
MEASURES: Mapping[str, Measure] = {
    "nab": partial(suites.single, kind="nab"),
    "wsd": partial(suites.single, kind="wsd"),
    "kpi": partial(suites.single, kind="kpi"),
    "asd": partial(suites.systems, kind="asd"),
    "smd": partial(suites.systems, kind="smd"),
    "hdfs": rare.blocks,
    "templates": rare.templates,
    "csic": rare.requests,
    "unsw": rare.flows,
    "nslkdd": rare.connections,
    "dirty.unsw": rare.dirty_flows,
    "dirty.nslkdd": rare.dirty_connections,
    "speed": suites.quickness,
}
ALONE = ("templates", "speed")
"""Those without baselines."""

SHARE = {
    "nab": 6, "wsd": 25, "kpi": 32, "asd": 9, "smd": 20, "hdfs": 2, "templates": 1,
    "csic": 4, "unsw": 6, "nslkdd": 5, "dirty.unsw": 6, "dirty.nslkdd": 5, "speed": 2,
}  # fmt: skip
"""How long each takes, compared to the others."""


@dataclass(slots=True)
class Results:
    """Figures, and the measures that were left out, with the reason."""

    figures: list[Figure] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def below(self) -> list[str]:
        """Figures that do not reach their floor."""
        return [figure.name for figure in self.figures if figure.reached == "below floor"]


def chosen(only: str) -> list[str]:
    """The measures that a list with commas names; all if it is empty. Raises ConfigError."""
    asked = [name.strip() for name in only.split(",") if name.strip()]
    unknown = next((name for name in asked if name not in MEASURES), None)
    if unknown is not None:
        raise ConfigError(
            f"--only: there is no measure {unknown[:40]!r}; known: {', '.join(MEASURES)}"
        )
    return [name for name in MEASURES if not asked or name in asked]


def run(
    bench: Bench, names: Sequence[str], told: Callable[[str, float], None] = lambda *_: None
) -> Iterator[tuple[str, list[Figure] | str]]:
    """Each measure by name: its figures, or why it is left out.

    `told` hears what is done with, and how much of the whole (0 to 1) that was. Tables and logs
    are written to a temporary folder within `bench.work`. Raises ConfigError for data that are
    there and not laid out as they should be. Matrices are multiplied on one core: costs compare.
    """
    from threadpoolctl import threadpool_limits

    warm()
    whole = sum(SHARE[name] for name in names)
    for name in names:
        steps = 1 if name in ALONE else 1 + len(BASELINES)
        part = SHARE[name] / whole / steps

        def tell(method: str, name: str = name, part: float = part) -> None:
            told(f"{name}: {method}", part)

        with tempfile.TemporaryDirectory(dir=bench.work) as place, threadpool_limits(1):
            try:
                found = MEASURES[name](replace(bench, work=Path(place), tell=tell))
            except Missing as exc:
                yield name, str(exc)
            else:
                yield name, found

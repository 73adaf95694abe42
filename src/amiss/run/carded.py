"""What is written on the card of a model that was fitted."""

from collections.abc import Mapping
from importlib.metadata import version

import numpy as np

from amiss.component import Detector
from amiss.data import Frame
from amiss.model import Card
from amiss.run.fit import Fit
from amiss.steps.judge import name_of


def carded(
    detector: Detector, pipeline: str, history: Frame, found: Fit, left_out: Mapping[str, int]
) -> Card:
    """The card of what was fitted on a history, as yet without id, moment and duration."""
    seed = getattr(detector, "seed", None)
    settings = detector.model_dump(mode="json")
    said = {
        "left_out": dict(left_out),
        "seed": seed,
        "versions": {"amiss": version("amiss"), "numpy": np.__version__},
        "settings": settings,
    }
    return Card(
        name=name_of(detector).partition("-")[0],
        detector=name_of(detector),
        pipeline=pipeline,
        id="",
        samples=len(history.time),
        trained=0,
        seconds=0.0,
        first=int(history.time[0]),
        last=int(history.time[-1]),
        features=history.features,
        systems=history.keys,
        figures=found.figures | said,
    )

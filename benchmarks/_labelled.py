"""Public labelled data as the benchmarks take it: single curves (NAB, WSD, KPI), hosts (ASD, SMD).

How it lies in a folder is said in amiss/evaluate/quality/inputs.py.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality import inputs
from amiss.evaluate.quality.inputs import Curve, Host

INTERVAL = {"asd": 300, "smd": 60}
"""Seconds between the rows of a host, which carry no times."""
BEGIN = 1_577_836_800  # and so begin at a midnight


def curves(folder: Path) -> list[Curve]:
    """The curves of a folder, by name."""
    found = inputs.curves(folder.parent, folder.name)
    return [replace(one, value=one.value.astype(np.float64)) for one in found]


def hosts(folder: Path) -> list[Host]:
    """The hosts of a folder, by name."""
    found = inputs.hosts(folder.parent, folder.name)
    return [replace(one, train=_written(one.train), test=_written(one.test)) for one in found]


def _written(numbers: Array) -> Floats:
    """The numbers as they would stand in a file."""
    return numbers.astype(str).astype(np.float64)

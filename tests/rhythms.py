"""A made-up host with a rhythm of the day, for what learns windows of rows."""

import numpy as np

from amiss.data import Floats
from made import Chance

DAY = 144  # rows of ten minutes
NAMES = ("requests", "cpu", "memory")


def rhythm(days: int, seed: int = 0) -> Floats:
    """Requests, CPU and memory go up and down together every day."""
    chance, t = Chance(seed), np.arange(days * DAY)
    requests = 100 + 80 * np.sin(2 * np.pi * t / DAY) + 4 * chance.normal(len(t))
    cpu = 10 + 0.3 * requests + chance.normal(len(t))
    return np.column_stack([requests, cpu, 50 + 0.1 * requests + chance.normal(len(t))])

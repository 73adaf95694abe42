"""Work on as many cores as there are: kernels let go of the interpreter, so threads will do."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from amiss.steps.judge import Each


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def each(threads: int) -> Each:
    """What goes through work that does not depend on its order, with so many threads."""
    return ThreadPoolExecutor(threads, "judge").map if threads > 1 else map

"""How sequential loops are compiled: once, cached on disk, without the interpreter's lock.

`fastmath` stays off: results must not depend on company, batch or machine.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first call for the types given, or take it from the cache of an earlier run."""
    compiled: Callable[P, R] = njit(cache=True, nogil=True)(function)
    return compiled

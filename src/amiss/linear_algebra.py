"""Linear algebra takes one thread: sums in one order, whatever machine it is and has to do.

Matrices are small here. Libraries that share them out among cores wait for each other in a loop,
which costs more than the product does, and sum in an order that goes by the number of cores.
"""

from collections.abc import Iterator
from contextlib import contextmanager

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The environment of a process that does so from its start on."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Within a process that began otherwise."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        yield

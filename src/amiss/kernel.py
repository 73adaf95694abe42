"""How sequential loops are compiled: once, cached on disk, without the interpreter's lock.

`fastmath` stays off: results must not depend on company, batch or machine.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import platformdirs


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """A library that is not there, for as long as this lasts."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]


# numba asks scipy for linear algebra that no kernel uses: 12 MB in every process that serves
with _hidden("scipy"):
    import numba
    from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def _cache() -> bool:
    """Choose the folder of compiled kernels; whether there is one that can be written.

    Its name changes with the source of any kernel: numba looks at the file of a kernel alone,
    and would go on using what it had compiled of a kernel that it calls.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return True
    here, sources = Path(__file__).parent, hashlib.blake2b(digest_size=8)
    for path in sorted([*here.glob("decide/*.py"), *here.glob("detectors/*.py")]):
        source = path.read_bytes()
        if b"@kernel" in source:
            sources.update(source)
    folder = platformdirs.user_cache_path("amiss") / f"kernels-{sources.hexdigest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    numba.config.CACHE_DIR = str(folder)
    return os.access(folder, os.W_OK)


CACHED = _cache()


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first call for the types given, or take it from the cache of an earlier run."""
    compiled: Callable[P, R] = njit(cache=CACHED, nogil=True)(function)
    return compiled

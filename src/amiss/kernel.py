"""How sequential loops are compiled: once, cached on disk, without the interpreter's lock.

`fastmath` stays off: results must not depend on company, batch or machine.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, update_wrapper
from pathlib import Path
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

import platformdirs

P = ParamSpec("P")
R = TypeVar("R")

UNUSED = ("scipy", "coverage")
"""Numba asks scipy for linear algebra that no kernel uses, which is 25 MB in every process."""

_lock = RLock()


class _Kernel(Generic[P, R]):
    """A function that is compiled, or taken from the cache of an earlier run, on first call."""

    def __init__(self, function: Callable[P, R]) -> None:
        update_wrapper(self, function)
        self.function = function
        self._compiled: Callable[P, R] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        compiled = self._compiled or self.compiled()
        return compiled(*args, **kwargs)

    def compiled(self) -> Callable[P, R]:
        """What numba makes of it and, in its module, of those that it may call."""
        with _lock:
            if self._compiled is None:
                self._compiled = _njit()(self.function)
                module = self.function.__globals__
                for name, value in list(module.items()):
                    if isinstance(value, _Kernel):
                        module[name] = value.compiled()
            return self._compiled


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first call for the types given. Numba itself is imported then, not before."""
    return _Kernel(function)


@cache
def _njit() -> Callable[[Callable[P, R]], Callable[P, R]]:
    with ExitStack() as hidden:
        for name in UNUSED:
            hidden.enter_context(_hidden(name))
        import numba
        from numba.core.registry import cpu_target

        cpu_target.target_context.refresh()  # else it would look for scipy at the first call
    folder = _folder()
    if folder is not None:
        numba.config.CACHE_DIR = str(folder)
    cached = folder is not None or bool(numba.config.CACHE_DIR)
    decorate: Callable[[Callable[P, R]], Callable[P, R]] = numba.njit(cache=cached, nogil=True)
    return decorate


def _folder() -> Path | None:
    """Where compiled kernels go; None if numba was told by NUMBA_CACHE_DIR, or it is read-only.

    Its name changes with the source of any kernel: numba looks at the file of a kernel alone,
    and would go on using what it had compiled of a kernel that it calls.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return None
    here, sources = Path(__file__).parent, hashlib.blake2b(digest_size=8)
    for path in sorted([*here.glob("decide/*.py"), *here.glob("detectors/*.py")]):
        source = path.read_bytes()
        if b"@kernel" in source:
            sources.update(source)
    folder = platformdirs.user_cache_path("amiss") / f"kernels-{sources.hexdigest()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """A library that is not there for as long as this lasts, unless it has been imported."""
    if name in sys.modules:
        yield
        return
    absent: dict[str, Any] = {name: None}
    sys.modules.update(absent)
    try:
        yield
    finally:
        del sys.modules[name]

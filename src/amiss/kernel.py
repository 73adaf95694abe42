"""How sequential loops are compiled: once, cached on disk, without the interpreter's lock.

`fastmath` stays off: results must not depend on company, batch or machine.
Division by zero gives inf or NaN, as in numpy: to look out for it costs vector instructions.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache, partial, update_wrapper
from pathlib import Path
from threading import RLock
from typing import Any, Generic, ParamSpec, TypeVar

import platformdirs

P = ParamSpec("P")
R = TypeVar("R")

UNUSED = ("scipy", "coverage")
"""Numba asks scipy for linear algebra that no kernel uses, which is 25 MB in every process."""

_lock = RLock()
_waiting: "list[_Kernel[Any, Any]]" = []


class _Kernel(Generic[P, R]):
    """A function that waits for the first call of any; numba is not imported before."""

    def __init__(self, function: Callable[P, R], options: dict[str, Any]) -> None:
        update_wrapper(self, function)
        self.function, self.options, self.compiled = function, options, self._first
        _waiting.append(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.compiled(*args, **kwargs)

    def _first(self, *args: P.args, **kwargs: P.kwargs) -> R:
        _load()
        return self.compiled(*args, **kwargs)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile on first call for the types given, or take it from the cache of an earlier run."""
    return _kernel(function, {})


def borrowing(function: Callable[P, R]) -> Callable[P, R]:
    """A kernel that makes and returns no arrays, so that it need not count who uses those it has.

    To count takes an atomic instruction for each name of an array, in loops as well.
    """
    return _kernel(function, {"_nrt": False})


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """A small kernel, copied into those that call it: to hand over arrays takes longer than it."""
    return _kernel(function, {"inline": "always"})


def _kernel(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    with _lock:
        ready = _njit.cache_info().currsize
        return _njit()(**options)(function) if ready else _Kernel(function, options)


def _load() -> None:
    """Hand all kernels to numba, and put what it makes of them wherever they are known by name.

    At once, because they call each other: numba has to find its own there, not ours.
    """
    with _lock:
        for one in _waiting:
            one.compiled = _njit()(**one.options)(one.function)
        modules = list(sys.modules.values()) if _waiting else []
        _waiting.clear()
        for module in modules:
            names = getattr(module, "__dict__", {})
            for name in [name for name, value in names.items() if isinstance(value, _Kernel)]:
                names[name] = names[name].compiled


@cache
def _njit() -> Callable[..., Callable[[Callable[P, R]], Callable[P, R]]]:
    with ExitStack() as hidden:
        for name in UNUSED:
            hidden.enter_context(_hidden(name))
        import numba
        from numba.core.registry import cpu_target

        cpu_target.target_context.refresh()  # else it would look for scipy at the first call
    kept = folder()
    if kept is not None:
        numba.config.CACHE_DIR = str(kept)
    cached = kept is not None or bool(numba.config.CACHE_DIR)
    return partial(numba.njit, cache=cached, nogil=True, error_model="numpy")


def folder() -> Path | None:
    """Where compiled kernels go; None if numba was told by NUMBA_CACHE_DIR, or it is read-only.

    Its name changes with the source of any kernel: numba looks at the file of a kernel alone,
    and would go on using what it had compiled of a kernel that it calls.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return None
    here, sources = Path(__file__).parent, hashlib.blake2b(digest_size=8)
    for path in sorted(here.rglob("*.py")):
        source = path.read_bytes()
        if b"amiss.kernel" in source:
            sources.update(source)
    place = platformdirs.user_cache_path("amiss") / f"kernels-{sources.hexdigest()}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return place if os.access(place, os.W_OK) else None


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

"""State: named arrays, kept in step with the series, saved without code.

A snapshot is an `.npz` that any numpy can read; the version in it is checked on the way in.
"""

import io
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from amiss.data import Array, Frame, State
from amiss.errors import StateError

VERSION = 1


def rows(known: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a state that has seen `known` and is now shown `wanted`: new ones at the end."""
    if known == wanted:
        return known
    old = set(known)
    return known + tuple(key for key in wanted if key not in old)


def align(frame: Frame, keys: tuple[str, ...]) -> Frame:
    """The same frame with one column for each of `keys`; a series that is not there is NaN."""
    if frame.keys == keys:
        return frame
    row = {key: i for i, key in enumerate(keys)}
    values = np.full((len(frame.time), len(keys), len(frame.features)), np.nan)
    values[:, [row[key] for key in frame.keys]] = frame.values
    return Frame(frame.time, keys, frame.features, values)


def grow(
    state: State, init: Callable[[int], State], series: int, shared: frozenset[str] = frozenset()
) -> State:
    """The same state with rows added at the end until there are `series`."""
    if not state:
        return init(series)
    own = next((name for name in state if name not in shared), None)
    missing = series - len(state[own]) if own else 0
    if missing <= 0:
        return state
    fresh = init(missing)
    return {
        name: array if name in shared else np.concatenate([array, fresh[name]])
        for name, array in state.items()
    }


def keep(state: State, mask: Array, shared: frozenset[str] = frozenset()) -> State:
    """The same state with only the rows where `mask` is true."""
    return {name: a if name in shared else a[mask] for name, a in state.items()}


def dump(states: Mapping[str, State]) -> bytes:
    """Several states as the bytes of one `.npz`."""
    buffer = io.BytesIO()
    flat = {f"{name}/{column}": a for name, state in states.items() for column, a in state.items()}
    np.savez(buffer, allow_pickle=False, version=np.array(VERSION), **flat)
    return buffer.getvalue()


def load(snapshot: bytes) -> dict[str, State]:
    """The states that `dump` wrote. Never runs code found in the snapshot.

    Raises StateError if it is damaged or of another version.
    """
    states: dict[str, State] = {}
    try:
        with np.load(io.BytesIO(snapshot), allow_pickle=False) as arrays:
            version = int(arrays["version"])
            for path in arrays.files:
                name, _, column = path.rpartition("/")
                if name:
                    states.setdefault(name, {})[column] = arrays[path]
    except (ValueError, OSError, KeyError, EOFError, zipfile.BadZipFile) as exc:
        raise StateError(f"a stored state is damaged: {exc}") from exc
    if version != VERSION:
        raise StateError(f"a stored state has version {version}; this Amiss reads {VERSION}")
    return states

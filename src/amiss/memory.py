"""State: named arrays, kept in step with the series, saved without code.

A snapshot is an `.npz` that any numpy can read; the version in it is checked on the way in.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from amiss.data import Array, Floats, Frame, State
from amiss.errors import StateError

VERSION = 2
MAGIC = b"PK\x03\x04"
"""What a snapshot begins with, as each archive does."""
DAMAGE = (
    ValueError,
    OSError,
    KeyError,
    EOFError,
    RuntimeError,  # zipfile: "is encrypted", "not supported"
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)
"""All that a bent or torn snapshot makes numpy and zipfile raise."""


def rows(known: tuple[str, ...], frame: Frame) -> tuple[str, ...]:
    """The keys of a state that has seen `known` and is now shown this frame.

    New ones come at the end, in the order in which they were first observed, those of a tick by
    name: so the rows are the same however ticks come in batches. What was never observed has none.
    """
    if known == frame.keys:
        return known
    old = set(known)
    new = [s for s, key in enumerate(frame.keys) if key not in old]
    there = np.any(np.isfinite(frame.values[:, new]), axis=2)
    first = [
        (int(there[:, i].argmax()), frame.keys[s]) for i, s in enumerate(new) if there[:, i].any()
    ]
    return known + tuple(key for _, key in sorted(first))


def align(frame: Frame, keys: tuple[str, ...]) -> Frame:
    """The same frame with one column for each of `keys`; a series that is not there is NaN.

    Series of the frame that are not among `keys` are left out.
    """
    if frame.keys == keys:
        return frame
    return Frame(frame.time, keys, frame.features, place(frame.values, frame.keys, keys))


def place(values: Floats, keys: Sequence[str], wanted: Sequence[str]) -> Floats:
    """Columns (T, keys, ..) -> (T, wanted, ..), NaN where a key was not there."""
    row = {key: i for i, key in enumerate(wanted)}
    columns = [s for s, key in enumerate(keys) if key in row]
    placed = np.full((len(values), len(wanted), *values.shape[2:]), np.nan)
    placed[:, [row[keys[s]] for s in columns]] = values[:, columns]
    return placed


def grow(
    state: State, init: Callable[[int], State], series: int, shared: frozenset[str] = frozenset()
) -> State:
    """The same state with rows added at the end until there are `series`.

    Where a detector's arrays have widened since (a column for each metric), new rows are zero
    beyond what `init` says. What an older version kept
    besides is then dropped.
    """
    if not state:
        return init(series)
    own = next((name for name in state if name not in shared), None)
    missing = series - len(state[own]) if own else 0
    if missing <= 0:
        return state
    fresh = init(missing)
    return {
        name: array if name in shared else np.concatenate([array, _widened(fresh[name], array)])
        for name, array in state.items()
        if name in fresh or name in shared
    }


def _widened(fresh: Array, like: Array) -> Array:
    if fresh.shape[1:] == like.shape[1:]:
        return fresh
    wide = np.zeros((len(fresh), *like.shape[1:]), like.dtype)
    wide[tuple(slice(n) for n in fresh.shape)] = fresh
    return wide


def keep(state: State, kept: Array, shared: frozenset[str] = frozenset()) -> State:
    """The same state with only these rows: `kept` is their numbers, or true where to keep."""
    return {name: a if name in shared else a[kept] for name, a in state.items()}


def flat(states: Mapping[str, State]) -> State:
    """Several states as one, of columns called part.name."""
    return {f"{part}.{name}": a for part, state in states.items() for name, a in state.items()}


def nested(state: State) -> dict[str, State]:
    """What `flat` made one; a part without columns is not there."""
    states: dict[str, State] = {}
    for path, array in state.items():
        part, _, name = path.partition(".")
        states.setdefault(part, {})[name] = array
    return states


def dump(states: Mapping[str, State]) -> bytes:
    """Several states as the bytes of one `.npz`."""
    buffer = io.BytesIO()
    flat = {f"{name}/{column}": a for name, state in states.items() for column, a in state.items()}
    said = {"version": np.array(VERSION), "contents": np.array(list(flat), dtype=str)}
    np.savez(buffer, allow_pickle=False, **said, **flat)
    return buffer.getvalue()


def load(snapshot: bytes) -> dict[str, State]:
    """The states that `dump` wrote. Never runs code found in the snapshot.

    Raises StateError if it is damaged or of another version.
    """
    states: dict[str, State] = {}
    try:
        with np.load(io.BytesIO(snapshot), allow_pickle=False) as arrays:
            version = int(arrays["version"])
            if version == VERSION:
                for path in arrays["contents"].tolist():  # not what the archive says it holds
                    name, _, column = path.rpartition("/")
                    states.setdefault(name, {})[column] = arrays[path]
    except DAMAGE as exc:
        raise StateError(f"a stored state is damaged: {_wrong(snapshot, exc)}") from exc
    if version != VERSION:
        raise StateError(f"a stored state has version {version}; this Amiss reads {VERSION}")
    return states


def may_be(file: bytes) -> bool:
    """Whether it is an archive that `dump` may have written; so is one that was damaged since."""
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            return {"version.npy", "contents.npy"} <= set(archive.namelist())
    except DAMAGE:
        return file.startswith(MAGIC)


def _wrong(snapshot: bytes, exc: Exception) -> str:
    """What numpy and zipfile call no zip file, or pickled, in words that say what happened."""
    if not snapshot.startswith(MAGIC):
        return "it does not begin as one"
    return str(exc) if zipfile.is_zipfile(io.BytesIO(snapshot)) else "its end is missing"

"""Reading on in a table, a page at a time, by columns that grow: nothing lost, nothing twice.

A page begins with the rows that were read last: those that share their key, which a page may have
ended between, and those of the last moments, among which late ones may turn up. What was read of
them is known by its hash and taken out. Pure; whoever asks the database is handed what to ask.
"""

from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from amiss.component import Cursor
from amiss.data import Times
from amiss.errors import Rejected

MOST = 100_000  # rows that are remembered, and so the most that may share a key
SIZE = 7  # bytes of the hash of one

Row = Sequence[Any]
Key = tuple[Any, ...]

_WRITTEN: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("date", date.isoformat, date.fromisoformat),
    Decimal: ("decimal", str, Decimal),
    UUID: ("uuid", str, UUID),
    bytes: ("bytes", bytes.hex, bytes.fromhex),
}
_READ = {name: read for name, _, read in _WRITTEN.values()}


@dataclass(frozen=True, slots=True)
class Place:
    """Where to read on: at this key, without the rows that are remembered."""

    key: Key = ()  # empty: from the beginning
    seen: tuple[int, ...] = ()  # hashes of rows at and after `key`, ascending

    def dump(self) -> Cursor:
        """To JSON."""
        return {"key": [_written(one) for one in self.key], "seen": list(self.seen)}

    def pack(self) -> bytes:
        """To one text, of less than a million bytes however many rows are remembered."""
        seen = b"".join(one.to_bytes(SIZE) for one in self.seen)
        return orjson.dumps(self.dump() | {"seen": b64encode(seen).decode()})


def load(said: Cursor) -> Place:
    """From JSON."""
    key = said.get("key", ())
    return Place(tuple(_READ[one[0]](one[1]) if isinstance(one, list) else one for one in key),
                 tuple(said.get("seen", ())))  # fmt: skip


def unpack(said: bytes) -> Place:
    """What was packed."""
    place = orjson.loads(said)
    seen = b64decode(place["seen"])
    parts = [int.from_bytes(seen[at : at + SIZE]) for at in range(0, len(seen), SIZE)]
    return load(place | {"seen": parts})


def condition(columns: Sequence[str], key: Key) -> tuple[str, dict[str, Any]]:
    """SQL that holds for rows at or after `key`, and its values; `columns` are quoted."""
    if not key:
        return " AND ".join(f"{name} IS NOT NULL" for name in columns), {}
    parts, values = [], {f"k{i}": one for i, one in enumerate(key)}
    for i, name in enumerate(columns):
        equal = "".join(f"{columns[j]} = :k{j} AND " for j in range(i))
        last = ">=" if i == len(columns) - 1 else ">"
        parts.append(f"({equal}{name} {last} :k{i})")
    whole = " OR ".join(parts)
    # the first alone lets an index be used
    return (f"{columns[0]} >= :k0 AND ({whole})" if len(columns) > 1 else whole), values


def fresh(
    place: Place, rows: Sequence[Row], keys: Sequence[Key], times: Times, late: int
) -> tuple[list[int], Place, int]:
    """Which rows of a page are new, where to read on, and how many known ones were not there.

    The page has the rows at and after the place in the order of their keys, and at least one more
    than are remembered if there is one. `times` (N,) are in ns, below 0 where there is none; what
    is no more than `late` older than the newest is looked at again. Raises Rejected where too many
    rows share one key.
    """
    known = Counter(place.seen)
    missing, new = len(place.seen), list[int]()
    hashes = dict[int, int]()
    for i, row in enumerate(rows):
        if not missing:
            new += range(i, len(rows))
            break
        hashes[i] = _hash(row)
        if known[hashes[i]]:
            known[hashes[i]] -= 1
            missing -= 1
        else:
            new.append(i)
    if not new:
        return [], place, missing
    first = _first(keys, times, late)
    if len(rows) - first > MOST:
        raise Rejected(
            f"more than {MOST:,} rows have the same key {keys[-1]}; name a second column for it"
        )
    seen = sorted(hashes.get(i, 0) or _hash(rows[i]) for i in range(first, len(rows)))
    # where all are looked at again, those before them may be still to come
    key = place.key if late and not first else keys[first]
    return new, Place(key, tuple(seen)), missing


def _first(keys: Sequence[Key], times: Times, late: int) -> int:
    """The row from which on all are to be looked at again."""
    last = len(keys) - 1
    timed = (times >= 0).nonzero()[0]
    if not late and len(timed) and len(keys) - timed[-1] <= MOST:
        last = int(timed[-1])  # what has no time may be far ahead of what has one
    end = keys[last]
    while last and keys[last - 1] == end:
        last -= 1
    if not late:
        return last
    recent = int((times >= times.max() - late).argmax())
    first = min(max(recent - 1, 0), last)
    while first and keys[first - 1] == keys[first]:
        first -= 1
    if len(keys) - first > MOST:  # too many to remember: the latest of them
        first = min(len(keys) - MOST, last)
        while first < last and keys[first - 1] == keys[first]:
            first += 1
    return first


def _hash(row: Row) -> int:
    said = repr(tuple(row)).encode("utf-8", "backslashreplace")
    return int.from_bytes(blake2b(said, digest_size=SIZE).digest())


def _written(value: Any) -> Any:
    for kind, (name, write, _) in _WRITTEN.items():
        if isinstance(value, kind):
            return [name, write(value)]
    return value

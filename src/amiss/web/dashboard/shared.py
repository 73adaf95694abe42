"""What all sessions see alike is made once: charts' data, tables, queries."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from amiss.run.live import Live

Made = TypeVar("Made")

MOST = 256
"""Things kept for each installation; what was looked at longest ago goes first."""
BYTES = 32 * 2**20
"""They weigh no more than this together, but for the newest."""
MINUTES = 10.0
"""Nothing is kept that nobody looked at for so long."""
SAMPLE = 5  # parts of a collection that are weighed for all of it


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    stamp: Hashable = None
    made: Any = None
    bytes: int = 0
    used: float = 0.0  # seconds


class _Shelf:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def place(self, name: Hashable) -> _Kept:
        with self.lock:
            place = self.kept.setdefault(name, _Kept())
            self.kept.move_to_end(name)
            place.used = monotonic()
            while len(self.kept) > MOST or self._oldest().used < place.used - 60 * MINUTES:
                self.kept.popitem(last=False)
            return place

    def weigh(self, place: _Kept) -> None:
        """Make room for what was made anew."""
        place.bytes = weight(place.made)
        with self.lock:
            total = sum(one.bytes for one in self.kept.values())
            while total > BYTES and self._oldest() is not place:
                total -= self.kept.popitem(last=False)[1].bytes

    def _oldest(self) -> _Kept:
        return next(iter(self.kept.values()))


_shelves: "WeakKeyDictionary[Live, _Shelf]" = WeakKeyDictionary()
_lock = threading.Lock()


def shared(live: "Live", name: Hashable, stamp: Hashable, make: Callable[[], Made]) -> Made:
    """What `make` returned for this name and stamp, made once for all who ask.

    Who asks for the same meanwhile waits; nobody waits for other things. What `make` raises
    is raised to each, and tried again by the next.
    """
    with _lock:
        shelf = _shelves.setdefault(live, _Shelf())
    place = shelf.place(name)
    with place.lock:
        if place.stamp != (stamp,):
            place.made = make()
            place.stamp = (stamp,)
            shelf.weigh(place)
        made: Made = place.made
        return made


def weight(thing: Any) -> int:
    """About how many bytes a thing takes: arrays and tables as they say, the rest by its parts."""
    told = getattr(thing, "nbytes", None)
    if isinstance(told, int):
        return told
    own = sys.getsizeof(thing)
    if isinstance(thing, Mapping):
        return own + _of_some(thing) + _of_some(thing.values())
    if isinstance(thing, (list, tuple, set, frozenset)):
        return own + _of_some(thing)
    if is_dataclass(thing):
        return own + sum(weight(getattr(thing, one.name)) for one in fields(thing))
    return own


def _of_some(parts: Collection[Any]) -> int:
    """Of all, judged by some: to weigh each would take longer than to make them."""
    step = max(len(parts) // SAMPLE, 1)
    some = [weight(part) for part in islice(parts, 0, None, step)]
    return sum(some) * len(parts) // len(some) if some else 0

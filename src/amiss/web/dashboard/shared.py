"""What all sessions see alike is made once: charts' data, tables, queries."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from amiss.run.live import Live

Made = TypeVar("Made")

MOST = 256
"""Things kept for each installation; what was looked at longest ago goes first."""


@dataclass(slots=True)
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    stamp: Hashable = None
    made: Any = None


class _Shelf:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def place(self, name: Hashable) -> _Kept:
        with self.lock:
            place = self.kept.setdefault(name, _Kept())
            self.kept.move_to_end(name)
            if len(self.kept) > MOST:
                self.kept.popitem(last=False)
            return place


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
        made: Made = place.made
        return made

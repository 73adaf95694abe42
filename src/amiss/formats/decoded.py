"""JSON with many lists, read without looking for cycles in between."""

import gc
from typing import Any

import orjson

_pausing = dict[str, object]()  # who has the collector paused, if anyone


def decoded(body: bytes) -> Any:
    """What a body says. Raises orjson.JSONDecodeError if it is no JSON.

    The collector would go through what is there after every few hundred lists, and JSON has no
    cycles: without it an answer of 5,000 rows takes half as long. One thread at a time pauses it:
    a second would take the pause of the first for how it was, and leave it so for good.
    """
    mine = object()
    if _pausing.setdefault("it", mine) is not mine:
        return orjson.loads(body)
    was = gc.isenabled()
    gc.disable()
    try:
        return orjson.loads(body)
    finally:
        if was:
            gc.enable()
        del _pausing["it"]

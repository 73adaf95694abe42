"""Records as bytes and back, exactly: what is stepped again after a crash is what was stepped.

A head in JSON, then times, values and the places of names and labels in their lists, deflated.
"""

import json
import struct
import zlib
from typing import Any

import numpy as np

from amiss.data import Records, Strings
from amiss.errors import StateError
from amiss.text.dictionary import encoded

VERSION = 1
HEAD = struct.Struct("<BI")  # version, bytes of the JSON
PLACE = "<u4"


def write(records: Records) -> bytes:
    """About 6 bytes a number where names come back at every tick."""
    words = {"name": records.name, **{f"={k}": v for k, v in records.labels.items()}}
    if records.text is not None:
        words["text"] = records.text
    lists, places = {}, []
    for column, texts in words.items():
        first, place = encoded(texts)
        lists[column] = texts[first].tolist()
        places.append(place.astype(PLACE).tobytes())
    head = json.dumps(
        {
            "n": len(records),
            "watermark": None if records.watermark is None else int(records.watermark),
            "skipped": {reason: int(n) for reason, n in records.skipped.items()},
            "lists": lists,
        }
    ).encode()
    columns = (records.time.astype("<i8").tobytes(), records.value.astype("<f8").tobytes())
    return zlib.compress(b"".join((HEAD.pack(VERSION, len(head)), head, *columns, *places)), 1)


def read(body: bytes) -> Records:
    """The records that `write` was given. Raises StateError if the bytes are damaged."""
    try:
        raw = zlib.decompress(body)
        version, size = HEAD.unpack_from(raw)
        if version != VERSION:
            raise StateError(f"the journal has version {version}; this Amiss reads {VERSION}")
        at = HEAD.size + size
        head: dict[str, Any] = json.loads(raw[HEAD.size : at])
        n = head["n"]
        time = np.frombuffer(raw, "<i8", n, at).astype(np.int64)
        value = np.frombuffer(raw, "<f8", n, at + 8 * n).astype(np.float64)
        words: dict[str, Strings] = {}
        for i, (column, texts) in enumerate(head["lists"].items()):
            place = np.frombuffer(raw, PLACE, n, at + 16 * n + 4 * n * i)
            words[column] = np.array(texts, np.str_)[place] if n else np.empty(0, np.str_)
        return Records(
            time=time,
            name=words.pop("name"),
            value=value,
            text=words.pop("text", None),
            labels={column[1:]: texts for column, texts in words.items()},
            watermark=head["watermark"],
            skipped=head["skipped"],
        )
    except (zlib.error, struct.error, ValueError, KeyError, IndexError) as exc:
        raise StateError(f"the journal is damaged: {exc}") from exc

"""Log lines as Promtail, Alloy and others push them to Loki: JSON, or protobuf in a Snappy block.

The messages are those of Loki's push API (https://grafana.com/docs/loki/latest/reference/loki-http-api/
and logproto): streams of labels, each with entries of time, line and structured metadata.
"""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import compress
from typing import Any

import numpy as np
import orjson

from amiss.data import parse_key
from amiss.formats.decoded import decoded
from amiss.formats.loki_entries import pushed
from amiss.formats.told import LATEST, NO_CLOCK, Line, Together

NO_MESSAGE = "no push request of Loki in protobuf"
NO_TIME = "lines pushed without a time"
Pairs = Iterable[tuple[int | None, str, dict[str, str]]]


def from_json(body: bytes) -> tuple[list[Line], Counter[str]]:
    """Raises ValueError, with what is wrong, if it is no such message."""
    try:
        said = decoded(body)
    except orjson.JSONDecodeError as exc:
        raise ValueError(f"no JSON: {exc}") from None
    streams = said.get("streams") if isinstance(said, dict) else None
    if not isinstance(streams, list):
        raise ValueError("an object with `streams` is expected")
    found: list[Line] = []
    skipped: Counter[str] = Counter()
    together = Together()
    for stream in streams:
        if not isinstance(stream, dict):
            raise ValueError("a stream is an object with `stream` and `values`")
        labels = _texts(stream.get("stream"))
        values = stream.get("values")
        if not isinstance(values, list):
            raise ValueError("`values` of a stream are [time, line] pairs")
        _lines(found, skipped, labels, map(_pair, values), together)
    return found, skipped


def from_protobuf(body: bytes) -> tuple[list[Line], Counter[str]]:
    """The unpacked message. Raises ValueError if it is none. Cost: 1 us a line."""
    walked = pushed(np.frombuffer(body, np.uint8))
    if walked is None:
        return _by_library(body)
    try:
        texts = [body[a:b].decode() for a, b in walked.line.tolist()]
        pairs = [
            [body[a:b].decode() for a, b in ((p, q), (r, s))] for p, q, r, s in walked.pair.tolist()
        ]
        said = [body[a:b].decode() for a, b in walked.labels.tolist()]
    except UnicodeDecodeError:
        raise ValueError(NO_MESSAGE) from None
    streams = list(map(_labels, said))
    labels = [streams[of] for of in walked.of.tolist()]
    more: dict[int, dict[str, str]] = {}
    for (name, value), owner in zip(pairs, walked.owner.tolist(), strict=True):
        more.setdefault(owner, {})[name] = value
    together = Together()
    for owner, own in more.items():
        labels[owner] = together(labels[owner], own)
    skipped: Counter[str] = Counter()
    found = list(map(Line, walked.time.tolist(), texts, labels))
    there = (walked.time >= 0) & (walked.time < LATEST)
    if not there.all():
        skipped[NO_CLOCK] = int((~there).sum())
        found = list(compress(found, there.tolist()))
    return found, skipped


def _by_library(body: bytes) -> tuple[list[Line], Counter[str]]:
    """The same of any message, by what knows all of protobuf."""
    from google.protobuf.message import DecodeError

    message = _message()()
    try:
        message.ParseFromString(body)
    except DecodeError:
        raise ValueError(NO_MESSAGE) from None
    found: list[Line] = []
    skipped: Counter[str] = Counter()
    together = Together()
    for stream in message.streams:
        pairs = (
            (
                one.timestamp.seconds * 10**9 + one.timestamp.nanos,
                one.line,
                {pair.name: pair.value for pair in one.structured_metadata},
            )
            for one in stream.entries
        )
        _lines(found, skipped, _labels(stream.labels), pairs, together)
    return found, skipped


def _labels(said: str) -> dict[str, str]:
    return {name.strip(): text for name, text in parse_key(f"_{said}")[1].items()}


def _lines(
    found: list[Line],
    skipped: Counter[str],
    labels: dict[str, str],
    pairs: Pairs,
    together: Together,
) -> None:
    for time, text, more in pairs:
        if time is None:
            skipped[NO_TIME] += 1
        elif not 0 <= time < LATEST:
            skipped[NO_CLOCK] += 1
        else:
            found.append(Line(time, text, together(labels, more) if more else labels))


def _pair(said: Any) -> tuple[int | None, str, dict[str, str]]:
    if not isinstance(said, list) or len(said) not in (2, 3) or not isinstance(said[1], str):
        raise ValueError("`values` of a stream are [time, line] pairs")
    time = str(said[0])
    known = int(time) if time.isascii() and time.isdigit() and len(time) < 20 else None
    return known, said[1], _texts(said[2]) if len(said) == 3 else {}


def _texts(said: Any) -> dict[str, str]:
    if not isinstance(said, dict):
        raise ValueError("labels are an object of texts")
    return {name: text if isinstance(text, str) else str(text) for name, text in said.items()}


@cache
def _message() -> Any:
    """The class of a push request, as logproto numbers its fields."""
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
    from google.protobuf.descriptor_pool import DescriptorPool
    from google.protobuf.message_factory import GetMessageClass

    fields = {
        "Pair": (("name", 1, "string"), ("value", 2, "string")),
        "Time": (("seconds", 1, "int64"), ("nanos", 2, "int32")),
        "Entry": (
            ("timestamp", 1, "Time"), ("line", 2, "string"), ("structured_metadata", 3, "Pair*"),
        ),
        "Stream": (("labels", 1, "string"), ("entries", 2, "Entry*")),
        "Push": (("streams", 1, "Stream*"),),
    }  # fmt: skip
    simple = {
        "string": FieldDescriptorProto.TYPE_STRING,
        "int64": FieldDescriptorProto.TYPE_INT64,
        "int32": FieldDescriptorProto.TYPE_INT32,
    }
    file = FileDescriptorProto(name="amiss/loki.proto", package="amiss.loki", syntax="proto3")
    for name, parts in fields.items():
        message = file.message_type.add(name=name)
        for part, number, kind in parts:
            many = kind.endswith("*")
            inner = kind.rstrip("*")
            field = message.field.add(name=part, number=number)
            field.label = field.LABEL_REPEATED if many else field.LABEL_OPTIONAL
            field.type = simple.get(inner, FieldDescriptorProto.TYPE_MESSAGE)
            if inner not in simple:
                field.type_name = f".amiss.loki.{inner}"
    pool = DescriptorPool()
    pool.Add(file)
    return GetMessageClass(pool.FindMessageTypeByName("amiss.loki.Push"))

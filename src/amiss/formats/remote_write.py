"""Prometheus remote write, versions 1 and 2: requests read into columns, and written.

Specifications: prometheus.io/docs/specs/prw/remote_write_spec and its version 2.0; the messages
are prometheus.WriteRequest and io.prometheus.write.v2.Request in a block of snappy.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np

from amiss.data import Array, Floats, Records, Strings, Times
from amiss.formats.protobuf import walked
from amiss.formats.told import NO_CLOCK, bounded
from amiss.formats.unpacked import unpacked

Version: TypeAlias = Literal[1, 2]

SECOND_MESSAGE = "io.prometheus.write.v2.Request"
MOST = 64 * 2**20  # bytes of a request once it is unpacked
LONGEST = 1024  # bytes of a label that is taken
STALE = 0x7FF0000000000002  # the NaN that says: this series has ended
MILLISECOND = 10**6
ENDED = "end of a series"
LATEST = (2**63 - 1) // MILLISECOND
NAME = "__name__"


@dataclass(frozen=True, slots=True)
class Written:
    """N samples of S series. A sample's `series` is its place in `name` and in each of `labels`."""

    time: Times  # (N,) ns
    value: Floats  # (N,) NaN as it was sent; infinite values too
    series: Times  # (N,)
    name: Strings  # (S,)
    labels: Mapping[str, Strings]  # each (S,); "" is absent
    skipped: Mapping[str, int]  # what is no sample, or of no use as one, by reason

    def records(self, watermark: int | None = None, more: bool = False) -> Records:
        """The samples as Records, infinite values as NaN."""
        value = np.where(np.isfinite(self.value), self.value, np.nan)
        return Records(
            self.time,
            self.name[self.series],
            value,
            {name: column[self.series] for name, column in self.labels.items()},
            watermark=watermark,
            skipped=self.skipped,
            more=more,
        )


def version_of(content_type: str, encoding: str) -> Version:
    """Which message a request carries by its headers. Raises ValueError if it is none of ours."""
    kind, *parameters = (part.strip() for part in content_type.split(";"))
    if kind.lower() != "application/x-protobuf":
        raise ValueError("the Content-Type is not application/x-protobuf")
    if encoding.strip().lower() not in ("", "snappy"):
        raise ValueError("the Content-Encoding is not snappy")
    said = [part.partition("=")[2].strip('" ') for part in parameters if part.startswith("proto=")]
    if said and said[-1] not in (SECOND_MESSAGE, "prometheus.WriteRequest"):
        raise ValueError(f"the message {said[-1][:100]!r} is not known")
    return 2 if SECOND_MESSAGE in said else 1


def headers(version: Version) -> dict[str, str]:
    """The headers that a request of this version is sent with."""
    proto = f";proto={SECOND_MESSAGE}" if version == 2 else ""
    return {
        "Content-Type": f"application/x-protobuf{proto}",
        "Content-Encoding": "snappy",
        "X-Prometheus-Remote-Write-Version": "2.0.0" if version == 2 else "0.1.0",
    }


def decode(body: bytes, version: Version = 1, most: int = MOST) -> Written:
    """The samples of a request. Times keep the order in which they were sent.

    Left out and counted: native histograms, exemplars, marks of the end of a series, and series
    that have no name or a label beyond 1,024 bytes. Raises ValueError for what is no request, or
    one of more than `most` bytes. Cost: 2 to 3 us a sample that has eight labels to itself, less
    than 1 us where a series has ten samples.
    """
    raw = np.frombuffer(_unpacked(body, most), np.uint8)
    found = walked(raw, version)
    if found is None:
        raise ValueError("no remote write request: its protobuf breaks off or makes no sense")
    samples, series, _, _, histograms, exemplars = found.size.tolist()
    places = zip(found.begin.tolist(), found.end.tolist(), strict=True)
    said = [raw[a:b].tobytes() for a, b in places]
    if found.refs.max(initial=-1) >= len(said):
        raise ValueError("no remote write request: a label refers to a symbol that is not there")
    pairs_of = found.refs.reshape(-1, 2)
    name, labels, fit = _columns(said, pairs_of, found.owner, series, max(series, samples))
    time, value, of = found.time, found.bits.view(np.float64), found.of
    skipped = {"native histogram": histograms, "exemplar": exemplars}
    keep = np.ones(samples, np.bool_)
    for why, fits in (
        (ENDED, value.view(np.uint64) != STALE),
        ("series without a name, or with too long a label", fit[of]),
        (NO_CLOCK, (time < LATEST) & (time > -LATEST)),
    ):
        skipped[why] = int((keep & ~fits).sum())
        keep &= fits
    if not keep.all():
        time, value, of = time[keep], value[keep], of[keep]
    time *= MILLISECOND
    return Written(time, value, of, name, labels, {why: n for why, n in skipped.items() if n})


def _unpacked(body: bytes, most: int) -> bytes:
    try:
        return unpacked(body, "snappy", most)
    except OverflowError:
        raise ValueError(f"a remote write request of more than {most} bytes") from None
    except ValueError:
        raise ValueError("no remote write request: it is no block of snappy") from None


def _columns(
    said: Sequence[bytes], refs: Times, owner: Times, series: int, many: int
) -> tuple[Strings, dict[str, Strings], Array]:
    """Name (S,), labels (S,) and which series can be used, of pairs (P, 2) of symbols.

    Raises ValueError if the labels of so `many` take too much memory.
    """
    texts = [one.decode("utf-8", "replace") if len(one) <= LONGEST else "" for one in said]
    long = np.array([len(one) > LONGEST for one in said], np.bool_)
    symbols = np.array([*texts, ""], np.object_)  # one that is long makes no other as wide
    fit = np.ones(series, np.bool_)
    if long.any():
        fit[owner[long[refs].any(axis=1)]] = False
    columns: dict[str, Strings] = {}
    widths: list[int] = []
    names = np.unique(refs[:, 0]).tolist() if len(refs) else []
    bounded(many, [1] * len(names))
    for label in names:
        mine = refs[:, 0] == label
        place = np.full(series, len(texts))
        place[owner[mine]] = refs[mine, 1]
        used = np.unique(place)  # as narrow as its own texts need
        words = symbols[used].tolist()
        widths.append(max(map(len, words)))
        bounded(many, widths)
        columns[texts[label]] = np.array(words)[np.searchsorted(used, place)]
    name = columns.pop(NAME, np.full(series, ""))
    columns.pop("", None)
    return name, columns, fit & (name != "")


Row: TypeAlias = tuple[Mapping[str, str], Iterable[int], Iterable[float]]
"""Labels with __name__ among them, times in ns in ascending order, and as many values."""


def encode(rows: Sequence[Row], version: Version = 1) -> bytes:
    """The body of a request with these series. Times are cut to milliseconds. 1 us a sample."""
    import cramjam

    if version == 1:
        parts = [_field(1, _first(labels) + _samples(t, v)) for labels, t, v in rows]
    else:
        symbols: dict[str, int] = {"": 0}
        series = [_field(5, _second(of, symbols) + _samples(t, v)) for of, t, v in rows]
        parts = [*(_field(4, text.encode()) for text in symbols), *series]
    return bytes(cramjam.snappy.compress_raw(b"".join(parts)))


def _first(labels: Mapping[str, str]) -> bytes:
    pairs = sorted(labels.items())
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, text.encode())) for name, text in pairs
    )


def _second(labels: Mapping[str, str], symbols: dict[str, int]) -> bytes:
    words = [word for pair in sorted(labels.items()) for word in pair]
    places = (symbols.setdefault(word, len(symbols)) for word in words)
    kind = _field(5, b"\x08\x02")  # metadata: a gauge
    return _field(1, b"".join(map(_varint, places))) + kind


def _samples(times: Iterable[int], values: Iterable[float]) -> bytes:
    made = []
    for ns, value in zip(times, values, strict=True):
        stamp = _varint(int(ns) // MILLISECOND)
        made.append(b"\x12%c\x09%b\x10%b" % (10 + len(stamp), struct.pack("<d", value), stamp))
    return b"".join(made)


def _field(number: int, body: bytes) -> bytes:
    return b"%c%b%b" % (number << 3 | 2, _varint(len(body)), body)


@lru_cache(maxsize=4096)
def _varint(number: int) -> bytes:
    rest, made = number & (2**64 - 1), bytearray()
    while rest > 127:
        made.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*made, rest])

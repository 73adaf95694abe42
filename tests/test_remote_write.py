"""Remote write against the messages as Google's protobuf writes and reads them."""

from collections import Counter
from functools import cache
from types import SimpleNamespace

import cramjam
import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st

from amiss.data import SECOND
from amiss.formats.protobuf import walked
from amiss.formats.remote_write import (
    MILLISECOND,
    SECOND_MESSAGE,
    STALE,
    decode,
    encode,
    headers,
    version_of,
)

T0 = 1_772_892_000 * SECOND
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
LABELS = st.dictionaries(WORDS, WORDS, max_size=4)
SAMPLES = st.lists(
    st.tuples(
        st.integers(-(2**40), 2**42),
        st.floats(allow_nan=False) | st.just(float("nan")),
    ),
    max_size=4,
)
ROWS = st.lists(st.tuples(WORDS, LABELS, SAMPLES), max_size=5)

KINDS = {"string": 9, "double": 1, "int64": 3, "uint32": 13}
FIRST = {
    "Label": {"name": (1, "string"), "value": (2, "string")},
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64")},
    "Other": {"count": (1, "uint32")},
    "TimeSeries": {
        "labels": (1, "Label"),
        "samples": (2, "Sample"),
        "exemplars": (3, "Other"),
        "histograms": (4, "Other"),
    },
    "Request": {"timeseries": (1, "TimeSeries"), "metadata": (3, "Other")},
}
SECOND_ = {
    "Sample": {"value": (1, "double"), "timestamp": (2, "int64"), "start": (3, "int64")},
    "Other": {"count": (1, "uint32")},
    "TimeSeries": {
        "refs": (1, "uint32*"),
        "samples": (2, "Sample"),
        "histograms": (3, "Other"),
        "exemplars": (4, "Other"),
        "metadata": (5, "Other"),
    },
    "Request": {"symbols": (4, "string*"), "timeseries": (5, "TimeSeries")},
}


@cache
def messages(version: int) -> SimpleNamespace:
    """The classes of the messages of a version, made of what the specification says."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"v{version}.proto", package=f"v{version}", syntax="proto3"
    )
    shapes = FIRST if version == 1 else SECOND_
    for name, fields in shapes.items():
        message = file.message_type.add(name=name)
        for called, (number, kind) in fields.items():
            bare = kind.rstrip("*")
            own = bare not in KINDS
            field = message.field.add(name=called, number=number)
            field.label = 3 if own or kind.endswith("*") else 1
            field.type = 11 if own else KINDS[bare]
            if own:
                field.type_name = f".v{version}.{bare}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"v{version}.{name}"))
        for name in shapes
    }
    return SimpleNamespace(**found)


def build(rows, version):
    """A request with these rows: name, labels, [(ms, value)]."""
    kinds = messages(version)
    request = kinds.Request()
    symbols = [""]
    for name, labels, samples in rows:
        series = request.timeseries.add()
        for word, text in [("__name__", name), *labels.items()]:
            if version == 1:
                series.labels.add(name=word, value=text)
            else:
                for one in (word, text):
                    if one not in symbols:
                        symbols.append(one)
                    series.refs.append(symbols.index(one))
        for ms, value in samples:
            series.samples.add(value=value, timestamp=ms)
    if version == 2:
        request.symbols.extend(symbols)
    return request


def packed(request) -> bytes:
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def told(written):
    """Each sample as (name, labels, ns, bits of the value), in order."""
    return [
        (
            str(written.name[s]),
            {name: str(column[s]) for name, column in written.labels.items() if column[s]},
            int(t),
            "nan" if np.isnan(v) else float(v),
        )
        for t, v, s in zip(written.time, written.value, written.series.tolist(), strict=True)
    ]


def expected(rows):
    return [
        (name, labels, ms * MILLISECOND, "nan" if np.isnan(value) else value)
        for name, labels, samples in rows
        for ms, value in samples
    ]


@pytest.mark.parametrize("version", [1, 2])
@given(rows=ROWS)
@settings(deadline=None, max_examples=60)
def test_what_protobuf_writes_is_read(version, rows) -> None:
    rows = [(name, {k: v for k, v in of.items() if k != "__name__"}, s) for name, of, s in rows]
    written = decode(packed(build(rows, version)), version)
    assert told(written) == expected(rows)
    assert not written.skipped


@pytest.mark.parametrize("version", [1, 2])
@given(rows=ROWS)
@settings(deadline=None, max_examples=60)
def test_what_is_written_protobuf_reads(version, rows) -> None:
    made = encode(
        [
            ({**of, "__name__": name}, [ms * MILLISECOND for ms, _ in s], [v for _, v in s])
            for name, of, s in rows
        ],
        version,
    )
    request = messages(version).Request.FromString(bytes(cramjam.snappy.decompress_raw(made)))
    assert len(request.timeseries) == len(rows)
    for series, (name, of, samples) in zip(request.timeseries, rows, strict=True):
        if version == 1:
            pairs = [(one.name, one.value) for one in series.labels]
        else:
            words = [request.symbols[ref] for ref in series.refs]
            pairs = list(zip(words[::2], words[1::2], strict=True))
        assert pairs == sorted({**of, "__name__": name}.items())
        assert [one.timestamp for one in series.samples] == [ms for ms, _ in samples]
        values = [one.value for one in series.samples]
        np.testing.assert_array_equal(values, [value for _, value in samples])


@pytest.mark.parametrize("version", [1, 2])
def test_what_is_no_sample_is_counted(version) -> None:
    """Histograms, exemplars, ends of series, series without a name; fields of later versions."""
    request = build(
        [("up", {"job": "a"}, [(1, 1.0), (2, 2.0)]), ("", {"job": "b"}, [(1, 3.0)])], version
    )
    series = request.timeseries[0]
    series.histograms.add(count=7)
    series.exemplars.add(count=1)
    series.exemplars.add(count=2)
    series.samples[1].value = np.array([STALE], np.uint64).view(np.float64)[0]
    if version == 2:
        series.metadata.add(count=1)
        series.samples[0].start = 5
    else:
        request.metadata.add(count=1)
    request.timeseries.add(samples=[{"value": 1.0, "timestamp": 2**62}])
    written = decode(packed(request), version)
    assert told(written) == [("up", {"job": "a"}, MILLISECOND, 1.0)]
    assert written.skipped == {
        "native histogram": 1,
        "exemplar": 2,
        "end of a series": 1,
        "series without a name, or with too long a label": 2,
    }


def test_a_long_label_costs_its_own_series_alone() -> None:
    rows = [("up", {"q": "x" * 1025}, [(1, 1.0)]), ("up", {"q": "x" * 1024}, [(1, 2.0)])]
    written = decode(packed(build(rows, 1)))
    assert written.value.tolist() == [2.0]
    assert sum(written.skipped.values()) == 1


def test_times_beyond_what_fits_are_left_out() -> None:
    written = decode(packed(build([("up", {}, [(2**62, 1.0), (-(2**63), 1.0), (5, 2.0)])], 1)))
    assert written.time.tolist() == [5 * MILLISECOND]
    assert written.skipped == {"a time that no clock shows": 2}


def test_samples_become_records() -> None:
    rows = [("up", {"job": "a"}, [(5, 1.0), (6, float("inf"))]), ("load", {}, [(7, 2.0)])]
    records = decode(packed(build(rows, 1))).records(watermark=9)
    assert records.name.tolist() == ["up", "up", "load"]
    assert records.labels["job"].tolist() == ["a", "a", ""]
    np.testing.assert_array_equal(records.value, [1.0, np.nan, 2.0])
    assert records.watermark == 9


@pytest.mark.parametrize("version", [1, 2])
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_garbage_is_refused_or_read_but_never_more(version, data) -> None:
    """Whatever comes: a ValueError, or columns that fit together."""
    raw = bytearray(
        build([("up", {"job": "a"}, [(1, 1.0), (2, 2.0)])] * 2, version).SerializeToString()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))]
    try:
        written = decode(bytes(cramjam.snappy.compress_raw(bytes(raw))), version)
    except ValueError:
        return
    assert len(written.time) == len(written.value) == len(written.series)
    assert len(told(written)) == len(written.time)


def test_what_is_no_snappy_and_what_is_too_much_is_refused() -> None:
    with pytest.raises(ValueError, match="no block of snappy"):
        decode(b"\xff\xfe not snappy")
    with pytest.raises(ValueError, match="more than 100 bytes"):
        decode(bytes(cramjam.snappy.compress_raw(bytes(10_000))), most=100)


@pytest.mark.parametrize("version", [1, 2])
def test_headers_say_the_version(version) -> None:
    said = headers(version)
    assert version_of(said["Content-Type"], said["Content-Encoding"]) == version


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("application/json", "snappy"),
        ("application/x-protobuf", "gzip"),
        ("application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy"),
    ],
)
def test_another_message_is_refused(kind, encoding) -> None:
    with pytest.raises(ValueError, match="not"):
        version_of(kind, encoding)
    assert SECOND_MESSAGE in headers(2)["Content-Type"]


def test_equal_labels_are_one_symbol_whatever_their_hash() -> None:
    """More series than the table has room for at first sight, with words that come again."""
    rows = [(f"m{i % 7}", {"i": str(i % 50), "j": str(i)}, [(i, float(i))]) for i in range(500)]
    written = decode(
        encode(
            [
                ({"__name__": n, **of}, [t * MILLISECOND for t, _ in s], [v for _, v in s])
                for n, of, s in rows
            ]
        )
    )
    assert told(written) == expected(rows)
    assert Counter(written.name.tolist()) == Counter(name for name, _, _ in rows)


def test_where_a_text_goes_in_the_table_is_not_known_before_the_message_is() -> None:
    """Else messages could be made whose texts all meet at one place."""
    of = {"__name__": "m", **{f"l{i}": str(i) for i in range(20)}}
    tables = []
    for value in (1.0, 2.0):
        packed = encode([(of, [MILLISECOND], [value])])
        raw = np.frombuffer(bytes(cramjam.snappy.decompress_raw(packed)), np.uint8)
        found = walked(raw, 1)
        assert found is not None
        tables.append(found.table.tolist())
    assert tables[0] != tables[1]
    assert sorted(tables[0]) == sorted(tables[1])

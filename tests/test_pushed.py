"""What pushed messages say, and what they may not make of the memory of who reads them."""

import gzip
import zlib

import numpy as np
import orjson
import pytest
from google.protobuf.json_format import MessageToJson, Parse
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2

from amiss.data import SECOND, series_key
from amiss.formats import loki_push, otlp, pushed, remote_write, told
from amiss.formats.unpacked import unpacked

NOW = 1_800_000_000 * SECOND


def test_all_members_of_gzip_are_unpacked() -> None:
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    assert pushed.read("lines gzip", packed).raw == ["one", "two"]
    assert unpacked(packed + bytes(10), "gzip") == b"one\ntwo\n"
    assert unpacked(gzip.compress(b""), "gzip") == b""
    assert unpacked(zlib.compress(b"one"), "deflate") == b"one"


def test_members_together_are_bounded() -> None:
    packed = gzip.compress(b"x" * 6)
    assert len(unpacked(packed, "gzip", 6)) == 6
    with pytest.raises(OverflowError):
        unpacked(packed + packed, "gzip", 11)
    with pytest.raises(ValueError, match="cut off"):
        unpacked(packed + packed[:-3], "gzip")
    with pytest.raises(ValueError, match="not packed by gzip"):
        unpacked(packed + b"more", "gzip")
    with pytest.raises(ValueError, match="cut off"):
        unpacked(b"", "gzip")


def test_points_that_make_no_series_are_counted() -> None:
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    metrics.add().gauge.data_points.add(time_unix_nano=NOW, as_int=1)
    point = metrics.add(name="long").gauge.data_points.add(time_unix_nano=NOW, as_int=1)
    point.attributes.add(key="a").value.string_value = "x" * 2000
    metrics.add(name="far").gauge.data_points.add(time_unix_nano=2**64 - 1, as_int=1)
    metrics.add(name="none")
    metrics.add(name="good").gauge.data_points.add(time_unix_nano=NOW, as_int=1)
    found, skipped = otlp.metrics(message.SerializeToString(), False)
    assert [one.name for one in found] == ["good"]
    assert skipped == {otlp.UNFIT: 2, told.NO_CLOCK: 1, otlp.NOTHING: 1}


def test_a_point_that_is_left_out_is_told_as_one() -> None:
    """And not as the series that it would have made."""
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    histogram = metrics.add(name="delay").histogram
    histogram.aggregation_temporality = otlp.CUMULATIVE
    for long in ("x" * 2000, "x"):
        point = histogram.data_points.add(time_unix_nano=NOW, count=3, sum=3)
        point.explicit_bounds.extend([1.0, 2.0])
        point.bucket_counts.extend([1, 1, 1])
        point.attributes.add(key="a").value.string_value = long
    said = pushed.read("metrics json", MessageToJson(message).encode())
    assert (len(said), said.left) == (5, {otlp.UNFIT: 1})
    told = Parse(otlp.answer("metrics", True, said.left), ExportMetricsServiceResponse())
    assert told.partial_success.rejected_data_points == 1


@pytest.mark.parametrize("size", [0, 1, 127, 128, 300, 20_000])
def test_a_status_is_read_again(size: int) -> None:
    read = trace_pb2.Status()  # in which the message has the same number
    read.ParseFromString(otlp.status("é" * size, False))
    assert read.message == "é" * size


def test_the_end_of_a_series_is_not_told_as_lost() -> None:
    """Collectors send it for each series of a target that has gone, and warn of what is lost."""
    message = ExportMetricsServiceRequest()
    points = message.resource_metrics.add().scope_metrics.add().metrics.add(name="up").gauge
    points.data_points.add(time_unix_nano=NOW, flags=1)
    said = pushed.read("metrics protobuf", message.SerializeToString())
    assert (len(said), said.left) == (0, {otlp.ENDED: 1})
    assert pushed.answer("metrics protobuf", said) == (b"", "application/x-protobuf")
    points.data_points.add(time_unix_nano=NOW)  # has no value, and does not say why
    said = pushed.read("metrics json", MessageToJson(message).encode())
    told = Parse(otlp.answer("metrics", True, said.left), ExportMetricsServiceResponse())
    assert told.partial_success.rejected_data_points == 1
    assert told.partial_success.error_message == f"{otlp.NOTHING} (1)"


def test_of_a_histogram_only_what_is_said_comes() -> None:
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    wide = metrics.add(name="wide").exponential_histogram
    wide.aggregation_temporality = otlp.CUMULATIVE
    wide.data_points.add(time_unix_nano=NOW, count=3)
    wide.data_points.add(time_unix_nano=NOW, count=3, sum=0.0)
    found, skipped = otlp.metrics(message.SerializeToString(), False)
    assert [(one.name, one.value) for one in found] == [
        ("wide_count", 3), ("wide_count", 3), ("wide_sum", 0),
    ]  # fmt: skip
    assert skipped == {otlp.BUCKETS: 2}


def test_one_message_has_so_many_names_of_labels() -> None:
    rows = [({"__name__": "up", f"l{i}": "x"}, [NOW], [1.0]) for i in range(told.NAMES + 5)]
    with pytest.raises(ValueError, match="names of labels"):
        pushed.read("remote_write 1", remote_write.encode(rows))
    message = ExportMetricsServiceRequest()
    metrics = message.resource_metrics.add().scope_metrics.add().metrics
    points = metrics.add(name="up").gauge.data_points
    for i in range(told.NAMES + 5):
        point = points.add(time_unix_nano=NOW, as_int=1)
        point.attributes.add(key=f"l{i}").value.string_value = "x"
    with pytest.raises(ValueError, match="names of labels"):
        pushed.read("metrics protobuf", message.SerializeToString())


def test_one_long_label_makes_no_columns_that_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(told, "BYTES", 100_000)
    times = range(NOW, NOW + 100 * SECOND, SECOND)
    rows = [({"__name__": "up", "a": "x" * 500}, times, np.ones(100))]
    with pytest.raises(ValueError, match="labels of one message"):
        remote_write.decode(remote_write.encode(rows))
    rows = [({"__name__": "up", "a": "x" * 100}, times, np.ones(100))]
    assert len(remote_write.decode(remote_write.encode(rows)).records()) == 100


def test_labels_that_many_lines_share_are_not_copied_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stream or a resource with many labels, and lines with one of their own each."""
    monkeypatch.setattr(told, "PAIRS", 2000)
    common = {f"l{i}": "x" for i in range(100)}

    def streams(many: int) -> tuple[tuple[str, bytes], ...]:
        own = {"n": "v"}
        values = [[str(NOW), "line", own] for _ in range(many)]
        message = loki_push._message()()
        stream = message.streams.add(labels=series_key("", common))
        logs = ExportLogsServiceRequest()
        resource = logs.resource_logs.add()
        for name in common:
            resource.resource.attributes.add(key=name).value.string_value = "x"
        records = resource.scope_logs.add().log_records
        for _ in range(many):
            stream.entries.add(line="line").structured_metadata.add(name="n", value="v")
            record = records.add(time_unix_nano=NOW)
            record.attributes.add(key="n").value.string_value = "v"
        body = message.SerializeToString()
        return (
            ("loki json", orjson.dumps({"streams": [{"stream": common, "values": values}]})),
            ("loki protobuf", body),
            ("logs protobuf", logs.SerializeToString()),
        )

    for kind, body in streams(19):
        assert {len(line.labels) for line in pushed.read(kind, body).lines} == {101}
    for kind, body in streams(20):
        with pytest.raises(ValueError, match="labels of one message"):
            pushed.read(kind, body)


SECONDS = st.sampled_from([0, 1, 1_700_000_000, -5, 9_223_372_030, 9_223_372_036, 2**62, -(2**63)])
NANOS = st.sampled_from([0, 5, 999_999_999, -1, 2**31 - 1, -(2**31)])
PAIRS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x"])), max_size=2)
ENTRIES = st.lists(st.tuples(SECONDS, NANOS, st.text(max_size=3), PAIRS), max_size=3)
STREAMS = st.lists(st.tuples(st.sampled_from(["", '{a="b", c="\\"d"}', "{"]), ENTRIES), max_size=3)
BENT = st.lists(st.tuples(st.integers(0, 200), st.integers(-1, 255)), max_size=3)


@given(STREAMS, BENT)
@example([("", [(-(2**63), 5, "its time is before all clocks", [])])], [])
def test_lines_are_walked_as_protobuf_reads_them(streams, bent) -> None:
    message = loki_push._message()()
    for labels, entries in streams:
        stream = message.streams.add(labels=labels)
        for seconds, nanos, line, pairs in entries:
            one = stream.entries.add(line=line)
            one.timestamp.seconds, one.timestamp.nanos = seconds, nanos
            for name, value in pairs:
                one.structured_metadata.add(name=name, value=value)
    body = bytearray(message.SerializeToString())
    for place, byte in bent:
        if byte < 0:
            del body[place:]
        elif place < len(body):
            body[place] = byte
    said = []
    for way in (loki_push.from_protobuf, loki_push._by_library):
        try:
            said.append(way(bytes(body)))
        except ValueError as exc:
            said.append(str(exc))
    assert said[0] == said[1]

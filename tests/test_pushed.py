"""What pushed messages say, and what they may not make of the memory of who reads them."""

import gzip
import zlib

import numpy as np
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from amiss.data import SECOND
from amiss.formats import otlp, pushed, remote_write, told
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

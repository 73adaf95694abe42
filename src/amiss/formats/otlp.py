"""Metrics and logs as OpenTelemetry sends them over HTTP (OTLP 1.x): protobuf or JSON.

https://opentelemetry.io/docs/specs/otlp/. Dots in names and attributes become underscores, as
Prometheus writes them. Resource attributes and a point's own are labels, those of the scope are
not.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from amiss.formats.told import LATEST, NO_CLOCK, Line, Number, Together

NOTHING = "points of OpenTelemetry without a value"
GROWTH = "points of OpenTelemetry that say growth (delta), and no state"
NO_TIME = "records of OpenTelemetry without a time"
UNFIT = "points of OpenTelemetry without a name, or with too long a label"
ENDED = "ends of series of OpenTelemetry"
BUCKETS = "buckets of exponential histograms of OpenTelemetry"
LONGEST = 1024  # characters of a label of a number
CUMULATIVE = 2  # AGGREGATION_TEMPORALITY_CUMULATIVE
VALUED = ("gauge", "sum")
MISSING = 1  # the flag of a point that says that there is none


def metrics(body: bytes, json: bool) -> tuple[list[Number], Counter[str]]:
    """Gauges and sums are series of their name; of histograms `_count`, `_sum` and `_bucket`.

    Sums and histograms that say what was added since the last time become growth a second.
    Raises ValueError if it is no such message.
    """
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service

    message = _read(service.ExportMetricsServiceRequest(), body, json)
    found: list[Number] = []
    skipped: Counter[str] = Counter()
    together = Together()
    for resource in message.resource_metrics:
        common = _attributes(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in _points(metric, common, together):
                    if isinstance(point, str):
                        skipped[point] += 1
                    elif not metric.name or any(map(_long, point)):
                        skipped[UNFIT] += 1
                    else:
                        found += point
    return found, skipped


def logs(body: bytes, json: bool) -> tuple[list[Line], Counter[str]]:
    """The body is the line; severity and attributes are labels, beside those of the resource."""
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as service

    message = _read(service.ExportLogsServiceRequest(), body, json)
    found: list[Line] = []
    skipped: Counter[str] = Counter()
    together = Together()
    for resource in message.resource_logs:
        common = _attributes(resource.resource.attributes)
        for scope in resource.scope_logs:
            for one in scope.log_records:
                time = one.time_unix_nano or one.observed_time_unix_nano
                if not time:
                    skipped[NO_TIME] += 1
                    continue
                if time >= LATEST:
                    skipped[NO_CLOCK] += 1
                    continue
                labels = together(common, _attributes(one.attributes))
                if one.severity_text:
                    labels["severity"] = one.severity_text
                found.append(Line(time, _text(one.body), labels))
    return found, skipped


def answer(what: str, json: bool, left: Mapping[str, int]) -> bytes:
    """What a sender of `metrics` or `logs` is told was left out, by reason; nothing if nothing was.

    "Partial success" of the specification: it counts these as lost, and does not send them again.
    Of exponential histograms the buckets alone are left out, so it is warned and none is lost. The
    mark that a series has ended is taken as such, as of remote write.
    """
    from google.protobuf.json_format import MessageToJson

    left = {why: n for why, n in left.items() if why != ENDED}
    lost = sum(left.values()) - left.get(BUCKETS, 0)
    said: Any
    if what == "metrics":
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2

        said = metrics_service_pb2.ExportMetricsServiceResponse()
        if lost:
            said.partial_success.rejected_data_points = lost
    else:
        from opentelemetry.proto.collector.logs.v1 import logs_service_pb2

        said = logs_service_pb2.ExportLogsServiceResponse()
        if lost:
            said.partial_success.rejected_log_records = lost
    if left:
        said.partial_success.error_message = "; ".join(f"{why} ({n})" for why, n in left.items())
    written: bytes = MessageToJson(said).encode() if json else said.SerializeToString()
    return written


def status(message: str, json: bool) -> bytes:
    """Why nothing was taken, as `google.rpc.Status`; its code has no meaning here, and is left out.

    It is field 2, a text: of a length, seven bits to a byte, the lowest first.
    """
    if json:
        return orjson.dumps({"message": message})
    text, written = message.encode(), bytearray(b"\x12")
    size = len(text)
    while size > 127:
        written.append(size & 127 | 128)
        size >>= 7
    written.append(size)
    return bytes(written) + text


def _points(
    metric: Any, common: dict[str, str], together: Together
) -> Iterator[list[Number] | str]:
    """The samples of each point of a metric, or why there is none of it."""
    kind = metric.WhichOneof("data")
    if kind is None:
        yield NOTHING
        return
    data, name = getattr(metric, kind), _name(metric.name)
    growth = kind in ("sum", "histogram", "exponential_histogram")
    growth = growth and data.aggregation_temporality != CUMULATIVE
    for point in data.data_points:
        seconds = (point.time_unix_nano - point.start_time_unix_nano) / 1e9
        if not point.time_unix_nano:
            yield NO_TIME
        elif point.time_unix_nano >= LATEST:
            yield NO_CLOCK
        elif point.flags & MISSING:
            yield ENDED
        elif kind in VALUED and point.WhichOneof("value") is None:
            yield NOTHING
        elif growth and not (point.start_time_unix_nano and seconds > 0):
            yield GROWTH
        else:
            scale = seconds if growth else 1.0
            labels = together(common, _attributes(point.attributes))
            numbers = list[Number]()
            for suffix, value, more in _values(kind, point):
                said = together(labels, more) if more else labels
                full = f"{name}{suffix}"
                numbers.append(Number(point.time_unix_nano, full, value / scale, said))
            yield numbers
            if kind == "exponential_histogram":
                yield BUCKETS


def _values(kind: str, point: Any) -> Iterator[tuple[str, float, dict[str, str]]]:
    if kind in VALUED:
        yield "", float(getattr(point, point.WhichOneof("value"))), {}
        return
    yield "_count", float(point.count), {}
    if kind == "summary" or point.HasField("sum"):  # of what may be negative it is not said
        yield "_sum", float(point.sum), {}
    if kind == "summary":
        for one in point.quantile_values:
            yield "", one.value, {"quantile": f"{one.quantile:g}"}
    elif kind == "histogram":
        total = 0
        bounds = [f"{bound:g}" for bound in point.explicit_bounds]
        for bound, count in zip([*bounds, "+Inf"], point.bucket_counts, strict=False):
            total += count
            yield "_bucket", float(total), {"le": bound}


def _long(number: Number) -> bool:
    return max(map(len, (number.name, *number.labels, *number.labels.values()))) > LONGEST


def _read(message: Any, body: bytes, json: bool) -> Any:
    from google.protobuf.json_format import Parse, ParseError
    from google.protobuf.message import DecodeError

    try:
        if json:
            Parse(body, message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(body)
    except (DecodeError, ParseError, UnicodeDecodeError) as exc:
        raise ValueError(f"no export request of OpenTelemetry: {exc}") from None
    return message


def _attributes(said: Iterable[Any]) -> dict[str, str]:
    return {_name(one.key): text for one in said if (text := _text(one.value))}


def _text(value: Any) -> str:
    """Any value as a text; lists joined by commas, maps as `key=value` pairs."""
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    said = getattr(value, kind)
    if kind == "bool_value":
        return "true" if said else "false"
    if kind == "bytes_value":
        return str(said.hex())
    if kind == "array_value":
        return ",".join(_text(one) for one in said.values)
    if kind == "kvlist_value":
        return " ".join(f"{one.key}={_text(one.value)}" for one in said.values)
    return str(said)


def _name(name: str) -> str:
    return "".join(c if c.isalnum() or c in "_:" else "_" for c in name)

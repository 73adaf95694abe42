"""GET /metrics: every series, and Amiss itself, as Prometheus reads them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from math import isfinite

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from amiss.exposed import Labels, labels_of
from amiss.run.now import Now
from amiss.web.problems import documented
from amiss.web.schemas.common import plain

router = APIRouter(tags=["health"])

SERIES = {
    "value": "The last sample, in the unit of the series.",
    "expected": "What was expected, in the unit of the series.",
    "lower": "Lower end of the expected band, in the unit of the series.",
    "upper": "Upper end of the expected band, in the unit of the series.",
    "score": "How strange it is: -ln p, in nats.",
    "anomaly": "1 if the series is a member of an open incident, else 0.",
}
FIELDS = {"anomaly": "amiss"}


@router.get(
    "/metrics",
    summary="For Prometheus",
    response_class=Response,
    responses=documented()
    | {
        200: {
            "description": "Text exposition format, or OpenMetrics for those who accept it.",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": 'amiss_score{host="web-3",series="cpu_percent"} 1.25\n',
                },
                "application/openmetrics-text": {
                    "schema": {"type": "string"},
                    "example": 'amiss_score{host="web-3",series="cpu_percent"} 1.25\n# EOF\n',
                },
            },
        }
    },
)
def metrics(request: Request) -> Response:
    """Value, expected value, band, score and flag of each series, and how Amiss itself does.

    `series` is the name of the series, the other labels are its own. What is not known is left
    out.
    """
    state = request.app.state
    encode, media = choose_encoder(request.headers.get("accept", ""))
    body = of_series(state.live.now()).encode() + encode(state.registry)
    return Response(body, media_type=media)


def registry(*collectors: Collector) -> CollectorRegistry:
    """What /metrics shows: these, and the process. Nothing global is touched."""
    found = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        found.register(collector)
    ProcessCollector(registry=found)
    PlatformCollector(registry=found)
    GCCollector(registry=found)
    return found


def gauge(name: str, text: str, rows: Iterable[tuple[Labels, float]]) -> Metric:
    """A family of gauges. Rows without a number are left out."""
    metric = Metric(name, text, "gauge")
    metric.samples = [
        Sample(name, dict(labels), float(value)) for labels, value in rows if isfinite(value)
    ]
    return metric


def counter(name: str, text: str, rows: Iterable[tuple[Labels, float]]) -> Metric:
    """A family of counters; `name` is without _total."""
    metric = Metric(name, text, "counter")
    metric.samples = [Sample(f"{name}_total", dict(labels), float(n)) for labels, n in rows]
    return metric


@lru_cache(maxsize=20_000)
def _written(key: str, pipeline: str) -> str:
    said = sorted(labels_of(key, pipeline).items())
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in said)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def of_series(now: Now) -> str:
    """The gauges of all series, written here: 1 us a line, where the library takes 12.

    Both formats write a gauge in the same way.
    """
    labelled = [(_written(one.key, one.pipeline), one) for one in now.series]
    lines = []
    for field, text in SERIES.items():
        name = f"amiss_{field}"
        lines.append(f"# HELP {name} {text}\n# TYPE {name} gauge\n")
        for labels, one in labelled:
            value = getattr(one, FIELDS.get(field, field))
            if isfinite(value):
                lines.append(f"{name}{{{labels}}} {float(value)!r}\n")
    return "".join(lines)


def of_systems(now: Now) -> Iterator[Metric]:
    """What joint detectors say of each system."""
    rows = []
    for one in now.joint:
        said = dict(labels_of(f"{one.detector}{{{one.system}}}", one.pipeline))
        rows.append(({"detector": said.pop("series")} | said, one))
    yield gauge(
        "amiss_joint_score",
        "How strange the system is as a whole: -ln p, in nats.",
        ((of, one.score) for of, one in rows),
    )
    yield gauge(
        "amiss_joint_anomaly",
        "1 if the system as a whole is a member of an open incident, else 0.",
        ((of, one.amiss) for of, one in rows),
    )
    yield gauge(
        "amiss_forecast",
        "The next value of a metric, in its unit.",
        (
            (of | {"metric": plain(metric)}, value)
            for of, one in rows
            for metric, value in one.forecast.items()
        ),
    )

"""What is pushed over HTTP, in each of the forms that senders have, on the running program."""

import gzip
import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import cramjam
import httpx
import numpy as np
import orjson
import pytest
from google.protobuf.json_format import MessageToJson, Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.trace.v1 import trace_pb2

from amiss.data import SECOND
from amiss.doors.inbox import Inbox
from amiss.formats import loki_push, remote_write
from amiss.run.live import Live
from amiss.settings import Settings
from amiss.web import limit
from amiss.world import World
from servers.ports import free_port
from web.serving import serving

PATIENCE = 120
TAKEN = ("samples", "histograms", "exemplars")
NUMBERS = {
    "name": "pushed",
    "source": {"type": "push", "every": "100ms"},
    "features": {"type": "grid", "every": "1s"},
    "detectors": [{"type": "level"}],
}
LINES = {
    "name": "lines",
    "source": {"type": "push", "every": "100ms", "inbox": "logs", "format": "text"}
    | {"lateness": "1s", "patience": "1s"},
    "features": {"type": "each"},
    "detectors": [{"type": "lines"}],
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    udp, tcp = free_port(), free_port()
    lines = LINES | {
        "source": LINES["source"] | {"syslog": [f"udp://127.0.0.1:{udp}", f"tcp://127.0.0.1:{tcp}"]}
    }
    settings = Settings.model_validate(
        {"listen": f"127.0.0.1:{free_port()}", "pipelines": [NUMBERS, lines]}
    )
    live = Live(settings, tmp_path, World())
    live.start()
    yield live
    live.stop()


@pytest.fixture
def site(live: Live) -> Iterator[httpx.Client]:
    with serving(live) as address, httpx.Client(base_url=address, timeout=PATIENCE) as client:
        yield client


def awaited(live: Live, pipeline: str, ticks: int) -> None:
    version, until = 0, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        now = live.wait(version, 1.0)
        version = now.version
        if next(p.ticks for p in now.pipelines if p.name == pipeline) >= ticks:
            return
    raise AssertionError(f"{ticks} ticks of {pipeline} never came")


@pytest.mark.parametrize("where", ["", "/inbox/default"])
@pytest.mark.parametrize("version", [1, 2])
def test_prometheus_writes_samples(
    site: httpx.Client, live: Live, where: str, version: remote_write.Version
) -> None:
    begin = time.time_ns() // SECOND * SECOND - 60 * SECOND
    rows = [({"__name__": "up", "host": "a"}, [begin + i * SECOND for i in range(40)], range(40))]
    answer = site.post(
        f"{where}/api/v1/write",
        content=remote_write.encode(rows, version),
        headers=remote_write.headers(version),
    )
    assert answer.status_code == 204, answer.text
    assert answer.headers["x-prometheus-remote-write-samples-written"] == "40"
    awaited(live, "pushed", 20)
    points = live.history('up{host="a"}', begin, begin + 60 * SECOND)
    assert points.value[:5].tolist() == [0, 1, 2, 3, 4]


def test_a_sender_of_version_2_is_told_what_was_taken(site: httpx.Client, live: Live) -> None:
    """The end of a series is: else Prometheus 3 counts it, and logs it, as a failure."""
    ended = np.array([remote_write.STALE], np.uint64).view(np.float64)
    rows = [({"__name__": "up", "host": "a"}, [time.time_ns()], ended)]
    answer = site.post(
        "/api/v1/write", content=remote_write.encode(rows, 2), headers=remote_write.headers(2)
    )
    assert answer.status_code == 204
    told = {what: answer.headers[f"x-prometheus-remote-write-{what}-written"] for what in TAKEN}
    assert told == {"samples": "1", "histograms": "0", "exemplars": "0"}
    version, until = 0, time.monotonic() + PATIENCE
    while not live.now().skipped:  # what is left out of it is counted, though nothing else came
        assert time.monotonic() < until
        version = live.wait(version, 1.0).version
    assert live.now().skipped == {"end of a series": 1}


def lines_of(live: Live) -> list[str]:
    """What the source of the lines reads, as its pipeline does."""
    source = next(p.source for p in live.settings.pipelines if p.name == "lines")
    cursor: dict[str, Any] = {}
    found, more = [], True
    while more:
        cursor, records = source.poll(cursor, live.world)
        more = records.more
        found += [] if records.text is None else records.text.tolist()
    return found


def loki_json() -> tuple[bytes, dict[str, str]]:
    values = [[str(time.time_ns() + i), f"line {i}"] for i in range(3)]
    said = {"streams": [{"stream": {"app": "shop"}, "values": values}]}
    return orjson.dumps(said), {"content-type": "application/json"}


def loki_packed() -> tuple[bytes, dict[str, str]]:
    body, headers = loki_json()
    return gzip.compress(body), headers | {"content-encoding": "gzip"}


def loki_protobuf() -> tuple[bytes, dict[str, str]]:
    message = loki_push._message()()
    stream = message.streams.add(labels='{app="shop", pod="x-1"}')
    for i in range(3):
        entry = stream.entries.add(line=f"line {i}")
        entry.timestamp.seconds = int(time.time())
    body = bytes(cramjam.snappy.compress_raw(message.SerializeToString()))
    return body, {"content-type": "application/x-protobuf"}


def otlp_logs() -> tuple[bytes, dict[str, str]]:
    message = ExportLogsServiceRequest()
    scope = message.resource_logs.add().scope_logs.add()
    for i in range(3):
        record = scope.log_records.add(time_unix_nano=time.time_ns(), severity_text="WARN")
        record.body.string_value = f"line {i}"
    return message.SerializeToString(), {"content-type": "application/x-protobuf"}


def plain() -> tuple[bytes, dict[str, str]]:
    return b"line 0\nline 1\n\nline 2", {"content-type": "text/plain"}


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("loki/api/v1/push", loki_json),
        ("loki/api/v1/push", loki_packed),
        ("loki/api/v1/push", loki_protobuf),
        ("v1/logs", otlp_logs),
        ("lines", plain),
    ],
)
def test_lines_come_in_every_form(site: httpx.Client, live: Live, path: str, made: Any) -> None:
    body, headers = made()
    answer = site.post(f"/inbox/logs/{path}", content=body, headers=headers)
    assert answer.status_code == (200 if path == "v1/logs" else 204), answer.text
    assert lines_of(live) == ["line 0", "line 1", "line 2"]


def test_opentelemetry_sends_metrics(site: httpx.Client, live: Live) -> None:
    begin = time.time_ns() // SECOND * SECOND - 60 * SECOND
    message = ExportMetricsServiceRequest()
    resource = message.resource_metrics.add()
    service = resource.resource.attributes.add(key="service.name")
    service.value.string_value = "shop"
    metric = resource.scope_metrics.add().metrics.add(name="queue.size")
    for i in range(40):
        metric.gauge.data_points.add(time_unix_nano=begin + i * SECOND, as_int=i)
    answer = site.post(
        "/v1/metrics",
        content=message.SerializeToString(),
        headers={"content-type": "application/x-protobuf"},
    )
    assert (answer.status_code, answer.content) == (200, b""), "all of it was taken"
    awaited(live, "pushed", 20)
    points = live.history('queue_size{service_name="shop"}', begin, begin + 60 * SECOND)
    assert points.value[:3].tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["application/json", "application/x-protobuf"])
def test_opentelemetry_is_told_what_was_left_out(site: httpx.Client, kind: str) -> None:
    """Else its collector counts as sent what nobody has."""
    points, records = ExportMetricsServiceRequest(), ExportLogsServiceRequest()
    metric = points.resource_metrics.add().scope_metrics.add().metrics.add(name="queue.size")
    metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_int=1)
    metric.gauge.data_points.add(time_unix_nano=time.time_ns())  # without a value
    records.resource_logs.add().scope_logs.add().log_records.add()  # without a time
    for path, sent, told, lost in (
        ("/v1/metrics", points, ExportMetricsServiceResponse(), "rejected_data_points"),
        ("/v1/logs", records, ExportLogsServiceResponse(), "rejected_log_records"),
    ):
        json = kind == "application/json"
        body = MessageToJson(sent).encode() if json else sent.SerializeToString()
        answer = site.post(path, content=body, headers={"content-type": kind})
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
        if json:
            Parse(answer.content, told)
        else:
            told.ParseFromString(answer.content)
        assert getattr(told.partial_success, lost) == 1
        assert "of OpenTelemetry without a" in told.partial_success.error_message


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        ("/inbox/nobody/lines", b"x", {}, 404, "known: default, logs"),
        ("/api/v1/write", b"x", {"content-type": "text/plain"}, 415, "application/x-protobuf"),
        ("/api/v1/write", b"garbage", remote_write.headers(1), 400, "no block of snappy"),
        (
            "/loki/api/v1/push",
            b'{"streams": [{"stream": {}, "values": [["1"]]}]}',
            {"content-type": "application/json"},
            400,
            "pairs",
        ),
        (
            "/lines",
            b"x",
            {"content-type": "text/plain", "content-encoding": "br"},
            400,
            "encoding br is not known",
        ),
    ],
)
def test_what_is_wrong_is_said(
    site: httpx.Client, path: str, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    answer = site.post(path, content=body, headers=headers)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text


def message_of(status: bytes) -> str:
    """Of a `google.rpc.Status`, read by the type of a field that has the same number there."""
    read = trace_pb2.Status()
    read.ParseFromString(status)
    return str(read.message)


@pytest.mark.parametrize(
    ("path", "kind", "body", "status", "said"),
    [
        ("/v1/logs", "application/json", b"{", 400, "OpenTelemetry"),
        ("/v1/logs", "text/html", b"{}", 415, "text/html"),
        ("/v1/metrics", "application/x-protobuf", b"{", 400, "OpenTelemetry"),
        ("/v1/metrics", "application/protobuf", b"{", 400, "OpenTelemetry"),
        ("/inbox/nobody/v1/metrics", "application/x-protobuf", b"", 404, "known: default, logs"),
        ("/v1/metrics", "application/x-protobuf", bytes(limit.PUSHED + 1), 413, "larger than"),
    ],
)
def test_opentelemetry_is_told_what_is_wrong_as_it_reads_it(
    site: httpx.Client, path: str, kind: str, body: bytes, status: int, said: str
) -> None:
    answer = site.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code == status
    if "protobuf" in kind:
        assert answer.headers["content-type"] == "application/x-protobuf"
        assert said in message_of(answer.content)
    else:
        assert answer.headers["content-type"] == "application/json"
        assert said in answer.json()["message"]


def test_a_stranger_is_told_so_as_opentelemetry_reads_it(site: httpx.Client) -> None:
    headers = {"content-type": "application/x-protobuf", "host": "elsewhere.example"}
    answer = site.post("/v1/metrics", content=b"", headers=headers)
    assert answer.status_code == 421
    assert "elsewhere.example" in message_of(answer.content)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_bomb_is_refused_before_it_is_unpacked(site: httpx.Client) -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    headers = {"content-type": "text/plain", "content-encoding": "gzip"}
    answer = site.post("/lines", content=bomb, headers=headers)
    assert answer.status_code == 413
    assert "134,217,728" in answer.json()["detail"]


def test_pushed_bodies_may_be_larger_than_others(site: httpx.Client) -> None:
    body = b"a line of text\n" * 100_000
    assert len(body) > limit.LARGEST
    plain = {"content-type": "text/plain"}
    assert site.post("/lines", content=body, headers=plain).status_code == 204
    assert site.post("/retrain", content=body, headers=plain).status_code == 413


def test_a_full_inbox_asks_to_wait(site: httpx.Client, live: Live) -> None:
    inbox: Inbox = live.inboxes.get("default")
    inbox.most = 10
    plain = {"content-type": "text/plain"}
    assert site.post("/lines", content=b"0123456789", headers=plain).status_code == 204
    answer = site.post("/lines", content=b"0123456789", headers=plain)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "wait to be judged" in answer.json()["detail"]


def test_a_slow_disk_keeps_no_other_page_waiting(site: httpx.Client, live: Live) -> None:
    begun, over = threading.Semaphore(0), threading.Event()
    keep, inbox = os.fdatasync, live.inboxes.get("default")

    def sync(file: int) -> None:
        begun.release()
        over.wait(PATIENCE)
        keep(file)

    inbox._sync = sync
    plain = {"content-type": "text/plain"}
    with ThreadPoolExecutor(50) as senders:
        ask = partial(site.post, "/lines", content=b"x", headers=plain)
        answers = [senders.submit(ask) for _ in range(50)]
        assert begun.acquire(timeout=PATIENCE)
        try:
            assert site.get("/api/v1/incidents").status_code == 200
        finally:
            over.set()
        assert {answer.result().status_code for answer in answers} == {204}


def connected(port: int) -> socket.socket:
    """As soon as it is listened on, which is a moment after the start."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            assert time.monotonic() < until


def test_syslog_over_udp_and_tcp(live: Live) -> None:
    source = next(p.source for p in live.settings.pipelines if p.name == "lines")
    udp, tcp = (int(url.rpartition(":")[2]) for url in source.syslog)
    message = b"<13>1 2027-01-15T08:00:00Z web app - - - over tcp"
    with connected(tcp) as sender:
        sender.sendall(b"%d %b" % (len(message), message))
        sender.sendall(b"<13>Jan 15 08:00:00 web app: by line\n<13>Jan 15 08:00:01 web app: cut")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>1 2027-01-15T08:00:00Z web app - - - over udp", ("127.0.0.1", udp))
    said: list[str] = []
    until = time.monotonic() + PATIENCE
    while len(said) < 4 and time.monotonic() < until:
        said = sorted(line.rpartition(" ")[2] for line in lines_of(live))
    assert said == ["cut", "line", "tcp", "udp"]

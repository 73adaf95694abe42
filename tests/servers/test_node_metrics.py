"""The blueprint of host metrics, whole: real servers, a real fault, a real alert."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from amiss.data import MINUTE, SECOND
from servers import alertmanager, node_exporter, prometheus, victoriametrics
from servers.ports import free_port
from servers.pushed import push
from servers.receivers import Receiver
from servers.running import Running, answers

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(420)]

ROOT = Path(__file__).parents[2]
PAST = 50 * MINUTE
PATIENCE = 150.0  # seconds
COUNTERS = (
    "node_cpu_seconds_total",
    "node_disk_read_bytes_total",
    "node_disk_written_bytes_total",
    "node_network_receive_bytes_total",
    "node_network_transmit_bytes_total",
)
GAUGES = ("node_load1", "node_memory_MemAvailable_bytes", "node_memory_MemTotal_bytes")


def until(there: Callable[[], Any], what: str) -> Any:
    """What it gives, as soon as it gives anything."""
    end = time.monotonic() + PATIENCE
    while not (found := there()):
        assert time.monotonic() < end, what
        time.sleep(0.2)
    return found


def scraped(url: str) -> dict[str, float]:
    """The samples of those metrics that the blueprint asks for, by what stands before the value."""
    rows = (line.rsplit(" ", 1) for line in httpx.get(f"{url}/metrics").text.splitlines())
    return {row[0]: float(row[1]) for row in rows if row[0].partition("{")[0] in COUNTERS + GAUGES}


def past(exporter: Running) -> list:
    """The last hour as it might have been: around what this machine does now, and up to it."""
    first, began = scraped(exporter.url), time.monotonic()
    time.sleep(3)  # a rate needs two readings
    last, seconds = scraped(exporter.url), time.monotonic() - began
    now, random = time.time_ns() // SECOND * SECOND, np.random.default_rng(7)
    times = np.arange(now - PAST, now, SECOND)
    noise = np.zeros(len(times))
    rows = []
    for text, value in last.items():
        name, _, rest = text.partition("{")
        for t, shock in enumerate(random.normal(size=len(times))):
            noise[t] = 0.9 * noise[t - 1] + 0.4 * shock
        if name in COUNTERS:
            rate = max((value - first[text]) / seconds, 1e-3 if "cpu" in name else 1e4)
            steps = rate * np.exp(noise)
            steps = np.minimum(steps, 1.0) if "cpu" in name else steps
            made = value - np.cumsum(steps[::-1])[::-1]
        else:
            width = {"node_load1": 0.3, "node_memory_MemTotal_bytes": 0.0}.get(name, 0.03)
            made = value * np.exp(width * noise)
        labels = dict(
            part.split("=", 1) for part in rest.rstrip("}").replace('"', "").split(",") if part
        )
        rows.append(
            (
                {"__name__": name, "instance": "here", "job": "node", **labels},
                times.tolist(),
                made.tolist(),
            )
        )
    return rows


def scrape_of(file: str, target: str, interval: str = "1s") -> str:
    """A configuration of the blueprint, with another target, asked more often."""
    said = yaml.safe_load((ROOT / "blueprints" / "node-metrics" / file).read_text())
    (job,) = said["scrape_configs"]
    job["scrape_interval"] = job["scrape_timeout"] = interval
    labels = {"instance": "here"} if job["job_name"] == "node" else {}
    job["static_configs"] = [{"targets": [target], "labels": labels}]
    return yaml.safe_dump(said)


def blueprint(where: str, manager: str, port: int) -> str:
    """The blueprint, for these servers, with seconds for its quarters of a minute."""
    text = (ROOT / "blueprints" / "node-metrics.yaml").read_text()
    said = yaml.safe_load(text.replace("[1m]", "[5s]"))
    (pipeline,) = said["pipelines"]
    pipeline["source"] |= {"url": where, "every": "1s", "delay": "1s", "history": "45m"}
    pipeline["features"]["every"] = "1s"
    pipeline |= {"silence": "30s", "calm": "10s", "settle": "1m"}
    pipeline["detectors"][-1] |= {"units": [16], "steps": 100}
    said |= {"listen": f"127.0.0.1:{port}", "budget": "500/day"}
    said["exports"]["scores"] |= {"url": f"{where}/api/v1/write", "every": "1s"}
    said["sinks"]["alertmanager"]["url"] = manager
    return yaml.safe_dump(said)


def of(server: Running, query: str) -> list:
    reply = httpx.get(f"{server.url}/api/v1/query", params={"query": query}, timeout=20)
    return reply.json()["data"]["result"] if reply.is_success else []


@pytest.fixture(params=["victoriametrics", "prometheus"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, ExitStack]]:
    """The server that keeps the metrics of the node exporter, and their past."""
    with ExitStack() as stack:
        (tmp_path / "node").mkdir()
        (tmp_path / "kept").mkdir()
        exporter = stack.enter_context(node_exporter.server(tmp_path / "node"))
        config = scrape_of("scrape.yaml", exporter.url.removeprefix("http://"))
        if request.param == "prometheus":
            server = stack.enter_context(prometheus.server(tmp_path / "kept"))
            push(server.url, past(exporter))
            (tmp_path / "kept" / "prometheus.yml").write_text(config)
            httpx.post(f"{server.url}/-/reload", timeout=20).raise_for_status()
        else:
            server = victoriametrics.server(tmp_path / "kept", scrape=config)
            stack.enter_context(server)
            push(server.url, past(exporter))
        until(lambda: of(server, "rate(node_disk_written_bytes_total[5s])"), "no metrics come")
        yield server, stack


def test_a_fault_is_found_from_the_node_exporter_to_the_alert(
    kept: tuple[Running, ExitStack], tmp_path: Path
) -> None:
    server, stack = kept
    for name in ("manager", "watcher", "amiss", "fault"):
        (tmp_path / name).mkdir()
    receiver = stack.enter_context(Receiver())
    manager = stack.enter_context(alertmanager.server(tmp_path / "manager", receiver.url))
    port, config = free_port(), tmp_path / "node-metrics.yaml"
    config.write_text(blueprint(server.url, manager.url, port))
    command = [sys.executable, "-m", "amiss"]
    home = ["--home", str(tmp_path / "amiss")]
    trained = subprocess.run(
        [*command, "train", str(config), *home], capture_output=True, text=True, check=False
    )
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.startswith("lstm") and "in use" in trained.stdout
    ready = answers(f"http://127.0.0.1:{port}/healthz")
    stack.enter_context(
        Running([*command, "run", str(config), *home], tmp_path / "amiss", port, ready)
    )
    watcher = stack.enter_context(
        prometheus.server(tmp_path / "watcher", scrape_of("prometheus.yaml", f"127.0.0.1:{port}"))
    )
    live = 'amiss_score{job="amiss",series="disk_write_bytes_per_second",host="here"}'
    until(lambda: of(watcher, live), "Prometheus has no score")
    until(lambda: of(server, 'last_over_time(amiss_expected{job=""}[1m])'), "no score is written")
    assert of(watcher, "amiss_model_age_seconds"), "the LSTM is not in use"
    until(lambda: not of(watcher, "amiss_open_incidents > 0"), "it does not calm down")
    receiver.all()
    began = time.time()
    fault = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "servers" / "burden.py"), "disk"],
        cwd=tmp_path / "fault",
    )
    try:
        told = until(lambda: _about_the_disk(receiver, began), "no alert came")
        flag = 'amiss_anomaly{series="disk_write_bytes_per_second",host="here"} == 1'
        until(lambda: of(watcher, flag), "the flag is not set")
    finally:
        fault.kill()
        fault.wait()
    assert told["labels"]["alertname"] == "Amiss" and told["labels"]["host"] == "here"
    high = until(
        lambda: of(server, 'max_over_time(amiss_score{series="disk_write_bytes_per_second"}[2m])'),
        "the score is not written",
    )
    assert max(float(one["value"][1]) for one in high) > 5


def _about_the_disk(receiver: Receiver, began: float) -> dict[str, Any] | None:
    """An alert that began since, fires, and names what is written to disks."""
    found = [alert for request in receiver.all() for alert in request.json["alerts"]]
    return next(
        (
            one
            for one in found
            if one["status"] == "firing"
            and "disk_write" in one["annotations"]["series"]
            and datetime.fromisoformat(one["startsAt"]).timestamp() > began - 5
        ),
        None,
    )

"""All of the blueprint of host metrics, in seconds: real servers, a made past, a real fault."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import yaml

from amiss.data import MINUTE, SECOND
from servers import alertmanager, node_exporter, prometheus, victoriametrics
from servers.ports import free_port
from servers.pushed import push
from servers.receivers import Receiver
from servers.running import Running, answers

ROOT = Path(__file__).parents[2]
PAST = 20 * MINUTE
PATIENCE = 450.0  # seconds
HOT = 32  # processes of a burn, beside four for each that there is of late
COUNTERS = (
    "node_cpu_seconds_total",
    "node_disk_read_bytes_total",
    "node_disk_written_bytes_total",
    "node_network_receive_bytes_total",
    "node_network_transmit_bytes_total",
)
GAUGES = {  # and how much they vary
    "node_load1": 0.3,
    "node_procs_running": 0.3,
    "node_memory_MemAvailable_bytes": 0.03,
    "node_memory_MemTotal_bytes": 0.0,
}


def until(there: Callable[[], Any], what: str) -> Any:
    """What it gives, as soon as it gives anything."""
    end = time.monotonic() + PATIENCE
    while not (found := there()):
        assert time.monotonic() < end, what
        time.sleep(0.2)
    return found


def scraped(url: str) -> dict[str, float]:
    """The samples of those metrics that the blueprint asks for, by what stands before the value."""
    rows = (
        line.rsplit(" ", 1) for line in httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    )
    wanted = {*COUNTERS, *GAUGES}
    return {row[0]: float(row[1]) for row in rows if row[0].partition("{")[0] in wanted}


def past(exporter: Running) -> list:
    """What might have been: around what this machine does now, and up to it."""
    os.sync()  # what others have written is no part of it
    first, began = scraped(exporter.url), time.monotonic()
    time.sleep(2)  # a rate needs two readings
    last, seconds = scraped(exporter.url), time.monotonic() - began
    now, random = time.time_ns() // SECOND * SECOND, np.random.default_rng(7)
    times = np.arange(now - PAST, now, SECOND)
    rows = []
    for text, value in last.items():
        name, _, rest = text.partition("{")
        noise = np.zeros(len(times))
        for t, shock in enumerate(random.normal(size=len(times))):
            noise[t] = 0.9 * noise[t - 1] + 0.4 * shock
        if name in COUNTERS:
            rate = max((value - first[text]) / seconds, 1e-3 if "cpu" in name else 1e4)
            steps = rate * np.exp(noise)
            steps = np.minimum(steps, 1.0) if "cpu" in name else steps
            made = value - np.cumsum(steps[::-1])[::-1]
        else:
            made = max(value, first[text]) * np.exp(GAUGES[name] * noise)
        labels = dict(
            part.split("=", 1) for part in rest.rstrip("}").replace('"', "").split(",") if part
        )
        labels = {"__name__": name, "instance": "here", "job": "node", **labels}
        rows.append((labels, times.tolist(), made.tolist()))
    return rows


def scrape_of(file: str, target: str) -> str:
    """A configuration of the blueprint, with another target, asked more often."""
    said = yaml.safe_load((ROOT / "blueprints" / "node-metrics" / file).read_text())
    (job,) = said["scrape_configs"]
    job["scrape_interval"] = job["scrape_timeout"] = "1s"
    labels = {"instance": "here"} if job["job_name"] == "node" else {}
    job["static_configs"] = [{"targets": [target], "labels": labels}]
    return yaml.safe_dump(said)


def blueprint(where: str, manager: str, port: int) -> dict[str, Any]:
    """The blueprint, for these servers, with seconds for its quarters of a minute."""
    text = (ROOT / "blueprints" / "node-metrics.yaml").read_text()
    said: dict[str, Any] = yaml.safe_load(text.replace("[1m]", "[5s]"))
    (pipeline,) = said["pipelines"]
    # samples are there some seconds after they were scraped: VictoriaMetrics gathers them first
    pipeline["source"] |= {"url": where, "every": "1s", "delay": "8s", "history": "18m"}
    pipeline["features"]["every"] = "1s"
    pipeline |= {"silence": "30s", "calm": "5s", "settle": "30s"}
    pipeline["detectors"][-1] |= {"units": [16], "steps": 60}
    said |= {"listen": f"127.0.0.1:{port}", "budget": "100/day"}
    said["exports"]["scores"] |= {"url": f"{where}/api/v1/write", "every": "1s"}
    said["sinks"]["alertmanager"]["url"] = manager
    return said


@dataclass
class Nodes:
    """All that runs, and what was told."""

    exporter: Running
    kept: Running
    watcher: Running
    manager: Running
    receiver: Receiver
    amiss: Running
    config: Path
    home: Path

    def asked(self, server: Running, query: str) -> list:
        """What a query gives now; nothing while the server is away."""
        try:
            given = {"query": query}
            reply = httpx.get(f"{server.url}/api/v1/query", params=given, timeout=60)
        except httpx.HTTPError:
            return []
        return reply.json()["data"]["result"] if reply.is_success else []

    def said(self, path: str) -> Any:
        """What the program answers."""
        return httpx.get(f"{self.amiss.url}/api/v1/{path}", timeout=60).json()

    def metric(self, name: str, *labels: str) -> dict[str, float]:
        """Of /metrics, those of a name and with these labels that are not nought, as written."""
        lines = httpx.get(f"{self.amiss.url}/metrics", timeout=60).text.splitlines()
        rows = (line.rpartition(" ") for line in lines if line.startswith(name))
        found = {said: float(value) for said, _, value in rows if float(value)}
        return {said: n for said, n in found.items() if all(one in said for one in labels)}

    def train(self) -> str:
        """`amiss train`."""
        command = [*self.amiss.command[:3], "train", str(self.config), "--home", str(self.home)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def nodes(folder: Path, kind: str) -> Iterator[Nodes]:
    """Of a kind of server that keeps the metrics, with their past; Amiss is not started yet."""
    with ExitStack() as stack, ThreadPoolExecutor() as threads:
        for name in ("node", "kept", "manager", "watcher", "amiss"):
            (folder / name).mkdir()
        receiver, port = stack.enter_context(Receiver()), free_port()
        exporter = node_exporter.server(folder / "node")
        manager = alertmanager.server(folder / "manager", receiver.url)
        watched = scrape_of("prometheus.yaml", f"127.0.0.1:{port}")
        watcher = prometheus.server(folder / "watcher", watched)
        config = scrape_of("scrape.yaml", exporter.url.removeprefix("http://"))
        if kind == "prometheus":
            kept = prometheus.server(folder / "kept")
        else:
            kept = victoriametrics.server(folder / "kept", scrape=config)
        for one in threads.map(stack.enter_context, (exporter, manager, watcher, kept)):
            assert one.process.poll() is None
        push(kept.url, past(exporter))
        if kind == "prometheus":  # what is older than what was scraped it would refuse
            (folder / "kept" / "prometheus.yml").write_text(config)
            httpx.post(f"{kept.url}/-/reload", timeout=60).raise_for_status()
        file, home = folder / "node-metrics.yaml", folder / "home"
        file.write_text(yaml.safe_dump(blueprint(kept.url, manager.url, port)))
        command = [sys.executable, "-m", "amiss", "run", str(file), "--home", str(home)]
        ready = answers(f"http://127.0.0.1:{port}/healthz")
        amiss = Running(command, folder / "amiss", port, ready)
        made = Nodes(exporter, kept, watcher, manager, receiver, amiss, file, home)
        query = "rate(node_disk_written_bytes_total[5s])"
        until(lambda: made.asked(kept, query), "no metrics come")
        yield made


@contextmanager
def fault(folder: Path) -> Iterator[None]:
    """Writes to the disk and a burn of processors, by more processes than there are."""
    folder.mkdir()
    hot = HOT + 4 * int(os.getloadavg()[0])
    burden = [sys.executable, str(ROOT / "tests" / "servers" / "burden.py")]
    some = [
        subprocess.Popen([*burden, *words], cwd=folder, start_new_session=True)
        for words in (["disk"], ["burn", str(hot)])
    ]
    try:
        yield
    finally:
        for one in some:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def alerts(requests: list) -> list[dict[str, Any]]:
    """Of what Alertmanager sent."""
    return [alert for request in requests for alert in json.loads(request.body)["alerts"]]

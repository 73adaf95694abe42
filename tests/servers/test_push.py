"""What real senders push: each Prometheus that writes here, over an absence of ours."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from amiss.data import SECOND
from amiss.formats.remote_write import ENDED
from amiss.run.live import Live
from amiss.settings import Settings
from amiss.world import World
from servers import prometheus, prometheus3
from servers.ports import free_port
from web.serving import serving

pytestmark = pytest.mark.server
PATIENCE = 240  # seconds
FAILED = re.compile(r"^prometheus_remote_storage_samples_failed_total\{.*\} (\S+)$", re.MULTILINE)
UP = 'scrape_samples_scraped{instance="itself",job="self"}'


@contextmanager
def amiss(home: Path, port: int) -> Iterator[Live]:
    settings = Settings.model_validate(
        {
            "listen": f"127.0.0.1:{port}",
            "pipelines": [
                {
                    "name": "pushed",
                    "source": {"type": "push", "every": "200ms", "lateness": "10s"},
                    "features": {"type": "grid", "every": "1s"},
                    "detectors": [{"type": "level"}],
                }
            ],
        }
    )
    live = Live(settings, home, World())
    live.start()
    try:
        with serving(live):
            yield live
    finally:
        live.stop()


def awaited(live: Live, after: int) -> int:
    """The newest time that was judged, once it is later than `after`."""
    version, until = 0, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        version = live.wait(version, 1.0).version
        points = live.history(UP, 0, 2**62)
        if len(points.time) and points.time[-1] > after:
            return int(points.time[-1])
    raise AssertionError("nothing was judged")


def ended(live: Live) -> int:
    """The newest time that was judged, once series have ended."""
    version, until = 0, time.monotonic() + PATIENCE
    while ENDED not in live.now().skipped:
        assert time.monotonic() < until, "no series has ended"
        version = live.wait(version, 1.0).version
    return awaited(live, 0)


@pytest.mark.parametrize(
    ("sender", "message"),
    [(prometheus, ""), (prometheus3, "protobuf_message: io.prometheus.write.v2.Request")],
    ids=["version 1", "version 2"],
)
def test_prometheus_writes_on_after_an_absence_without_a_gap(
    tmp_path: Path, sender: Any, message: str
) -> None:
    port = free_port()
    scraped = tmp_path / "scraped"
    scraped.mkdir()
    itself = free_port()
    config = f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: self
    static_configs:
      - {{targets: ["127.0.0.1:{itself}"], labels: {{instance: itself}}}}
      - {{targets: ["127.0.0.1:{itself}"], labels: {{instance: gone}}}}
remote_write:
  - url: http://127.0.0.1:{port}/api/v1/write
    queue_config: {{batch_send_deadline: 1s, max_backoff: 1s}}
    {message}
"""
    with sender.server(scraped, config, itself) as server:
        with amiss(tmp_path / "home", port) as live:
            first = awaited(live, 0)
            before = awaited(live, first + 5 * SECOND)
        back = before + 6 * SECOND
        while time.time_ns() < back:
            time.sleep(0.1)  # what is waited for is that nobody is there
        with amiss(tmp_path / "home", port) as live:
            awaited(live, back)
            kept = [line for line in config.splitlines() if "instance: gone" not in line]
            (scraped / "prometheus.yml").write_text("\n".join(kept))
            httpx.post(f"{server.url}/-/reload", timeout=60).raise_for_status()
            last = ended(live)
            points = live.history(UP, first, last)
            skipped = live.now().skipped
        asked = {"query": f"{UP}[10m]"}
        (said,) = httpx.get(f"{server.url}/api/v1/query", params=asked, timeout=60).json()["data"][
            "result"
        ]
        own = httpx.get(f"{server.url}/metrics", timeout=60).text
        server.kill()  # asked to end, it would try for a minute to write to nobody
    scraped_at = {-(-round(at * 1000) // 1000) * SECOND for at, _ in said["values"]}
    wanted = sorted(at for at in scraped_at if first <= at <= last)
    assert points.time[np.isfinite(points.value)].tolist() == wanted, skipped
    assert "late" not in " ".join(skipped)
    # what Prometheus 3 was told that we took is what it sent
    assert FAILED.findall(own) == ["0"]

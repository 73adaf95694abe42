"""The whole of it on this machine: start, learn, burn, find, tell, resolve.

The program runs as a user runs it; only its clock is faster, through the World. The source is
the real psutil, the load is real, and so are browser, scraper and receiver.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from prometheus_client.parser import text_string_to_metric_families

from servers.ports import free_port
from servers.receivers import Receiver

HERE = Path(__file__).parents[1] / "servers"
SPEED = 20
SAYS_WHY = "expected|unusual"  # of one series, or of the machine as a whole
TRIES = 3
PATIENCE = 300.0  # seconds until something that was to happen counts as never happening
SILENCE = 3600  # seconds of the program's clock: the default of a pipeline
SETTLED = 6 * 3600  # after which what does not end counts as the new normal
SAMPLES = 420  # the size of a surprise counts from some 360 samples on
CONFIG = """
listen: 127.0.0.1:{port}
pipelines:
  - name: host
    source: {{type: host, every: 5s}}
    features: {{type: grid, every: 5s}}
    detectors:
      - {{type: level}}
      - {{type: step}}
      - {{type: drift, span: 24}}
      - {{type: drift, span: 144}}
      - {{type: surprise}}
      - {{type: isolation_forest}}
      - {{type: linear_regression}}
sinks:
  hook: {{type: webhook, url: "{url}"}}
"""


def waited(true: Callable[[], Any], patience: float) -> Any:
    """Wait for something that another process does; what it came to, at the end of patience too."""
    last = time.monotonic() + patience
    while not (found := true()) and time.monotonic() < last:
        time.sleep(0.2)
    return found


def until(what: str, true: Callable[[], Any], patience: float) -> Any:
    found = waited(true, patience)
    assert found, f"waited in vain for {what}"
    return found


@contextmanager
def program(folder: Path, url: str) -> Iterator[httpx.Client]:
    port = free_port()
    (folder / "amiss.yaml").write_text(CONFIG.format(port=port, url=url))
    command = [sys.executable, str(HERE / "accelerated.py"), "amiss.yaml", "home", "--serve"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--speed", str(SPEED)], cwd=folder, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            until("/healthz", lambda: alive(client), PATIENCE)
            yield client
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, (folder / "log").read_text()
    finally:
        process.kill()
        process.wait()


def alive(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def burdens(folder: Path, *kinds: str) -> Iterator[None]:
    with ExitStack() as stack:
        for kind in kinds:
            command = [sys.executable, str(HERE / "burden.py"), kind]
            process = subprocess.Popen(command, cwd=folder)
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield
    (folder / "burden").unlink(missing_ok=True)


def samples(client: httpx.Client) -> int:
    said = client.get("/api/v1/series", params={"q": "memory_percent"}).json()
    return max((one["seen"] for one in said["series"]), default=0)


def names(incident: dict[str, Any]) -> set[str]:
    return {member["series"].partition("{")[0] for member in incident["members"]}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.timeout(10_800)
def test_real_load_is_found_told_and_resolved(tmp_path: Path) -> None:
    with Receiver() as receiver, program(tmp_path, receiver.url) as client:
        warming = client.get("/predict").json()
        assert warming["status"] == "warming_up"
        until("enough samples", lambda: samples(client) >= SAMPLES, SAMPLES * 5 / SPEED + PATIENCE)
        until("the models", lambda: client.get("/predict").json()["status"] == "success", PATIENCE)

        with load_that_is_told(tmp_path, client) as opened:
            assert opened["system"].startswith("host=")
            assert re.search(SAYS_WHY, opened["sentence"])
            until("the flag on /metrics", lambda: heavy(flagged(client)), PATIENCE)
            told = receiver.next().json
            while told["incident"]["id"] != opened["id"]:
                told = receiver.next().json
            assert told["event"] == "opened"
            first = client.get(f"/api/v1/incidents/{opened['id']}").json()["revisions"][0]
            assert told["incident"]["sentence"] == first["sentence"]
            on_the_dashboard(client, opened["id"])
            until("who made the load", lambda: blamed(client, opened["id"]), PATIENCE)

        # the kernel's load averages fall by the real clock, however fast ours runs
        over = until("the end", lambda: resolved(client, opened["id"]), SETTLED / SPEED + PATIENCE)
        assert "It lasted" in over["sentence"] or "new normal" in over["sentence"]
        while (told["incident"]["id"], told["event"]) != (opened["id"], "resolved"):
            told = receiver.next().json
        assert told["incident"]["state"] == "resolved"


@contextmanager
def load_that_is_told(folder: Path, client: httpx.Client) -> Iterator[dict[str, Any]]:
    """Load on this machine, and the incident that it became.

    What else runs on the machine is not ours: it may have made an incident of its own just
    before, and for an hour after one its series open no other. So after such an hour the load
    comes again.
    """
    cores = os.cpu_count() or 1
    for attempt in range(TRIES):
        # the load would become a part of one that is open, and tell of nothing new
        waited(lambda: not incidents(client, "open"), SETTLED / SPEED + PATIENCE)
        if attempt:
            waited(lambda: False, SILENCE / SPEED)
        concerned = partial(incident_of_load, client, {one["id"] for one in incidents(client)})
        with burdens(folder, *["cpu"] * cores, "memory", "disk"):
            opened = waited(concerned, PATIENCE)
            if opened:
                yield opened
                return
        print(f"load {attempt + 1} of {TRIES} made no incident; there were {incidents(client)}")
    raise AssertionError(f"no load was told: {client.get('/predict').json()}")


def incidents(client: httpx.Client, state: str | None = None) -> list[dict[str, Any]]:
    asked = {"state": state} if state else {}
    found: list[dict[str, Any]] = client.get("/api/v1/incidents", params=asked).json()["incidents"]
    return found


def heavy(names: set[str]) -> bool:
    return any(name.startswith(("cpu_", "memory_", "disk_", "load")) for name in names)


def incident_of_load(client: httpx.Client, before: set[str]) -> dict[str, Any] | None:
    """The open incident that the load is in."""
    found = (i for i in incidents(client, "open") if i["id"] not in before)
    return next((incident for incident in found if heavy(names(incident))), None)


def blamed(client: httpx.Client, id: str) -> bool:
    """Whether the incident says which program was busy."""
    worst = client.get(f"/api/v1/incidents/{id}").json()["incident"]
    return any("python" in line for line in worst["evidence"])


def flagged(client: httpx.Client) -> set[str]:
    """The series that /metrics says are amiss, as a real parser reads it."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = (s for family in families if family.name == "amiss_anomaly" for s in family.samples)
    return {sample.labels["series"] for sample in samples if sample.value == 1}


def resolved(client: httpx.Client, id: str) -> dict[str, Any] | None:
    incident: dict[str, Any] = client.get(f"/api/v1/incidents/{id}").json()["incident"]
    return incident if incident["state"] == "resolved" else None


def said(client: httpx.Client, id: str, page: Page) -> bool:
    """Whether the page of an incident has the sentence of its newest revision."""
    incident = client.get(f"/api/v1/incidents/{id}").json()["incident"]
    title, sentence = incident["title"], incident["sentence"]
    assert re.search(SAYS_WHY, title)
    rest = sentence.removeprefix(title).partition("; ")[2]  # before it is the reader's own time
    shown = page.locator(".am-one").inner_text()
    return page.locator("h1").first.inner_text() == title and rest in shown


def on_the_dashboard(client: httpx.Client, id: str) -> None:
    """What a person sees: the headline, the sentence, and the page of the incident."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("AMISS_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            page = browser.new_page()
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(f"{client.base_url}/dashboard/")
            headline = page.get_by_role("heading", level=1)
            several = re.compile(r"^\d+ (thing is|things are) amiss$")
            expect(headline).to_have_text(several, timeout=1000 * PATIENCE)
            page.goto(f"{client.base_url}/dashboard/incident?id={id}")
            expect(page.locator(".am-one")).to_be_visible(timeout=1000 * PATIENCE)
            until("what the API says", lambda: said(client, id, page), PATIENCE)
        finally:
            browser.close()

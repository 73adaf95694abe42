"""Blueprint app-logs whole: shop, Promtail, Loki, Amiss, Prometheus, receivers, dashboards."""

import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml

from servers import prometheus, promtail
from servers import shop as shops
from servers.ports import free_port
from servers.receivers import MailServer, Receiver, Request
from servers.running import Running, answers
from servers.shop import ROOT, made, module

pytestmark = [pytest.mark.server, pytest.mark.timeout(2700)]

HISTORY = 1800.0  # seconds of lines that are there at the start
PATIENCE = 600.0  # seconds until something that was to happen counts as never happening
STEP = re.compile(r"pipeline suspicious: (\d+) records")
AWAY = ("hook", "chat/json", "chat/mailto")
SPANS = {"$__interval": "1m", "$__range": "1h", "$__rate_interval": "1m"}
PAGES = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
FLAT = re.compile(r'amiss_(lower|upper)\{series="cpu_percent"\}')
"""Of a processor that is at 100 % throughout, as when all of this runs on two, there is no band."""
FINE = re.compile(
    "the past that was learned from"
    "|noughts before anything was heard"  # Loki's rates before the shop's first line
    "|counts of late lines that failed"  # it was killed as it was asked; they are counted here too
    # of this machine's own numbers: polls that came too soon or late, sensors that say nothing
    '|reason="(too soon|gap|clock set back|counter reset|no time passed|[a-z ]+: [A-Z][A-Za-z]+)"'
)
"""What may be left out, however quick the machine is: no line, and no number of the shop."""
load = module("load")


def until(done: Callable[[], Any], what: str) -> Any:
    """What it says once it says something."""
    end = time.monotonic() + PATIENCE
    while not (found := done()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.2)
    return found


@dataclass
class Scene:
    """All that runs."""

    shop: Running
    loki: Running
    amiss: Running
    prometheus: Running
    hook: Receiver
    mail: MailServer
    shipper: Running
    log: Path
    stop: threading.Event
    people: threading.Thread
    requests: list[Request] = field(default_factory=list)
    mails: int = 0

    def judged(self) -> int:
        """How many lines, as its log says of each step."""
        return sum(map(int, STEP.findall(self.amiss.log.read_text())))

    def ticks(self) -> float:
        """How many ticks of numbers are judged."""
        return sum(self.metric("amiss_ticks_total", pipeline="behaviour"))

    def held(self) -> int:
        """How many lines of the shop Loki has."""
        return held(self.loki)

    def arrived(self) -> None:
        """Note what has come to chat, hook and mail."""
        self.requests += self.hook.all()
        self.mails += len(self.mail.all())

    def deaf(self) -> None:
        """Chat, hook and mail are away from now on."""
        self.arrived()
        self.hook.__exit__(None, None, None)
        self.mail.stop()

    def heard(self) -> None:
        """They are back, where they were."""
        self.hook.__enter__()
        self.mail = MailServer(self.mail.port)
        self.mail.start()

    def metric_lines(self, name: str) -> list[str]:
        """What /metrics says of these."""
        lines = httpx.get(f"{self.amiss.url}/metrics", timeout=60).text.splitlines()
        return [line for line in lines if line.startswith(f"{name}{{")]

    def metric(self, name: str, **labels: str) -> list[float]:
        """The numbers of those with these labels."""
        there = self.metric_lines(name)
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return [float(x.rpartition(" ")[2]) for x in there if all(one in x for one in wanted)]

    def lines(self, query: str) -> list[dict[str, Any]]:
        """Lines of the last hour, as JSON."""
        asked = {"query": query, "since": "2h", "limit": 5000, "direction": "forward"}
        reply = httpx.get(f"{self.loki.url}/loki/api/v1/query_range", params=asked, timeout=60)
        assert reply.status_code == 200, reply.text
        result = reply.json()["data"]["result"]
        return [orjson.loads(line) for one in result for _, line, *_ in one["values"]]

    def hooked(self) -> list[dict[str, Any]]:
        """The findings that the hook was told."""
        said = [one.json for one in self.requests if one.path == "/hook"]
        return [one["incident"] | {"event": one["event"]} for one in said]

    def told(self) -> list[dict[str, Any]]:
        """The findings that stand in Loki."""
        return self.lines('{job="amiss"}')

    def attacked(self, kind: str, stop: threading.Event) -> None:
        """Customers, and an attack beside them, until it is found."""
        while not stop.is_set():
            load.run(self.shop.url, 3.0, kind, 2.0, random.Random())

    def broken(self) -> None:
        """Most of what the shop answers is that it is broken."""
        for _ in range(60):
            load.ask(self.shop.url, load.attack("errors", random.Random()))


def held(loki: Running) -> int:
    asked = {"query": 'sum(count_over_time({app="shop"}[2h]))'}
    reply = httpx.get(f"{loki.url}/loki/api/v1/query", params=asked, timeout=60)
    found = reply.json()["data"]["result"] if reply.is_success else []
    return int(float(found[0]["value"][1])) if found else 0


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("app-logs")
    log = folder / "shop.log"
    past = [*load.history(time.time(), HISTORY, 3.0, random.Random(1))]
    log.write_bytes(b"".join(past))
    loki, shop = shops.loki(folder / "loki"), shops.shop(folder / "shop", log)
    positions, mail = folder / "positions.yaml", MailServer(free_port())
    config = ROOT / "blueprints" / "app-logs" / "promtail.yaml"
    said = {"LOKI_URL": loki.url, "SHOP_LOG": str(log), "POSITIONS": str(positions)}
    shipper, where = promtail.server(made(folder / "promtail"), config, **said), free_port()
    watched = {
        "global": {"scrape_interval": "1s"},
        "rule_files": [str(ROOT / "deploy" / "prometheus" / "amiss.rules.yml")],
        "scrape_configs": [
            {"job_name": "amiss", "static_configs": [{"targets": [f"127.0.0.1:{where}"]}]}
        ],
    }
    watcher = prometheus.server(made(folder / "prometheus"), yaml.safe_dump(watched))
    with loki, shop, shipper, watcher, Receiver(port=free_port()) as hook:
        mail.start()
        until(lambda: held(loki) >= len(past), "the past is in Loki")
        with program(folder, loki.url, hook, mail, where) as amiss:
            stop = threading.Event()
            people = threading.Thread(target=customers, args=(shop.url, stop))
            people.start()
            one = Scene(shop, loki, amiss, watcher, hook, mail, shipper, log, stop, people)
            try:
                yield one
            finally:
                stop.set()
                people.join()
        one.mail.stop(no_assert=True)  # it may be away


def customers(url: str, stop: threading.Event) -> None:
    while not stop.is_set():
        load.run(url, 3.0, "", 2.0, random.Random())


def program(folder: Path, loki: str, hook: Receiver, mail: MailServer, where: int) -> Running:
    """`amiss run` with the blueprint."""
    chat = [f"json://{hook.place}/chat", f"mailto://127.0.0.1:{mail.port}?from=a@b.org&to=c@d.org"]
    sinks = {
        "chat": {"type": "apprise", "urls": chat},
        "hook": {"type": "webhook", "url": hook.url},
    }
    file = folder / "app-logs.yaml"
    said = shops.quicker(loki, "1000/day", sinks) | {"listen": f"127.0.0.1:{where}"}
    file.write_text(yaml.safe_dump(said))
    command = ["env", "LOG_LEVEL=DEBUG", sys.executable, "-m", "amiss", "run", str(file)]
    command += ["--home", str(folder / "home")]
    ready = answers(f"http://127.0.0.1:{where}/healthz")
    return Running(command, made(folder / "amiss"), where, ready)


@pytest.fixture(scope="module")
def found(scene: Scene) -> list[dict[str, Any]]:
    """After a warm start, attacks of all kinds: what stands in Loki. Each server is killed once."""
    for one in (scene.shop, scene.shipper, scene.loki):
        one.kill()
        one.start()
        before = scene.ticks()
        until(lambda before=before: scene.ticks() > before, f"after {one.command[1]}")
    for name, pipeline in (
        ("one_class_svm", "response-time"), ("one_class_svm", "status-codes"),
        ("isolation_forest", "behaviour"),
    ):  # fmt: skip
        until(
            lambda name=name, pipeline=pipeline: max(
                scene.metric("amiss_model_samples", model=name, pipeline=pipeline), default=0
            ) >= 100,
            f"{name} of {pipeline} is fitted",
        )  # fmt: skip
    stop = threading.Event()
    attacks = [
        threading.Thread(target=scene.attacked, args=(kind, stop))
        for kind in ("slow", "scraping", "injection")
    ]
    scene.deaf()
    for one in attacks:
        one.start()
    try:
        for sink in AWAY:
            retried = {"sink": sink, "outcome": "retried"}
            until(lambda said=retried: sum(scene.metric("amiss_deliveries_total", **said)), sink)
        scene.heard()
        kinds = {"response", "suspicious", "behaviour"}
        until(lambda: kinds <= set(map(kind_of, scene.told())), "three kinds of finding")
    finally:
        stop.set()
        for one in attacks:
            one.join()

    def status() -> bool:
        scene.broken()
        told = scene.told()
        ruled = any("mean status above 400" in json.dumps(one) for one in told)
        return ruled and "status" in map(kind_of, told)

    until(status, "findings about status codes")
    return scene.told()


def kind_of(line: dict[str, Any]) -> str:
    """Which of the four kinds a finding is, by its strangest series."""
    series = line["members"][0]["series"]
    for kind in ("response", "status"):
        if series.startswith(kind):
            return kind
    if any("suspicious activity" in one["rules"] for one in line["members"]):
        return "suspicious"
    names = ("requests", "clients", "busiest_client", "urls", "writes", "sent_bytes", "isolation")
    return "behaviour" if series.startswith(names) else series


def test_four_kinds_of_finding_are_told(scene: Scene, found: list[dict[str, Any]]) -> None:
    assert {kind_of(one) for one in found} >= {"response", "status", "suspicious", "behaviour"}
    rules = {rule for one in found for member in one["members"] for rule in member["rules"]}
    assert {"suspicious activity", "mean status above 400"} <= rules
    assert "amiss" in str(scene.mail.next()["subject"])
    scene.mails += 1


def test_the_log_says_why(scene: Scene, found: list[dict[str, Any]]) -> None:
    said = scene.amiss.log.read_text()
    assert "level=debug" in said
    for words in ("below the bar of", "above the bar of", "no incident", "one_class_svm of"):
        assert words in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_panel_has_something_to_show(scene: Scene, found, page: Path) -> None:
    for panel in json.loads(page.read_text())["panels"]:
        for target in panel["targets"]:
            if FLAT.fullmatch(target["expr"]):
                continue
            until(lambda: asked(scene, panel, target), f"{panel['title']}: {target['expr']}")  # noqa: B023


def asked(scene: Scene, panel: dict[str, Any], target: dict[str, Any]) -> list[Any]:
    """What a panel's query gives, with the spans that Grafana would put in."""
    expr = target["expr"]
    for name, span in SPANS.items():
        expr = expr.replace(name, span)
    now = time.time()
    if panel["datasource"]["uid"] == "loki":
        base = f"{scene.loki.url}/loki/api/v1"
    else:
        base = f"{scene.prometheus.url}/api/v1"
    if target.get("instant") or target.get("queryType") == "instant":
        reply = httpx.get(f"{base}/query", params={"query": expr, "time": now}, timeout=60)
    else:
        span = {"start": now - 3600, "end": now, "step": 60}
        reply = httpx.get(f"{base}/query_range", params={"query": expr, **span}, timeout=60)
    assert reply.status_code == 200, f"{panel['title']}: {reply.text}"
    result: list[Any] = reply.json()["data"]["result"]
    return result


def test_prometheus_reads_the_rules(scene: Scene) -> None:
    def healthy() -> bool:
        said = httpx.get(f"{scene.prometheus.url}/api/v1/rules", timeout=60).json()
        rules = [rule for group in said["data"]["groups"] for rule in group["rules"]]
        return bool(rules) and all(rule["health"] == "ok" for rule in rules)

    until(healthy, "all rules are evaluated")


def test_every_line_is_judged_once_and_every_finding_told_once(scene: Scene, found) -> None:
    """Though the shop, Promtail, Loki and the receivers were killed once each."""
    scene.stop.set()
    scene.people.join()
    written = scene.log.read_bytes().splitlines()
    assert len(set(written)) == len(written) > HISTORY
    until(lambda: scene.held() >= len(written), "all lines are in Loki")
    until(lambda: scene.judged() >= len(written), "all lines are judged")
    until(lambda: set(scene.metric("amiss_sink_up")) == {1.0}, "all sinks are there")
    incidents = httpx.get(f"{scene.amiss.url}/api/v1/incidents?limit=1000", timeout=60).json()
    opened = {one["id"] for one in incidents["incidents"]}

    def heard() -> bool:  # the last may have opened just now: on this machine something always is
        scene.arrived()
        both = (scene.hooked(), scene.told())
        return all(opened <= {one["id"] for one in said} for said in both)

    until(heard, "every finding is told")
    messages = {
        sink: int(sum(scene.metric("amiss_deliveries_total", sink=sink, outcome="delivered")))
        for sink in (*AWAY, "loki")
    }
    left_out, judged = scene.metric_lines("amiss_skipped_total"), scene.judged()
    scene.amiss.stop()
    scene.arrived()
    hooked = scene.hooked()
    table = {
        "written": len(written), "held": scene.held(), "judged": judged,
        "left out": left_out, "incidents": len(incidents["incidents"]), "delivered": messages,
        "hook": len(hooked), "chat": len(scene.requests) - len(hooked), "mail": scene.mails,
        "loki": len(scene.told()),
    }  # fmt: skip
    print(table)
    assert table["written"] == table["held"] == table["judged"], table
    assert all(map(FINE.search, left_out)), table
    for sink, name in zip(messages, ("hook", "chat", "mail", "loki"), strict=True):
        assert table[name] >= messages[sink], table
    for said in (hooked, scene.told()):
        first = Counter(one["id"] for one in said if one["event"] == "opened")
        assert first.keys() >= opened and set(first.values()) == {1}
        assert set(Counter((one["id"], one["revision"]) for one in said).values()) == {1}


def test_promtool_agrees_with_the_rules() -> None:
    folder = ROOT / "deploy" / "prometheus"
    command = ["promtool", "test", "rules", str(folder / "amiss.rules.test.yml")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

"""A made-up installation for the pages to show: a real store, a clock one may set, no threads."""

import threading
from collections.abc import Callable
from dataclasses import replace
from math import exp, nan
from pathlib import Path
from typing import Any

import numpy as np

from amiss import settings
from amiss.data import DAY, HOUR, MINUTE, SECOND, Incident, Member, Records, parse_key, series_key
from amiss.decide.explain import sentence
from amiss.errors import ConfigError, Unreachable
from amiss.model import Card
from amiss.run.audited import Trail
from amiss.run.now import (
    BudgetNow,
    JointNow,
    ModelNow,
    Now,
    PipelineNow,
    SeriesNow,
    SinkNow,
)
from amiss.store import Points, Store
from amiss.store.thin import thin
from amiss.world import World

EVERY = 5 * SECOND
START = 1_772_892_130_000_000_000 // EVERY * EVERY  # 7 March 2026, 14:02:10 UTC
HOST = "web-3"
SYSTEM = f'host="{HOST}"'


def key(name: str, **labels: str) -> str:
    return series_key(name, {"host": HOST, **labels})


def _keys() -> dict[str, float]:
    """Some 150 series of a host and what they usually are."""
    found = {
        key("load1"): 1.2, key("load5"): 1.1, key("load15"): 1.0,
        key("memory_percent"): 41.0, key("memory_used_bytes"): 13e9,
        key("memory_available_bytes"): 19e9, key("memory_cached_bytes"): 8e9,
        key("swap_percent"): 2.0, key("processes"): 312.0, key("threads"): 1450.0,
        key("open_files"): 9800.0, key("context_switches_per_second"): 8200.0,
        key("interrupts_per_second"): 5100.0, key("cpu_percent"): 6.5,
    }  # fmt: skip
    for mode, usual in (("user", 4.0), ("nice", 0.1), ("system", 2.0), ("iowait", 0.6),
                        ("irq", 0.1), ("softirq", 0.2), ("steal", 0.1)):  # fmt: skip
        found[key(f"cpu_{mode}_percent")] = usual
    for device in ("nvme0n1", "sda", "sdb", "sdc"):
        for what, usual in (("read_bytes_per_second", 2e6), ("write_bytes_per_second", 21e6),
                            ("read_per_second", 40.0), ("write_per_second", 160.0),
                            ("busy_percent", 3.0)):  # fmt: skip
            found[key(f"disk_{what}", device=device)] = usual
    for mount in ("/", "/home", "/srv/data", "/var"):
        found[key("disk_percent", mount=mount)] = 57.0
        found[key("disk_free_bytes", mount=mount)] = 212e9
    for interface in ("eth0", "eth1", "br0", "wg0", "wlan0", "bond0", "docker0", "virbr0"):
        for way in ("receive", "send"):
            for what, usual in (("bytes", 3.4e6), ("packets", 2900.0), ("errors", 0.02),
                                ("drops", 0.05)):  # fmt: skip
                found[key(f"network_{way}_{what}_per_second", interface=interface)] = usual
    for sensor in ("package", *(f"core {i}" for i in range(20))):
        found[key("temperature_celsius", sensor=sensor)] = 52.0
    for sensor in ("fan 1", "fan 2", "fan 3"):
        found[key("fan_rpm", sensor=sensor)] = 1180.0
    return found


LOSS = {"epochs": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "training": [0.92, 0.61, 0.48, 0.4, 0.34, 0.31],
        "validation": [0.98, 0.7, 0.52, 0.44, None, 0.46]}  # fmt: skip
USUAL = _keys()
DISK = key("disk_write_bytes_per_second", device="sda")
CPU = key("cpu_percent")
STRANGE = {
    DISK: 8.0,
    key("disk_busy_percent", device="sda"): 24.0,
    key("cpu_iowait_percent"): 31.0,
    key("load1"): 6.1,
    key("disk_write_per_second", device="sda"): 7.4,
}
HOT = key("temperature_celsius", sensor="core 3")
WARMING = [k for k in USUAL if "wg0" in k]
SILENT = [k for k in USUAL if "fan 3" in k or "core 19" in k]


def _noise(seed: str, ticks: np.ndarray) -> np.ndarray:
    """Uniform numbers that depend on series and tick alone."""
    salt = np.uint64(int.from_bytes(seed.encode()[-7:].rjust(8, b"\0")) | 1)
    x = (ticks.astype(np.uint64) ^ salt) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return (x >> np.uint64(11)).astype(float) / 2**53


class FakeLive:
    """Reads like Live. `scene`: busy, quiet, warming, starting, blind."""

    def __init__(
        self, home: Path, scene: str = "busy", clock: Callable[[], int] = lambda: START
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.scene, self.clock = home, scene, clock
        self.world = World(now=clock)
        self.settings = settings.default()
        self.config = home / "amiss.yaml" if scene == "busy" else None
        self.store = Store(home / "amiss.db")
        self.trail = Trail(home, self.store, World())
        self.began = clock() // EVERY * EVERY
        self.trained: dict[str, Card] = {}
        self.training: dict[str, int] = {}
        self.gate = threading.Event()  # a training ends when it is set
        self.gate.set()
        self._lock, self._version = threading.Lock(), 0
        self._painted: tuple[tuple[Any, ...], Now] | None = None
        self.raised = 1.0  # factor on all values: lets tests change what is shown
        if scene in ("busy", "quiet", "blind"):
            self._fill()

    @property
    def since(self) -> int:
        """Since when the open incident lasts."""
        return self.began - 18 * MINUTE

    def now(self) -> Now:
        """The picture of this tick, made once."""
        stamp = (self.clock() // EVERY, self.raised, *self.trained.values(), *self.training)
        with self._lock:
            if self._painted is None or self._painted[0] != stamp:
                self._version += 1
                self._painted = (stamp, self._paint(self._version))
            return self._painted[1]

    def _paint(self, version: int) -> Now:
        at = self.clock()
        tick = at // EVERY * EVERY
        first = at - 2 * MINUTE if self.scene in ("warming", "starting") else at - 12 * DAY
        said = Now(
            version=version,
            at=tick,
            started=first,
            first=first,
            phase="watching",
            reason="",
            config=str(self.config or "built in"),
        )
        if self.scene == "starting":
            return replace(said, phase="starting", reason="Waiting for the first samples",
                           pipelines=(self._pipeline(0, "starting", ""),),
                           budget=BudgetNow(5.0, 0, 0, 0.0, 0.04, nan, nan))  # fmt: skip
        found = tuple(self._series(k, tick) for k in USUAL)
        blind = self.scene == "blind"
        pipelines = (
            self._pipeline(tick - (4 * MINUTE if blind else 0), "failing" if blind else "good",
                           "psutil: [Errno 24] Too many open files; tried again in 40 s"
                           if blind else ""),
        )  # fmt: skip
        if self.scene == "warming":
            reason = "First opinions: 24 of 96 samples; judged in about 6 minutes"
            return replace(said, phase="warming up", reason=reason, series=found,
                           pipelines=pipelines, models=self._models(),
                           open=tuple(self.store.incidents(state="open")),
                           budget=BudgetNow(5.0, 0, 0, 0.0, 0.04, nan, nan))  # fmt: skip
        busy = self.scene == "busy"
        return replace(
            said,
            reason=f"{sum(s.state == 'judged' for s in found)} series are judged",
            series=found,
            pipelines=pipelines,
            joint=self._joint(found),
            open=tuple(self.store.incidents(state="open")),
            sinks=self._sinks() if busy else (),
            models=self._models(),
            budget=BudgetNow(5.0, 3 if busy else 1, 15, 2.14, 7.0, 6.2, 0.4),
            skipped={"temperatures: PermissionError": 128, "gap": 1} if busy else {},
            config_error="amiss.yaml:14: pipelines.0.detectors: 'levle' is not a detector; did "
            "you mean 'level'?" if busy else "",
        )  # fmt: skip

    def history(self, key: str, start: int, end: int, points: int = 600) -> Points:
        if key not in USUAL or self.scene == "starting":
            return Points(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(5)))
        first = self.clock() - (2 * MINUTE if self.scene == "warming" else 12 * DAY)
        ticks = np.arange(max(start, first) // EVERY + 1, min(end, self.clock()) // EVERY + 1)
        step = max(len(ticks) // 20_000, 1)
        time = ticks[::step] * EVERY
        hole = (time > self.began - 95 * MINUTE) & (time < self.began - 83 * MINUTE)
        time = time[~hole]
        if key in SILENT:
            time = time[time < self.began - 40 * MINUTE]
        return thin(self._points(key, time), points)

    def retrain(
        self, model: str, samples: int, pipeline: str | None = None, who: str = "program"
    ) -> Card:
        if model in self.training:
            raise Unreachable(f"{model} is being trained just now; ask again", after=5.0)
        self.training[model] = samples
        try:
            if not self.gate.wait(30):
                raise Unreachable("the training took too long")
            if samples > 9000:
                raise ConfigError(f"8640 samples are recorded so far; {samples} were asked for")
            now = self.clock()
            card = Card(model, f"{model}-1", "host", "", samples, now, 1.8,
                        now - samples * EVERY, now, tuple(USUAL))  # fmt: skip
            self.trained[model] = replace(card, id=self._save(card))
        finally:
            del self.training[model]
        return self.trained[model]

    def _points(self, key: str, time: np.ndarray) -> Points:
        usual = USUAL[key]
        phase = (len(key) * 37 % 100) / 16
        tide = np.sin(2 * np.pi * time / (1.7 * HOUR) + phase)
        expected = usual * (1 + 0.22 * tide)
        u = _noise(key, time // EVERY)
        v = _noise(key[::-1], time // EVERY)
        value = expected * (1 + 0.10 * (u + v - 1)) * self.raised
        score = -np.log(np.maximum(v, 1e-3)) / 2
        if key in STRANGE and self.scene == "busy":
            odd = time >= self.since
            ramp = np.clip((time - self.since) / (3 * MINUTE), 0, 1)
            value = np.where(odd, value * (1 + (STRANGE[key] - 1) * ramp), value)
            score = np.where(odd, 6 + 5 * ramp + u, score)
        if key == HOT and self.scene == "busy":
            odd = time >= self.since + 14 * MINUTE
            value, score = np.where(odd, 71.0, value), np.where(odd, 6.3, score)
        if "percent" in key:
            value = np.minimum(value, 100.0)
        width = 0.35 * usual
        lower, upper = expected - width, expected + width
        if self.scene == "warming" or key in WARMING:
            score = lower = upper = np.full(len(time), nan)
        return Points(time, value, score, expected, lower, upper)

    def _series(self, key: str, tick: int) -> SeriesNow:
        seen = 207_360
        last, state, reason = tick, "judged", ""
        if self.scene == "warming" or key in WARMING:
            seen = 24
            state, reason = "warming up", f"{seen} of 96 samples; judged in about 6 minutes"
        elif key in SILENT:
            last = self.began - 40 * MINUTE
            state, reason = "silent", "no data since 2026-03-07 13:22:10 UTC"
        p = self._points(key, np.array([last]))
        value, score, expected, lower, upper = (float(x[0]) for x in p.columns()[1:])
        return SeriesNow(
            key=key, pipeline="host", system=SYSTEM, state=state, reason=reason, seen=seen,
            time=last, value=value if state != "silent" else nan, score=score,
            p=exp(-score) if score == score else nan, expected=expected, lower=lower, upper=upper,
            amiss=self.scene == "busy" and key in (*STRANGE, HOT), every=5.0,
        )  # type: ignore[arg-type] # fmt: skip

    def _pipeline(self, polled: int, health: Any, reason: str) -> PipelineNow:
        return PipelineNow(
            name="host", source="host", health=health, reason=reason, every=5.0, tick=5.0,
            polled=polled, ticks=207_360 if polled else 0, failures=6 if reason else 0, lag=0.011,
            step_seconds=0.0021, commit_seconds=0.0034, series=len(USUAL) if polled else 0,
            state_bytes=315_000, replayed=41,
        )  # fmt: skip

    def _sinks(self) -> tuple[SinkNow, ...]:
        return (
            SinkNow("file", "jsonl", "good", "", 61, 0, 0, self.since + MINUTE),
            SinkNow("on-call", "webhook", "failing", "connection refused; tried again in 32 s",
                    58, 3, 0, self.began - DAY),
        )  # fmt: skip

    def _joint(self, found: tuple[SeriesNow, ...]) -> tuple[JointNow, ...]:
        cpu = next(one for one in found if one.key == CPU)
        score = 8.4 if self.scene == "busy" else 0.4
        return (
            JointNow("isolation_forest", "host", SYSTEM, 0.62, score, exp(-score), score > 6.2),
            JointNow("linear_regression", "host", SYSTEM, 0.31, 0.7, 0.5, False,
                     {"cpu_percent": cpu.value * 1.03}),
        )  # fmt: skip

    def _models(self) -> tuple[ModelNow, ...]:
        said = []
        for name in ("isolation_forest", "linear_regression"):
            card = self.trained.get(name)
            if name in self.training:
                reason = f"on {self.training[name]} samples"
                said.append(ModelNow(name, "host", "training", reason, card.id if card else ""))
            elif card is None:
                said.append(ModelNow(name, "host", "waiting", "24 of 100 samples"))
            else:
                said.append(ModelNow(name, "host", "in use", "", card.id, card.trained,
                                     card.samples, card.seconds))  # fmt: skip
        return tuple(said)

    def _save(self, card: Card) -> str:
        body = {"forest": {"trees": np.array([card.trained, len(card.name)])}}
        return self.store.save_model(card.said(), body)

    def _fill(self) -> None:
        """Incidents of the last days, what was told of them, and models."""
        now = self.began
        for name, samples in (("isolation_forest", 720), ("linear_regression", 720)):
            for ago, n in ((11 * DAY, 100), (10 * DAY, samples)):
                card = Card(name, f"{name}-1", "host", "", n, now - ago, 1.6,
                            now - ago - n * EVERY, now - ago, tuple(USUAL),
                            figures={"loss": LOSS})  # fmt: skip
                self.trained[name] = replace(card, id=self._save(card))
        for i, (ago, lasted, severity, which) in enumerate(
            ((6 * DAY, 22, "low", DISK), (3 * DAY, 4, "low", CPU), (22 * HOUR, 41, "medium", CPU),
             (5 * HOUR, 9, "low", key("network_receive_bytes_per_second", interface="eth0")))
        ):  # fmt: skip
            self._past(f"past{i}", now - ago, lasted * MINUTE, severity, which)
        if self.scene == "busy":
            self._present()

    def add(self, *revisions: Incident) -> None:
        """Put incidents into the log; the next picture has them."""
        nothing = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))
        for each in revisions:
            self.store.commit("host", {"time": each.seen}, nothing, [each])
        self._painted = None

    def _past(self, name: str, since: int, lasted: int, severity: Any, which: str) -> None:
        usual = USUAL[which]
        member = Member(which, since, since + MINUTE, 7.1, usual * 3, usual, usual * 0.6,
                        usual * 1.4)  # fmt: skip
        said = incident(name, (member,), since, severity=severity, score=7.1)
        over = replace(said, revision=2, state="resolved", seen=since + lasted,
                       until=since + lasted)  # fmt: skip
        self.add(said, over)
        self.store.delivered("file", name, 1, since + 6 * SECOND, "delivered", "")
        self.store.delivered("file", name, 2, over.until or 0, "delivered", "")

    def _present(self) -> None:
        members = tuple(
            Member(k, self.since, self.since + 4 * MINUTE, 11.9 - i, USUAL[k] * factor, USUAL[k],
                   USUAL[k] * 0.65, USUAL[k] * 1.35)
            for i, (k, factor) in enumerate(STRANGE.items())
        )  # fmt: skip
        blame = tuple(series_key(parse_key(m.series)[0], {}) for m in members[:3])
        whole = Member(f"isolation_forest{{{SYSTEM}}}", self.since, self.since + 4 * MINUTE, 8.4,
                       0.62, nan, nan, nan, blame)  # fmt: skip
        evidence = ("backup.sh (pid 4242) 288 MB/s", "jbd2/sda1-8 (pid 301) 18 MB/s",
                    "postgres (pid 911) 3.2 MB/s")  # fmt: skip
        first = incident("a1b2c3d4", members[:2], self.since, evidence=evidence, severity="medium")
        second = incident("a1b2c3d4", (*members, whole), self.since, evidence=evidence,
                          severity="high", revision=2, seen=self.began)  # fmt: skip
        usual = USUAL[HOT]
        other = Member(HOT, self.since + 14 * MINUTE,
                       self.began - MINUTE, 6.4, 71.0, usual, usual - 9, usual + 8)  # fmt: skip
        self.add(
            first, second,
            incident("e5f6", (other,), self.since + 14 * MINUTE, severity="low", score=6.4,
                     seen=self.began - MINUTE),
        )  # fmt: skip
        self.store.delivered("file", "a1b2c3d4", 1, self.since + 11 * SECOND, "delivered", "")
        self.store.delivered("file", "a1b2c3d4", 2, self.since + 5 * MINUTE, "delivered", "")
        self.store.delivered("on-call", "a1b2c3d4", 1, self.began - 30 * SECOND, "retrying",
                             "connection refused")  # fmt: skip


def incident(id: str, members: tuple[Member, ...], since: int, **said: Any) -> Incident:
    given: dict[str, Any] = {
        "revision": 1,
        "state": "open",
        "system": SYSTEM,
        "since": since,
        "seen": since + MINUTE,
        "until": None,
        "severity": "low",
        "score": 11.9,
        "p": exp(-11.9),
        "rarity": 8.5,
        "watched": 12.0,
        "breadth": len(members),
        "members": members,
    } | said
    text = sentence(given["system"], members, len(members), since, "about once in 8 days")
    return Incident(id, **given, sentence=text)

"""kill -9 at any moment: nothing is lost beyond the tick that was open, nothing is told twice."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import orjson
import pytest

from amiss import config
from amiss.audit import entries, verify
from amiss.run import tell
from amiss.run.audited import Trail, head
from amiss.store import Store
from amiss.words.message import telling
from amiss.world import World
from servers.receivers import Receiver

KILLS = 30
SPEED = 150.0
PROGRAM = Path(__file__).parent / "servers" / "accelerated.py"
WATCHED = 'memory_percent{host="made"}'
CONFIG = """
checkpoint: 3m
budget: 20000/day
pipelines:
  - name: made
    source: {{type: host, every: 5s, host: made, top: 0}}
    features: {{type: grid, every: 5s}}
    detectors: [{{type: level}}, {{type: step}}, {{type: drift}}, {{type: surprise}}]
    calm: 30s
    silence: 1m
sinks:
  file: {{type: jsonl, path: {file}}}
  hook: {{type: webhook, url: "{url}"}}
"""


class Program:
    """The real program on made-up sensors, in its own process."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.epoch = folder, time.time_ns()
        config = CONFIG.format(file=folder / "told.jsonl", url=url)
        (folder / "amiss.yaml").write_text(config)

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, str(PROGRAM), "amiss.yaml", "home", "--made"]
        command += ["--speed", str(SPEED), "--epoch", str(self.epoch), "--acks", "acks"]
        process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout as said:
            assert said.readline() == b"running\n"
        return process

    def acks(self) -> list[int]:
        path = self.folder / "acks"
        return [int(line) for line in path.read_text().split()] if path.exists() else []


def until(what: str, true: object, patience: float = 300.0) -> None:
    """Wait for something that a process of its own does."""
    last = time.monotonic() + patience
    while not true():  # type: ignore[operator]
        assert time.monotonic() < last, f"waited in vain for {what}"
        os.sched_yield()
        time.sleep(0.01)


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thirty_kills_lose_nothing_and_tell_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(7)
    with Receiver() as receiver:
        program = Program(tmp_path, receiver.url)
        for _ in range(KILLS):
            process, before = program.start(), len(program.acks())
            ticks = chance.randint(1, 60)
            until("ticks", lambda n=before + ticks: len(program.acks()) >= n)
            # anywhere within a tick, which takes 33 ms at this speed
            time.sleep(chance.random() / SPEED * 5)
            process.send_signal(signal.SIGKILL)
            process.wait()
        process = program.start()
        seen = len(program.acks())
        until("the last ticks", lambda: len(program.acks()) >= seen + 100)
        # repeats are few: how much happened meanwhile depends on how quick the machine is
        until("enough to tell", lambda: receiver.arrived.qsize() > 2 * KILLS)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        tell_the_rest(program)
        posted = receiver.all()

    store = Store(tmp_path / "home" / "amiss.db")
    try:
        history = store.history(WATCHED, 0, 2**62)
        written = next(one.points for one in store.series() if one.key == WATCHED)
        saved = store.load("made")
        # every tick that was committed is there, once
        acks = program.acks()
        assert len(acks) == len(set(acks))
        assert set(acks) <= set(history.time.tolist())
        assert written == len(history)
        # the memory has seen each of them, once
        keys = saved.states["series"]["keys"].tolist()
        count = int(saved.states["expect"]["count"][keys.index(WATCHED)])
        assert count == int(np.isfinite(history.value).sum())
        # each incident was told once to the file, and once in effect to the webhook
        expected = worth_telling(store)
        assert len(expected) > KILLS
        lines = [orjson.loads(line) for line in (tmp_path / "told.jsonl").read_bytes().splitlines()]
        assert [(line["id"], line["revision"]) for line in lines] == expected
        heard = [request.headers["idempotency-key"] for request in posted]
        once = list(dict.fromkeys(heard))
        assert once == [f"{id}/{revision}" for id, revision in expected]
        # and a repeat comes only where a kill fell between an answer and its mark
        assert len(heard) - len(once) <= KILLS
        # the audit trail is whole, and has each opening and each end once
        trail = Trail(tmp_path / "home", store, World())
        trail.catch_up()
        assert not verify(trail.path, head(store)).broken
        acts = [one["said"] for one in entries(trail.path) if "incident" in one["said"]]
        assert [(one["incident"], one["revision"]) for one in acts] == openings_and_ends(store)
    finally:
        store.close()


def tell_the_rest(program: Program) -> None:
    """What came up as the program ended, and the next start would tell."""
    settings = config.read(program.folder / "amiss.yaml")
    store = Store(program.folder / "home" / "amiss.db")
    try:
        for channel in tell.channels(settings.sinks, store, World()):
            while tell.tell(channel):
                pass
    finally:
        store.close()


def openings_and_ends(store: Store) -> list[tuple[str, int]]:
    return [
        (one.id, one.revision)
        for _, one in store.revisions(0, 1_000_000)
        if one.revision == 1 or one.state == "resolved"
    ]


def worth_telling(store: Store) -> list[tuple[str, int]]:
    """What a sink should have been told, from the log alone."""
    last, said = {}, []
    for _, incident in store.revisions(0, 1_000_000):
        if telling(last.get(incident.id), incident) is not None:
            last[incident.id] = incident
            said.append((incident.id, incident.revision))
    return said

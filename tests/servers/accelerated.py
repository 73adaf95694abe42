"""The real program with a faster clock: `python accelerated.py CONFIG HOME --speed 100`.

Time is sped up in the World alone; everything else is what `amiss run` does. `--epoch` is the
moment (real, in ns) from which time runs faster, so that a restart goes on in the same time.
`--made` watches a made-up machine. `--acks FILE` writes each tick that the store has committed.
"""

import argparse
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from machine import MadeMachine

from amiss import config
from amiss.run.live import Live
from amiss.world import World


def faster(speed: float, epoch: int, made: bool) -> World:
    """A World in which time has run `speed` times faster since `epoch`."""

    def now() -> int:
        return epoch + int(speed * (time.time_ns() - epoch))

    machine = MadeMachine(now)
    parts: dict[str, Any] = {"machine": lambda: machine} if made else {}
    return World(
        now=now,
        monotonic=now if made else lambda: int(speed * time.monotonic_ns()),
        wait=lambda event, seconds: event.wait(seconds / speed),
        **parts,
    )


def acknowledge(live: Live, path: Path) -> None:
    """Write the newest time of each commit, after it."""
    file, commit = path.open("ab", buffering=0), live.store.commit

    def committed(pipeline: str, cursor: Any, records: Any, *rest: Any) -> None:
        commit(pipeline, cursor, records, *rest)
        if len(records):
            os.write(file.fileno(), b"%d\n" % records.time.max())

    live.store.commit = committed  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--epoch", type=int, default=time.time_ns())
    parser.add_argument("--made", action="store_true")
    parser.add_argument("--acks", type=Path)
    parser.add_argument("--serve", action="store_true")
    asked = parser.parse_args()
    world = faster(asked.speed, asked.epoch, asked.made)
    live = Live(config.read(asked.config), asked.home, world, asked.config)
    if asked.acks:
        acknowledge(live, asked.acks)
    if asked.serve:
        from amiss.web.serve import serve

        live.start()
        try:
            serve(live)
        finally:
            live.stop()
        return
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    live.start()
    print("running", flush=True)
    done.wait()
    live.stop()


if __name__ == "__main__":
    main()

"""Real load on this machine, for as long as it is not stopped: `python burden.py cpu|memory|disk`.

cpu keeps one core busy; `burn N` has N processes run that give way to all others; memory fills
2 GB and holds them; disk writes to the folder it is started in and has it on the disk. Each ends by
itself after half an hour.
"""

import os
import sys
import time
from pathlib import Path

LONGEST = 1800.0
MEGABYTE = 2**20


def cpu(end: float) -> None:
    while time.monotonic() < end:
        pass


def burn(end: float, processes: int) -> None:
    for _ in range(processes - 1):
        if not os.fork():
            break
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    cpu(end)


def memory(end: float) -> None:
    held = bytearray(os.urandom(MEGABYTE)) * 2048
    while time.monotonic() < end:
        held[0] = 1
        time.sleep(0.1)


def disk(end: float) -> None:
    block, path = os.urandom(16 * MEGABYTE), Path("burden")
    while time.monotonic() < end:
        with path.open("wb", buffering=0) as file:
            for _ in range(8):
                file.write(block)
                os.fsync(file.fileno())
    path.unlink(missing_ok=True)


if __name__ == "__main__":
    kinds = {"cpu": cpu, "burn": burn, "memory": memory, "disk": disk}
    kinds[sys.argv[1]](time.monotonic() + LONGEST, *map(int, sys.argv[2:]))

"""Real load on this machine, for as long as it is not stopped: `python burden.py cpu|memory|disk`.

cpu keeps one core busy; memory fills 2 GB and holds them; disk writes to the folder it is
started in and has it on the disk. Each ends by itself after five minutes.
"""

import os
import sys
import time
from pathlib import Path

LONGEST = 300.0
MEGABYTE = 2**20


def cpu(end: float) -> None:
    while time.monotonic() < end:
        pass


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
    {"cpu": cpu, "memory": memory, "disk": disk}[sys.argv[1]](time.monotonic() + LONGEST)

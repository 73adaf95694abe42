"""Which processes are busiest, for explanations. Names alone: a command line may hold secrets."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path
from typing import Any, NamedTuple

from amiss.reading.sensors import procfs

AT_ONCE = 500
"""Most processes that are looked at on average with each poll, where Linux makes it cheap."""
AT_ONCE_ELSEWHERE = 100
UNSEEN = [0.0, 0.0, 0.0]
"""What is remembered of a process that has not yet run, and so moved nothing and buried none."""


class Process(NamedTuple):
    """One process: seconds of processor time so far, bytes of memory now."""

    pid: int
    name: bytes
    cpu: float
    memory: float
    buried: float = 0.0  # seconds of processor time that its ended children had used


@dataclass(frozen=True, slots=True)
class Busy:
    """One of the busiest: in percent of the whole machine, or in bytes per second."""

    name: str  # top_cpu, top_memory, top_io
    value: float
    text: str


def due(count: int, turn: int, machine: Any) -> bool:
    """Whether to look on this turn: every time, but more seldom where there are very many."""
    most = AT_ONCE if procfs(machine) else AT_ONCE_ELSEWHERE
    return turn % (count // most + 1) == 0


def busiest(
    machine: Any, before: dict[str, list[float]] | None, cpu: float, elapsed: float, top: int
) -> tuple[dict[str, list[float]], list[Busy]]:
    """The `top` processes by processor, memory and I/O since `before`, and what to remember.

    `cpu` is how many seconds all cores together had since then, `elapsed` how many the clock
    went on. Nothing but memory is told when there is no `before`. Remembered is, per process
    that ever ran, its seconds and, if it was seen to run, its bytes of I/O and the seconds of
    its children: about 15 bytes as JSON. I/O is looked up only of those that ran, since nothing
    is read or written without; it is known for processes of the same user, or of all to root.
    When a child ends the kernel adds all it ever moved to its parent's: such is not told.

    About 20 us per process on Linux, most of it the kernel's; several times that elsewhere.
    """
    after: dict[str, list[float]] = {}
    ran: list[tuple[float, Process]] = []
    moved: list[tuple[float, Process]] = []
    held: list[tuple[float, Process]] = []
    for process in _linux(root, machine) if (root := procfs(machine)) else _elsewhere(machine):
        held.append((process.memory, process))
        if process.cpu <= 0:
            continue
        key = str(process.pid)
        used, *io = (before or {}).get(key, UNSEEN)
        if process.cpu < used:  # the number was given to another process
            used, *io = UNSEEN
        if before is None:
            io = []
        elif process.cpu > used:
            ran.append((min(process.cpu - used, cpu), process))
            if root and (total := _moved(root, process.pid)) is not None:
                if io and io[1] == process.buried:
                    moved.append((total - io[0], process))
                io = [total, process.buried]
        after[key] = [process.cpu, *io]
    memory = machine.virtual_memory().total
    found = _ranked("top_memory", held, 100 / memory, top)
    if before is not None:
        found += _ranked("top_cpu", ran, 100 / cpu, top) if cpu > 0 else []
        found += _ranked("top_io", moved, 1 / elapsed, top) if elapsed > 0 else []
    return after, found


def _ranked(name: str, found: list[tuple[float, Process]], scale: float, top: int) -> list[Busy]:
    first = nlargest(top, found, key=lambda pair: pair[0])
    return [Busy(name, v * scale, f"{_printable(p.name)} (pid {p.pid})") for v, p in first if v > 0]


def _linux(root: Path, machine: Any) -> Iterator[Process]:
    """One read per process, a tenth of what psutil's own objects cost. See proc_pid_stat(5)."""
    tick, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    for pid in machine.pids():
        if not (line := _content(f"{root}/{pid}/stat")):
            continue
        front, _, rest = line.rpartition(b")")  # a name may hold brackets and blanks
        said = rest.split(None, 22)
        cpu, buried = int(said[11]) + int(said[12]), int(said[13]) + int(said[14])
        name, memory = front.partition(b"(")[2], int(said[21]) * page
        yield Process(pid, name, cpu / tick, memory, buried / tick)


def _moved(root: Path, pid: int) -> float | None:
    """Bytes that a process has had read from and written to disks; None if that is secret."""
    said = dict(line.split(b": ") for line in _content(f"{root}/{pid}/io").splitlines())
    return float(int(said[b"read_bytes"]) + int(said[b"write_bytes"])) if said else None


def _content(path: str) -> bytes:
    """A small file of the kernel; nothing if the process has ended or is another's."""
    try:
        file = os.open(path, os.O_RDONLY)
        try:
            return os.read(file, 4096)
        finally:
            os.close(file)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def _elsewhere(machine: Any) -> Iterator[Process]:
    for process in machine.process_iter(["name", "cpu_times", "memory_info"]):
        said = process.info  # None for what is kept from this user
        times, memory = said["cpu_times"], said["memory_info"]
        cpu = times.user + times.system if times else 0.0
        yield Process(process.pid, (said["name"] or "?").encode(), cpu, memory.rss if memory else 0)


def _printable(name: bytes) -> str:
    """A process names itself: it shall not write lines into anybody's terminal or mail."""
    return "".join(c if c.isprintable() else "?" for c in name.decode(errors="replace"))

"""What a machine can tell of itself: a small function for each group of sensors.

Each takes the `machine`, which is psutil or answers like it, and adds to a `Reading`. What
a platform does not have is not there, silently; what fails is counted, and the rest goes on.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from math import isfinite, nan
from pathlib import Path
from typing import Any

from amiss.data import series_key

FAILURES = (
    *(OSError, RuntimeError),
    *(ValueError, LookupError, ArithmeticError, TypeError, AttributeError),
)
"""What a sensor may raise: the kernel's answer, and psutil when it cannot make sense of one."""


class Reading:
    """One look at a machine. Keys are those of the series, without the host."""

    def __init__(self, machine: Any) -> None:
        self.gauges: dict[str, float] = {}
        """What counts as it is. NaN if the sensor said nothing sensible."""
        self.counters: dict[str, float] = {}
        """What only grows, under the name of its rate per second. Finite."""
        self.shares: dict[str, float] = {}
        """Seconds of processor time spent in each mode. Finite."""
        self.skipped: Counter[str] = Counter()
        self._machine = machine
        self._failures = (*FAILURES, getattr(machine, "Error", OSError))

    def gauge(self, name: str, value: float | None, **labels: str) -> None:
        """A number as it is; None and infinities are NaN, and counted."""
        number = self._finite(value)
        self.gauges[series_key(name, labels)] = nan if number is None else number

    def counter(self, name: str, value: float | None, **labels: str) -> None:
        """A number that only grows, under the name of the rate that comes of it."""
        if (number := self._finite(value)) is not None:
            self.counters[series_key(name, labels)] = number

    def share(self, name: str, value: float | None) -> None:
        """Seconds spent in one mode of the processor."""
        if (number := self._finite(value)) is not None:
            self.shares[name] = number

    def _finite(self, value: float | None) -> float | None:
        if value is not None and isfinite(value):
            return value
        self.skipped["not a number"] += 1
        return None

    @contextmanager
    def of(self, group: str) -> Iterator[None]:
        """Around the reading of one group: a failure ends that group alone, and is counted."""
        try:
            yield
        except NotImplementedError:
            pass  # psutil's word for: not on this platform
        except self._failures as exc:
            if getattr(exc, "obj", None) is not self._machine:  # else psutil has no such function
                self.skipped[f"{group}: {type(exc).__name__}"] += 1


def procfs(machine: Any) -> Path | None:
    """Where Linux tells more than psutil does; None elsewhere."""
    return Path(machine.PROCFS_PATH) if getattr(machine, "LINUX", False) else None


def boot(machine: Any) -> str:
    """Changes with each start of the machine; always "" where the platform does not say."""
    root = procfs(machine)
    try:
        return (root / "sys/kernel/random/boot_id").read_text().strip() if root else ""
    except OSError:
        return ""  # not told in some sandboxes; the falling clock tells of most restarts


def cpu(machine: Any, into: Reading) -> None:
    """Seconds in each mode since the start, over all cores. Guests are within user and nice."""
    for mode, seconds in machine.cpu_times()._asdict().items():
        if not mode.startswith("guest"):
            into.share(f"cpu_{mode}_percent", seconds)


def load(machine: Any, into: Reading) -> None:
    """Mean number of tasks that run or wait, over 1, 5 and 15 minutes."""
    for minutes, mean in zip((1, 5, 15), machine.getloadavg(), strict=True):
        into.gauge(f"load{minutes}", mean)


def memory(machine: Any, into: Reading) -> None:
    """What is taken and what can be had without swapping; not psutil's rounded percentage."""
    seen = machine.virtual_memory()
    into.gauge("memory_percent", 100 * (seen.total - seen.available) / seen.total)
    into.gauge("memory_used_bytes", seen.used)
    into.gauge("memory_available_bytes", seen.available)
    if hasattr(seen, "cached"):
        into.gauge("memory_cached_bytes", seen.cached)


def swap(machine: Any, into: Reading) -> None:
    """Nothing where there is no swap."""
    seen = machine.swap_memory()
    if seen.total:
        into.gauge("swap_percent", 100 * seen.used / seen.total)
        into.counter("swap_in_bytes_per_second", seen.sin)
        into.counter("swap_out_bytes_per_second", seen.sout)


def kernel(machine: Any, into: Reading) -> None:
    """Context switches and interrupts."""
    seen = machine.cpu_stats()
    into.counter("context_switches_per_second", seen.ctx_switches)
    into.counter("interrupts_per_second", seen.interrupts)


def tasks(machine: Any, into: Reading) -> None:
    """Processes; on Linux threads and open files too, which the kernel has already added up."""
    into.gauge("processes", len(machine.pids()))
    if root := procfs(machine):
        with into.of("threads"):
            said = (root / "loadavg").read_text().split()[3]  # runnable/all
            into.gauge("threads", int(said.partition("/")[2]))
        with into.of("open files"):
            into.gauge("open_files", int((root / "sys/fs/file-nr").read_text().split()[0]))


def filesystems(machine: Any, into: Reading, exclude: tuple[str, ...]) -> None:
    """Space of each file system that lies on a device, once, at its shortest mount point.

    In a container the root is not one of them, but it is what fills up.
    """
    mounts: dict[str, str] = {}
    for part in sorted(machine.disk_partitions(), key=lambda part: len(part.mountpoint)):
        if not (excluded(part.mountpoint, exclude) or excluded(part.fstype, exclude)):
            mounts.setdefault(part.device, part.mountpoint)
    for mount in dict.fromkeys(("/", *mounts.values())):
        if excluded(mount, exclude):
            continue
        with into.of("disk space"):
            seen = machine.disk_usage(mount)
            if seen.used + seen.free > 0:  # what only the administrator may use is neither
                used = 100 * seen.used / (seen.used + seen.free)
                into.gauge("disk_percent", used, mount=mount)
                into.gauge("disk_free_bytes", seen.free, mount=mount)


def disks(machine: Any, into: Reading, exclude: tuple[str, ...]) -> None:
    """Traffic of whole disks. One that was never used is left out."""
    found = machine.disk_io_counters(perdisk=True, nowrap=False) or {}
    for device, seen in found.items():
        if excluded(device, exclude) or partition(device, found) or not any(seen):
            continue
        into.counter("disk_read_bytes_per_second", seen.read_bytes, device=device)
        into.counter("disk_write_bytes_per_second", seen.write_bytes, device=device)
        into.counter("disk_read_per_second", seen.read_count, device=device)
        into.counter("disk_write_per_second", seen.write_count, device=device)
        if hasattr(seen, "busy_time"):
            into.counter("disk_busy_percent", seen.busy_time, device=device)  # milliseconds


def network(machine: Any, into: Reading, exclude: tuple[str, ...]) -> None:
    """Traffic of interfaces. One that never carried anything is left out."""
    found = machine.net_io_counters(pernic=True, nowrap=False) or {}
    for name, seen in found.items():
        if excluded(name, exclude) or not any(seen):
            continue
        for way, total, packets, errors, drops in (
            ("receive", seen.bytes_recv, seen.packets_recv, seen.errin, seen.dropin),
            ("send", seen.bytes_sent, seen.packets_sent, seen.errout, seen.dropout),
        ):
            into.counter(f"network_{way}_bytes_per_second", total, interface=name)
            into.counter(f"network_{way}_packets_per_second", packets, interface=name)
            into.counter(f"network_{way}_errors_per_second", errors, interface=name)
            into.counter(f"network_{way}_drops_per_second", drops, interface=name)


def temperatures(machine: Any, into: Reading) -> None:
    """Of each sensor there is."""
    for sensor, seen in _named(machine.sensors_temperatures()):
        into.gauge("temperature_celsius", seen.current, sensor=sensor)


def fans(machine: Any, into: Reading) -> None:
    """Of each fan there is."""
    for sensor, seen in _named(machine.sensors_fans()):
        into.gauge("fan_rpm", seen.current, sensor=sensor)


def battery(machine: Any, into: Reading) -> None:
    """Nothing where there is none."""
    if seen := machine.sensors_battery():
        into.gauge("battery_percent", seen.percent)


def excluded(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of the patterns, as the shell writes them, is the name's."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def partition(device: str, devices: dict[str, Any]) -> bool:
    """Whether it is a part of another one: sda1 of sda, nvme0n1p2 of nvme0n1."""
    found = re.fullmatch(r"(.*\d)p\d+|(.*\D)\d+", device)
    return found is not None and (found[1] or found[2]) in devices


def _named(chips: dict[str, list[Any]]) -> Iterator[tuple[str, Any]]:
    """Each sensor with a name of its own: two disks of one kind say the same of themselves."""
    met: Counter[str] = Counter()
    for chip, sensors in chips.items():
        for seen in sensors:
            name = f"{chip} {seen.label}".strip()
            met[name] += 1
            yield (f"{name} {met[name]}" if met[name] > 1 else name), seen

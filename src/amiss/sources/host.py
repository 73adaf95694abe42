"""This machine: processor, memory, disks, network, temperatures."""

import platform
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import numpy as np
from pydantic import Field

from amiss.component import Cursor, Source
from amiss.data import SECOND, Records, parse_key
from amiss.rates import rates, shares
from amiss.reading import sensors
from amiss.reading.processes import Busy, busiest, due
from amiss.spans import Span
from amiss.world import World

LABELS = ("device", "interface", "mount", "sensor")
LONG, SHORT = 12, 0.25
"""A rate is told over between a quarter of the time between two polls and twelve times it."""


class Host(Source):
    """The machine that Amiss runs on.

    A poll is stamped with the start of its slot, a multiple of `every`; a second poll in the
    same slot finds nothing. What only grows (bytes, packets, processor time) is told as a rate
    since the poll before: not over a restart of the machine, and not over a gap or a sleep of
    more than twelve times `every`. Such are counted as skipped, and so is a sensor that fails.

    The busiest processes are told by name, never by command line, as records with text.
    A poll costs about 2 ms of processor time and 20 us for each process; where there are more
    than 500, not every poll looks at them.
    """

    type: Literal["host"] = "host"
    every: Span = Field(5 * SECOND, gt=0)
    """Time between two polls."""
    host: str = ""
    """The machine's name in all that is said of it; empty for the one it has."""
    top: int = Field(5, ge=0, le=50)
    """How many of the busiest processes are kept to explain incidents; 0 looks at none."""
    exclude_disks: tuple[str, ...] = (
        "loop*", "ram*", "zram*", "sr*", "fd*", "dm-*", "md*", "nvme*c*n*",
    )  # fmt: skip
    """Disks to leave alone. By default those that are not one, or lie on one that is watched."""
    exclude_interfaces: tuple[str, ...] = (
        "lo", "lo[0-9]*", "veth*", "cali*", "lxc*", "ifb*", "dummy*", "tunl*", "sit*",
        "awdl*", "llw*", "anpi*", "gif*", "stf*", "ap[0-9]*",
    )  # fmt: skip
    """Network interfaces to leave alone. By default loopback and those of single containers."""
    exclude_filesystems: tuple[str, ...] = (
        "squashfs", "iso9660", "udf", "nullfs", "devfs", "autofs", "/etc/*", "/snap/*", "/run/*",
        "/var/lib/docker/*", "/System/Volumes/[!D]*",
    )  # fmt: skip
    """Mount points and kinds of file systems to leave alone."""

    @property
    def pace(self) -> int:
        """A sample a poll."""
        return self.every

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """One reading of all sensors, or nothing if this slot has had its own."""
        turn, at = world.now() // self.every, world.monotonic()
        t = turn * self.every
        if t == cursor.get("time"):
            return cursor, _records(t, "", {}, [], {})
        machine, host = world.machine(), self.host or platform.node()
        seen, boot = self._read(machine), sensors.boot(machine)
        fault = self._fault(cursor, t, at, boot) if cursor else None
        if fault:
            seen.skipped[fault] += 1
        if cursor and t < cursor["time"]:
            seen.skipped["clock set back"] += 1
        if fault == "too soon":  # what has grown so far is told with the next poll
            return {**cursor, "time": t}, _records(t, host, seen.gauges, [], seen.skipped)
        before: Cursor = {} if fault else cursor
        found = seen.gauges | _grown(before, seen, at)
        busy: list[Busy] = []
        of = before.get("processes")
        if self.top and due(int(seen.gauges.get("processes", 0)), turn, machine):
            with seen.of("processes"):
                of, busy = self._busiest(machine, of, at, sum(seen.shares.values()))
        after = {"time": t, "at": at, "boot": boot, "processes": of}
        after |= {"counters": seen.counters, "shares": seen.shares}
        return after, _records(t, host, found, busy, seen.skipped)

    def _read(self, machine: Any) -> sensors.Reading:
        groups: dict[str, Callable[[Any, sensors.Reading], None]] = {
            "processor": sensors.cpu,
            "load": sensors.load,
            "memory": sensors.memory,
            "swap": sensors.swap,
            "kernel": sensors.kernel,
            "processes": sensors.tasks,
            "file systems": partial(sensors.filesystems, exclude=self.exclude_filesystems),
            "disks": partial(sensors.disks, exclude=self.exclude_disks),
            "network": partial(sensors.network, exclude=self.exclude_interfaces),
            "temperatures": sensors.temperatures,
            "fans": sensors.fans,
            "battery": sensors.battery,
        }
        seen = sensors.Reading(machine)
        for group, read in groups.items():
            with seen.of(group):
                read(machine, seen)
        return seen

    def _fault(self, cursor: Cursor, t: int, at: int, boot: str) -> str | None:
        """Why no rate can be told since the last poll."""
        since = at - cursor["at"]
        if since < 0 or boot != cursor["boot"]:
            return "restart of the machine"
        if max(since, t - cursor["time"]) > LONG * self.every:  # the first stands still in sleep
            return "gap"
        return "too soon" if since < SHORT * self.every else None

    def _busiest(
        self, machine: Any, before: Cursor | None, at: int, cpu: float
    ) -> tuple[Cursor, list[Busy]]:
        was = before or {"of": None, "at": at, "cpu": cpu}
        spent, elapsed = cpu - was["cpu"], (at - was["at"]) / SECOND
        of, busy = busiest(machine, was["of"], spent, elapsed, self.top)
        return {"of": of, "at": at, "cpu": cpu}, busy


def _grown(before: Cursor, seen: sensors.Reading, at: int) -> dict[str, float]:
    """What the counters of two polls make: nothing at the first, or if there was a fault."""
    if not before:
        return {}
    found, lost = rates(before["counters"], seen.counters, (at - before["at"]) / SECOND)
    modes, unknown = shares(before["shares"], seen.shares)
    for skipped in (lost, unknown):
        seen.skipped.update(skipped)
    for key in found:
        if key.startswith("disk_busy_percent"):  # from milliseconds per second
            found[key] = min(100.0, found[key] / 10)
    if modes:
        idle = modes.pop("cpu_idle_percent", 0.0)
        modes["cpu_percent"] = max(0.0, 100 - idle - modes.get("cpu_iowait_percent", 0.0))
    return found | modes


def _records(
    t: int, host: str, found: dict[str, float], busy: list[Busy], skipped: Mapping[str, int]
) -> Records:
    names, said = zip(*map(parse_key, found), strict=True) if found else ((), ())
    n = len(found) + len(busy)
    labels = {
        label: np.array([of.get(label, "") for of in said] + [""] * len(busy), str)
        for label in LABELS
    }
    return Records(
        time=np.full(n, t, np.int64),
        name=np.array([*names, *(b.name for b in busy)], str),
        value=np.array([*found.values(), *(b.value for b in busy)], float),
        labels={"host": np.full(n, host), **labels},
        text=np.array([""] * len(found) + [b.text for b in busy], str),
        watermark=t,
        skipped=dict(skipped),
    )

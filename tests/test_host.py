"""The host source: stories with a made-up machine, and a look at the real one."""

import math
import os
import time
from collections import namedtuple
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from amiss.component import Cursor
from amiss.data import SECOND, Records, series_key
from amiss.reading.processes import busiest, due
from amiss.sources.host import Host
from amiss.world import World

START = 1_700_000_000 * SECOND
GB = 10**9
Times = namedtuple("Times", "user system idle iowait guest")
Memory = namedtuple("Memory", "total available used cached")
Swap = namedtuple("Swap", "total used sin sout")
Stats = namedtuple("Stats", "ctx_switches interrupts")
Part = namedtuple("Part", "device mountpoint fstype")
Usage = namedtuple("Usage", "used free")
Disk = namedtuple("Disk", "read_count write_count read_bytes write_bytes busy_time")
NICS = "bytes_sent bytes_recv packets_sent packets_recv errin errout dropin dropout"
Nic = namedtuple("Nic", NICS)
Sensor = namedtuple("Sensor", "label current")


class Machine:
    """What psutil is, with every answer set by hand. An exception as an answer is raised."""

    class Error(Exception):
        """As psutil.Error."""

    def __init__(self, root: Path) -> None:
        self.LINUX, self.PROCFS_PATH = True, str(root)
        self._looks = count()
        self.says: dict[str, Any] = {
            "boot_time": 1.0,
            "cpu_times": lambda: Times(100.0, 50.0, 800.0 + 10 * next(self._looks), 50.0, 0.0),
            "getloadavg": (0.5, 0.25, 0.125),
            "virtual_memory": Memory(16 * GB, 12 * GB, 3 * GB, 2 * GB),
            "swap_memory": Swap(0, 0, 0, 0),
            "cpu_stats": Stats(1000, 500),
            "pids": [],
            "disk_partitions": [Part("/dev/sda1", "/", "ext4")],
            "disk_usage": Usage(30 * GB, 70 * GB),
            "disk_io_counters": {"sda": Disk(10, 20, 1000, 2000, 100)},
            "net_io_counters": {"eth0": Nic(1000, 2000, 10, 20, 0, 0, 0, 0)},
            "sensors_temperatures": {},
            "sensors_fans": {},
            "sensors_battery": None,
        }
        self.write("sys/kernel/random/boot_id", "first\n")
        self.write("loadavg", "0.50 0.25 0.12 2/345 4242\n")
        self.write("sys/fs/file-nr", "1234\t0\t99999\n")

    def __getattr__(self, name: str) -> Any:
        if name not in self.__dict__.get("says", {}):
            raise AttributeError(name=name, obj=self)
        answer = self.says[name]

        def ask(*args: object, **_: object) -> Any:
            said = answer(*args) if callable(answer) else answer
            if isinstance(said, Exception):
                raise said
            return said

        return ask

    def write(self, path: str, text: str) -> None:
        file = Path(self.PROCFS_PATH, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(
        self,
        pid: int,
        name: str,
        cpu: float,
        pages: int = 1,
        io: int | None = None,
        buried: float = 0.0,
    ) -> None:
        """A process as /proc shows it; its processor time is half user, half system."""
        ticks, of_dead = (round(s * os.sysconf("SC_CLK_TCK") / 2) for s in (cpu, buried))
        self.write(
            f"{pid}/stat",
            f"{pid} ({name}) S 1 1 1 0 -1 4194304 9 9 9 9 {ticks} {ticks} {of_dead} {of_dead} "
            f"20 0 1 0 55 8192 {pages} 18446744073709551615 "
            "1 1 0 0 0 0 0 4096 81920 0 0 0 17 1 0 0\n",
        )
        if io is not None:
            self.write(f"{pid}/io", f"rchar: 9\nwchar: 9\nread_bytes: {io}\nwrite_bytes: 0\n")
        self.says["pids"] = sorted({*self.says["pids"], pid})


@dataclass
class Watch:
    """A host source at work: its clocks, its machine, its cursor."""

    machine: Any
    source: Host = field(default_factory=lambda: Host(host="here"))
    cursor: Cursor = field(default_factory=dict)
    wall: int = START
    clock: int = 50 * SECOND

    def poll(self, seconds: float = 5, wall: float | None = None) -> Records:
        """Let time pass, then look; the cursor goes through JSON as it does in the store."""
        self.clock += round(seconds * SECOND)
        self.wall += round((seconds if wall is None else wall) * SECOND)
        world = World(
            now=lambda: self.wall, monotonic=lambda: self.clock, machine=lambda: self.machine
        )
        self.cursor, records = self.source.poll(orjson.loads(orjson.dumps(self.cursor)), world)
        return records

    def say(self, **answers: Any) -> None:
        self.machine.says.update(answers)


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    return Watch(Machine(tmp_path))


def values(records: Records) -> dict[str, float]:
    """Series to value, without the host's name."""
    assert records.text is not None
    found = {}
    for i in range(len(records)):
        labels = {k: str(v[i]) for k, v in records.labels.items() if v[i]}
        assert labels.pop("host") == "here"
        if not records.text[i]:
            found[series_key(str(records.name[i]), labels)] = float(records.value[i])
    assert len(found) == sum(records.text == "")
    return found


def told(records: Records, name: str) -> list[tuple[str, float]]:
    """Context records of one kind."""
    assert records.text is not None
    rows = zip(records.text, records.value, records.name, strict=True)
    return [(str(text), pytest.approx(float(v))) for text, v, n in rows if text and n == name]


def test_the_first_look_tells_what_needs_no_second(watch: Watch) -> None:
    watch.say(swap_memory=Swap(4 * GB, 1 * GB, 0, 0), pids=[1, 2])
    watch.say(sensors_battery=SimpleNamespace(percent=87))
    records = watch.poll()
    assert values(records) == {
        "load1": 0.5,
        "load5": 0.25,
        "load15": 0.125,
        "memory_percent": 25.0,
        "memory_used_bytes": 3 * GB,
        "memory_available_bytes": 12 * GB,
        "memory_cached_bytes": 2 * GB,
        "swap_percent": 25.0,
        "processes": 2,
        "threads": 345,
        "open_files": 1234,
        'disk_percent{mount="/"}': 30.0,
        'disk_free_bytes{mount="/"}': 70 * GB,
        "battery_percent": 87,
    }
    assert records.skipped == {}
    assert set(records.time) == {records.watermark} == {START + 5 * SECOND}


def test_what_grew_is_told_per_second(watch: Watch) -> None:
    watch.say(swap_memory=Swap(4 * GB, 0, 100, 200))
    before = values(watch.poll())
    watch.say(
        swap_memory=Swap(4 * GB, 0, 150, 200),
        cpu_stats=Stats(1500, 510),
        disk_io_counters={"sda": Disk(20, 20, 1000, 12_000, 2600)},
        net_io_counters={"eth0": Nic(1000, 2500, 10, 25, 5, 10, 15, 20)},
    )
    after = values(watch.poll(5))
    assert {key: after[key] for key in after.keys() - before.keys() if "cpu" not in key} == {
        "swap_in_bytes_per_second": 10,
        "swap_out_bytes_per_second": 0,
        "context_switches_per_second": 100,
        "interrupts_per_second": 2,
        'disk_read_per_second{device="sda"}': 2,
        'disk_write_per_second{device="sda"}': 0,
        'disk_read_bytes_per_second{device="sda"}': 0,
        'disk_write_bytes_per_second{device="sda"}': 2000,
        'disk_busy_percent{device="sda"}': 50,  # 2.5 of 5 seconds
        'network_receive_bytes_per_second{interface="eth0"}': 100,
        'network_send_bytes_per_second{interface="eth0"}': 0,
        'network_receive_packets_per_second{interface="eth0"}': 1,
        'network_send_packets_per_second{interface="eth0"}': 0,
        'network_receive_errors_per_second{interface="eth0"}': 1,
        'network_send_errors_per_second{interface="eth0"}': 2,
        'network_receive_drops_per_second{interface="eth0"}': 3,
        'network_send_drops_per_second{interface="eth0"}': 4,
    }


def test_the_processor_is_shared_among_its_modes_whatever_the_clock_says(watch: Watch) -> None:
    watch.poll()
    watch.say(cpu_times=Times(102.0, 51.0, 805.0, 52.0, 99.0))  # 10 s of two cores' time
    found = values(watch.poll(7))
    assert {key: v for key, v in found.items() if key.startswith("cpu")} == {
        "cpu_user_percent": 20,
        "cpu_system_percent": 10,
        "cpu_iowait_percent": 20,
        "cpu_percent": 30,  # neither idle nor waiting for a disk
    }


def test_a_second_look_in_the_same_slot_finds_nothing(watch: Watch) -> None:
    watch.poll()
    before = watch.cursor
    assert len(watch.poll(4.9)) == 0
    assert watch.cursor == before
    assert 'disk_busy_percent{device="sda"}' in values(watch.poll(0.2))


def test_a_look_just_after_the_last_leaves_the_rates_to_the_next(watch: Watch) -> None:
    watch.poll(9.9)
    watch.say(cpu_stats=Stats(1500, 500))
    soon = watch.poll(0.2)
    assert soon.skipped == {"too soon": 1}
    assert "load1" in values(soon) and "context_switches_per_second" not in values(soon)
    watch.say(cpu_stats=Stats(2040, 500))
    assert values(watch.poll(5))["context_switches_per_second"] == pytest.approx(1040 / 5.2)


def test_a_reset_counter_misses_one_tick(watch: Watch) -> None:
    watch.poll()
    watch.say(net_io_counters={"eth0": Nic(10, 3000, 11, 21, 0, 0, 0, 0)})
    records = watch.poll()
    assert records.skipped == {"counter reset": 1}
    assert 'network_send_bytes_per_second{interface="eth0"}' not in values(records)
    assert values(records)['network_receive_bytes_per_second{interface="eth0"}'] == 200
    watch.say(net_io_counters={"eth0": Nic(60, 3000, 11, 21, 0, 0, 0, 0)})
    assert values(watch.poll())['network_send_bytes_per_second{interface="eth0"}'] == 10


def test_a_counter_of_32_bits_wraps_without_a_gap(watch: Watch) -> None:
    watch.say(net_io_counters={"en0": Nic(2**32 - 400, 0, 1, 0, 0, 0, 0, 0)})
    watch.poll()
    watch.say(net_io_counters={"en0": Nic(600, 0, 1, 0, 0, 0, 0, 0)})
    records = watch.poll()
    assert values(records)['network_send_bytes_per_second{interface="en0"}'] == 200
    assert records.skipped == {}


def test_a_device_is_plugged_in_and_taken_out(watch: Watch) -> None:
    key = 'disk_read_bytes_per_second{device="sdb"}'
    sda = {"sda": Disk(10, 20, 1000, 2000, 100)}
    watch.poll()
    watch.say(disk_io_counters=sda | {"sdb": Disk(9, 9, 9_000_000, 9, 9)})
    first = watch.poll()
    assert key not in values(first) and first.skipped == {}
    watch.say(disk_io_counters=sda | {"sdb": Disk(9, 9, 9_000_500, 9, 9)})
    assert values(watch.poll())[key] == 100
    watch.say(disk_io_counters=sda)
    assert key not in values(watch.poll()) and "sdb" not in orjson.dumps(watch.cursor).decode()
    watch.say(disk_io_counters=sda | {"sdb": Disk(1, 1, 100, 1, 1)})
    again = watch.poll()
    assert key not in values(again) and again.skipped == {}


@pytest.mark.parametrize(("seconds", "wall"), [(600, 600), (5, 600)], ids=["stopped", "asleep"])
def test_no_rate_is_told_over_a_long_gap(watch: Watch, seconds: float, wall: float) -> None:
    watch.poll()
    watch.say(cpu_stats=Stats(901_000, 500))
    records = watch.poll(seconds, wall)
    assert records.skipped == {"gap": 1}
    assert "load1" in values(records)
    assert not [key for key in values(records) if "second" in key or key.startswith("cpu")]
    watch.say(cpu_stats=Stats(901_050, 500))
    assert values(watch.poll())["context_switches_per_second"] == 10


def test_a_short_stop_is_bridged(watch: Watch) -> None:
    watch.poll()
    watch.say(cpu_stats=Stats(1400, 500))
    assert values(watch.poll(40))["context_switches_per_second"] == 10


@pytest.mark.parametrize("clock", [3, 400], ids=["clock fell", "clock is past where it was"])
def test_after_a_restart_of_the_machine_counting_begins_anew(watch: Watch, clock: int) -> None:
    watch.poll()
    watch.machine.write("sys/kernel/random/boot_id", "second\n")
    watch.say(cpu_stats=Stats(5000, 500))
    watch.clock = clock * SECOND
    records = watch.poll(5, 60)
    assert records.skipped == {"restart of the machine": 1}
    assert "context_switches_per_second" not in values(records)
    watch.say(cpu_stats=Stats(5050, 500))
    assert values(watch.poll())["context_switches_per_second"] == 10


def test_the_clock_is_set_back_an_hour_and_the_watch_goes_on(watch: Watch) -> None:
    watch.poll()
    watch.say(cpu_stats=Stats(1050, 500))
    records = watch.poll(5, -3600)
    assert records.skipped == {"clock set back": 1}
    assert records.watermark == START + 5 * SECOND - 3600 * SECOND
    assert values(records)["context_switches_per_second"] == 10
    assert watch.poll(5).skipped == {}


@pytest.mark.parametrize(
    ("sensor", "failure", "counted"),
    [
        ("sensors_temperatures", PermissionError(), "temperatures: PermissionError"),
        ("sensors_fans", RuntimeError("odd driver"), "fans: RuntimeError"),
        ("swap_memory", ValueError("a line in /proc"), "swap: ValueError"),
        ("cpu_times", Machine.Error(), "processor: Error"),
        ("virtual_memory", TypeError(), "memory: TypeError"),
        ("disk_io_counters", IndexError(), "disks: IndexError"),
        ("net_io_counters", OSError(5, "I/O error"), "network: OSError"),
        ("disk_partitions", FileNotFoundError(), "file systems: FileNotFoundError"),
        ("getloadavg", AttributeError("within"), "load: AttributeError"),
    ],
)
def test_a_sensor_that_fails_is_counted_and_the_rest_goes_on(
    watch: Watch, sensor: str, failure: Exception, counted: str
) -> None:
    watch.poll()
    fine = values(watch.poll())
    answer = watch.machine.says[sensor]
    watch.say(**{sensor: failure})
    records = watch.poll()
    assert records.skipped[counted] == 1
    assert len(values(records)) > len(fine) / 2
    watch.say(**{sensor: answer})
    watch.poll()
    assert values(watch.poll()).keys() == fine.keys()


@pytest.mark.parametrize("absent", ["sensors_temperatures", "sensors_fans", "getloadavg"])
def test_what_the_platform_does_not_have_is_silently_not_there(watch: Watch, absent: str) -> None:
    del watch.machine.says[absent]
    watch.say(swap_memory=NotImplementedError())
    assert watch.poll().skipped == {}


def test_one_file_system_that_fails_does_not_hide_the_others(watch: Watch) -> None:
    parts = [Part("/dev/sda1", "/", "ext4"), Part("/dev/sdb1", "/stick", "vfat")]
    usage = {"/": Usage(1, 3), "/stick": OSError(5, "I/O error")}
    watch.say(disk_partitions=parts, disk_usage=usage.__getitem__)
    records = watch.poll()
    assert values(records)['disk_percent{mount="/"}'] == 25
    assert records.skipped == {"disk space: OSError": 1}


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -math.inf, None])
def test_nonsense_is_nan_and_counted(watch: Watch, nonsense: float | None) -> None:
    watch.say(sensors_fans={"nct": [Sensor("cpu", nonsense), Sensor("case", 900)]})
    watch.poll()
    watch.say(cpu_stats=Stats(nonsense, 600))
    records = watch.poll()
    found = values(records)
    assert math.isnan(found['fan_rpm{sensor="nct cpu"}'])
    assert found['fan_rpm{sensor="nct case"}'] == 900
    assert found["interrupts_per_second"] == 20 and "context_switches_per_second" not in found
    assert records.skipped == {"not a number": 2}


def test_sensors_of_one_name_stay_apart(watch: Watch) -> None:
    watch.say(
        sensors_temperatures={
            "nvme": [Sensor("Composite", 40.0), Sensor("Composite", 50.0)],
            "acpitz": [Sensor("", 30.0)],
        }
    )
    found = {key: v for key, v in values(watch.poll()).items() if "celsius" in key}
    assert found == {
        'temperature_celsius{sensor="nvme Composite"}': 40.0,
        'temperature_celsius{sensor="nvme Composite 2"}': 50.0,
        'temperature_celsius{sensor="acpitz"}': 30.0,
    }


def devices(records: Records, label: str) -> set[str]:
    return {str(name) for name in records.labels[label] if name}


def test_whole_disks_once_and_only_what_is_one(watch: Watch) -> None:
    used, unused = Disk(1, 1, 1, 1, 1), Disk(0, 0, 0, 0, 0)
    names = "sda sda1 sda12 nvme0n1 nvme0n1p1 mmcblk0 mmcblk0p2 xvdb1 loop3 dm-0 ram0 zram0 sr0"
    watch.say(disk_io_counters={name: used for name in names.split()} | {"sdz": unused})
    watch.poll()
    assert devices(watch.poll(), "device") == {"sda", "nvme0n1", "mmcblk0", "xvdb1"}


def test_interfaces_that_carry_the_traffic_of_this_machine(watch: Watch) -> None:
    used, unused = Nic(1, 1, 1, 1, 0, 0, 0, 0), Nic(*[0] * 8)
    names = "lo lo0 veth12ab eth0 wlan0 docker0 wg0 awdl0 en0"
    watch.say(net_io_counters={name: used for name in names.split()} | {"bond0": unused})
    watch.poll()
    assert devices(watch.poll(), "interface") == {"eth0", "wlan0", "docker0", "wg0", "en0"}
    watch.source = Host(host="here", exclude_interfaces=("wlan*",))
    watch.poll()
    assert {"lo", "eth0"} < devices(watch.poll(), "interface")
    assert "wlan0" not in devices(watch.poll(), "interface")


def test_each_file_system_once(watch: Watch) -> None:
    parts = [
        Part("/dev/sda2", "/home/me/bound", "ext4"),
        Part("/dev/sda2", "/home", "ext4"),
        Part("/dev/sda1", "/", "ext4"),
        Part("/dev/loop5", "/snap/core", "squashfs"),
        Part("/dev/loop6", "/anywhere", "squashfs"),
        Part("/dev/sdc1", "/empty", "ext4"),
    ]
    watch.say(
        disk_partitions=parts,
        disk_usage=lambda mount: Usage(0, 0) if mount == "/empty" else Usage(1, 1),
    )
    assert devices(watch.poll(), "mount") == {"/", "/home"}


def test_names_that_are_no_utf8_are_written_out(watch: Watch) -> None:
    used = Disk(10, 20, 1000, 2000, 100)
    watch.say(
        disk_partitions=[Part("/dev/sdb1", "/media/\udce9t", "ext4")],
        disk_usage=lambda mount: Usage(1, 1),
        disk_io_counters={"s\udce9": used},
    )
    watch.poll()
    records = watch.poll()
    assert devices(records, "mount") == {"/", r"/media/\udce9t"}
    assert devices(records, "device") == {r"s\udce9"}
    orjson.dumps(values(records))


def test_in_a_container_the_root_is_watched_and_not_the_files_bound_into_it(watch: Watch) -> None:
    watch.say(disk_partitions=[Part("/dev/sda1", "/etc/hosts", "ext4")])
    assert devices(watch.poll(), "mount") == {"/"}


def test_the_busiest_processes_are_told_by_name(watch: Watch) -> None:
    page = os.sysconf("SC_PAGE_SIZE")
    watch.say(virtual_memory=Memory(1000 * page, 500 * page, 1, 1))
    for pid, (name, pages) in enumerate([("idle", 10), ("old (1) x", 300), ("db", 200)], 10):
        watch.machine.run(pid, name, cpu=1.0 if name != "idle" else 0.0, pages=pages, io=0)
    first = watch.poll()
    assert told(first, "top_memory") == [
        ("old (1) x (pid 11)", 30),
        ("db (pid 12)", 20),
        ("idle (pid 10)", 1),
    ]
    assert told(first, "top_cpu") == told(first, "top_io") == []

    watch.say(cpu_times=Times(108.0, 50.0, 802.0, 50.0, 0.0))  # 10 s of processor time
    watch.machine.run(11, "old (1) x", cpu=4.0, pages=300, io=5000)
    watch.machine.run(12, "db", cpu=1.5, pages=200, io=7000)
    watch.machine.run(13, "fresh\x1b[2J\n", cpu=2.0, pages=0, io=10_000)
    second = watch.poll()
    assert told(second, "top_cpu") == [
        ("old (1) x (pid 11)", 30),
        ("fresh?[2J? (pid 13)", 20),
        ("db (pid 12)", 5),
    ]
    assert told(second, "top_io") == [("fresh?[2J? (pid 13)", 2000)]  # others: since now

    watch.say(cpu_times=Times(118.0, 50.0, 802.0, 50.0, 0.0))
    watch.machine.run(11, "old (1) x", cpu=4.0, pages=300, io=5000)
    watch.machine.run(12, "db", cpu=2.0, pages=200, io=8000)
    assert told(watch.poll(), "top_io") == [("db (pid 12)", 200)]


def test_a_number_given_to_another_process_is_another_process(watch: Watch) -> None:
    watch.machine.run(10, "gone", cpu=50.0, io=9000)
    watch.poll()
    watch.say(cpu_times=Times(110.0, 50.0, 800.0, 50.0, 0.0))
    watch.machine.run(10, "new", cpu=1.0, io=100)
    records = watch.poll()
    assert told(records, "top_cpu") == [("new (pid 10)", 10)]
    assert told(records, "top_io") == [("new (pid 10)", 20)]


def test_what_a_child_had_written_in_all_its_life_is_not_its_parent_s_of_this_moment(
    watch: Watch,
) -> None:
    for i, (io, buried) in enumerate([(0, 0), (1000, 0), (9 * GB, 2), (9 * GB + 500, 2)]):
        watch.machine.run(10, "sh", cpu=1.0 + i, io=io, buried=buried)
        records = watch.poll()
        assert told(records, "top_io") == ([("sh (pid 10)", 100)] if i == 3 else [])


def test_a_process_that_ends_or_hides_meanwhile_is_no_fault(watch: Watch) -> None:
    watch.machine.run(10, "here", cpu=1.0)
    watch.say(pids=[10, 11])
    watch.poll()
    watch.machine.run(10, "here", cpu=2.0)
    watch.say(cpu_times=Times(110.0, 50.0, 800.0, 50.0, 0.0))
    records = watch.poll()
    assert told(records, "top_cpu") == [("here (pid 10)", 10)]
    assert told(records, "top_io") == [] and records.skipped == {}


def test_only_so_many_and_none_if_none_are_wanted(watch: Watch) -> None:
    for pid in range(10, 20):
        watch.machine.run(pid, "one", cpu=1.0, pages=pid)
    assert len(told(watch.poll(), "top_memory")) == 5
    watch.source = Host(host="here", top=0)
    assert told(watch.poll(), "top_memory") == []
    with pytest.raises(ValidationError):
        Host(top=-1)


def test_very_many_processes_are_looked_at_more_seldom(tmp_path: Path) -> None:
    linux, other = Machine(tmp_path), SimpleNamespace()
    assert [due(499, turn, linux) for turn in range(4)] == [True] * 4
    assert [due(1700, turn, linux) for turn in range(5)] == [True, False, False, False, True]
    assert [due(150, turn, other) for turn in range(4)] == [True, False] * 2


def test_what_ran_between_two_looks_is_told_over_all_of_the_time_between(watch: Watch) -> None:
    watch.machine.run(10, "worker", cpu=1.0, io=0)
    watch.poll(10)
    watch.say(cpu_times=Times(110.0, 50.0, 800.0, 50.0, 0.0))
    watch.machine.run(10, "worker", cpu=2.0)
    watch.machine.says["pids"] += [10**6 + i for i in range(700)]  # every second slot only
    slots = [watch.poll(), watch.poll()]
    assert sorted(told(records, "top_cpu") for records in slots) == [[], [("worker (pid 10)", 10)]]


def test_elsewhere_than_on_linux(watch: Watch) -> None:
    def process(pid: int, name: str, cpu: float | None, rss: int) -> SimpleNamespace:
        times = None if cpu is None else SimpleNamespace(user=cpu, system=0.0)
        memory = None if cpu is None else SimpleNamespace(rss=rss)
        info = {"name": name, "cpu_times": times, "memory_info": memory}
        return SimpleNamespace(pid=pid, info=info)

    watch.machine.LINUX = False
    watch.say(process_iter=[process(1, "launchd", None, 0), process(2, "Mail", 1.0, 4 * GB)])
    first = watch.poll()
    assert told(first, "top_memory") == [("Mail (pid 2)", 25)]
    assert {"threads", "open_files"}.isdisjoint(values(first)) and watch.cursor["boot"] == ""
    watch.say(process_iter=[process(2, "Mail", 3.0, 4 * GB)])
    watch.say(cpu_times=Times(110.0, 50.0, 800.0, 50.0, 0.0))
    second = watch.poll()
    assert told(second, "top_cpu") == [("Mail (pid 2)", 20)]
    assert first.skipped == second.skipped == {}


KNOWN = {"load1", "load5", "load15", "processes", "threads", "open_files"}
UNITS = ("_percent", "_bytes", "_per_second", "_celsius", "_rpm")


def test_this_very_machine_is_plausible() -> None:
    watch = Watch(psutil, Host(host="here", top=50))
    watch.poll()
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    second = watch.poll()
    found = values(second)
    names = {key.partition("{")[0] for key in found}
    assert {"cpu_percent", "memory_percent", "load1", "disk_percent", "processes"} <= names
    assert all(name in KNOWN or name.endswith(UNITS) for name in names)
    assert all(v >= 0 or "celsius" in key for key, v in found.items())
    assert all(v <= 100 for key, v in found.items() if key.partition("{")[0].endswith("_percent"))
    modes = [v for key, v in found.items() if key.startswith("cpu_") and key != "cpu_percent"]
    assert sum(modes) <= 100.000001 and found["cpu_percent"] > 0
    busy = told(second, "top_cpu")
    assert any(f"(pid {os.getpid()})" in text for text, _ in busy)
    assert all(0 < value.expected <= 100 for _, value in busy)
    assert len(orjson.dumps(watch.cursor)) < 30_000


def test_the_machine_has_the_name_it_gives_itself() -> None:
    watch = Watch(psutil, Host())
    assert set(watch.poll().labels["host"]) == {os.uname().nodename}


def test_the_kernel_s_own_figures_agree_with_psutil_s() -> None:
    _, found = busiest(psutil, None, 0, 0, top=10**6)
    mine = next(busy for busy in found if f"(pid {os.getpid()})" in busy.text)
    rss = psutil.Process().memory_info().rss
    assert mine.value * psutil.virtual_memory().total / 100 == pytest.approx(rss, rel=0.2)


STORIES = st.lists(
    st.tuples(st.floats(0.1, 50), st.integers(0, 10**9), st.booleans()), min_size=2, max_size=8
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STORIES)
def test_nothing_is_lost_or_told_twice_however_often_it_is_started_anew(
    tmp_path: Path, story: list[tuple[float, int, bool]]
) -> None:
    """Rate times time adds up to what the counter grew, looks that came too soon included."""
    watch = Watch(Machine(tmp_path))
    sent, told_so_far, seen = 2**33, 0.0, []
    for seconds, grown, started_anew in story:
        sent += grown
        watch.say(net_io_counters={"eth0": Nic(sent, 1, 1, 1, 0, 0, 0, 0)})
        if started_anew:
            watch.source = Host(host="here")
        before = watch.cursor.get("at", 0)
        records = watch.poll(seconds)
        rate = values(records).get('network_send_bytes_per_second{interface="eth0"}', 0.0)
        told_so_far += rate * (watch.cursor["at"] - before) / SECOND
        seen += [int(t) for t in set(records.time)]
    first, last = story[0][1] + 2**33, watch.cursor["counters"]
    grew = last['network_send_bytes_per_second{interface="eth0"}'] - first
    assert told_so_far == pytest.approx(grew, abs=1e-3)
    assert seen == sorted(set(seen))

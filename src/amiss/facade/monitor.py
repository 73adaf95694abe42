"""`RealTimeMonitor`: looks every few seconds, in a thread, until it is stopped."""

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from amiss.errors import ConfigError, Error
from amiss.facade.config import checked
from amiss.facade.system import AnomalyDetectionSystem

WHO = "RealTimeMonitor"
INTERVAL = 5.0  # seconds, where the configuration is wrong
LONGEST = 30.0  # seconds to wait for the last look to end
KILOBYTE = 1024.0


class RealTimeMonitor:
    """Hands what `source` gives to a system: a sample, several, or None if there is nothing.

    Without a source that is this machine: cpu_usage and memory_usage in percent, disk_io and
    network_io in KB/s since the last look.
    """

    def __init__(
        self, system: AnomalyDetectionSystem, source: Callable[[], Any] | None = None
    ) -> None:
        self.system = system
        self.source = source or _Machine(system)
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start_monitoring(self) -> None:
        """Begin; nothing if it has begun."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            # of its own: a look that outlasts its stop must not go on with this start
            self._stop, self._wake = threading.Event(), threading.Event()
            run = partial(self._run, self._stop, self._wake)
            self._thread = threading.Thread(target=run, name="monitor", daemon=True)
            self._thread.start()

    def stop_monitoring(self) -> None:
        """End, when the look that is being taken has ended; nothing if it has."""
        with self._lock:
            self._stop.set()
            self._wake.set()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(LONGEST)

    def set_monitoring_interval(self, seconds: float) -> None:
        """From now on; ConfigError if it is no interval."""
        if not 0 < seconds <= 86_400:
            raise ConfigError(f"{seconds} s is no interval; write more than 0 and at most 86400")
        self.system.config.setdefault("monitoring", {})["interval"] = float(seconds)
        self._wake.set()

    @property
    def running(self) -> bool:
        """Whether it looks."""
        return self._thread is not None and self._thread.is_alive()

    def _run(self, stop: threading.Event, wake: threading.Event) -> None:
        journal = self.system.journal
        journal.say("INFO", "Monitoring started", WHO)
        while not stop.is_set():
            interval = INTERVAL
            try:
                interval = checked(self.system.config, "config").monitoring.interval
                self._look()
            except Error as exc:
                journal.say("ERROR", str(exc), WHO)
            except Exception as exc:
                # a source is anybody's code: its fault must not end the watch
                journal.say("ERROR", f"the source failed: {type(exc).__name__}: {exc}", WHO)
            if wake.wait(interval):
                wake.clear()
        journal.say("INFO", "Monitoring stopped", WHO)

    def _look(self) -> None:
        found = self.source()
        if found is None:
            return
        samples = [found] if isinstance(found, Mapping) else list(found)
        if samples and not any(
            r["is_anomaly"] for r in self.system.detect_anomalies_batch(samples)
        ):
            self.system.journal.say("INFO", "Normal traffic detected", WHO)


class _Machine:
    """This machine, through psutil."""

    def __init__(self, system: AnomalyDetectionSystem) -> None:
        self._world = system.world
        self._before: tuple[int, float, float] | None = None

    def __call__(self) -> dict[str, Any] | None:
        """None on the first look: a rate needs two."""
        machine, now = self._world.machine(), self._world.monotonic()
        disk, net = machine.disk_io_counters(), machine.net_io_counters()
        written = float(disk.read_bytes + disk.write_bytes) if disk else 0.0
        sent = float(net.bytes_sent + net.bytes_recv) if net else 0.0
        before, self._before = self._before, (now, written, sent)
        cpu = machine.cpu_percent()
        if before is None or now <= before[0]:
            return None
        seconds = (now - before[0]) / 1e9
        return {
            "data_type": "system",
            "cpu_usage": cpu,
            "memory_usage": machine.virtual_memory().percent,
            "disk_io": max(written - before[1], 0.0) / seconds / KILOBYTE,
            "network_io": max(sent - before[2], 0.0) / seconds / KILOBYTE,
        }

"""From the name of a series to words and units a person reads. Pure.

A name ends in its unit, as Prometheus asks: disk_write_bytes_per_second, cpu_percent.
"""

from collections.abc import Collection
from math import floor, isfinite, log10

from amiss.data import parse_key

UNITS = {
    "_bytes_per_second": "B/s",
    "_per_second": "/s",
    "_percent": "%",
    "_ratio": "",
    "_bytes": "B",
    "_seconds": "s",
    "_celsius": "°C",
    "_rpm": "rpm",
    "_volts": "V",
}
LARGE = ("", "k", "M", "G", "T", "P", "E")
SMALL = ("", "m", "µ", "n")
PREFIXED = ("B/s", "B", "/s", "")
PLACES = ("mount", "device", "interface", "sensor")
SYSTEM = ("host", "instance", "job")  # labels that name a system, unless it is said which do
EVIDENCE = {
    "top_cpu": ("cpu", "load", "processes", "threads", "context", "interrupts", "temperature"),
    "top_memory": ("memory", "swap"),
    "top_io": ("disk", "open_files"),
}
SLIGHT = 0.01  # of what was expected
FULL = {"%": 100.0}


def unit_of(name: str) -> str:
    """The unit that the name of a series ends in; "" if it is a plain number."""
    return next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def write_number(value: float, name: str, digits: int = 3) -> str:
    """A value with so many digits and its unit: 310 MB/s, 97.2 %, 12. NaN is "nothing"."""
    if not isfinite(value):
        return "nothing"
    unit, prefix = unit_of(name), ""
    near = float(f"{value:.{digits - 1}e}")  # rounded first: 999.9 kB is 1 MB
    value = near or 0.0 if isfinite(near) else value  # the largest of all cannot be rounded up
    size = floor(log10(abs(value))) if value else 0
    if unit in PREFIXED and 3 <= size < 3 * len(LARGE):
        step = size // 3
        value, prefix, size = value / 1000.0**step, LARGE[step], size - 3 * step
    elif unit == "s" and -9 <= size < 0:
        step = -(size // 3)
        value, prefix, size = value * 1000.0**step, SMALL[step], size + 3 * step
    text = f"{value:.{digits}g}"
    if -4 <= size < 15:
        text = f"{value:.{max(0, digits - 1 - size)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    gap = "" if unit == "/s" and not prefix else " "
    return f"{text}{gap}{prefix}{unit}".strip()


def is_slight(name: str, expected: float, observed: float) -> bool:
    """A change that a person would call none, however rare: below 1 % of what was expected.

    A percentage is also seen from its other end: 99.99 % that becomes 99.5 % is not slight.
    """
    size = abs(expected)
    full = FULL.get(unit_of(name), 0.0)
    if size <= full:
        size = min(size, full - size)
    return abs(observed - expected) < SLIGHT * size


def words(key: str, system: Collection[str] = SYSTEM) -> str:
    """What a series is: `disk_write_bytes_per_second{device="sda"}` is "disk write of sda".

    Labels named in `system` are left out: they say whose it is.
    """
    name, labels = parse_key(key)
    for suffix in UNITS:
        if name.endswith(suffix) and name != suffix:
            name = name.removesuffix(suffix)
            break
    if name == "cpu" or name.startswith("cpu_"):
        name = "CPU" + name[3:]
    order = [*PLACES, *sorted(label for label in labels if label not in PLACES)]
    places = [labels[label] for label in order if labels.get(label) and label not in system]
    return name.replace("_", " ") + (f" of {' '.join(places)}" if places else "")


def listed(parts: Collection[str]) -> str:
    """a, b and c."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def evidence_for(name: str) -> str | None:
    """The context records that may explain a series of this name, if any."""
    return next((top for top, starts in EVIDENCE.items() if name.startswith(starts)), None)


def write_days(days: float) -> str:
    """A span in days as a person says it: 40 s, 5 hours, 3 months."""
    for size, one in ((365.25, "year"), (30.44, "month"), (1.0, "day"), (1 / 24, "hour")):
        if days >= 1.5 * size:
            return f"{round(days / size)} {one}s"
    minutes = days * 1440
    return f"{round(minutes)} minutes" if minutes >= 1.5 else f"{max(1, round(days * 86400))} s"

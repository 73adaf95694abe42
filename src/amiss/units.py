"""From the name of a series to words and units a person reads. Pure.

A name ends in its unit, as Prometheus asks: disk_write_bytes_per_second, cpu_percent.
"""

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
PREFIXED = ("B/s", "B", "/s", "")
PLACES = ("mount", "device", "interface", "sensor")
EVIDENCE = {
    "top_cpu": ("cpu", "load", "processes", "threads", "context", "interrupts", "temperature"),
    "top_memory": ("memory", "swap"),
    "top_io": ("disk", "open_files"),
}


def unit_of(name: str) -> str:
    """The unit that the name of a series ends in; "" if it is a plain number."""
    return next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def write_number(value: float, name: str) -> str:
    """A value with three digits and its unit: 310 MB/s, 97.2 %, 12. NaN is "nothing"."""
    if not isfinite(value):
        return "nothing"
    unit = unit_of(name)
    prefix = ""
    if unit in PREFIXED and abs(value) >= 1000:
        step = min(int(log10(abs(value)) // 3), 6)
        value, prefix = value / 1000**step, ("", "k", "M", "G", "T", "P", "E")[step]
    digits = 3 if value == 0 else max(0, 2 - floor(log10(abs(value))))
    text = f"{value:.{min(digits, 3)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text in ("-0", "") else text
    gap = "" if unit == "/s" and not prefix else " "
    return f"{text}{gap}{prefix}{unit}".strip()


def words(key: str) -> str:
    """What a series is: `disk_write_bytes_per_second{device="sda"}` is "disk write, sda"."""
    name, labels = parse_key(key)
    for suffix in UNITS:
        if name.endswith(suffix) and name != suffix:
            name = name.removesuffix(suffix)
            break
    if name == "cpu" or name.startswith("cpu_"):
        name = "CPU" + name[3:]
    place = ", ".join(labels[label] for label in PLACES if labels.get(label))
    return name.replace("_", " ") + (f", {place}" if place else "")


def evidence_for(name: str) -> str | None:
    """The context records that may explain a series of this name, if any."""
    return next((top for top, starts in EVIDENCE.items() if name.startswith(starts)), None)


def write_days(days: float) -> str:
    """A span in days as a person says it: 40 seconds, 5 hours, 3 months."""
    for size, one in ((365.25, "year"), (30.44, "month"), (1.0, "day"), (1 / 24, "hour")):
        if days >= 1.5 * size:
            return f"{round(days / size)} {one}s"
    minutes = days * 1440
    return f"{round(minutes)} minutes" if minutes >= 1.5 else f"{max(1, round(days * 86400))} s"

"""Samples of four kinds as numbers: what is taken from a dictionary, by name. Pure.

    network          packet_size, protocol, src_port, dst_port, duration
    user             login_time (hour and weekday), failed_attempts, privilege_level, location
    system           cpu_usage, memory_usage, disk_io, network_io
    authentication   failed_attempts, login_time (hour), location, device

What is not there is NaN, and counts as usual. Protocols are their IANA numbers, privileges a rank,
other words a hash: equal or not, but no more.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from math import isfinite, isnan, log1p, nan
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from amiss.errors import ConfigError

Sample: TypeAlias = Mapping[str, Any]
Extractor: TypeAlias = Callable[[Any], Any]
"""Sample -> numbers by name, or an array of them."""

KIND = "data_type"  # the key under which a sample may say what it is
PROTOCOLS = {"icmp": 1.0, "tcp": 6.0, "udp": 17.0}
UNKNOWN = 255.0  # reserved by IANA
PRIVILEGES = {"guest": 0.0, "user": 1.0, "power_user": 2.0, "admin": 3.0, "root": 4.0}
BUCKETS = 1000


def network(sample: Sample) -> dict[str, float]:
    """A flow or a packet; sizes and durations as ln(1 + x)."""
    return {
        "packet_size": _log(sample.get("packet_size")),
        "protocol": _named(sample.get("protocol"), PROTOCOLS, UNKNOWN),
        "src_port": number(sample.get("src_port")),
        "dst_port": number(sample.get("dst_port")),
        "duration": _log(sample.get("duration")),
    }


def user(sample: Sample) -> dict[str, float]:
    """What a user did."""
    hour, day = _moment(sample.get("login_time"))
    return {
        "hour": hour,
        "day": day,
        "failed_attempts": number(sample.get("failed_attempts")),
        "privilege_level": _named(sample.get("privilege_level"), PRIVILEGES, 5.0),
        "location": _hashed(sample.get("location")),
    }


def system(sample: Sample) -> dict[str, float]:
    """What a machine was doing."""
    names = ("cpu_usage", "memory_usage", "disk_io", "network_io")
    return {name: number(sample.get(name)) for name in names}


def authentication(sample: Sample) -> dict[str, float]:
    """An attempt to sign in."""
    hour, _ = _moment(sample.get("login_time", sample.get("timestamp")))
    return {
        "failed_attempts": number(sample.get("failed_attempts")),
        "hour": hour,
        "location": _hashed(sample.get("location")),
        "device": _hashed(sample.get("device_fingerprint", sample.get("device"))),
    }


BUILT_IN: dict[str, Extractor] = {
    "network": network,
    "user": user,
    "system": system,
    "authentication": authentication,
}
MARKS = {
    "network": {"packet_size", "protocol", "src_port", "dst_port"},
    "authentication": {"device_fingerprint", "device"},
    "user": {"login_time", "privilege_level"},
    "system": {"cpu_usage", "memory_usage", "disk_io", "network_io"},
}
"""Keys that give a kind away, looked at in this order."""


def kind_of(sample: Any) -> str:
    """What a sample says that it is, else what its keys give away. ConfigError if nothing does."""
    sample = unpacked(sample)
    if isinstance(sample, Mapping):
        if said := sample.get(KIND):
            return str(said)
        for kind, marks in MARKS.items():
            if marks & sample.keys():
                return kind
    _is_one(sample)
    raise ConfigError(
        f"of which kind is this sample? say it as the second argument: {', '.join(BUILT_IN)}"
    )


def unpacked(sample: Any) -> Any:
    """A row of a table of pandas as the dictionary that it is; all else as it is."""
    row = hasattr(sample, "to_dict") and hasattr(sample, "index") and not hasattr(sample, "columns")
    return dict(sample.to_dict()) if row else sample


def _is_one(sample: Any) -> None:
    """ConfigError for what is a table of samples, or a list of them."""
    listed = isinstance(sample, Sequence) and any(isinstance(one, Mapping) for one in sample)
    if listed or hasattr(sample, "columns"):
        raise ConfigError("these are several samples; hand them to detect_anomalies_batch")


def features(extract: Extractor, sample: Any) -> dict[str, float]:
    """The numbers of a sample, by name; those of an array are feature_0 and so on."""
    found = extract(sample)
    if isinstance(found, Mapping):
        return {str(name): number(value) for name, value in found.items()}
    values = np.asarray(found, object).ravel()
    return {f"feature_{i}": number(value) for i, value in enumerate(values)}


def are_named(samples: Sequence[Any]) -> bool:
    """Whether these are dictionaries; if not, rows of numbers. ConfigError if neither, or both."""
    named = [isinstance(sample, Mapping) for sample in samples]
    if any(named) != all(named):
        raise ConfigError("some samples are dictionaries and some are not; hand them over apart")
    if all(named):
        return True
    for sample in samples:
        _is_one(sample)
        row = isinstance(sample, Sequence | Real) or hasattr(sample, "__array__")
        if not row or isinstance(sample, str | bytes):
            what = type(sample).__name__
            raise ConfigError(f"{what} is no sample; write a dictionary or a row of numbers")
    return False


def number(value: Any) -> float:
    """NaN for what is none."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return nan
    return found if isfinite(found) else nan


def written(value: Any) -> str:
    """As text; nothing of what Python will not write, such as an int of 5000 digits."""
    try:
        return str(value)
    except ValueError:
        return ""


def _log(value: Any) -> float:
    said = number(value)
    return nan if isnan(said) else log1p(max(said, 0.0))


def _named(value: Any, names: Mapping[str, float], other: float) -> float:
    if _missing(value):
        return nan
    known = names.get(written(value).lower())
    if known is not None:
        return known
    said = number(value)
    return other if isnan(said) else said


def _hashed(value: Any) -> float:
    if _missing(value):
        return nan
    return float(zlib.crc32(written(value).encode("utf-8", "replace")) % BUCKETS)


def _missing(value: Any) -> bool:
    """Whether nothing is there: None, and the NaN, NaT and NA of tables."""
    try:
        return value is None or bool(value != value)  # noqa: PLR0124
    except TypeError:  # NA is neither equal nor not
        return True
    except ValueError:  # an array is many things, and there
        return False


def _moment(value: Any) -> tuple[float, float]:
    """Hour of the day and day of the week, as they are written."""
    try:
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return nan, nan
    return at.hour + at.minute / 60.0, float(at.weekday())

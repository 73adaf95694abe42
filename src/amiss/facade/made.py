"""Made-up samples, to try things with before there are real ones. Pure: same seed, same samples."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from amiss.facade.samples import KIND

MONDAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a clock on a wall, as samples have it
SERVICES = (80, 443, 443, 443, 53, 22, 25, 3306)
PLACES = ("US-East", "US-West", "EU-Central", "AP-South")


def samples(n: int, seed: int) -> list[dict[str, Any]]:
    """So many, the four kinds in turn, in order of time, with nothing amiss in them."""
    random = np.random.default_rng(seed)
    makers = (_network, _user, _system, _authentication)
    return [makers[i % len(makers)](random, i // len(makers)) for i in range(n)]


def _network(random: np.random.Generator, i: int) -> dict[str, Any]:
    protocol = random.choice(["TCP", "UDP", "ICMP"], p=[0.8, 0.17, 0.03])
    service, client = int(random.choice(SERVICES)), int(random.integers(1024, 65536))
    out = random.random() < 0.6
    if random.random() < 0.1:  # two services that talk to each other
        client = int(random.choice(SERVICES))
    return {
        KIND: "network",
        "packet_size": int(
            np.clip(random.choice([80, 600, 1460]) * random.normal(1, 0.1), 40, 1500)
        ),
        "protocol": str(protocol),
        "src_port": client if out else service,
        "dst_port": service if out else client,
        "duration": round(float(random.lognormal(-1.0, 0.8)), 4),
    }


def _user(random: np.random.Generator, i: int) -> dict[str, Any]:
    return {
        KIND: "user",
        "login_time": _working(random, i).isoformat(),
        "failed_attempts": int(random.poisson(0.2)),
        "privilege_level": str(random.choice(["user", "admin"], p=[0.9, 0.1])),
        "location": str(random.choice(PLACES, p=[0.6, 0.2, 0.15, 0.05])),
    }


def _system(random: np.random.Generator, i: int) -> dict[str, Any]:
    day = np.sin(2 * np.pi * i / 96)  # a sample a quarter of an hour
    cpu = np.clip(35 + 15 * day + random.normal(0, 5), 1, 100)
    return {
        KIND: "system",
        "cpu_usage": round(float(cpu), 1),
        "memory_usage": round(float(np.clip(50 + 0.3 * cpu + random.normal(0, 3), 1, 100)), 1),
        "disk_io": round(float(800 * random.lognormal(0.1 * day, 0.4)), 1),
        "network_io": round(float(30 * cpu * random.lognormal(0, 0.3)), 1),
    }


def _authentication(random: np.random.Generator, i: int) -> dict[str, Any]:
    place = str(random.choice(PLACES, p=[0.6, 0.2, 0.15, 0.05]))
    return {
        KIND: "authentication",
        "login_time": _working(random, i).isoformat(),
        "failed_attempts": int(random.poisson(0.3)),
        "location": place,
        "device_fingerprint": f"device-{place}-{int(random.integers(3))}",
    }


def _working(random: np.random.Generator, i: int) -> datetime:
    day = i // 20
    weekday = day // 5 * 7 + day % 5
    hour = float(np.clip(random.normal(11.0, 2.5), 6.0, 20.0))
    return (MONDAY + timedelta(days=weekday, hours=hour)).replace(microsecond=0, second=0)

"""Made-up incidents, for tests of what is done with them."""

from dataclasses import replace
from typing import Any

from amiss.data import MINUTE, Incident, Member

START = 1_772_892_130_000_000_000  # 7 March 2026, 14:02:10 UTC
SENTENCE = (
    "web-3: disk write, sda at 310 MB/s (8 times the usual; 2 to 40 MB/s expected)"
    " since 14:02 UTC on 7 March; about once in 3 months."
)


def member(series: str = 'disk_write_bytes_per_second{device="sda"}', **said: Any) -> Member:
    given = {
        "since": START,
        "at": START + MINUTE,
        "score": 9.0,
        "observed": 310e6,
        "expected": 38e6,
        "lower": 2e6,
        "upper": 40e6,
    }
    return Member(series, **(given | said))


def incident(id: str = "a1", revision: int = 1, **said: Any) -> Incident:
    given: dict[str, Any] = {
        "state": "open",
        "system": 'host="web-3"',
        "since": START,
        "seen": START + revision * MINUTE,
        "until": None,
        "severity": "medium",
        "score": 9.0,
        "p": 1.2e-4,
        "rarity": 91.0,
        "watched": 120.0,
        "breadth": 1,
        "members": (member(),),
        "sentence": SENTENCE,
        "evidence": ("backup.sh 92 % of a core",),
    }
    return Incident(id, revision, **(given | said))


def ended(before: Incident, minutes: int = 18) -> Incident:
    until = before.since + minutes * MINUTE
    return replace(before, revision=before.revision + 1, state="resolved", until=until)

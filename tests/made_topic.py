"""A made-up topic: answers like amiss.doors.brokers.Reader, from lists."""

from dataclasses import dataclass, field
from typing import Any

from amiss.doors.brokers import Fetched, Offsets


@dataclass(frozen=True)
class Message:
    """As confluent_kafka has them."""

    said: tuple[str, int, int, bytes | None, int]

    def topic(self) -> str:
        return self.said[0]

    def partition(self) -> int:
        return self.said[1]

    def offset(self) -> int:
        return self.said[2]

    def value(self) -> bytes | None:
        return self.said[3]

    def timestamp(self) -> tuple[int, int]:
        return 1, self.said[4]


@dataclass
class MadeTopic:
    topic: str
    partitions: int = 1
    kept: dict[int, list[Message]] = field(default_factory=dict)
    schemas: dict[int, Any] = field(default_factory=dict)
    gone: dict[int, int] = field(default_factory=dict)
    """By partition: how many of the first were deleted."""

    def put(self, value: bytes | None, partition: int = 0, ms: int = 1_700_000_000_000) -> None:
        mine = self.kept.setdefault(partition, [])
        mine.append(Message((self.topic, partition, len(mine), value, ms)))

    def read(self, offsets: Offsets, most: int) -> Fetched:
        found, after, gone = list[Message](), dict(offsets), 0
        for part in range(self.partitions):
            name, mine = f"{self.topic}/{part}", self.kept.get(part, [])
            low = self.gone.get(part, 0)
            gone += max(low - offsets.get(name, low), 0)
            first = max(offsets.get(name, low), low)
            some = mine[first : first + max(most - len(found), 0)]
            found += some
            after[name] = first + len(some)
        behind = [
            name
            for part in range(self.partitions)
            if after[name := f"{self.topic}/{part}"] < len(self.kept.get(part, []))
        ]
        return Fetched(found, after, tuple(behind), gone)

"""What messages that are pushed say: numbers, and lines, each with its time and labels."""

from typing import NamedTuple


class Number(NamedTuple):
    """A sample of a series."""

    time: int  # ns
    name: str
    value: float
    labels: dict[str, str]


class Line(NamedTuple):
    """A line or an event. Its labels may be those of others too: they are not to be changed."""

    time: int  # ns
    text: str
    labels: dict[str, str]

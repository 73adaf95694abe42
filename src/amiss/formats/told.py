"""What messages that are pushed say: numbers, and lines, each with its time and labels."""

from collections.abc import Iterable
from typing import NamedTuple

NO_CLOCK = "a time that no clock shows"
LATEST = 2**63 - 1  # ns
NAMES = 1000  # of labels in one message
BYTES = 2**30  # of all labels of one message, as columns
PAIRS = 2**24
"""Names and texts in all labels of one message that are put together, 32 bytes each."""


class Number(NamedTuple):
    """A sample of a series."""

    time: int  # ns
    name: str
    value: float
    labels: dict[str, str]


class Line(NamedTuple):
    """A line or an event. Its labels may be those of others too: they are not to be changed."""

    time: int | None  # ns, as the sender said it beside the line; None if it did not
    text: str
    labels: dict[str, str]
    arrived: int = 0  # ns; of lines without a time


class Together:
    """Labels of many with those of one, of all of one message."""

    def __init__(self) -> None:
        self.room = PAIRS

    def __call__(self, common: dict[str, str], own: dict[str, str]) -> dict[str, str]:
        """Both. Raises ValueError if those of one message take more memory than they may."""
        self.room -= len(common) + len(own)
        if self.room < 0:
            raise ValueError(f"the labels of one message are more than {PAIRS:,}")
        return common | own


def bounded(many: int, longest: Iterable[int]) -> None:
    """Raises ValueError if the labels of so many records, each column as wide as the longest of
    its texts (characters), take more memory than those of one message may.
    """
    widths = list(longest)
    if len(widths) > NAMES:
        raise ValueError(f"more than {NAMES:,} names of labels in one message")
    if many * 4 * sum(widths) > BYTES:
        raise ValueError(f"the labels of one message take more than {BYTES:,} bytes")

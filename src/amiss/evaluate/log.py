r"""Lines of text from a file, a compressed file or standard input, in pieces.

A line ends with \n; a \r before it belongs to the end. No other character ends one.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from amiss.errors import ConfigError
from amiss.evaluate.tables import Table
from amiss.evaluate.text import BLOCK, opened

LONGEST = 1 << 16  # bytes of a line that are kept


@dataclass(frozen=True, slots=True)
class Log(Table):
    """A file of lines; `-` is standard input. What is no UTF-8 is read with replacement."""

    def lines(self, tell: Callable[[int], None] = lambda _: None) -> Iterator[list[str]]:
        """Its lines in order, some at once. `tell` hears about how many bytes were done with.

        Raises ConfigError if it cannot be read.
        """
        try:
            yield from self._read(tell)
        except (EOFError, zlib.error) as exc:
            raise ConfigError(f"{self.name}: it is damaged: {exc}") from None
        except OSError as exc:
            raise ConfigError(f"{self.name}: cannot be read: {exc.strerror or exc}") from None

    def _read(self, tell: Callable[[int], None]) -> Iterator[list[str]]:
        begun = b""  # of a line whose end is still to come
        with opened(self.path, self.path.endswith(".gz")) as (stream, worth):
            while block := stream.read(BLOCK):
                *whole, begun = (begun + block).split(b"\n")
                begun = begun[: LONGEST + 1]  # a \r after that makes no difference
                yield [_text(line) for line in whole]
                tell(int(len(block) * worth()))
        if begun:
            yield [_text(begun)]


def _text(line: bytes) -> str:
    return line.removesuffix(b"\r")[:LONGEST].decode("utf-8", "replace")

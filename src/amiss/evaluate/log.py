r"""Lines of text from a file, a compressed file or standard input, in pieces.

A line ends with \n; a \r before it belongs to the end. No other character ends one.
"""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from amiss.errors import ConfigError
from amiss.evaluate.tables import Table
from amiss.evaluate.text import BLOCK, opened
from amiss.text.lines import Lines, split

LONGEST = 1 << 16  # bytes of a line that are kept


@dataclass(frozen=True, slots=True)
class Log(Table):
    """A file of lines; `-` is standard input. They are bytes, in whatever encoding."""

    def lines(self, tell: Callable[[int], None] = lambda _: None) -> Iterator[Lines]:
        """Its lines in order, some at once. `tell` hears about how many bytes were done with.

        Raises ConfigError if it cannot be read.
        """
        try:
            yield from self._read(tell)
        except (EOFError, zlib.error) as exc:
            raise ConfigError(f"{self.name}: it is damaged: {exc}") from None
        except OSError as exc:
            raise ConfigError(f"{self.name}: cannot be read: {exc.strerror or exc}") from None

    def _read(self, tell: Callable[[int], None]) -> Iterator[Lines]:
        begun = b""  # of a line whose end is still to come
        with opened(self.path, self.path.endswith(".gz")) as (stream, worth):
            while block := stream.read(BLOCK):
                block = begun + block
                lines, rest = split(block, LONGEST)
                done = len(block) - len(begun)
                begun = block[rest : rest + LONGEST + 1]  # a \r after that makes no difference
                yield lines
                tell(int(done * worth()))
        if begun:
            yield split(begun + b"\n", LONGEST)[0]

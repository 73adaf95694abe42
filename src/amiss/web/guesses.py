"""Wrong tokens: counted, told, and no longer looked at kindly when there are many.

What keeps a token from being guessed is its length: the right one is always let in, so that nobody
can lock its holder out by guessing.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from math import ceil

log = logging.getLogger(__name__)

SHORTEST = 16  # characters of a token
FEW = 10  # wrong ones
WINDOW = 60.0  # seconds


class Guesses:
    """The wrong tokens that one installation was shown. Works in one thread, the server's."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        note: Callable[[str, str], None] = lambda who, what: None,
    ) -> None:
        self.clock, self.note = clock, note
        self.wrong = 0  # since the start
        self._last: deque[float] = deque(maxlen=FEW)
        self._told = False

    def count(self, who: str) -> int:
        """Count one more by `who`. How many seconds to stay away, if there are too many; else 0."""
        now = self.clock()
        many = len(self._last) == FEW and now - self._last[0] < WINDOW
        wait = ceil(WINDOW - (now - self._last[0])) if many else 0
        if many and not self._told:
            log.warning("a wrong token was shown %d times in a minute, just now by %s", FEW, who)
        if not many:
            self.note(who, "wrong token")
        elif not self._told:
            self.note(who, "many wrong tokens: no more of this minute are noted")
        self.wrong, self._told = self.wrong + 1, many
        self._last.append(now)
        return wait

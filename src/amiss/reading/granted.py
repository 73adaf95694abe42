"""How much of the past a server gives at once, where it has refused more."""

from dataclasses import astuple, dataclass, replace
from typing import Any, Self

SELDOM = 64  # most answers between two tries of more


@dataclass(frozen=True, slots=True)
class Granted:
    """Twice as much is asked for after some answers, and later each time that it is refused."""

    steps: int = 0  # most that it is known to give; 0: all that it was asked for
    pause: int = 0  # answers between two tries of more
    left: int = 0  # of which, until the next

    @classmethod
    def load(cls, kept: Any) -> Self:
        """Out of what a cursor keeps."""
        return cls(*(kept or ()))

    def dump(self) -> dict[str, list[int]]:
        """For a cursor: nothing where nothing was refused."""
        return {"granted": list(astuple(self))} if self.steps else {}

    def most(self, wanted: int) -> int:
        """How many steps to ask for next."""
        return min(wanted, self.steps if self.left else 2 * self.steps) if self.steps else wanted

    def less(self, asked: int, least: int) -> int:
        """How many to ask for, as `asked` were refused."""
        return self.steps if 0 < self.steps < asked else least

    def refused(self, asked: int, least: int) -> Self:
        """What is known once so many were refused."""
        pause = min(2 * self.pause, SELDOM) if self.steps else 1
        return replace(self, steps=self.less(asked, least), pause=pause, left=pause)

    def given(self, asked: int, wanted: int) -> Self:
        """What is known once all of so many were given."""
        if not self.steps or asked < self.steps:
            return self
        if asked == self.steps:
            return replace(self, left=max(self.left - 1, 0))
        return type(self)() if asked == wanted else replace(self, steps=asked, pause=1, left=0)

"""Where the pages find the program that they are pages of: they run in its process."""

from typing import TYPE_CHECKING

from amiss.errors import StateError

if TYPE_CHECKING:
    from amiss.run.live import Live

live: "Live | None" = None
"""Set when the application is built."""


def the_live() -> "Live":
    """The running installation. Raises StateError if the page was started on its own."""
    if live is None:
        raise StateError("the dashboard is a part of the program; start it with: amiss run")
    return live

"""How commands print: tables of 100 columns at most for people, JSON for programs."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from amiss.data import DAY, SECOND
from amiss.words.units import write_days

WIDTH = 100
BARS = "▁▂▃▄▅▆▇█"


def print_json(said: Any) -> None:
    """Indented, times as they are given, NaN as null."""
    import orjson

    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    print(orjson.dumps(said, option=options).decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], wide: str) -> None:
    """A table; what does not fit its width is folded in the column `wide`."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.width = min(console.width, WIDTH) if sys.stdout.isatty() else WIDTH
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=name != wide, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    with console.capture() as shown:
        console.print(table)
    print("\n".join(line.rstrip() for line in shown.get().splitlines()))


def moment(ns: int) -> str:
    """Local time: Sat 7 Mar 14:02."""
    at = datetime.fromtimestamp(ns // SECOND, UTC).astimezone()
    return f"{at:%a} {at.day} {at:%b %H:%M}"


def lasted(ns: int) -> str:
    """A span as a person says it."""
    return write_days(max(ns, 0) / DAY)


def sparkline(values: Sequence[float]) -> str:
    """A line of bars, the highest for the largest; a blank where there is nothing."""
    known = [value for value in values if isfinite(value)]
    if not known:
        return " " * len(values)
    low, span = min(known), max(known) - min(known)
    top = len(BARS) - 1
    return "".join(
        BARS[round((value - low) / span * top) if span else 0] if isfinite(value) else " "
        for value in values
    )

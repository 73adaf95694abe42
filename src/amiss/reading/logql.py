"""What Loki is asked over HTTP, and how its answers become columns."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import orjson

from amiss.data import SECOND, Floats, Records, Strings, Times, measured
from amiss.errors import Unreachable
from amiss.formats.decoded import decoded
from amiss.formats.parsed import MOST_FIELDS
from amiss.formats.settings import label
from amiss.reading.entries import Entries
from amiss.reading.late import STEP

NANOSECOND = 1
DEEPEST = 1000  # characters into a line: what regular expressions of Go may repeat
CATEGORIES = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
"""Structured metadata beside each line: else each value of it is a stream of its own."""
UNCACHED = {"Cache-Control": "no-cache"}
"""What was answered before may lack lines that came since."""
NOUGHTS = "noughts before anything was heard"

Ask = Callable[..., Any]
"""(path, parameters) -> the `data` of the answer."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one query."""

    ask: Ask
    query: str
    page: int

    def first(self, start: int, end: int, query: str = "") -> Entries:
        """The first of [start, end), at most a page."""
        said = self.ask(
            "query_range", query=query or self.query, start=start, end=end, limit=self.page,
            direction="forward",
        )  # fmt: skip
        return entries_of(said)

    def moment(self, at: int) -> Entries:
        """All lines of one nanosecond, however many pages they are.

        Loki has no way to go on within a time, so it is asked for parts of them, told apart by
        the character at the first place where they differ most.
        """
        return joined([*self._parts(at, "")])

    def count(self, first: int, last: int) -> dict[int, int]:
        """How many it holds of spans [first, last); the end of a span belongs to it.

        Lines that the query cannot take apart are read too; undropped, their errors fail the count.
        """
        whole = f"{self.query}\n| drop __error__, __error_details__"
        said = self.ask(
            "query_range", query=f"sum(count_over_time({whole} [{STEP // SECOND}s]))",
            start=(first + 1) * STEP, end=last * STEP, step=f"{STEP // SECOND}s",
        )  # fmt: skip
        found = samples_of(said, "count", {})
        spans = found.time // STEP - 1
        numbers = np.nan_to_num(found.value).astype(np.int64)
        return dict(zip(spans.tolist(), numbers.tolist(), strict=True))

    def _parts(self, at: int, only: str) -> Iterator[Entries]:
        entries = self.first(at, at + NANOSECOND, self.query + only)
        place, pivot = _parting(entries.text) if len(entries) >= self.page else (0, -1)
        if pivot < 0:  # all of them; or a page of streams that say the same, and maybe more
            yield replace(entries, cut=int(len(entries) >= self.page))
            return
        # each on a line of its own: the query may end in a comment
        upper, before = _code(pivot), f"(?s:^.{{{place}}}"
        yield from self._parts(at, f"{only}\n|~ `{before}[\\x{{0}}-{upper}])`")
        yield from self._parts(at, f"{only}\n!~ `{before}[\\x{{0}}-{upper}])`")


def _code(point: int) -> str:
    return f"\\x{{{point:x}}}"


def _parting(lines: list[str]) -> tuple[int, int]:
    """A place and a character such that about half of lines have that or a lower one there.

    The character is -1 if they are all alike.
    """
    texts = sorted(set(lines))
    if len(texts) < 2:
        return 0, -1
    low, high = texts[0], texts[-1]
    place = next(
        (i for i, (a, b) in enumerate(zip(low, high, strict=False)) if a != b),
        min(len(low), len(high)),
    )
    if place > DEEPEST:
        return 0, -1
    there = sorted(ord(text[place]) for text in texts if len(text) > place)
    middle = there[(len(there) - 1) // 2]
    if middle == there[-1] and there[0] < middle:
        middle = max(code for code in there if code < middle)
    return place, middle


def entries_of(said: Any) -> Entries:
    """The streams of an answer as lines in order of their times. Raises Unreachable if it is none.

    Of one time, streams come in the order of their labels.
    """
    try:
        streams = sorted(said["result"], key=lambda one: sorted(one["stream"].items()))
        rows = list(chain.from_iterable(one["values"] for one in streams))
        time = np.array([row[0] for row in rows], "U19").astype(np.int64)
        text = [row[1] for row in rows]
        if not all(isinstance(one, str) for one in text):
            raise TypeError("a line is no text")
        columns, over = _labels(streams, rows)
    except (TypeError, KeyError, IndexError, ValueError, AttributeError):
        raise Unreachable("the answer is not one of Loki to a query of lines") from None
    order = np.argsort(time, kind="stable")
    if len(streams) > 1:
        places = order.tolist()
        text = [text[i] for i in places]
        columns = {name: [column[i] for i in places] for name, column in columns.items()}
    return Entries(time[order], text, columns, over=over)


def _labels(streams: list[Any], rows: list[Any]) -> tuple[dict[str, list[str]], int]:
    """Labels of streams, and beside them structured metadata and what the query took apart; and
    how many values of those were over the cap.
    """
    columns, over = dict[str, list[str]](), 0
    for name in dict.fromkeys(chain.from_iterable(one["stream"] for one in streams)):
        columns[name] = [
            said
            for one in streams
            for said in [str(one["stream"].get(name, ""))] * len(one["values"])
        ]
    none: dict[str, Any] = {}  # one for all rows
    own = [row[2] if len(row) > 2 else none for row in rows]
    for kind in ("structuredMetadata", "parsed"):
        said = [one.get(kind) or none for one in own]
        for name, times in Counter(chain.from_iterable(said)).items():
            if name not in columns and len(columns) >= MOST_FIELDS:
                over += times
                continue
            before = columns.get(name, [""] * len(rows))
            columns[name] = [
                str(one.get(name) or was) for one, was in zip(said, before, strict=True)
            ]
    return columns, over


def joined(parts: list[Entries]) -> Entries:
    """Parts of one time as one."""
    names = dict.fromkeys(chain.from_iterable(part.labels for part in parts))
    return Entries(
        np.concatenate([part.time for part in parts]),
        list(chain.from_iterable(part.text for part in parts)),
        {
            name: list(
                chain.from_iterable(part.labels.get(name, [""] * len(part)) for part in parts)
            )
            for name in names
        },
        sum(part.cut for part in parts),
        sum(part.over for part in parts),
    )


def samples_of(said: Any, name: str, labels: dict[str, str]) -> Records:
    """The series of an answer to a metric query. Raises Unreachable if it is none."""
    try:
        series = [(one["metric"], one["values"]) for one in said["result"]]
        points = list(chain.from_iterable(values for _, values in series))
        seconds = np.array([point[0] for point in points], np.float64)
        value = np.array([point[1] for point in points], "U32").astype(np.float64)
        each = [len(values) for _, values in series]
        names = dict.fromkeys(chain.from_iterable(metric for metric, _ in series))
        columns = {
            label(one): np.repeat(
                np.array([metric.get(one, "") for metric, _ in series], str), each
            )
            for one in names
        }
    except (TypeError, KeyError, IndexError, ValueError, AttributeError):
        raise Unreachable("the answer is not one of Loki to a metric query") from None
    n = len(points)
    columns |= {one: np.full(n, text) for one, text in labels.items()}
    return Records(_ns(seconds), np.full(n, name), measured(value), columns)


def since_heard(records: Records) -> Records:
    """From the first value on that is not nought; what is before it is counted.

    `or vector(0)` says nought of times before the first line too, and to learn from these that
    nothing is usual would make an incident of everything that comes after.
    """
    heard = records.time[np.isfinite(records.value) & (records.value != 0.0)]
    kept = records[records.time >= heard.min()] if len(heard) else records[:0]
    gone = len(records) - len(kept)
    said = {**records.skipped, NOUGHTS: gone} if gone else records.skipped
    return replace(kept, skipped=said)


def merged(parts: list[Records]) -> Records:
    """The records of several queries as one."""
    names = dict.fromkeys(chain.from_iterable(part.labels for part in parts))

    def column(name: str) -> Strings:
        return np.concatenate([part.labels.get(name, np.zeros(len(part), "U1")) for part in parts])

    values: list[Floats] = [part.value for part in parts]
    return Records(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.name for part in parts]),
        np.concatenate(values),
        {name: column(name) for name in names},
    )


def _ns(seconds: Floats) -> Times:
    """Times of Loki are to the millisecond."""
    found: Times = np.rint(seconds * 1000).astype(np.int64) * (SECOND // 1000)
    return found


def data_of(body: bytes) -> Any:
    """What an answer says. Raises Unreachable for what is no answer, such as a page of a proxy."""
    try:
        said = decoded(body)
    except orjson.JSONDecodeError:
        raise Unreachable("the answer is no JSON") from None
    if not isinstance(said, dict) or said.get("status") != "success":
        raise Unreachable("the answer is not one of Loki")
    return said.get("data")

"""Lines that were pushed, as records: fields as labels, and their times."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from amiss.data import Records, measured
from amiss.formats import form, times
from amiss.formats.form import Asked, Form
from amiss.formats.parsed import MOST_FIELDS, OVER, places
from amiss.formats.settings import at_most, label, short
from amiss.formats.told import Line

NO_TIME = "times that cannot be read; that of arrival is taken"


def look(lines: Sequence[Line], asked: Asked, known: Form | None) -> Form:
    """How they are written: as before, or as the first of them tell.

    What was found before does not count against what is asked for now.
    """
    if known is not None and known.sure and _fits(known, asked):
        return known
    return form.look([line.text for line in lines[: form.LOOK]], asked, known)


def _fits(known: Form, asked: Asked) -> bool:
    stamped = known.time or known.stamp or known.kind == "text"
    return (
        asked.kind in ("auto", known.kind)
        and asked.time in ("", known.time)
        and (asked.stamp in ("", known.stamp) or not stamped)
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What to take from lines of one form."""

    form: Form
    zone: str
    regex: str
    longest: int  # bytes of a line
    value: str  # the field with the number, if any

    def records(self, lines: Sequence[Line], name: str, skipped: Counter[str]) -> Records:
        """(N,) lines -> records, in their order; those that do not fit are counted. 4 us a line."""
        known = self.form
        texts = [line.text for line in lines]
        parsed = form.parse(texts, known, self.regex)
        skipped.update(parsed.skipped)
        whole = parsed.text is texts
        mine = lines if whole else [lines[i] for i in places(texts, parsed.text)]
        told = [line.time for line in mine]
        if known.stamp and None in told:
            told = self._told(parsed.text, parsed.columns.get(known.time, ()), mine)
            if known.time:
                skipped[NO_TIME] += told.count(None)
        if None in told:
            told = [line.arrived if t is None else t for t, line in zip(told, mine, strict=True)]
        columns: dict[str, list[str]] = {}
        for field, column in parsed.columns.items():
            if field != known.time:
                columns.setdefault(label(field), short(column))
        # senders say the labels of many lines at once: what is asked of them is asked once
        kinds = {id(line.labels): line.labels for line in mine}
        number = {of: k for k, of in enumerate(kinds)}
        which = [number[id(line.labels)] for line in mine]
        over = set[str]()
        for field in dict.fromkeys(field for labels in kinds.values() for field in labels):
            if len(columns) >= MOST_FIELDS and label(field) not in columns:
                over.add(field)
                continue
            said = [labels.get(field, "") for labels in kinds.values()]
            if any(said):
                said = short(said)
                columns[label(field)] = [said[k] for k in which]
        if over:
            refused = [sum(field in over for field in labels) for labels in kinds.values()]
            skipped[OVER] += sum(refused[k] for k in which)
        numbers = columns.get(label(self.value), []) if self.value else []
        called = name or ("line" if known.kind == "text" else "event")
        return Records(
            np.array(told, np.int64),
            np.full(len(mine), called),
            measured(np.array(list(map(_number, numbers)) or [np.nan] * len(mine))),
            {field: np.array(column, str) for field, column in columns.items()},
            np.array(at_most(parsed.text, self.longest), str),
        )

    def _told(
        self, texts: list[str], column: Sequence[str], lines: Sequence[Line]
    ) -> list[int | None]:
        """The times said beside the lines, else those in them; None where there is none."""
        stamp, latest = self.form.stamp, max(line.arrived for line in lines)
        clock = times.reader(stamp, self.zone, times.latest_of(latest, latest))
        if self.form.time:
            inside = [clock(text) if text else None for text in column or [""] * len(lines)]
        else:
            inside = times.before(texts, stamp, clock)
        return [
            i if line.time is None else line.time for i, line in zip(inside, lines, strict=True)
        ]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")

"""Each record as a tick of its own: what its fields say, and how usual that is of its subject."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from amiss import zones
from amiss.component import Features
from amiss.data import AHEAD, DAY, LARGEST, Array, Floats, Frame, Records, State, Strings, Times
from amiss.features import mined
from amiss.memory import flat, nested
from amiss.spans import Span
from amiss.subjects import conduct, habits
from amiss.text.dictionary import encoded
from amiss.text.names import hashed

KEY = "events"
HEAD = 64
"""Records that decide which fields there are, and which of them are numbers."""
PLACE: tuple[conduct.Role, ...] = ("latitude", "longitude")
MOSTLY = 0.95  # of the cells of a field that hold something


class Each(Features):
    """One tick per record: all of its fields, as numbers and as names that are equal or not.

    A field is a label of the records, or `value`. Which there are is settled by the first 64
    records, of which there would be no opinion anyway; a field that comes later is left alone.
    One is a number if it is one in those 64, or else a name.

    With a `subject` (a user, an address) there are more numbers, all of earlier records only:
    how often it was there lately, how unusual this hour of the day and each name are for it, and
    how far each number is from what it otherwise has (subjects/habits.py).

    A record that comes late is judged when it comes; one that is more than an hour ahead of its
    source is left out and counted.
    """

    type: Literal["each"] = "each"
    each: ClassVar[bool] = True
    subject: tuple[str, ...] = ()
    """The fields that say whom a record is about, such as user. Incidents tell of it."""
    names: tuple[str, ...] = ()
    """Fields that are names although they look like numbers, such as ports."""
    ignore: tuple[str, ...] = ()
    """Fields to leave alone, such as those that are never the same twice."""
    count_by: tuple[str, ...] = ()
    """Fields by whose values the records of a minute are counted, such as status, beside all."""
    templates: str = ""
    """A field, or `text` for the whole line: its form, what varies left out, is a field called
    `template`. Counted by it, each kind of line is a series, and one that is new or gone shows."""
    roles: dict[conduct.Role, str] = Field({}, examples=[{"user": "user", "address": "ip"}])
    """Which field plays which role: source, host (that it contacts), port and protocol of flows;
    user, address, outcome (of a login), device, location, latitude, longitude, privilege."""
    failed: tuple[str, ...] = conduct.FAILED
    """What the outcome says of what failed, in small letters."""
    succeeded: tuple[str, ...] = conduct.SUCCEEDED
    """What the outcome says of what succeeded, in small letters."""
    most_subjects: int = Field(4096, ge=8, le=1_000_000)
    """Subjects with roles of whom each number knows; who was seen least recently leaves, and is
    counted. Four counts of different ones take 1 kB each, all others together as much."""
    remember: Span = Field(14 * DAY, gt=0)
    """How long a subject with a role may be silent before it is forgotten."""
    most: int = Field(200, gt=0, le=500)
    """Most fields; the first by their names are taken."""

    @property
    def whom(self) -> tuple[str, ...]:
        """The subject."""
        return self.subject

    def shared(self, frame: Frame) -> tuple[tuple[str, ...], Strings]:
        """Users, addresses and sources; who does the same to many subjects stands for each."""
        there = (self.roles[role] for role in conduct.WHO if role in self.roles)
        values = frame.values[:, 0]
        instead = conduct.instead(self.roles, self.subject, frame.features, values)
        return tuple(field for field in there if field not in self.subject), instead

    @property
    def counted(self) -> tuple[str, ...]:
        """What to count by."""
        return self.count_by

    @property
    def playing(self) -> tuple[str, ...]:
        """The fields with the roles that all kinds of flows and logins have."""
        return tuple(field for role, field in self.roles.items() if role in conduct.ALWAYS)

    def init(self) -> State:
        """No record so far."""
        held = {
            "held.time": np.zeros(0, np.int64),
            "held.name": np.zeros(0, "U1"),
            "held.value": np.zeros(0),
            "held.labels": np.zeros(0, "U1"),
            "held.cells": np.zeros((0, 0), "U1"),
            "held.text": np.zeros(0, "U1"),
        }
        fields = {"fields": np.zeros(0, "U1"), "numeric": np.zeros(0, np.bool_)}
        counts = {"newest": np.full(1, np.iinfo(np.int64).min), "ahead": np.zeros(1, np.int64)}
        of = {"habits": habits.init()} | ({"mined": mined.init()} if self.templates else {})
        if self.roles:
            counts["gone"] = np.zeros(1, np.int64)
            of["conduct"] = conduct.init(self.roles, self.most_subjects)
        return held | fields | counts | flat(of)

    def step(self, state: State, records: Records) -> tuple[State, Frame]:
        """The records in order of their time, none before the newest that there was."""
        state = dict(state)
        if records.watermark is not None:
            ahead = records.time > records.watermark + AHEAD
            state["ahead"] = state["ahead"] + ahead.sum()
            records = records[~ahead]
        records = records[np.argsort(records.time, kind="stable")]
        if self.templates:
            forms, found = mined.step(nested(state)["mined"], _column(records, self.templates))
            records = records.labelled("template", found)
            state |= flat({"mined": forms})
        if not len(state["fields"]):
            records = _joined(state, records)
            if len(records) < HEAD:
                state |= _held(records)
                return state, self._frame(state, replace(records[:0], watermark=None))
            state |= _held(records[:0]) | self._settled(records[:HEAD])
        return state, self._frame(state, records)

    def _settled(self, head: Records) -> State:
        """Which fields there are, and which are numbers."""
        fields = sorted(set(head.labels) - set(self.ignore))
        if np.isfinite(head.value).any() and "value" not in (*fields, *self.ignore):
            fields = sorted([*fields, "value"])
        # the store of a name ends at its zeros: one of zeros alone would be no name
        fields = [name for name in fields if name.strip("\0")]
        fields = [name for name in fields if (_column(head, name) != "").any()][: self.most]
        numeric = [
            name not in (*self.names, *self.subject) and _mostly_numbers(_column(head, name))
            for name in fields
        ]
        return {"fields": np.array(fields or [""]), "numeric": np.array(numeric or [False])}

    def _frame(self, state: State, records: Records) -> Frame:
        promised = np.iinfo(np.int64).min if records.watermark is None else records.watermark
        fields = [name for name in state["fields"].tolist() if name]
        number = [n for n, is_it in zip(fields, state["numeric"], strict=False) if is_it]
        named = [n for n in fields if n not in number]
        time = np.maximum.accumulate(np.concatenate([state["newest"], records.time]))[1:]
        state["newest"] = np.maximum(time[-1:] if len(time) else state["newest"], promised)
        numbers = np.empty((len(records), len(number)))
        for j, name in enumerate(number):
            numbers[:, j] = _numbers(_column(records, name))
        names = np.empty((len(records), len(named)), np.int64)
        for j, name in enumerate(named):
            names[:, j] = _hashes(_column(records, name))
        features, columns = [*number, *named], [numbers, names]
        if self.subject:
            mine = [j for j, name in enumerate(named) if name not in self.subject]
            whom = _hashes(subjects(records, self.subject))
            of = nested(state)["habits"]
            clock = zones.local(time, records.zone)
            of, found = habits.step(of, time, whom, names[:, mine], numbers, clock)
            state |= flat({"habits": of})
            whose = " and ".join(self.subject)
            usual = [f"{name} for {whose}" for name in (*(named[j] for j in mine), *number)]
            features += [f"events of {whose} lately", f"hour for {whose}", *usual]
            columns.append(found)
        if self.roles:
            found = self._conduct(state, time, records)
            features += conduct.named(self.roles)
            columns.append(found)
        values = np.hstack([column.astype(np.float64) for column in columns])
        categories = frozenset(named)
        return Frame(time, (KEY,), tuple(features), values[:, None, :], categories, records)

    def _conduct(self, state: State, time: Times, records: Records) -> Floats:
        """What those with roles do over several records (N, 2 M)."""
        column = {role: _column(records, name) for role, name in self.roles.items()}
        none = np.full(len(records), np.nan)
        place = [_numbers(column[role]) if role in column else none for role in PLACE]
        outcome = column.get("outcome", np.zeros(len(records), "U1"))
        of = conduct.Events(
            time,
            {role: _hashes(texts) for role, texts in column.items()},
            failed=_each(outcome, lambda text: text.lower() in self.failed, bool),
            succeeded=_each(outcome, lambda text: text.lower() in self.succeeded, bool),
            where=np.stack(place, axis=1),
            rank=_each(column["privilege"], conduct.rank_of, float)
            if "privilege" in column
            else none,
        )
        known = nested(state).get("conduct", {})
        for name in [name for name in state if name.startswith("conduct.")]:
            del state[name]
        gone = state.setdefault("gone", np.zeros(1, np.int64))
        known = conduct.ready(known, self.roles, self.most_subjects)
        known, found = conduct.step(known, gone, self.roles, of, self.remember)
        state |= flat({"conduct": known})
        return found


def subjects(records: Records, fields: tuple[str, ...]) -> Strings:
    """Whom each record is about (N,): what these fields say; "" if none says anything."""
    columns = [_column(records, name) for name in fields]
    first, which = encoded(*columns)
    rows = zip(*(column[first].tolist() for column in columns), strict=True)
    return np.array(["\t".join(row) if any(row) else "" for row in rows], dtype=str)[which]


def _column(records: Records, name: str) -> Strings:
    """A field as it was written; "" where it is not."""
    if name in records.labels:
        return records.labels[name]
    if name == "text" and records.text is not None:
        return records.text
    if name == "value":
        return np.where(np.isfinite(records.value), records.value.astype("U32"), "")
    return np.zeros(len(records), "U1")


def _mostly_numbers(column: Strings) -> bool:
    there = column[column != ""]
    return bool(np.isfinite(_numbers(there)).mean() >= MOSTLY) if len(there) else False


def _numbers(column: Strings) -> Floats:
    """Each cell as a number, NaN if it is none."""
    try:
        found = np.where(column == "", "nan", column).astype(np.float64)
    except ValueError:
        first, which = encoded(column)
        found = np.array([_number(text) for text in column[first].tolist()])[which]
    found[~np.isfinite(found)] = np.nan
    return np.clip(found, -LARGEST, LARGEST)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan


def _hashes(column: Strings) -> Array:
    first, which = encoded(column)
    texts = column[first]
    return np.where(texts == "", 0, hashed(texts.tolist()))[which]


def _each(column: Strings, ask: Callable[[str], bool | float], kind: type) -> Array:
    """What is said of each text (N,); asked once for texts that are equal."""
    first, which = encoded(column)
    return np.array([ask(text) for text in column[first].tolist()], kind)[which]


def _joined(state: State, records: Records) -> Records:
    """What was held and what is new."""
    labels = state["held.labels"].tolist()
    held, count = state["held.cells"], len(state["held.time"])
    old = dict(zip(labels, held.T, strict=True)) if count else {}
    nothing = np.zeros(count, "U1"), np.zeros(len(records), "U1")
    both = {
        name: np.concatenate([old.get(name, nothing[0]), records.labels.get(name, nothing[1])])
        for name in sorted(old.keys() | records.labels.keys())
    }
    text = nothing[1] if records.text is None else records.text
    return Records(
        time=np.concatenate([state["held.time"], records.time]),
        name=np.concatenate([state["held.name"], records.name]),
        value=np.concatenate([state["held.value"], records.value]),
        labels=both,
        text=np.concatenate([state["held.text"], text]),
        watermark=records.watermark,
        zone=records.zone,
    )


def _held(records: Records) -> State:
    labels = sorted(records.labels)
    cells = [records.labels[name] for name in labels]
    text = np.zeros(len(records), "U1") if records.text is None else records.text
    return {
        "held.time": records.time,
        "held.name": records.name,
        "held.value": records.value,
        "held.labels": np.array(labels or [], dtype=str),
        "held.cells": np.array(cells, dtype=str).T if cells else np.zeros((len(records), 0), "U1"),
        "held.text": text,
    }

"""Single records that look like attacks: predefined patterns, and those of a person."""

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from amiss.component import Detector
from amiss.data import Frame, Reason, Records, Scores, Severity, State, Strings
from amiss.detecting import suspicious
from amiss.detecting.suspicious import PATTERNS
from amiss.text.dictionary import encoded

SHOWN = 60  # characters of what was found


class Patterns(Detector):
    """Requests and other records that look like an attack, by a list of plain patterns.

    Looks at fields of single records (features: each), without one named at all of them and the
    text; each to 2,048 characters, after what a browser escapes has been decoded. `find` names
    patterns: sql-injection, cross-site-scripting, path-traversal, command-injection,
    file-inclusion, template-injection, sensitive-file, probe, scanner, protocol-abuse
    (detecting/suspicious.py has them). Whatever matches is told, whatever is usual: it opens an
    incident or joins the open one; of one subject again only after the `silence` of the pipeline.
    It is no firewall: an attempt is not a break-in, and what is written in other ways is not seen.
    Cost: some .1 ms for each 100 characters of a record.
    """

    each: ClassVar[bool] = True
    apart: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ()
    state_bytes: ClassVar[int] = 0

    type: Literal["patterns"] = "patterns"
    name: str = Field("", max_length=100)
    """What it is called in incidents; without one, what was found."""
    find: tuple[str, ...] = Field(tuple(PATTERNS), min_length=1)
    """Which of the predefined patterns to look for."""
    fields: tuple[str, ...] = ()
    """The fields to look at, such as path; `text` for the whole line. All if none is named."""
    severity: Severity = "medium"
    """How bad that is: high, medium or low."""

    @field_validator("find")
    @classmethod
    def _known(cls, find: tuple[str, ...]) -> tuple[str, ...]:
        for name in find:
            if name not in PATTERNS:
                raise ValueError(f"there is no pattern {name[:60]!r}; known: {', '.join(PATTERNS)}")
        return find

    @property
    def rule(self) -> tuple[str, Severity]:
        """Told wherever one is found."""
        return self.name or "suspicious request", self.severity

    def init(self, series: int, features: int) -> State:
        """Nothing to remember."""
        return {}

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """1 for each record (T, 1) in which something was found, 0 for all others."""
        held = np.zeros(len(frame.time))
        for column in self._columns(frame.records):
            first, which = encoded(column)
            texts = column[first].tolist()
            hit = np.array([bool(suspicious.found(t, self.find)) for t in texts], np.bool_)
            held[hit[which]] = 1.0
        return state, Scores(frame.time, frame.keys, held[:, None])

    def why(self, state: State, frame: Frame) -> Sequence[tuple[Reason, ...]]:
        """What was found in each record, in words."""
        return [tuple(self._found(frame.records, t)) for t in range(len(frame.time))]

    def _columns(self, records: Records | None) -> Iterator[Strings]:
        return (column for _, column in self._named(records))

    def _named(self, records: Records | None) -> Iterator[tuple[str, Strings]]:
        if records is None:
            return
        for name in self.fields or sorted(records.labels):
            if name in records.labels:
                yield name, records.labels[name]
        if records.text is not None and (not self.fields or "text" in self.fields):
            yield "text", records.text

    def _found(self, records: Records | None, t: int) -> Iterator[Reason]:
        told: set[str] = set()
        for field, column in self._named(records):
            text = str(column[t])
            for name in suspicious.found(text, self.find):
                if name not in told:
                    told.add(name)
                    plain = suspicious.decoded(text[: suspicious.LONGEST])
                    there = suspicious.compiled(name).search(plain)
                    said = re.sub(r"\s+", " ", there[0].strip())[:SHOWN] if there else ""
                    yield Reason(name, f"{PATTERNS[name][0]} in {field} ({said})")

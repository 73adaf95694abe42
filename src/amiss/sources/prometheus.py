"""Prometheus, VictoriaMetrics and all that answer PromQL over HTTP."""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from amiss.component import Cursor, Source
from amiss.data import DAY, HOUR, SECOND, Records, series_key
from amiss.errors import Rejected, Unreachable
from amiss.formats.promql import Answer, Line, columns, complaint, read
from amiss.masked import hush
from amiss.reading.access import Access, ServerUrl
from amiss.reading.granted import Granted
from amiss.spans import Span
from amiss.world import World

if TYPE_CHECKING:
    import httpx

POINTS = 10_000
"""Most points of a series in one answer: Prometheus gives 11,000."""
FIRST = 60
"""Points of the first poll, when it is not known yet how many series there are."""
BYTES = 8  # of a series in the cursor
HISTOGRAM = "native histogram"
WORD = re.compile(r'[^=,{}"\s]{1,100}')


def _word(name: str) -> str:
    if not WORD.fullmatch(name):
        raise ValueError(f'{name!r} cannot be a name: no spaces, no = , {{ }} "')
    return name


Name = Annotated[str, AfterValidator(_word)]


class Prometheus(Source):
    """What named queries in PromQL or MetricsQL give, one sample for each series and step.

    Each query is evaluated at whole multiples of `step`, up to `delay` before now, once: the
    cursor is the last moment of which all queries have answered, the watermark the same. A sample
    that reaches the server later than `delay` is not seen. A series without a sample at a step
    has no record there; how long the server repeats the last one is its own affair (staleness).
    Where a query gives several metrics, their names are the label `metric`, from then on.

    The first poll begins `history` ago, and what it reads until now is learned from: of its
    incidents nobody is told. Ranges are read in parts of `chunk` at most, so that one poll gives
    about `most` samples. If one query fails, or a part of a cluster does not answer, nothing of
    the poll counts, and it is asked again.

    A poll costs about 1 us a sample where ranges are read, and 10 us a series and step.
    """

    type: Literal["prometheus"] = "prometheus"
    every: Span = Field(15 * SECOND, gt=0)
    """Time between two polls."""
    url: ServerUrl = Field(examples=["http://127.0.0.1:9090"])
    """Where the server is, without /api/v1. A tenant of VictoriaMetrics' cluster is part of it:
    http://vmselect:8481/select/0/prometheus."""
    queries: dict[Name, str] = Field(
        min_length=1, examples=[{"load": "node_load1", "up": "sum by (job) (up)"}]
    )
    """What to ask, by the name that the series have here."""
    step: Span | None = Field(None, ge=SECOND // 1000)
    """Time between two samples; none is `every`. That of `features` should be the same."""
    delay: Span = Field(30 * SECOND, ge=0)
    """How long to wait for samples that are still on their way. VictoriaMetrics shows the newest
    30 s only in part, unless it is told otherwise."""
    history: Span = Field(0, ge=0)
    """How much of the past to read at the first start, such as 14d."""
    chunk: Span = Field(6 * HOUR, gt=0)
    """Most time that one answer spans."""
    most: int = Field(100_000, ge=1000)
    """Samples of one poll, about; if there is more, the next poll follows at once."""
    most_series: int = Field(10_000, gt=0)
    """Most series; over it those that came later are left out and counted."""
    labels: dict[Name, str] = Field({}, examples=[{"site": "berlin"}])
    """Labels of all records, such as `site: berlin`; they go before labels of that name."""
    rename: dict[Name, Name] = Field({}, examples=[{"instance": "host"}])
    """Labels that are called something else here; what was called so before is `exported_`."""
    parameters: dict[str, str] = Field({}, examples=[{"nocache": "1"}])
    """More parameters of each request, such as `extra_label` of VictoriaMetrics."""
    timeout: Span = Field(30 * SECOND, gt=0)
    """How long to wait for an answer."""
    access: Access = Access()
    """Password, token, tenant, certificates."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.pace % 1_000_000:
            raise ValueError("step: the server knows times to the millisecond")
        if len(set(self.rename.values())) < len(self.rename):
            raise ValueError("rename: two labels cannot be called the same")
        return self

    @property
    def pace(self) -> int:
        """Nanoseconds between two samples."""
        return self.step or self.every

    def again(self) -> "Prometheus":
        """With its history, which is a day if none is said."""
        return self if self.history else self.model_copy(update={"history": DAY})

    def recent(self) -> "Prometheus":
        """With no more of its history than one poll has."""
        return self.model_copy(update={"history": min(self.history, (FIRST - 1) * self.pace)})

    def learned_until(self, cursor: Cursor) -> int | None:
        """When the first poll was."""
        began: int | None = cursor.get("began")
        return began

    def poll(self, cursor: Cursor, world: World) -> tuple[Cursor, Records]:
        """All steps after the cursor that are complete, or a part of them.

        Raises Unreachable, or Rejected with what the server says of a query.
        """
        wide = cursor.get("wide", self.most / FIRST)  # samples of a step
        wanted = max(min(POINTS, self.chunk // self.pace, int(self.most / wide)), 1)
        granted = Granted.load(cursor.get("granted"))
        asked = granted.most(wanted)
        try:
            after, records = self._poll(cursor, world, asked)
        except (Rejected, Unreachable) as exc:
            # hours may be too much of series that are many and have only just begun
            behind = (world.now() - self.delay - cursor.get("time", 0)) // self.pace
            less = granted.less(asked, FIRST)
            if getattr(exc, "after", None) or not cursor or min(asked, behind) <= less:
                raise
            try:
                after, records = self._poll(cursor, world, less)
            except (Rejected, Unreachable):
                if less <= FIRST:
                    raise
                granted = Granted()  # by now it gives less than it did
                after, records = self._poll(cursor, world, FIRST)
            return after | granted.refused(asked, FIRST).dump(), records
        if cursor and after["time"] - cursor["time"] >= asked * self.pace:  # and no fewer
            granted = granted.given(asked, wanted)
        return after | granted.dump(), records

    def _poll(self, cursor: Cursor, world: World, steps: int) -> tuple[Cursor, Records]:
        """So many steps at most."""
        now, pace = world.now(), self.pace
        newest = (now - self.delay) // pace * pace
        first = cursor["time"] + pace if cursor else newest - self.history // pace * pace
        if newest < first:
            return cursor, self._records([], cursor.get("time"))
        last = min(newest, first + (steps - 1) * pace)
        began = cursor.get("began", now)
        if first <= began:  # no poll is of the past and the present
            last = min(last, began // pace * pace)
        lines, skipped = list[tuple[str, Line]](), dict[str, int]()
        several = list[str]()  # a metric that is not there for a while changes no series' labels
        for name, query in self.queries.items():
            answer = self._ask(name, query, first, last, world, name in cursor.get("several", ()))
            several += [name] * answer.several
            if answer.histograms:
                skipped[HISTOGRAM] = skipped.get(HISTOGRAM, 0) + answer.histograms
            lines += [(name, line) for line in answer.lines]
            for said in answer.warnings:
                why = f"nothing, but the server warns: {said}"
                skipped[why] = skipped.get(why, 0) + 1
        kept, known = self._kept(lines, cursor.get("series", ""))
        if over := sum(len(line.time) for _, line in lines) - sum(len(o.time) for _, o in kept):
            skipped["over most_series"] = over
        samples = sum(len(line.time) for _, line in lines)
        after = {
            "time": last,
            "began": began,
            "wide": max(samples * pace / (last - first + pace), 1.0),
            "series": known,
            "several": several,
        }
        return after, self._records(kept, last, skipped, more=last < newest)

    def _ask(
        self, name: str, query: str, first: int, last: int, world: World, several: bool
    ) -> Answer:
        hush()
        try:
            reply = world.ask(
                "POST",
                f"{self.url}/api/v1/query_range",
                data={
                    **self.parameters,
                    "query": query,
                    "start": f"{first / SECOND:.3f}",
                    "end": f"{last / SECOND:.3f}",
                    "step": f"{self.pace / SECOND:.3f}",
                },
                timeout=self.timeout / SECOND,
                told=_told,
                **self.access.asking(world),
            )
        except Rejected as exc:
            raise Rejected(f"query {name}: {exc}") from None
        try:
            answer = read(reply.content, several)
        except ValueError as exc:
            raise Unreachable(f"query {name}: {reply.url.host}: {exc}") from None
        if answer.partial:
            raise Unreachable(f"query {name}: {reply.url.host} has a part of the data only")
        return answer

    def _kept(
        self, lines: Sequence[tuple[str, Line]], known: str
    ) -> tuple[list[tuple[str, Line]], str]:
        """The lines that there is room for, and all of them to remember: known ones go first,
        and one that does not come any more makes room.
        """
        raw = base64.b64decode(known)
        before = {raw[at : at + BYTES]: None for at in range(0, len(raw), BYTES)}
        here = [_number(name, line) for name, line in lines]
        chosen = dict.fromkeys(one for one in here if one in before)
        for one in here:
            if len(chosen) >= self.most_series:
                break
            chosen[one] = None
        kept = [line for line, one in zip(lines, here, strict=True) if one in chosen]
        for one in before:
            if len(chosen) >= self.most_series:
                break
            chosen[one] = None
        return kept, base64.b64encode(b"".join(chosen)).decode()

    def _records(
        self,
        lines: Sequence[tuple[str, Line]],
        watermark: int | None,
        skipped: dict[str, int] | None = None,
        more: bool = False,
    ) -> Records:
        time, name, value, labels = columns(lines, self.rename)
        labels |= {of: np.full(len(time), said) for of, said in self.labels.items()}
        return Records(
            time, name, value, labels, watermark=watermark, skipped=skipped or {}, more=more
        )

    def found(self, cursor: Cursor, records: Records) -> tuple[str, ...]:
        """How many samples of how many series each query gave at first."""
        keys: dict[str, set[tuple[Any, ...]]] = {name: set() for name in self.queries}
        rows = zip(
            records.name.tolist(), *(c.tolist() for c in records.labels.values()), strict=True
        )
        for name, *said in rows:
            keys[name].add(tuple(said))
        some = [f"query {name}: {len(found)} series at first" for name, found in keys.items()]
        if len(records):
            since = np.datetime64(int(records.time.min()), "ns").astype("datetime64[s]")
            some.append(f"the first sample is of {since} UTC")
        return tuple(some)


def _told(reply: "httpx.Response") -> str:
    said = complaint(reply.content)
    return f": {said}" if said else ""


def _number(name: str, line: Line) -> bytes:
    key = series_key(name, line.labels)
    return hashlib.blake2b(key.encode(), digest_size=BYTES).digest()

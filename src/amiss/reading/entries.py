"""Lines that a server keeps with their times and labels: taken apart as those of files are."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from amiss.data import Records, Strings, Times
from amiss.formats import form
from amiss.formats.batch import Batch
from amiss.formats.form import Asked, Form
from amiss.formats.parsed import OVER, places
from amiss.formats.settings import at_most, label, short

BESIDE = "_extracted"  # behind the name of a field that a label has too, as LogQL does it
CUT = "times with more equal lines than a page holds"
WHOLE = ("csv", "zeek")  # what is not to be told by one line alone


@dataclass(frozen=True, slots=True)
class Entries:
    """N lines in order of their times, and a column of N texts for each label; "" is absent."""

    time: Times
    text: list[str]
    labels: dict[str, list[str]]
    cut: int = 0  # times of which there may be more lines, which cannot be asked for
    over: int = 0  # values of labels over the cap

    def __len__(self) -> int:
        return len(self.text)

    def until(self, n: int) -> "Entries":
        """The first n."""
        labels = {name: column[:n] for name, column in self.labels.items()}
        return Entries(self.time[:n], self.text[:n], labels)


@dataclass(slots=True)
class Taken:
    """What has been taken of one poll, bounded in memory; `form` is how the lines are written."""

    asked: Asked
    longest: int  # bytes of a record's text
    form: Form | None = None
    batch: Batch = field(default_factory=Batch)
    skipped: Counter[str] = field(default_factory=Counter)
    newest: int | None = None  # ns, of all that came, whether it fits the format or not

    def take(self, entries: Entries) -> int | None:
        """As many as there is room for, with all of one time; None if that is all of them.

        Else the time of the first that is to be asked for again. The first times that are asked
        for are taken whatever room they need.
        """
        if not len(entries):
            return None
        self.newest = int(entries.time[-1])
        if self.form is None or not self.form.sure:
            found = form.look(entries.text, self.asked, self.form)
            self.form = Form("text") if found.kind in WHOLE else found
        if entries.cut:
            self.skipped[CUT] += entries.cut
        if entries.over:
            self.skipped[OVER] += entries.over
        n = len(entries)
        while True:
            rows, skipped = self._apart(entries.until(n))
            half = int(np.searchsorted(entries.time, entries.time[n // 2]))
            if not half:  # they are of one time, at least the first half
                half = int(np.searchsorted(entries.time, entries.time[0], "right"))
            alone = half >= n and not self.batch.time
            if self._add(rows, alone):
                self.skipped.update(skipped)
                return None if n == len(entries) else int(entries.time[n])
            if half >= n:
                return int(entries.time[0])
            n = half

    def records(self, name: str, value: str, labels: Mapping[str, str]) -> Records:
        """All that was taken."""
        batch, n = self.batch, len(self.batch.time)
        found: dict[str, Strings] = {one: batch.column(one) for one in batch.columns}
        found |= {one: np.full(n, said) for one, said in labels.items()}
        return Records(
            time=np.array(batch.time, np.int64),
            name=np.full(n, name) if name else np.array(batch.name, str),
            value=batch.numbers(value) if value else np.full(n, np.nan),
            labels=found,
            text=np.array(batch.text, str),
            skipped=dict(+self.skipped),
        )

    def _apart(self, entries: Entries) -> tuple[Entries, Counter[str]]:
        """Those that fit the format, their fields beside their labels, and why others do not."""
        known = self.form or Form("text")
        parsed = form.parse(entries.text, known, self.asked.regex)
        columns = {label(one): short(column) for one, column in entries.labels.items()}
        time = entries.time
        if len(parsed.text) != len(entries):
            kept = places(entries.text, parsed.text)
            time = time[kept]
            columns = {one: [column[i] for i in kept] for one, column in columns.items()}
        for one, column in parsed.columns.items():
            if one != known.time:
                called = label(one)
                columns[called + BESIDE if called in columns else called] = short(column)
        return Entries(time, at_most(parsed.text, self.longest), columns), parsed.skipped

    def _add(self, rows: Entries, must: bool) -> bool:
        kind = "line" if self.form is None or self.form.kind == "text" else "event"
        return self.batch.add(rows.time.tolist(), rows.text, "", kind, rows.labels, must)

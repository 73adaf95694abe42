"""Causal scores and alerts for every row of a table: the step that live takes, on files."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from amiss.errors import ConfigError
from amiss.evaluate.answer import writing
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.scorer import Memories, P, Scorer
from amiss.evaluate.tables import Table

T = TypeVar("T")


@dataclass(slots=True)
class Report:
    """What came of one table."""

    table: str
    out: Path | None
    rows: int = 0
    samples: int = 0  # rows times series
    alerts: int = 0
    series: set[str] = field(default_factory=set)
    notes: Notes = field(default_factory=Notes)


def score(
    tables: Sequence[Table],
    outs: Sequence[Path | None],
    asked: Asked,
    scorer: Scorer[P],
    history: Table | None = None,
    tell: Callable[[int], None] = lambda _: None,
) -> Iterator[Report]:
    """Score each table by itself, starting from the memory after the history.

    `tell` hears about how many bytes were done with. Reading, judging and writing go on side by
    side. Raises ConfigError for what cannot be read or written.
    """
    learned: Memories = {}
    with ThreadPoolExecutor(2) as pool:
        if history is not None:
            for piece in _ahead(pool, scorer.pieces(history, asked, Notes(), tell)):
                scorer.learn(learned, piece, past=True)
            scorer.settle(learned)
        for table, out in zip(tables, outs, strict=True):
            report = Report(table.name, out)
            memories = {labels: memory.copy() for labels, memory in learned.items()}
            pieces = _ahead(pool, scorer.pieces(table, asked, report.notes, tell))
            with writing(out) as file:
                file.write(f"{','.join(scorer.header)}\n".encode())
                written: Future[None] | None = None
                for piece in pieces:
                    told = scorer.learn(memories, piece)
                    report.rows += len(piece)
                    report.samples += told.samples
                    report.alerts += told.alerts
                    report.series.update(told.names)
                    if written is not None:
                        written.result()
                    written = pool.submit(file.writelines, told.lines)
                if written is not None:
                    written.result()
            yield report


def outputs(tables: Sequence[Table], out: str, history: Table | None = None) -> list[Path | None]:
    """Where the scores of each table go: a folder that is made, one file, or `-`.

    Raises ConfigError if two would go to the same file, or one to the table itself.
    """
    if out == "-":
        if len(tables) > 1:
            raise ConfigError("--out -: several inputs need a folder")
        return [None]
    path = Path(out)
    named = path.suffix or path.exists()  # a file that is there needs no ending, such as /dev/null
    if len(tables) == 1 and named and not path.is_dir() and not out.endswith("/"):
        found = [path]
    else:
        found = [path / f"{table.stem}.csv" for table in tables]
    for n, (table, one) in enumerate(zip(tables, found, strict=True)):
        if one in found[:n]:
            raise ConfigError(f"{table.name}: another input is to be written to {one} already")
        for read in (table, *([history] if history else [])):
            if one.exists() and Path(read.path).exists() and one.samefile(read.path):
                raise ConfigError(f"{read.name}: scores would be written over it; see --out")
        try:
            one.parent.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise ConfigError(f"{one.parent}: cannot be made: {exc.strerror}") from None
    return list(found)


def _ahead(pool: ThreadPoolExecutor, items: Iterator[T]) -> Iterator[T]:
    """The same, the next one being fetched while the last one is worked on."""
    coming = pool.submit(next, items, None)
    while (item := coming.result()) is not None:
        coming = pool.submit(next, items, None)
        yield item

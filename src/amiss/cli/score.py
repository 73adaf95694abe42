"""`amiss score`: scores, bands and alerts for a table."""

import re
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiss.evaluate.score import Report
    from amiss.evaluate.scorer import Scorer
    from amiss.evaluate.tables import Table

KINDS = ("metrics", "joint", "events", "lines")
TOGETHER = {"joint": "one system", "events": "judged row by row"}


def score(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="CSV, JSON lines or Parquet, .gz or not; - is CSV on standard input. "
            "Text with --as lines."
        ),
    ],
    out: Annotated[
        str, typer.Option("--out", help="A folder, a file (for one input), or - for the output.")
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            help="metrics: each column by itself; joint: all as one system; "
            "events: each row, of numbers and text; lines: lines of text.",
            show_default=False,
        ),
    ] = "metrics",
    history: Annotated[
        str | None, typer.Option(help="A table of the same form to learn from before.")
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Alerts to put up with, of each series: 1/week (the default), 1/day. "
            "Of events, which carry no time: 1/1000 rows; all that are anomalous without it."
        ),
    ] = None,
    time: Annotated[
        str, typer.Option(help="The column of times: Unix seconds or ISO 8601.")
    ] = "time",
    by: Annotated[
        list[str] | None,
        typer.Option(help="A column that says whose the numbers are; may be given again."),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(
            help="A pattern whose first group names the session of a line: (blk_-?[0-9]+). "
            "Sessions are judged as a whole then."
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(help="Whose days and weekends count for metrics: Europe/Berlin.")
    ] = "UTC",
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default=False,
            help="How many threads judge metrics: as many as there are cores, if it is not given. "
            "It changes no result.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="What came of each input, as JSON lines.")
    ] = False,
) -> None:
    """Judge each sample of a table, or each row as a whole.

    Each sample of each numeric column is judged by what came before it.
    Writes time, series, value, score (-ln p), p, expected, lower, upper and alert (0 or 1) for
    each row and numeric column; with --as joint time, score, p, alert and the columns to blame
    for each row; with --as events the same with the number of the row for the time.
    Nothing is looked at before its turn: a table cut short gives the same rows.

    With --as lines inputs are text, and each line is judged: line, score, p and alert; with
    --session each session: session, first, last, lines, score, p, alert, in the order of their
    last lines. What alerts there is what is anomalous; nothing is rationed.
    """
    from amiss.cli.progress import reading
    from amiss.errors import ConfigError

    _known(kind)
    if session is not None and kind != "lines":
        raise ConfigError("--session: only lines have sessions; add --as lines")
    if kind == "lines" and (budget or by):
        option = "budget" if budget else "by"
        raise ConfigError(f"--{option}: it is not for lines: they have no columns and no times")
    if by and kind in TOGETHER:
        raise ConfigError(f"--by: with --as {kind} a table is {TOGETHER[kind]}")
    if json and out == "-":
        raise ConfigError("--json: the output is taken by --out -")

    from amiss.evaluate.columns import Asked
    from amiss.evaluate.score import outputs
    from amiss.evaluate.score import score as run
    from amiss.evaluate.tables import Table

    if kind == "lines":
        _lines(inputs, out, history, session, json)
        return
    scorer = _scorer(kind, budget, threads, zone)
    tables = [Table(path) for path in inputs]
    past = Table(history) if history is not None else None
    outs = outputs(tables, out, past)
    asked = Asked(None if kind == "events" else time, tuple(by or ()))
    with reading(_bytes([*tables, *([past] if past else [])])) as tell:
        for report in run(tables, outs, asked, scorer, past, tell):
            _say(report, json)


def _lines(
    inputs: list[str], out: str, history: str | None, session: str | None, json: bool
) -> None:
    from amiss.cli.progress import reading
    from amiss.evaluate.log import Log
    from amiss.evaluate.score import outputs
    from amiss.evaluate.sessions import pattern, score_sessions

    logs, past = [Log(path) for path in inputs], Log(history) if history is not None else None
    name = pattern(session) if session is not None else None
    outs = outputs(logs, out, past)
    with reading(_bytes([*logs, *([past] if past else [])])) as tell:
        if name is not None:
            for report in score_sessions(logs, outs, name, past, tell):
                _say(report, json, "sessions")
            return
        from amiss.evaluate.lines import score_lines

        for report in score_lines(logs, outs, past, tell):
            _say(report, json, "lines")


def _known(kind: str) -> None:
    from amiss.errors import ConfigError

    if kind not in KINDS:
        raise ConfigError(f"--as: there is no kind {kind!r}; known: {', '.join(KINDS)}")


def _scorer(kind: str, budget: str | None, threads: int | None, zone: str) -> "Scorer[Any]":
    from amiss.errors import ConfigError
    from amiss.zones import known

    if not known(zone):
        raise ConfigError(f"--zone: there is no time zone {zone[:60]!r}; write Europe/Berlin")
    if zone != "UTC" and kind != "metrics":
        raise ConfigError(f"--zone: it is for metrics; --as {kind} knows no calendar")
    if kind == "events":
        from amiss.evaluate.events import Events

        return Events(None if budget is None else _a_row(budget))
    from amiss.evaluate.scorer import a_week

    asked = a_week(budget or "1/week", "--budget")
    if kind == "joint":
        from amiss.evaluate.joint import Joint

        return Joint(asked)
    from amiss.evaluate.metrics import Metrics
    from amiss.threads import cores

    return Metrics(asked, threads=threads or cores(), zone=zone)


def _a_row(text: str) -> float:
    from amiss.errors import ConfigError

    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*/\s*(\d{1,9})(?:\s*rows?)?", text)
    alerts, rows = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if not 0.0 < alerts < rows:
        raise ConfigError(
            f"--budget: {text[:60]!r} is no part of the rows; events carry no time: write 1/1000, "
            "one alert in 1,000 rows, or leave it out"
        )
    return alerts / rows


def _bytes(tables: "Sequence[Table]") -> int | None:
    sizes = [table.size for table in tables]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _say(report: "Report", json: bool, unit: str = "") -> None:
    notes = list(report.notes.sentences())
    if json:
        import orjson

        said = {
            "input": report.table,
            "output": str(report.out) if report.out else None,
            "rows": report.rows,
            unit or "series": report.samples if unit else len(report.series),
            "samples": report.samples,
            "alerts": report.alerts,
            "notes": notes,
        }
        print(orjson.dumps(said).decode())
        return
    for note in notes:
        print(f"{report.table}: {note}", file=sys.stderr)
    if report.out is not None:
        judged = f"{report.rows:,} rows, {len(report.series):,} series"
        if unit:
            judged = f"{report.rows:,} lines"
        if unit == "sessions":
            judged += f", {report.samples:,} sessions"
        print(f"{report.table}: {judged}, {report.alerts:,} alerts: {report.out}", file=sys.stderr)

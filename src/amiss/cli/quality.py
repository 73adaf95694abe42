"""`amiss benchmark quality`: how good what Amiss says is, on data with labels."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amiss.cli.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Callable

    from amiss.evaluate.quality.bench import Bench
    from amiss.evaluate.quality.run import Results

SHORT = {
    "random": "random",
    "flag-all": "flag-all",
    "|difference|": "|diff|",
    "EWMA z": "EWMA z",
    "isolation forest": "forest",
}
"""What the baselines are called at the top of a column."""


def quality(
    data: Annotated[
        Path,
        typer.Option(
            help="A folder with nab/, wsd/, kpi/, asd/, smd/, hdfs/, loghub/, csic/, unsw/ and "
            "nslkdd/; what is not there is left out. Where to get them: docs/benchmarks.md."
        ),
    ],
    only: Annotated[
        str,
        typer.Option(
            help="Some of nab, wsd, kpi, asd, smd, hdfs, templates, csic, unsw, nslkdd, "
            "dirty.unsw, dirty.nslkdd and speed, with commas.",
            show_default=False,
        ),
    ] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer and smaller inputs; those are not judged.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 if a figure is below its floor.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Figures of quality on public labelled data, beside those of simple methods.

    Amiss runs as `amiss score` does, with its defaults: each row is judged by those before it,
    labels are never seen. Beside it on the same rows: random scores, flagging all, |difference|,
    EWMA z and scikit-learn's isolation forest; each as it is, and with the calibration of Amiss
    around it ("+ layer"). Then what each costs. Figures have a floor, a target and a stretch; the
    status is 0 whatever they are, unless --strict is given. All sets take six minutes on a core
    that is free.
    """
    from tempfile import TemporaryDirectory

    from amiss.errors import ConfigError
    from amiss.evaluate.quality.bench import Bench
    from amiss.evaluate.quality.run import Results, chosen, run

    names = chosen(only)
    if not data.is_dir():
        raise ConfigError(f"--data: there is no folder {data}")
    results = Results()
    with TemporaryDirectory() as work, _progress() as told:
        bench = Bench(data, Path(work), quick)
        for name, found in run(bench, names, told):
            if isinstance(found, str):
                results.left_out[name] = found
            else:
                results.figures += found
    if json:
        _print_json(bench, results)
    else:
        _print(bench, results)
    if not results.figures:
        raise ConfigError(f"{data}: nothing was measured: it holds none of the data sets asked for")
    if strict and results.below:
        raise typer.Exit(1)


def _print(bench: "Bench", results: "Results") -> None:
    from amiss.cli.output import print_table
    from amiss.evaluate.quality.bench import AMISS, LAYER
    from amiss.evaluate.quality.goals import said, written

    rows = []
    for it in results.figures:
        spans = (it.goal.floor, it.goal.target, it.goal.stretch) if it.goal else ()
        limits = "/".join(filter(None, map(written, spans)))
        rows.append([it.name, said(it.value), limits, it.reached])
    if rows:
        print_table(("figure", AMISS, "floor/target/stretch", "reached"), rows, "figure")
    for way, title in (("", "beside it"), (LAYER, "with the calibration of Amiss around them")):
        rows = [
            [it.name, said(it.value), *(said(it.beside.get(name + way)) for name in SHORT)]
            for it in results.figures
            if any(name + way in it.beside for name in SHORT)
        ]
        if rows:
            print(f"\n{title}")
            print_table(("figure", AMISS, *SHORT.values()), rows, "figure")
    costs = [
        [
            measure,
            method,
            f"{cost.rows_per_second:,.0f}",
            f"{cost.peak_mb:,.0f}",
            "" if cost.state_bytes is None else f"{cost.state_bytes:,}",
        ]
        for (measure, method), cost in bench.costs.by.items()
        if cost.seconds
    ]
    if costs:
        print("\nwhat it took")
        print_table(("set", "method", "rows/s", "peak MB", "state bytes"), costs, "method")
    for name, reason in results.left_out.items():
        print(f"\n{name}: left out: {reason}")
    if results.below:
        print(f"\nbelow the floor: {', '.join(results.below)}")


def _print_json(bench: "Bench", results: "Results") -> None:
    from amiss.cli.output import print_json

    print_json(
        {
            "quick": bench.quick,
            "figures": [_figure(it) for it in results.figures],
            "costs": [
                {
                    "set": measure,
                    "method": method,
                    "rows": cost.rows,
                    "seconds": cost.seconds,
                    "rows_per_second": cost.rows_per_second,
                    "peak_mb": cost.peak_mb,
                    "state_bytes": cost.state_bytes,
                }
                for (measure, method), cost in bench.costs.by.items()
            ],
            "left_out": results.left_out,
            "below_floor": results.below,
        }
    )


def _figure(it: Any) -> dict[str, Any]:
    from amiss.evaluate.quality.goals import written

    found = {"name": it.name, "value": it.value, "note": it.note, "beside": it.beside}
    if it.goal is not None:
        spans = {name: written(getattr(it.goal, name)) for name in ("floor", "target", "stretch")}
        found |= {"what": it.goal.what, **spans, "reached": it.reached}
    return found


@contextmanager
def _progress() -> Iterator["Callable[[str, float], None]"]:
    """Hears what is done with; a bar with the time it will take, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda said, _: print(said, file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = shown.add_task("reading", total=1.0)
    with shown:
        yield lambda said, part: shown.update(task, advance=part, description=f"{said} done")

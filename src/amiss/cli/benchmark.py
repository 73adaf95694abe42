"""`amiss benchmark`: what it does on this machine, measured."""

from dataclasses import asdict
from typing import Annotated

import typer

from amiss.cli.options import AsJson
from amiss.cli.quality import quality

SERIES = (1, 1000, 100_000)
MOST = 1_000_000

benchmark = typer.Typer(
    name="benchmark", help="Measure Amiss on this machine.", no_args_is_help=True
)


@benchmark.callback()
def group() -> None:
    """Measure Amiss on this machine."""


@benchmark.command()
def speed(
    series: Annotated[
        list[int] | None,
        typer.Option(min=1, max=MOST, help="How many series; may be given again."),
    ] = None,
    ticks: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=MOST,
            show_default=False,
            help="Ticks handed over in a call; may be given again. 2,000 points' worth otherwise.",
        ),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="By the clock if above 1.")] = 1,
    json: AsJson = False,
) -> None:
    """Points a second and bytes of state a series, for the default detectors.

    Made-up numbers go through the step that live and score share. Then a lone series row by row
    through amiss.Stream. With --json one object a line.
    """
    import orjson

    from amiss.evaluate.speed import measure, row_by_row

    if not json:
        print("series    ticks a call   threads   points/s    bytes a series")
    for count in series or SERIES:
        for each in ticks or (None,):
            found = measure(count, each, threads)
            if json:
                print(orjson.dumps(asdict(found)).decode(), flush=True)
            else:
                print(
                    f"{found.series:>7,}   {found.ticks_per_call:>12,}   {found.threads:>7}   "
                    f"{found.points_per_second:>9,}   {found.bytes_per_series:>14,}"
                )
    alone = row_by_row()
    if json:
        print(orjson.dumps({"microseconds_per_row": round(alone, 2)}).decode())
    else:
        print(f"a lone series, row by row: {alone:.1f} us a row")


benchmark.command()(quality)

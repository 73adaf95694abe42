"""`amiss benchmark`: what it does on this machine, measured."""

from dataclasses import asdict
from typing import Annotated

import typer

from amiss.cli.options import AsJson
from amiss.cli.quality import quality

SERIES = (1, 1000, 100_000)

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
        typer.Option(min=1, max=1_000_000, help="How many series; may be given again."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Points a second on one core and bytes of state a series, for the default detectors.

    Made-up numbers go through the step that live and score share. With --json one object a line.
    """
    import orjson

    from amiss.evaluate.speed import measure

    if not json:
        print("series    ticks a call   points/s    bytes a series")
    for count in series or SERIES:
        found = measure(count)
        if json:
            print(orjson.dumps(asdict(found)).decode())
        else:
            print(
                f"{found.series:>7,}   {found.ticks_per_call:>12,}   "
                f"{found.points_per_second:>9,}   {found.bytes_per_series:>14,}"
            )


benchmark.command()(quality)

"""`amiss exclude`: times that models are not to learn from, such as maintenance."""

from typing import Annotated

import typer

from amiss.cli.options import AsJson, Home


def exclude(
    start: Annotated[
        str | None, typer.Argument(help="From when: 2026-03-07T14:00, or 3h ago.")
    ] = None,
    end: Annotated[str | None, typer.Argument(help="Until when, written the same way.")] = None,
    why: Annotated[str, typer.Option(help="For who reads the list.")] = "",
    pipeline: Annotated[str, typer.Option(help="Of this one alone; else of all.")] = "",
    undo: Annotated[
        int | None, typer.Option(help="Take back the one with this number of the list.")
    ] = None,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Exclude a time from what models learn, or list what is excluded.

    It counts from the next training on; `amiss models rollback` undoes one that learned of it.
    """
    import time
    from dataclasses import asdict

    from amiss.cli.output import moment as written
    from amiss.cli.output import print_json, print_table
    from amiss.cli.stored import noted, stored
    from amiss.cli.times import moment
    from amiss.errors import ConfigError
    from amiss.run.exclude import Excluded, excluded, include
    from amiss.run.exclude import exclude as keep

    if (start is None) != (end is None):
        raise ConfigError("say from when until when, such as `amiss exclude 3h 2h`")
    if undo is not None and start is not None:
        raise ConfigError("--undo takes one back; say no times with it")
    with stored(home) as store:
        if undo is not None:
            back = include(store, undo)
            noted(home, store, "excluded time taken back", **asdict(back))
        elif start is not None and end is not None:
            now = time.time_ns()
            span = moment(start, "the start", now), moment(end, "the end", now)
            one = Excluded(*span, why, pipeline)
            keep(store, one)
            noted(home, store, "time excluded", **asdict(one))
        every = excluded(store)
    if json:
        print_json([asdict(one) for one in every])
    elif every:
        rows = [
            (str(n), written(one.start), written(one.end), one.pipeline or "all", one.why)
            for n, one in enumerate(every, 1)
        ]
        print_table(("", "from", "to", "pipeline", "why"), rows, wide="why")
    else:
        print("Nothing is excluded.")

"""`amiss pump`: rows of a database to a topic of Kafka."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from amiss.run.pump import Pump

PAUSES = (1.0, 2.0, 5.0, 10.0)  # seconds before the next try, the last one from then on


def pump(
    database: Annotated[
        str,
        typer.Argument(
            help="env:NAME or file:/path of its address, mysql://user:password@host/db.",
            metavar="DATABASE",
        ),
    ],
    brokers: Annotated[str, typer.Argument(help="Of Kafka: host:port, commas between them.")],
    topic: Annotated[str, typer.Argument(help="Where to; it has to be there.")],
    time: Annotated[str, typer.Option(help="The column with the time.")],
    table: Annotated[str | None, typer.Option(help="The table or view.")] = None,
    query: Annotated[str, typer.Option(help="Or a SELECT.")] = "",
    cursor: Annotated[
        list[str] | None,
        typer.Option(help="A column that grows, to read on by; again for more; else the time."),
    ] = None,
    key: Annotated[str, typer.Option(help="The column that is the key of messages.")] = "",
    rate: Annotated[float | None, typer.Option(help="Rows a second at most.", min=0.001)] = None,
    pace: Annotated[
        float | None,
        typer.Option(help="At the pace of the rows' own times, so many times as fast.", min=1e-6),
    ] = None,
    late: Annotated[
        str, typer.Option(help="How much later than a newer one a row may become visible.")
    ] = "5s",
    most: Annotated[int, typer.Option(help="Rows of one transaction at most.", min=1)] = 5000,
    once: Annotated[bool, typer.Option("--once", help="End when all is sent.")] = False,
    name: Annotated[
        str, typer.Option(help="Of this pump: what its place is kept by; else topic and table.")
    ] = "",
    kafka: Annotated[
        list[str] | None,
        typer.Option(help="A setting of source kafka, such as tls=true; again for more."),
    ] = None,
) -> None:
    """Send the rows of a table or query to a topic of Kafka, each exactly once.

    Each row is a message, a JSON object of its columns. Rows and the place after them are one
    transaction; the place is kept in the topic amiss.places. So it goes on where it was when it is
    started again, on whatever machine, and a second one of the same name puts an end to the first.
    Readers have to read what is committed alone (isolation.level=read_committed), as Amiss does.
    A server that does not answer is waited for.
    """
    import signal
    import threading

    from amiss.world import World

    asked = {
        "url": database, "table": table, "query": query, "time": time,
        "cursor": tuple(cursor or ()), "late": late, "most": most,
    }  # fmt: skip
    chosen = _chosen(asked, {"servers": brokers, **_pairs(kafka or [])}, {
        "topic": topic, "key": key, "rate": rate, "pace": pace, "follow": not once,
        "name": name or f"{topic}-{table or 'query'}",
    })  # fmt: skip
    stop = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: stop.set())
    _keep_on(chosen, World(), stop)


def _keep_on(chosen: "Pump", world: Any, stop: Any) -> None:
    import sys

    from amiss.errors import Unreachable
    from amiss.run.pump import run

    total, failures = 0, 0

    def told(count: int) -> None:
        nonlocal total, failures
        total, failures = total + count, 0

    while not stop.is_set():
        try:
            run(chosen, world, stop, told)
            break
        except Unreachable as exc:
            pause = PAUSES[min(failures, len(PAUSES) - 1)]
            failures += 1
            print(f"{exc}; tried again in {pause:g} s", file=sys.stderr, flush=True)
            world.wait(stop, pause)
    print(f"{total} rows sent")


def _chosen(source: dict[str, Any], cluster: dict[str, Any], rest: dict[str, Any]) -> "Pump":
    from pydantic import ValidationError

    from amiss.errors import ConfigError
    from amiss.reading.cluster import Cluster
    from amiss.run.pump import Pump
    from amiss.sources.sql import Sql

    try:
        return Pump(Sql(**source), Cluster(**cluster), **rest)
    except ValidationError as exc:
        wrong = exc.errors()[0]
        where = ".".join(map(str, wrong["loc"]))
        said = str(wrong["msg"]).removeprefix("Value error, ")
        raise ConfigError(f"{where}: {said}" if where else said) from None


def _pairs(said: list[str]) -> dict[str, str]:
    from amiss.errors import ConfigError

    found = dict[str, str]()
    for one in said:
        name, equal, value = one.partition("=")
        if not equal:
            raise ConfigError(f"--kafka: write name=value, not {one!r}")
        found[name] = value
    return found

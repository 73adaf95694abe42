"""`amiss incidents`: what is or was amiss."""

from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    from amiss.data import Incident
    from amiss.store import Word

STATES = ("open", "resolved")


def incidents(
    state: Annotated[
        str | None, typer.Option(help="Only those that are open, or resolved.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was amiss since: 24h, 7d, 2026-03-07.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=100_000)] = 50,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """List incidents, the last that opened first."""
    import time

    from amiss.cli.feedback import as_data
    from amiss.cli.output import print_json
    from amiss.cli.stored import stored
    from amiss.cli.times import moment
    from amiss.errors import ConfigError
    from amiss.words.message import as_json

    if state not in (None, *STATES):
        raise ConfigError(f"--state: there is no state {state!r}; known: {', '.join(STATES)}")
    start = moment(since, "--since", time.time_ns()) if since is not None else None
    with stored(home) as store:
        found = store.incidents(since=start, state=state, limit=limit)  # type: ignore[arg-type]
        said = store.said()
    if json:
        own = {each.id: [one for one in said if one.incident == each.id] for each in found}
        print_json([as_json(each) | {"feedback": as_data(own[each.id])} for each in found])
    elif found:
        # of both, the verdict
        order = sorted(said, key=lambda one: one.word != "acknowledged")
        _table(found, {one.incident: one.word for one in order})
    else:
        which = " open" if state == "open" else ""
        print(f"There are no{which} incidents{f' since {since}' if since else ''}.")


def _table(found: "list[Incident]", words: "dict[str, Word]") -> None:
    import time

    from amiss.cli.output import lasted, moment, print_table

    now = time.time_ns()
    rows = [
        (
            each.id,
            moment(each.since),
            f"{lasted(now - each.since)} so far"
            if each.until is None
            else lasted(each.until - each.since),
            each.severity,
            *([words.get(each.id, "")] if words else []),
            each.title,
        )
        for each in found
    ]
    said = ("said",) if words else ()
    print_table(("id", "since", "lasted", "severity", *said, "what"), rows, wide="what")

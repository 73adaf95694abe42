"""`amiss feedback` and `amiss acknowledge`: what people say of incidents."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    from amiss.run.audited import Trail
    from amiss.store import Said, Store, Word

VERDICTS = ("normal", "amiss")
Note = Annotated[str, typer.Option(help="Why, for who reads it later.")]


def acknowledge(
    id: Annotated[str, typer.Argument(help="Of an incident; the beginning is enough.")],
    note: Note = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take it back.")] = False,
    home: Home = None,
) -> None:
    """Say that you have seen an incident, so that nobody else need begin with it."""
    from amiss.cli.stored import stored
    from amiss.run import feedback as kept
    from amiss.run.audited import person

    with stored(home) as store:
        if undo:
            said = kept.unsay(_trail(home, store), person(), id, "acknowledged")
            print(f"{said.incident}: not acknowledged any more.")
        else:
            said = kept.say(_trail(home, store), person(), id, "acknowledged", note)
            print(f"{said.incident}: acknowledged; {kept.EFFECTS[said.word]}.")


def feedback(
    id: Annotated[
        str | None, typer.Argument(help="Of an incident; the beginning is enough.")
    ] = None,
    verdict: Annotated[
        str | None, typer.Argument(help="normal: expected, a false alarm. amiss: a problem.")
    ] = None,
    note: Note = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the verdict back.")] = False,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Say whether an incident was normal or amiss, or list what was said of all.

    Incidents like those that were normal are kept and not told. Nothing is trained by it.
    """
    from amiss.cli.stored import stored
    from amiss.errors import ConfigError
    from amiss.run import feedback as kept
    from amiss.run.audited import person

    if id is None:
        with stored(home, reading=True) as store:
            _listed(store, json)
        return
    if undo == (verdict is not None) or (verdict is not None and verdict not in VERDICTS):
        raise ConfigError("say `normal` or `amiss` after the id, or --undo")
    with stored(home) as store:
        if verdict is None:
            said = kept.unsay(_trail(home, store), person(), id, "normal")
            print(f"{said.incident}: {said.word} no more; it is as if it had not been said.")
            return
        word: Word = "normal" if verdict == "normal" else "amiss"
        said = kept.say(_trail(home, store), person(), id, word, note)
        print(f"{said.incident}: {said.word}; {kept.EFFECTS[word]}.")
        print(f"`amiss feedback {said.incident} --undo` takes it back.")


def words(store: "Store", incident: str) -> list[str]:
    """What people said of an incident, a line each."""
    return [_sentence(one) for one in store.said(incident)]


def as_data(said: "list[Said]") -> list[dict[str, object]]:
    """The same as JSON can hold it."""
    from dataclasses import asdict

    from amiss.words.message import write_time

    return [asdict(one) | {"at": write_time(one.at)} for one in said]


def _sentence(one: "Said") -> str:
    from amiss.cli.output import moment

    what = one.word if one.word == "acknowledged" else f"called {one.word}"
    return f"{what} by {one.who}, {moment(one.at)}" + (f": {one.note}" if one.note else "")


def _listed(store: "Store", json: bool) -> None:
    import time
    from dataclasses import asdict

    from amiss.cli.output import moment, print_json, print_table
    from amiss.run.feedback import LATELY, figures

    said, counted = store.said(), figures(store, time.time_ns() - LATELY)
    if json:
        print_json({"said": as_data(said), "last_30_days": asdict(counted)})
        return
    if said:
        rows = [(one.incident, one.word, moment(one.at), one.who, one.note) for one in said]
        print_table(("incident", "", "when", "who", "note"), rows, wide="note")
    else:
        print("Nobody has said anything of an incident yet.")
    if counted.incidents:
        print(
            f"Of {counted.incidents} incidents of the last 30 days {counted.normal} were normal, "
            f"{counted.amiss} amiss; of {counted.unsaid} nobody said so."
        )


def _trail(asked: Path | None, store: "Store") -> "Trail":
    from amiss.home import home
    from amiss.run.audited import Trail
    from amiss.world import World

    return Trail(home(asked), store, World())

"""`amiss models`: what was learned by fitting, and which of it serves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    from amiss.data import Frame

models = typer.Typer(name="models", help="Models: which serve, which are kept.")
Id = Annotated[str, typer.Argument(help="Of a model, or as much of it as no other begins with.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Even if it was fitted on other metrics.")]


@models.callback(invoke_without_command=True)
def group(context: typer.Context, json: AsJson = False, home: Home = None) -> None:
    """Models: which serve, which are kept. Without a command, list them."""
    if context.invoked_subcommand is None:
        listed(json, home)


@models.command("list")
def listed(json: AsJson = False, home: Home = None) -> None:
    """List the models that are kept, the newest first."""
    from amiss.cli.output import moment, print_json, print_table
    from amiss.cli.stored import stored
    from amiss.words.message import write_time

    with stored(home) as store:
        found = store.models()
    if json:
        print_json(
            [
                {"id": m.id, "in_use": m.in_use, "bytes": m.bytes, **m.card}
                | {"trained": write_time(m.trained)}
                for m in found
            ]
        )
    elif found:
        rows = [
            (
                str(m.card.get("name", m.detector)),
                m.pipeline,
                moment(m.trained),
                f"{m.card.get('samples', 0):,}",
                f"{m.card.get('seconds', 0.0):.1f} s",
                "in use" if m.in_use else "",
                m.id,
            )
            for m in found
        ]
        columns = ("model", "pipeline", "trained", "samples", "took", "", "id")
        print_table(columns, rows, wide="model")
    else:
        print("No model has been trained yet; the first ones are as soon as there are 100 samples.")


@models.command()
def show(model: Id, json: AsJson = False, home: Home = None) -> None:
    """Say all that is known of a model: what it was fitted on, how it did on what came after."""
    from amiss.cli.model_words import facts
    from amiss.cli.output import print_json
    from amiss.cli.stored import stored
    from amiss.model import card_of
    from amiss.run.models import chosen

    with stored(home) as store:
        kept = chosen(store, model)
        card = card_of(kept.card, kept.id)
    if json:
        print_json({"id": card.id, "in_use": kept.in_use, "bytes": kept.bytes, **card.said()})
        return
    for name, said in facts(card, kept):
        print(f"{name:<14}{said}")


@models.command()
def compare(
    one: Id,
    other: Annotated[
        str | None, typer.Argument(help="Of another; without, the one that is in use.")
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="On this file instead: CSV, JSON lines or Parquet, by name of metric."),
    ] = None,
    time: Annotated[str, typer.Option(help="The column of times of the file.")] = "time",
    by: Annotated[
        list[str] | None,
        typer.Option(help="A column of the file that names a system; again for more."),
    ] = None,
    label: Annotated[
        str, typer.Option(help="A column of the file: above 0 where it was suspicious.")
    ] = "",
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Say what two models said of everything recorded since both were fitted, or of a file.

    The one that is not in use steps through it as if it had served: what is printed is what it
    would have told, beside what the other did.
    """
    from dataclasses import asdict
    from time import time_ns

    from amiss.cli import model_words
    from amiss.cli.output import print_json
    from amiss.cli.stored import stored
    from amiss.errors import ConfigError
    from amiss.run.models import compared, compared_on

    if data is None and (by or label):
        raise ConfigError("--by and --label are columns of a file; name it with --data")
    with stored(home) as store:
        if data is None:
            first, second, found = compared(store, one, other, time_ns())
        else:
            frame = _read(data, time, by or [], label)
            first, second, found = compared_on(store, one, other, frame, label)
    if json:
        cards = [{"id": card.id, **card.said()} for card in (first, second)]
        print_json({"models": cards, **asdict(found)})
    else:
        model_words.print_compared(first, second, found, data)


def _read(file: str, time: str, by: list[str], label: str) -> "Frame":
    """The metrics of a file. ConfigError if it cannot be read; what is left out is said."""
    import sys

    from amiss.errors import ConfigError
    from amiss.evaluate.columns import Asked, Notes, listed
    from amiss.evaluate.history import systems
    from amiss.evaluate.tables import Table

    notes = Notes()
    frame = systems(Table(file), Asked(time, tuple(by)), notes)
    for said in notes.sentences():
        print(said, file=sys.stderr)
    if label and label not in frame.features:
        raise ConfigError(
            f"--label: {file} has no numeric column {label!r} (there is {listed(frame.features)})"
        )
    return frame


@models.command()
def promote(model: Id, anyway: Anyway = False, home: Home = None) -> None:
    """Put a model to use; a program that runs does so within seconds, without a restart."""
    from amiss.cli.stored import noted, stored
    from amiss.run import models as kept
    from amiss.run.audited import about

    with stored(home) as store:
        card = kept.promote(store, model, anyway)
        noted(home, store, "model promoted", **about(card))
    print(f"{card.name} {card.id} of {card.pipeline} is in use.")


@models.command()
def rollback(
    name: Annotated[str, typer.Argument(help="Its type, such as isolation_forest.")],
    pipeline: Annotated[str | None, typer.Option(help="Of which pipeline, if several.")] = None,
    home: Home = None,
) -> None:
    """Go back to the model that served before the one in use."""
    from amiss.cli.stored import noted, stored
    from amiss.run import models as kept
    from amiss.run.audited import about

    with stored(home) as store:
        card = kept.rollback(store, name, pipeline)
        noted(home, store, "model rolled back", **about(card))
    print(f"{card.name} {card.id} of {card.pipeline} is in use again.")


@models.command()
def delete(model: Id, home: Home = None) -> None:
    """Forget a model that is not in use."""
    from amiss.cli.stored import noted, stored
    from amiss.run.models import chosen

    with stored(home) as store:
        kept = chosen(store, model)
        store.delete_model(kept.id)
        noted(home, store, "model deleted", model=kept.id, pipeline=kept.pipeline)
    print(f"{kept.id} is gone.")


@models.command()
def export(
    model: Id,
    file: Annotated[
        Path | None, typer.Argument(help="Else its name and id in this folder.")
    ] = None,
    home: Home = None,
) -> None:
    """Write a model to a file, for another installation. There is no code in it."""
    from amiss.cli.stored import stored
    from amiss.errors import ConfigError
    from amiss.model import card_of, write
    from amiss.run.models import chosen

    with stored(home) as store:
        kept, states = store.load_model(chosen(store, model).id)
    path = file or Path(f"{kept.card.get('name')}-{kept.id}.npz")
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(write(card_of(kept.card, kept.id), states))
        part.replace(path)
    except OSError as exc:
        part.unlink(missing_ok=True)
        raise ConfigError(f"{path} cannot be written: {exc.strerror}") from None
    print(f"{path}: {path.stat().st_size:,} bytes.")


@models.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="That `amiss models export` wrote.")],
    pipeline: Annotated[str | None, typer.Option(help="For this one; else as it says.")] = None,
    use: Annotated[bool, typer.Option("--use", help="Put it to use at once.")] = False,
    anyway: Anyway = False,
    home: Home = None,
) -> None:
    """Take in a model that was exported; it is checked, and kept beside the one in use.

    The data folder is made if there is none yet: a program that starts there finds the model.
    """
    from dataclasses import replace

    from amiss.cli.stored import noted, stored
    from amiss.errors import ConfigError, StateError
    from amiss.model import read
    from amiss.run.models import check_features, check_place
    from amiss.run.shadow import check

    try:
        card, states = read(file.read_bytes())
        check(card, states)
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read: {exc.strerror}") from None
    except StateError as exc:
        raise ConfigError(f"{file}: {exc}") from None
    card = replace(card, pipeline=pipeline or card.pipeline)
    with stored(home, making=True) as store:
        if not anyway:
            check_features(store, card)
            if use:
                check_place(store, card)
        kept = store.save_model(card.said(), states, in_use=use)
        said = {"model": kept, "type": card.name, "pipeline": card.pipeline, "file": str(file)}
        noted(home, store, "model imported", **said, in_use=use)
    print(f"{card.name} {kept} is {'in use' if use else 'kept'} for pipeline {card.pipeline}.")

"""`amiss train`: fit models anew, in the program that runs or on what was recorded."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    from amiss.component import Detector
    from amiss.evaluate.columns import Asked
    from amiss.model import Card
    from amiss.pipeline import Pipeline
    from amiss.run.learn import Past
    from amiss.store import Store

SAMPLES = 100  # if nothing is said
PAST = "2026-03-07, or 7d before the last record there is"


def train(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG|MODEL",
            help="A configuration: all its models, on what was recorded. Or a model, such as "
            "isolation_forest: in the program that runs, on its last samples.",
        ),
    ],
    samples: Annotated[
        int | None, typer.Option(help="Of a model: on how many of the last samples.", min=1)
    ] = None,
    pipeline: Annotated[str | None, typer.Option(help="Of this pipeline alone.")] = None,
    model: Annotated[str | None, typer.Option(help="Of a configuration: this one alone.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help=f"On records from here: {PAST}.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Up to here.")] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="On a file: CSV, JSON lines or Parquet; may be given again."),
    ] = None,
    time: Annotated[str, typer.Option(help="The column of times of files.")] = "time",
    by: Annotated[
        list[str] | None, typer.Option(help="A column of files that is a label; again for more.")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep it beside the one in use, to compare first.")
    ] = False,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Fit models anew, in a process of their own.

    Each is validated on the last fifth of its history, which it has not seen then, and kept with
    its figures: `amiss models show`. Times of incidents, and what `amiss exclude` lists, are left
    out. A program that runs in the same data folder goes on serving, and takes the new model
    within seconds; with --keep it does not.
    """
    import sys

    from amiss.cli.output import print_json
    from amiss.errors import ConfigError
    from amiss.evaluate.columns import Asked

    if not Path(what).is_file() and not what.endswith((".yaml", ".yml")):
        for option, given in (("--from", start), ("--to", end), ("--data", data), ("--keep", keep)):
            if given:
                raise ConfigError(
                    f"{option} is for a configuration; write `amiss train FILE.yaml --model {what}`"
                )
        said = in_program(what, samples or SAMPLES, pipeline, home)
        print_json(said) if json else print(said["message"])
        return
    if samples is not None:
        raise ConfigError("--samples is for a model of the program that runs; see --from and --to")
    files = Asked(time, tuple(by or ()))
    try:
        cards = on_records(Path(what), pipeline, model, (start, end), data, files, keep, home)
    except KeyboardInterrupt:
        print("\ninterrupted: nothing is kept of a model that was not done", file=sys.stderr)
        raise typer.Exit(130) from None
    if json:
        print_json([{"id": card.id, **card.said()} for card in cards])
        return
    for card in cards:
        state = "kept beside the one in use" if keep else "in use"
        print(
            f"{card.name} {card.id} of {card.pipeline}: fitted on {card.samples:,} samples in "
            f"{card.seconds:.1f} s, {state}."
        )


def on_records(
    file: Path,
    name: str | None,
    model: str | None,
    span: tuple[str | None, str | None],
    data: list[str] | None,
    asked: "Asked",
    keep: bool,
    home: Path | None,
) -> "list[Card]":
    """Fit the models of a configuration on what was recorded of its pipelines."""
    import sys

    from amiss.cli.progress import stepping
    from amiss.cli.recordings import bounds, recordings
    from amiss.cli.stored import noted
    from amiss.config import read
    from amiss.home import DATABASE
    from amiss.home import home as folder_of
    from amiss.run import learn
    from amiss.run.audited import about
    from amiss.store import Store

    settings, notes = read(file), list[str]()
    chosen = with_models(list(settings.shared_out().values()), name, model, str(file))
    folder = folder_of(home)
    cards = []
    with recordings(settings, [one for one, _ in chosen], data, asked, home, notes) as found:
        store = Store(folder / DATABASE)
        try:
            for (pipeline, detectors), (_, recording) in zip(chosen, found, strict=True):
                first, since, until = bounds(recording, *span, None)
                begin = since if span[0] is not None else first
                with stepping(until - begin, f"reading {pipeline.name}") as tell:
                    past = learn.past(
                        pipeline, recording.records(begin, until), _newer(tell, begin)
                    )
                fitted = _fit(pipeline, detectors, past, store, keep)
                for card in fitted:
                    noted(home, store, "model fitted", **about(card), in_use=not keep)
                cards += fitted
        finally:
            store.close()
    for note in notes:
        print(note, file=sys.stderr)
    return cards


def _newer(tell: Any, begin: int) -> Any:
    """Pass on how much later each time is than the one before."""
    last = begin

    def hear(time: int) -> None:
        nonlocal last
        tell(max(time - last, 0))
        last = max(time, last)

    return hear


def _fit(
    pipeline: "Pipeline", detectors: "list[Detector]", past: "Past", store: "Store", keep: bool
) -> "list[Card]":
    import sys

    from amiss.cli.progress import staging
    from amiss.run import learn
    from amiss.run.exclude import not_learned
    from amiss.world import World

    if past.dropped:
        kept = len(past.frame.time)
        print(
            f"{past.dropped:,} of {past.dropped + kept:,} samples are left out to bound memory, in "
            "stretches spread over the time",
            file=sys.stderr,
        )
    spans = list(not_learned(store, pipeline.name, int(past.frame.time[0])))
    cards = []
    for detector in detectors:
        kind = detector.type  # type: ignore[attr-defined]
        with staging(f"{pipeline.name}/{kind}") as tell:
            cards.append(
                learn.learn(pipeline, detector, past, spans, store, World(), tell, not keep)
            )
    return cards


def with_models(
    pipelines: "list[Pipeline]", name: str | None, model: str | None, where: str
) -> "list[tuple[Pipeline, list[Detector]]]":
    """The pipelines that have models, and those that are asked for. ConfigError if none is."""
    from amiss.errors import ConfigError
    from amiss.fitting import trained

    known = [one.name for one in pipelines]
    if name is not None and name not in known:
        raise ConfigError(
            f"--pipeline: {where} has no pipeline {name!r}; it has {', '.join(sorted(known))}"
        )
    every = [(one, trained(one.detectors)) for one in pipelines if name in (None, one.name)]
    kinds = sorted({d.type for _, some in every for d in some})  # type: ignore[attr-defined]
    if model is not None and model not in kinds:
        there = ", ".join(kinds) or "none"
        raise ConfigError(f"--model: {where} has no model {model!r}; it has {there}")
    wanted = [
        (one, [d for d in some if model in (None, d.type)])  # type: ignore[attr-defined]
        for one, some in every
    ]
    if not any(some for _, some in wanted):
        raise ConfigError(f"{where}: no detector of it is fitted; all that it has learn as they go")
    return [(one, some) for one, some in wanted if some]


def in_program(model: str, samples: int, pipeline: str | None, home: Path | None) -> dict[str, Any]:
    """Have the program that runs train a model. What it says; see `ask` for what it raises.

    Where that asks for a token, it is taken from $AMISS_TOKEN.
    """
    from amiss.cli.ask import post
    from amiss.home import home as folder_of

    asked: dict[str, Any] = {"samples": samples}
    if pipeline is not None:
        asked["pipeline"] = pipeline
    return post(folder_of(home), f"/api/v1/models/{quote(model, safe='')}/retrain", asked)

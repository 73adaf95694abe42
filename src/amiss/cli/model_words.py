"""A model and a comparison of two, as people read them."""

from collections.abc import Iterator
from math import isfinite, nan
from typing import TYPE_CHECKING

from amiss.cli.output import moment, sparkline
from amiss.data import DAY
from amiss.run.figures import asked_by, left_out, trained_by, validated
from amiss.words.units import write_days

if TYPE_CHECKING:
    from amiss.model import Card
    from amiss.run.compared import Comparison
    from amiss.store.models import Model

NAMED = 6  # features that are written out


def facts(card: "Card", kept: "Model") -> Iterator[tuple[str, str]]:
    """What a card says, line by line."""
    figures = card.figures
    yield "model", f"{card.name} {card.id}{', in use' if kept.in_use else ''}"
    yield "pipeline", card.pipeline
    yield from asked_by(figures)
    yield "detector", card.detector
    yield "trained", f"{moment(card.trained)}, in {card.seconds:.1f} s"
    span = write_days((card.last - card.first) / DAY)
    yield "on", f"{card.samples:,} samples, {span} up to {moment(card.last)}"
    yield from left_out(figures)
    more = f" and {len(card.features) - NAMED} more" if len(card.features) > NAMED else ""
    yield "features", f"{len(card.features)}: {', '.join(card.features[:NAMED])}{more}"
    yield "systems", ", ".join(card.systems[:NAMED]) or "one"
    yield from validated(figures.get("validation", {}))
    for of, said in trained_by(loss := figures.get("loss", {})):
        curve = [nan if x is None else x for x in loss.get(of.removesuffix(" error"), ())]
        yield of.replace(" error", ""), f"{sparkline(curve)} error {said}" if curve else said
    if figures.get("seed") is not None:
        yield "seed", str(figures["seed"])
    if figures.get("memory_mb"):
        yield "memory", f"{figures['memory_mb']:,.0f} MB while training"
    made = ", ".join(f"{name} {which}" for name, which in figures.get("versions", {}).items())
    yield "made by", made or "an earlier version"
    yield "size", f"{kept.bytes:,} bytes"


def print_compared(one: "Card", other: "Card", found: "Comparison", file: str | None) -> None:
    """Two models on the same moments: figures beside each other, then where they differ."""
    from amiss.cli.output import print_table

    of = f"of {file}" if file else "since both were fitted; neither had seen them"
    print(f"{found.samples:,} moments, {write_days((found.last - found.first) / DAY)}, {of}.\n")
    names = ("", f"{one.name} {one.id}", f"{other.name} {other.id}")
    print_table(names, list(beside(one, other, found)), "")
    print(f"\nTold by both: {found.both:,}.")
    if isfinite(found.agreement):
        print(f"Agreement of their scores: {found.agreement:.2f} (rank correlation).")
    print("\nThey differ most (nats, -ln p):")
    for at, a, b in found.apart:
        print(f"  {moment(at)}   {a:.1f}   {b:.1f}")
    if any(side.known for side in found.sides):
        print("\nWhat a model was fitted on it knows: there it tells less than of what is new.")


def beside(one: "Card", other: "Card", found: "Comparison") -> Iterator[tuple[str, ...]]:
    """A row for each figure: its name, and what it is of either."""
    from amiss.run.compared import rate

    cards, sides = (one, other), found.sides
    yield "fitted", *(moment(card.trained) for card in cards)
    yield "on samples", *(f"{card.samples:,}" for card in cards)
    yield "metrics", *(f"{len(card.features):,}" for card in cards)
    yield "p <= .001", *(f"{told:,}, {rate(told, found):.1f} a day" for told in found.told)
    yield "p <= .01", *(f"{side.often:,}, {side.often / found.samples:.2%}" for side in sides)
    yield "median, nats", *(f"{side.middle:.2f}" for side in sides)
    yield "99 %, nats", *(f"{side.high:.2f}" for side in sides)
    if any(isfinite(side.off) for side in sides):
        yield "forecast error", *(_times(side.off) for side in sides)
    if found.labelled:
        yield "labelled, p <= .001", *(f"{side.found:,} of {found.labelled:,}" for side in sides)
        yield "of told, labelled", *(f"{side.found:,} of {side.told:,}" for side in sides)
        yield "area under ROC", *(f"{side.area:.3f}" for side in sides)
    if any(side.known for side in sides):
        yield "fitted on already", *(f"{side.known:,}" for side in sides)


def _times(off: float) -> str:
    return f"{off:.2f} times the last value's" if isfinite(off) else "no forecast"

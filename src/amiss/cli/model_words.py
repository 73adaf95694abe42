"""A model and a comparison of two, as people read them."""

from collections.abc import Iterator
from math import isfinite, nan
from typing import TYPE_CHECKING

from amiss.cli.output import moment, sparkline
from amiss.data import DAY
from amiss.run.figures import asked_by, trained_by, validated
from amiss.units import write_days

if TYPE_CHECKING:
    from amiss.model import Card
    from amiss.run.shadow import Comparison
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
    for why, many in figures.get("left_out", {}).items():
        yield "left out", f"{many:,} samples {why}"
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


def compared(one: "Card", other: "Card", found: "Comparison") -> Iterator[str]:
    """Two models on the same moments."""
    from amiss.run.shadow import rate

    span = write_days((found.last - found.first) / DAY)
    yield f"{found.samples:,} moments, {span}, since both were fitted; neither had seen them."
    yield ""
    for card, told in zip((one, other), found.told, strict=True):
        a_day = rate(told, found)
        yield (
            f"{card.id}  {card.name}, on {card.samples:,} samples of {moment(card.trained)}: "
            f"p <= .001 at {told:,} moments, {a_day:.1f} a day"
        )
    yield f"by both: {found.both:,}"
    if isfinite(found.agreement):
        yield f"agreement of their scores: {found.agreement:.2f} (rank correlation)"
    yield ""
    yield "They differ most (nats, -ln p):"
    for at, a, b in found.apart:
        yield f"  {moment(at)}   {a:.1f}   {b:.1f}"

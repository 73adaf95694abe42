"""What the figures of a model say, in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from amiss.words.phrases import model

NAMED = 6  # metrics whose errors are written out


def validated(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How it did on the last fifth of its history, which it had not seen then."""
    if not found:
        yield "validated", "too little history for that"
        return
    yield "validated", f"on {found['samples']:,} samples that came after the rest"
    told = "; ".join(f"p <= {a} of {share:.2%}" for a, share in found["told"].items())
    yield "told", told
    errors = found.get("error", {})
    for name, error in list(errors.items())[:NAMED]:
        naive = found["naive"].get(name)
        beside = f", expecting the last value {naive:.3g}" if naive is not None else ""
        if error is not None:
            yield "error", f"{name}: {error:.3g}{beside}"
    if len(errors) > NAMED:
        yield "error", f"and {len(errors) - NAMED} more metrics"


def asked_by(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Why a challenger was fitted."""
    if figures.get("why"):
        yield "fitted since", str(figures["why"])


def left_out(figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Samples that were not learned from, by reason, and members that learned nothing."""
    for why, many in figures.get("left_out", {}).items():
        yield "left out", f"{many:,} samples {why}"
    for name in figures.get("silent", ()):
        yield "left out", f"{model(name)}, which had too little to learn from"


def trained_by(loss: Mapping[str, Sequence[float | None]]) -> Iterator[tuple[str, str]]:
    """How a training in steps went: its first and last looks, and whose weights are kept."""
    if not loss:
        return
    for of in ("training", "validation"):
        if known := [error for error in loss[of] if error is not None]:
            yield f"{of} error", f"{known[0]:.3g} to {known[-1]:.3g}"
    best = kept_at(loss)
    at, last = (loss["epochs"][-1 if i is None else i] or 0.0 for i in (best, None))
    yield "weights", f"of epoch {_epoch(at)} of {_epoch(last)}"


def _epoch(count: float) -> str:
    return f"{count:.1f}" if count < 10.0 else f"{count:,.0f}"


def kept_at(loss: Mapping[str, Sequence[float | None]]) -> int | None:
    """The look whose weights are kept: the first of the least error of validation."""
    known = [(error, i) for i, error in enumerate(loss["validation"]) if error is not None]
    return min(known)[1] if known else None

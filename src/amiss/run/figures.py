"""What the figures of a model say, in words."""

from collections.abc import Iterator
from typing import Any


def validated(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """How it did on the last fifth of its history, which it had not seen then."""
    if not found:
        yield "validated", "too little history for that"
        return
    yield "validated", f"on {found['samples']:,} samples that came after the rest"
    told = "; ".join(f"p <= {a} of {share:.2%}" for a, share in found["told"].items())
    yield "told", told
    for name, error in found.get("error", {}).items():
        naive = found["naive"].get(name)
        beside = f", expecting the last value {naive:.3g}" if naive is not None else ""
        if error is not None:
            yield "error", f"{name}: {error:.3g}{beside}"

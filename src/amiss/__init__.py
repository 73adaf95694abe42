"""Amiss says, within an alert budget, when something is amiss, and why."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amiss.evaluate.frames import score as score

__version__ = "0.1.0"
__all__ = ["__version__", "score"]


def __getattr__(name: str) -> Any:
    """`amiss.score`, which brings numba and Arrow with it, when it is asked for."""
    if name == "score":
        from amiss.evaluate.frames import score

        return score
    raise AttributeError(f"module 'amiss' has no attribute {name!r}")

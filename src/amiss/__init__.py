"""Amiss says, within an alert budget, when something is amiss, and why."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amiss.evaluate.frames import score as score
    from amiss.evaluate.stream import Opinion as Opinion
    from amiss.evaluate.stream import Stream as Stream
    from amiss.facade.monitor import RealTimeMonitor as RealTimeMonitor
    from amiss.facade.system import AnomalyDetectionSystem as AnomalyDetectionSystem

__version__ = "0.1.0"
__all__ = [
    "AnomalyDetectionSystem", "Opinion", "RealTimeMonitor", "Stream", "__version__", "score",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """What brings numba and Arrow with it, when it is asked for."""
    if name == "score":
        from amiss.evaluate.frames import score

        return score
    if name in ("Opinion", "Stream"):
        from amiss.evaluate import stream

        return getattr(stream, name)
    if name == "AnomalyDetectionSystem":
        from amiss.facade.system import AnomalyDetectionSystem

        return AnomalyDetectionSystem
    if name == "RealTimeMonitor":
        from amiss.facade.monitor import RealTimeMonitor

        return RealTimeMonitor
    raise AttributeError(f"module 'amiss' has no attribute {name!r}")

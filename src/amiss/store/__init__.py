"""All that must survive a restart: memory, incidents, history, models, and who was told what."""

from amiss.store.blocks import Block
from amiss.store.chunks import Points
from amiss.store.feedback import Said, Word
from amiss.store.history import Series
from amiss.store.incidents import Delivery
from amiss.store.models import Model
from amiss.store.prune import Pruned
from amiss.store.store import Checkpoint, Saved, Store

__all__ = [
    "Block",
    "Checkpoint",
    "Delivery",
    "Model",
    "Points",
    "Pruned",
    "Said",
    "Saved",
    "Series",
    "Store",
    "Word",
]

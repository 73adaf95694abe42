"""Models that are fitted beside the one in use because the configuration asks for it.

They are kept and said, and serve once a person puts them to use.
"""

import logging

import numpy as np

from amiss.data import DAY, HOUR, Array
from amiss.errors import StateError
from amiss.model import Card
from amiss.run.drifted import evidence
from amiss.run.models import against
from amiss.run.shadow import detector_of, recorded_since
from amiss.run.training import MOST, Trainee, noted, recorded
from amiss.settings import Retrain
from amiss.steps.judge import judge_jointly
from amiss.store import Store

log = logging.getLogger(__name__)

BLOCK = 6 * HOUR
ALARM = 10 * 365 * DAY // BLOCK
"""On average not before ten years, if blocks are independent and nothing changes."""
BEFORE = 0.25  # of a block: what windows and memories are filled with first
SETTLED = 0.25  # of a block: so long after its end all of it has been stored
AT_ONCE = 4  # blocks in a look: others wait meanwhile
ENOUGH = 20  # scores in a block, below which it says nothing


def due(trainee: Trainee, asked: Retrain | None, store: Store, now: int) -> str:
    """Why a challenger of the model in use is to be fitted now; "" if there is no reason to.

    Raises Unreachable or StateError of the store.
    """
    card = trainee.card
    if asked is None or card is None or trainee.running is not None:
        return ""
    if trainee.tried is not None and 0 <= now - trainee.tried < HOUR:
        return ""
    own = [m for m in store.models(trainee.watch.name) if m.detector == card.detector]
    known = store.get_meta(noted(card), {})
    told = known.get("told") == card.id  # though the challenger may have been deleted since
    newest = max([card.trained, known["at"] if told else 0, *(m.trained for m in own)])
    if asked.every is not None and now - newest >= asked.every:
        return "on schedule"
    if asked.drift and not told and not any(against(m) == card.id for m in own):
        blocks = look(store, card, now)
        high = max(evidence(blocks), default=0.0)
        if high >= ALARM:
            return (
                f"the scores of {card.id} have been higher of late than ever before: evidence that "
                f"would be rare if medians of six hours were independent ({len(blocks)} of them)"
            )
    return ""


def samples(trainee: Trainee) -> int:
    """How many a challenger is fitted on at most: the store may have dropped the oldest."""
    return min(recorded(trainee.watch), MOST)


def look(store: Store, card: Card, now: int) -> list[float]:
    """The medians of the raw scores of a model since it was fitted, block by block.

    What was looked at is remembered: each block is stepped through once, four in a call at most.
    """
    name = noted(card)
    known = store.get_meta(name, {})
    if known.get("model") != card.id:
        known = {"model": card.id, "until": card.last, "blocks": []}
    begun = known["until"]
    for _ in range(AT_ONCE):
        if known["until"] + BLOCK + int(SETTLED * BLOCK) > now:
            break
        median = _median(store, card, known["until"])
        known["until"] += BLOCK
        if np.isfinite(median):
            known["blocks"].append(median)
    if known["until"] != begun:
        store.set_meta(name, known)
    return list(known["blocks"])


def _median(store: Store, card: Card, start: int) -> float:
    """Of the raw scores of the block that begins there; NaN if there are too few."""
    try:
        states = store.load_model(card.id)[1]
    except StateError as exc:
        log.warning("%s", exc)
        return float("nan")
    begin = max(start - int(BEFORE * BLOCK), card.last)
    frame = recorded_since(store, card, begin, start + BLOCK)
    if not len(frame.time):
        return float("nan")
    _, raw, _, _ = judge_jointly(detector_of(card), states, frame)
    found: Array = raw.values[(frame.time > start) & np.isfinite(raw.values).any(axis=1)]
    return float(np.nanmedian(found)) if len(found) >= ENOUGH else float("nan")


def waiting(trainee: Trainee, store: Store) -> str:
    """The id of the newest challenger of the model in use; "" if there is none."""
    own = trainee.card
    for kept in store.models(trainee.watch.name, in_use=False) if own else []:
        if own and kept.detector == own.detector and against(kept) == own.id:
            return kept.id
    return ""


def renew(trainee: Trainee, store: Store) -> bool:
    """See which challenger waits, since others may have deleted it; says whether that changed."""
    if trainee.running is not None or not trainee.known:
        return False
    now, before = waiting(trainee, store), trainee.challenger
    trainee.challenger = now
    return now != before

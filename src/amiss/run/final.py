"""The final score of what a model said at once, known a window later: read, never told.

`aer` judges a row by the window that it ends; windows that come later say more of it. That is
worked out anew from the history and the model in use whenever somebody looks at an incident. No
memory, no score and no incident depends on it, so all laws hold as they did.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from amiss.data import Frame, Incident, Scores, State, parse_key
from amiss.errors import StateError
from amiss.model import card_of
from amiss.run.shadow import detector_of, recorded_since
from amiss.steps.systems import system_of
from amiss.store import Store

BEFORE = 600  # rows before a moment among which its final score has a rank
SLACK = 2  # times the span that they would fill: there may have been pauses


@runtime_checkable
class Hindsight(Protocol):
    """A detector that knows more of a row when others have come after it."""

    window: int

    def hindsight(self, state: State, frame: Frame) -> Scores:
        """The final scores of rows of which all is known."""


@dataclass(frozen=True, slots=True)
class Final:
    """Of one member of an incident: what became of its score at its strangest moment."""

    series: str
    model: str  # the id of the one in use
    missing: int  # samples until it is known; 0 if it is
    below: int  # samples before it whose final score is lower
    among: int  # samples before it

    @property
    def words(self) -> str:
        """In words."""
        if self.missing:
            many = "1 more sample" if self.missing == 1 else f"{self.missing:,} more samples"
            return f"provisional; its final score is known after {many}"
        share = self.below / self.among
        said = f"final score higher than {share:.1%} of the {self.among:,} samples before it"
        return said if share >= 0.99 else f"{said}: what followed does not bear it out"


def final(store: Store, incident: Incident) -> list[Final]:
    """For each member that a model with hindsight judged; none where no history is kept.

    Cost: that of judging some hundred rows. Raises Unreachable or StateError of the store.
    """
    found = []
    for member in incident.members:
        name, labels = parse_key(member.series)
        for kept in store.models(in_use=True):
            if kept.card.get("name") != name:
                continue
            try:
                card = card_of(kept.card, kept.id)
                detector, states = detector_of(card), store.load_model(card.id)[1]
            except StateError:  # damaged, or of another version: said where models are listed
                continue
            system = system_of(labels, tuple(labels))
            if not isinstance(detector, Hindsight) or system not in card.systems:
                continue
            every = (card.last - card.first) // max(card.samples - 1, 1)
            start = member.at - SLACK * every * (BEFORE + detector.window)
            end = member.at + SLACK * every * detector.window
            frame = recorded_since(store, card, start, end)
            s = card.systems.index(system)
            one = Frame(frame.time, card.systems[s : s + 1], frame.features, frame.values[:, [s]])
            state = states[card.detector]
            if (of := _of(member.series, card.id, detector, state, one, member.at)) is not None:
                found.append(of)
    return found


def _of(
    series: str, model: str, detector: Hindsight, state: State, frame: Frame, at: int
) -> Final | None:
    seen = np.flatnonzero(np.isfinite(frame.values[:, 0]).any(axis=1))
    place = int(np.searchsorted(frame.time[seen], at))
    if place >= len(seen):  # not yet in the history
        return Final(series, model, detector.window - 1, 0, 0)
    first, last = max(place - BEFORE, 0), place + detector.window
    if missing := max(last - len(seen), 0):
        return Final(series, model, missing, 0, 0)
    scores = detector.hindsight(state, frame[int(seen[first]) : int(seen[last - 1]) + 1])
    own = scores.values[np.isfinite(scores.values)]
    then = scores.values[int(seen[place] - seen[first]), 0]
    before = own[: place - first]
    if not np.isfinite(then) or not len(before):
        return None
    return Final(series, model, 0, int((before < then).sum()), len(before))

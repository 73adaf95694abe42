"""How strange each line of text is among earlier ones."""

from typing import ClassVar, Literal

import numpy as np

from amiss.component import Detector
from amiss.data import Array, Frame, Reason, Scores, State
from amiss.decide import line_reasons, lines
from amiss.formats.timeless import timeless
from amiss.memory import flat, nested
from amiss.text.lines import Lines as Text
from amiss.text.lines import lines_of


class Lines(Detector):
    """How rare a line's form is, its keys, its values and their characters.

    Judges the text of single records (features: each): log lines, requests; but not the time
    that a line says first, as each day would begin with what was never there. What is strange is
    not learned as usual, so its scores are calibrated where they are made (decide/lines.py):
    nats. No opinion on the first 64 lines. State is 16 MB; a line costs about 8 us, one that
    comes alone some .3 ms.
    """

    type: Literal["lines"] = "lines"
    each: ClassVar[bool] = True
    calibration: ClassVar[Literal["rank", "size", "nats"]] = "nats"
    needs: ClassVar[tuple[str, ...]] = ()

    def init(self, series: int, features: int) -> State:
        """Nothing known."""
        return flat(lines.init())

    def step(self, state: State, frame: Frame) -> tuple[State, Scores]:
        """The text of T records -> nats (T, 1); NaN for a record without text."""
        nats = np.full((len(frame.time), 1), np.nan)
        there, text = _text(frame)
        why = dict[int, tuple[Reason, ...]]()

        def tell(block: lines.Block) -> None:
            why.update((int(there[n]), (said,)) for n, said in line_reasons.strange(block))

        states, p, _ = lines.step({"past": {}} | nested(state), text, tell=tell)
        nats[there, 0] = -np.log(p)
        return flat(states), Scores(frame.time, frame.keys, nats, why=why)


def _text(frame: Frame) -> tuple[Array, Text]:
    """Which records have text, and what they say."""
    said = None if frame.records is None else frame.records.text
    if said is None:
        return np.zeros(0, np.int64), lines_of([])
    there = np.flatnonzero(said != "")
    return there, timeless(lines_of(said[there].tolist()))

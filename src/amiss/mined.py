"""The template of each record's text as a field: its number, and the first line that it was."""

import numpy as np

from amiss.data import Records, State
from amiss.features import templates
from amiss.memory import flat, nested
from amiss.text.lines import lines_of

FIELD = "template"
SHOWN = 60  # characters of the first line


def init() -> State:
    """None so far: 6 MB, and the text of templates."""
    return flat({"miner": templates.init(), "known": {"id": _NONE, "label": np.zeros(0, "U1")}})


def step(state: State, records: Records) -> tuple[State, Records]:
    """The records with one more label; "" for those without text. Cost: some 5 us a record.

    A template that proves to be part of a wider one has the number of that from then on.
    """
    states = nested(state)
    text = np.zeros(len(records), "U1") if records.text is None else records.text
    there = np.flatnonzero(text != "")
    said = text[there].tolist()
    states["miner"], ids = templates.add(states["miner"], lines_of(said))
    known = dict(zip(*(states["known"][name].tolist() for name in ("id", "label")), strict=True))
    for number, line in zip(ids.tolist(), said, strict=True):
        if number not in known:
            known[number] = f"{number} {' '.join(line.split())[:SHOWN]}"
    states["known"] = {
        "id": np.array(list(known), np.int64),
        "label": np.array(list(known.values()), dtype=str),
    }
    column = np.zeros(len(records), f"U{SHOWN + 12}")
    column[there] = [known[number] for number in ids.tolist()]
    return flat(states), records.labelled(FIELD, column)


_NONE = np.zeros(0, np.int64)

"""What a source says beside the numbers: the busiest processes, kept until it says anew.

Context is looked up by the time of the tick it is to explain, so that a batch explains as the
same ticks one by one would.
"""

from collections.abc import Sequence

import numpy as np

from amiss.data import Array, Records, State
from amiss.steps.systems import system_of
from amiss.words.units import write_number

CAP = 2000  # rows kept from one step to the next
LONGEST = 200  # characters of a text


def remember(state: State, records: Records, by: tuple[str, ...]) -> State:
    """Add the records that have text."""
    state = state or {
        "time": np.zeros(0, np.int64),
        "system": np.zeros(0, "U1"),
        "name": np.zeros(0, "U1"),
        "said": np.zeros(0, "U1"),
    }
    if records.text is None or not (records.text != "").any():
        return state
    rows = np.flatnonzero(records.text != "").tolist()
    systems = [system_of({k: str(v[i]) for k, v in records.labels.items()}, by) for i in rows]
    said = [
        _said(str(records.text[i]), float(records.value[i]), str(records.name[i])) for i in rows
    ]
    fresh = {
        "time": records.time[rows],
        "system": np.array(systems),
        "name": records.name[rows],
        "said": np.array(said),
    }
    return {name: np.concatenate([state[name], fresh[name]]) for name in state}


def cap(state: State) -> State:
    """The newest rows alone, should there be very many."""
    return {name: column[-CAP:] for name, column in state.items()}


def forget(state: State, now: int) -> State:
    """Without what newer context has replaced at `now`, the last tick that was judged."""
    keep = state["time"] > now
    for system in np.unique(state["system"]).tolist():
        keep |= _latest(state, system, now)
    return {name: column[keep] for name, column in state.items()}


def evidence(state: State, system: str, now: int) -> dict[str, Sequence[str]]:
    """What was said of a system when it was `now`, by name of the records."""
    found: dict[str, list[str]] = {}
    for i in np.flatnonzero(_latest(state, system, now)).tolist():
        found.setdefault(str(state["name"][i]), []).append(str(state["said"][i]))
    return dict(found)


def _latest(state: State, system: str, now: int) -> Array:
    mine = (state["system"] == system) & (state["time"] <= now)
    latest = state["time"][mine].max(initial=np.iinfo(np.int64).min)
    found: Array = mine & (state["time"] == latest)
    return found


def _said(text: str, value: float, name: str) -> str:
    """stress (pid 4242) 97 %: as the unit of these records has it."""
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
    if not np.isfinite(value):
        return text
    unit = {"top_io": "_bytes_per_second", "top_cpu": "_percent", "top_memory": "_percent"}
    return f"{text} {write_number(value, unit.get(name, name))}"

"""EVE JSON of Suricata: one object a line, of which event_type says what it is."""

from amiss.formats import objects
from amiss.formats.parsed import Parsed

REASON = "lines that are no event of Suricata"


def parse(lines: list[str]) -> Parsed:
    """Fields of objects in objects are `outer.inner`: alert.signature, flow.bytes_toserver.

    What has no event_type is counted. `stats` are sums of the whole program, and pass by.
    """
    found = objects.parse(lines)
    kinds = found.columns.get("event_type", [""] * len(found.text))
    kept = [i for i, kind in enumerate(kinds) if kind not in ("", "stats")]
    skipped, odd = found.skipped, sum(kind == "" for kind in kinds)
    if odd:
        skipped[REASON] += odd
    if len(kept) < len(kinds):
        columns = {name: [column[i] for i in kept] for name, column in found.columns.items()}
        there = {name: column for name, column in columns.items() if any(column)}
        found = Parsed([found.text[i] for i in kept], there, skipped)
    return found

"""Variants of what records are judged by: rows, requests, lines and sessions.

As in `_variants.py`: what is replaced in which file of the package.
"""

from _variants import Variant

ROWS, LINES, SESSIONS = ("unsw", "nslkdd", "logins"), ("csic", "loghub"), ("hdfs",)
VIEWS = ("pairs", "relation", "near", "ranks", "isolation", "usual")
OF_LINE = ("skeleton", "rarest pair of words", "sequence of keys", "rarest key")
OF_VALUE = (
    "largest surprise of a character", "surprise of all characters", "value itself", "long values",
    "short values",
)  # fmt: skip
FULL = "values with a code"  # there are codes for two more
WRITTEN = {50_000: "50_000", 1 / 32: "1 / 32", 1e-3: "1e-3"}
"""Values that stand in the code in another way than Python would print them."""
MEASURED = "    return out\n\n\ndef inverse("
BOTH = 'np.sqrt(_nats(past["rare"], rarity) * _nats(past["mass"], mass))'


def _numbers(name: str, which: str) -> Variant:
    """Without a kind of number: it is never judged."""
    edit = ("decide/measures.py", MEASURED, f"    out.number[{which}] = NEVER\n{MEASURED}")
    return Variant(name, (edit,), LINES)


def _one(name: str, file: str, old: str, new: str, sets: tuple[str, ...]) -> Variant:
    return Variant(name, ((file, old, new),), sets)


RECORD_PARTS = (
    *(
        _one(
            name, "decide/rarity.py", "nats.mean(axis=1) *",
            f"np.delete(nats, {k}, axis=1).mean(axis=1) *", ROWS,
        )
        for k, name in enumerate(VIEWS)
    ),
    _one(
        "in numbers", "decide/rarity.py", "np.exp(np.maximum(often, 0.0))", "np.exp(0.0 * often)",
        ROWS,
    ),
    _one(
        "little learned of what is strange", "decide/bulk.py",
        "weight[strange] = min(max(share * share, least), LITTLE)", "weight[strange] = 1.0",
        (*ROWS, *LINES),
    ),
    _one(
        "tail beyond ranks", "decide/tail.py", "np.where(x > u, size, rank)",
        "np.where(x > u, rank, rank)", ROWS,
    ),
    *(
        _numbers(name, f"{k} : OF_LINE * lines : OF_LINE")
        for k, name in enumerate(OF_LINE)
    ),
    *(
        _numbers(name, f"OF_LINE * lines + {k} :: OF_VALUE")
        for k, name in enumerate(OF_VALUE)
    ),
    _one(
        "company of words", "decide/measures.py", "        if least <= alone:", "        if False:",
        LINES,
    ),
    _one(
        "past of each field", "decide/tails.py", "LEAST = 24", "LEAST = 1 << 60", LINES,
    ),
    _one(
        "slack of characters", "decide/lines.py", "ALIKE[[CHARACTER, ALL]] = 0.1",
        "ALIKE[[CHARACTER, ALL]] = 0.0", LINES,
    ),
    _one("rare", "decide/sessions.py", BOTH, '_nats(past["mass"], mass)', SESSIONS),
    _one("mass", "decide/sessions.py", BOTH, '_nats(past["rare"], rarity)', SESSIONS),
    _one("order", "decide/sessions.py", "np.maximum(both, o / 2.0)", "both", SESSIONS),
    _one(
        "order at half its nats", "decide/sessions.py", "np.maximum(both, o / 2.0)",
        "np.maximum(both, o)", SESSIONS,
    ),
)  # fmt: skip
"""Each part taken away; what is left judges."""

_DEFAULTS: tuple[tuple[str, str, str, float, tuple[str, ...]], ...] = (
    ("decide/rarity.py", "rows asked for the past", "ASKED = {} ", 4096, ROWS),
    ("decide/rarity.py", "strangest, not in the usual part", "STRANGEST = {} ", 0.02, ROWS),
    ("decide/rarity.py", "categories apart, near", '"near": {},', 2.0, ROWS),
    ("decide/rarity.py", "categories apart, ranks", '"ranks": {}', 0.5, ROWS),
    ("decide/sample.py", "sample of rows", "ROWS = {}", 16384, ROWS),
    ("decide/sample.py", "memory of rows", "HORIZON = {}", 50_000, ROWS),
    ("decide/tail.py", "rows of the tail", "SHARE, FEWEST = {}, 4", 50, ROWS),
    ("decide/tail.py", "weight of the tail", "HEAVY = {}", 4.0, ROWS),
    ("detectors/pairs.py", "pairs of columns", "PAIRS = {}", 512, ROWS),
    ("detectors/neighbours.py", "rows kept as neighbours", "STORED = {}", 2048, ROWS),
    ("detectors/relation.py", "ridge of relations", "RIDGE = {}", 1e-3, ROWS),
    ("detectors/burst.py", "latest rows", "WINDOW = {}", 1024, ROWS),
    ("detectors/burst.py", "surroundings", "AROUND = {}", 1 / 32, ROWS),
    ("detecting/trees.py", "trees", "TREES, SAMPLES = {}, 256", 100, ROWS),
    ("detecting/trees.py", "rows of a tree", "TREES, SAMPLES = 100, {}", 256, ROWS),
    ("features/encoding.py", "values with a code", "COMMON = {} ", 6, ROWS),
    ("features/encoding.py", "values told apart", "VALUES = {} ", 32, ROWS),
    ("decide/bulk.py", "strange from", "STRANGE = {} ", 4.0, (*ROWS, *LINES)),
    ("decide/lines.py", "sample of lines", "SAMPLE, MEMORY = {}, 50_000", 4096, LINES),
    ("decide/lines.py", "lines learned together", "FIRST, BLOCK = 64, {}", 256, LINES),
    ("decide/lines.py", "slack of characters", "[[CHARACTER, ALL]] = {}", 0.1, LINES),
    ("decide/tails.py", "numbers of a field", "LEAST = {} ", 24, LINES),
    ("features/parts.py", "lines with a word of the skeleton", "OFTEN = {} ", 8, LINES),
    ("decide/sessions.py", "sample of sessions", "SAMPLE = {} ", 2048, SESSIONS),
    ("decide/sessions.py", "latest sessions", "RECENT = {} ", 2048, SESSIONS),
    ("decide/sessions.py", "slack of the order", "ALIKE = {} ", 0.1, SESSIONS),
    ("decide/sessions.py", "weight of the order", "np.maximum(both, o / {})", 2.0, SESSIONS),
)


def _scaled() -> tuple[Variant, ...]:
    found = []
    for file, name, text, value, sets in _DEFAULTS:
        for factor in (0.5,) if name == FULL else (0.5, 2.0):
            new = value * factor
            said = str(round(new)) if isinstance(value, int) else repr(new)
            was = WRITTEN.get(value, repr(value))
            found.append(
                _one(f"{name} x {factor:g}", file, text.format(was), text.format(said), sets)
            )
    return tuple(found)


RECORD_SCALED = _scaled()
"""Each default halved and doubled."""

"""The page of all equations, in the order in which a sample meets them: made of the docstrings."""

import inspect
from collections.abc import Iterator
from importlib import import_module

from amiss.reference.components import own, summary
from amiss.reference.words import Pages

HEAD = """\
# Equations

From a sample to an incident, as the code says it: each part is told here as it is where it is \
computed, and there alone, under these names. The test named with it has the same in plain \
Python, and compares. [Concepts](../concepts.md#from-a-sample-to-an-incident) has it in words.

*p* is the chance of something at least as strange, and scores are in *nats*, -ln p. `x <- ..` is \
what x is from then on: a correction of the line above, or what is learned of a sample once it was \
judged. n is how many there are so far, dt the time since the one before. (x)+ is x, and 0 where \
that is negative; clip(x, a, b) is x, but a at least and b at most; mean_k, sum_k and min_s go \
over all k or s; v' is v as a row; `day`, `hour` and `week` are spans; ln is the natural logarithm.
"""
CHAIN: dict[str, dict[str, str]] = {
    "Each series": {
        "decide.expect": "expect",
        "detectors.level": "level",
        "detectors.step": "step",
        "detectors.drift": "drift",
        "detectors.surprise": "surprise",
        "decide.rank": "rank",
        "decide.size": "size",
        "decide.fuse": "fuse",
        "decide.bounds": "bounds",
    },
    "Incidents": {
        "decide.budget": "budget",
        "decide.told": "told",
        "decide.severity": "severity",
        "decide.explain": "explain",
    },
    "Whole systems": {
        "decide.whole": "whole",
        "detectors.mahalanobis": "mahalanobis",
        "evaluate.joint": "equations",
    },
    "Single records": {
        "decide.events": "event_equations",
        "decide.rarity": "event_equations",
        "features.encoding": "rarity",
        "detectors.pairs": "rarity",
        "detectors.relation": "rarity",
        "detectors.neighbours": "rarity",
        "detecting.trees": "trees",
        "detectors.burst": "rarity",
        "decide.tail": "rarity",
        "decide.bulk": "bulk",
        "decide.cusum": "cusum",
        "decide.pace": "pace",
    },
    "What subjects do": {
        "detectors.conduct": "conduct",
        "subjects.distinct": "conduct",
        "subjects.shares": "conduct",
        "subjects.usual": "conduct",
        "subjects.habits": "habits",
    },
    "Lines": {
        "decide.lines": "line_equations",
        "decide.measures": "line_equations",
        "decide.novelty": "novelty",
        "features.grams": "line_equations",
        "decide.tails": "line_equations",
    },
    "Sessions of lines": {"decide.sessions": "sessions"},
    "Rows without time": {"decide.portion": "equations"},
}
"""The modules of each chapter, and the test with the plain version of each."""


def equations() -> Pages:
    """One page."""
    lines = [HEAD]
    for chapter, parts in CHAIN.items():
        lines += [f"## {chapter}", ""]
        for module, test in parts.items():
            lines += [*_part(module, test), ""]
    yield "equations.md", "\n".join(lines)


def _part(module: str, test: str) -> Iterator[str]:
    """A heading by the name of the file, what it says of itself, and where it is."""
    name, code = module.rpartition(".")[2], f"{module.replace('.', '/')}.py"
    yield f"### {name}\n"
    kind = own("detectors").get(name) if module.startswith("detectors.") else None
    if kind is None:
        title, _, body = (inspect.getdoc(import_module(f"amiss.{module}")) or "").partition("\n\n")
        yield f"**{' '.join(title.split())}**\n\n{body}\n"
    else:
        yield f"**{summary(kind)}** Its equations are on [its page](detectors/{name}.md).\n"
    yield (
        f"In [{code}](../../src/amiss/{code}); plain in "
        f"[test_{test}.py](../../tests/test_{test}.py)."
    )

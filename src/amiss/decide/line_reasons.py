"""What is strange about a line, in words: of the numbers that it was judged by, the rarest."""

from math import exp

import numpy as np

from amiss.data import Array
from amiss.decide import measures
from amiss.decide.lines import mean
from amiss.decide.measures import States, characters_of, measure
from amiss.features.parts import PLAIN, Parts, parts
from amiss.text.lines import Lines

SHOWN = 60  # characters of what stands in the line


def reasons(states: States, lines: Lines) -> list[str]:
    """A phrase for each line, as it would be judged now; "" without an opinion.

    The line is not learned. Cost: 100 us a line, so it is for those that are told.
    """
    if not states["past"]:
        return [""] * len(lines.begin)
    return [_reason(states, lines.part(n, n + 1)) for n in range(len(lines.begin))]


def _reason(states: States, line: Lines) -> str:
    found = parts(line, states["words"]["cells"])
    known = measure(states, found, characters_of(found))
    worst = int(np.argmax(mean(states, known)[1]))
    if worst == measures.SKELETON and known.number[measures.PAIR] == known.number[worst]:
        worst = measures.PAIR  # which is why it is new
    kind, which = known.of(worst)
    times = round(exp(-float(known.number[worst])) - 0.5)
    if kind == measures.SKELETON:
        return f"a form of line that {_met(times)}"
    if kind == measures.PAIR:
        a, b = found.pair_span[which].tolist()
        return f"words that stand together, which {_met(times)}: {_quoted(found.plain, a, b)}"
    if kind == measures.SEQUENCE or which < 0:
        return f"its keys in this order, which {_met(times)}"
    return _of_value(kind, times, found, which, _name(line, found, which))


def _of_value(kind: int, times: int, found: Parts, which: int, name: str) -> str:
    text = _quoted(found.text, *found.text_to[which : which + 2].tolist())
    if kind == measures.KEY:
        return f"a key that {_met(times)} here: {name}"
    if kind == measures.VALUE:
        return f"{name} is {text}, which {_met(times)}"
    if kind in (measures.LONG, measures.SHORT):
        size = "long" if kind == measures.LONG else "short"
        return f"{name} is {size}, {int(found.length[which])} characters: {text}"
    return f"{name} has unlikely characters: {text}"


def _name(line: Lines, found: Parts, which: int) -> str:
    a, b = found.named[which].tolist()
    if a >= 0:
        return _quoted(line.text, a, b)
    before = _quoted(found.plain, a + PLAIN, b + PLAIN)
    return f"what follows {before}" if before != '""' else "the beginning"


def _quoted(text: Array, a: int, b: int) -> str:
    said = text[a:b].tobytes().decode("utf-8", "replace").strip()
    said = "".join(c if c.isprintable() else "\ufffd" for c in said)
    return f'"{said[:SHOWN]}..."' if len(said) > SHOWN else f'"{said}"'


def _met(times: int) -> str:
    return (
        "was never met"
        if times <= 0
        else f"was met {times:,} times"
        if times > 1
        else "was met once"
    )

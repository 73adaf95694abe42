"""What is strange about a line, in words: of the numbers that it was judged by, the rarest."""

from collections.abc import Iterator
from math import exp

import numpy as np

from amiss.data import Array, Reason
from amiss.decide import measures
from amiss.decide.judged import LEAST
from amiss.decide.lines import Block
from amiss.features.parts import PLAIN, Parts, parts

SHOWN = 60  # characters of what stands in the line


def strange(block: Block) -> Iterator[tuple[int, Reason]]:
    """Which of all lines are strange by themselves, and why."""
    for n in np.flatnonzero(block.nats >= LEAST).tolist():
        yield block.first + n, reason(block, n)


def reason(block: Block, n: int) -> Reason:
    """Why line n of a block is strange. Some 30 us."""
    found, known = block.found, block.known
    worst = known.worst(block.each, n)
    kind, which = known.of(worst)
    pair = worst - measures.SKELETON + measures.PAIR
    if kind == measures.SKELETON and known.number[pair] == known.number[worst]:
        kind, which = known.of(worst := pair)  # which is why it is new
    times = round(exp(-float(known.number[worst])) - 0.5)
    if kind == measures.SKELETON:
        return Reason("form", f"a form of line that {_met(times)}")
    if kind == measures.PAIR:
        alone = _alone(block, n)
        a, b = alone.pair_span[which - found.pairs_to[n]].tolist()
        said = _quoted(alone.plain, a, b)
        return Reason("words", f"words that stand together, which {_met(times)}: {said}")
    if kind == measures.SEQUENCE or which < 0:
        return Reason("order", f"its keys in this order, which {_met(times)}")
    name = _name(block, which, n)
    about = "key" if kind == measures.KEY else name
    return Reason(about, _of_value(kind, times, found, which, name))


def _alone(block: Block, n: int) -> Parts:
    """A line by itself, with what stands in it."""
    return parts(block.lines.part(n, n + 1), block.cells)


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


def _name(block: Block, which: int, n: int) -> str:
    a, b = block.found.named[which].tolist()
    if a >= 0:
        return _quoted(block.lines.text, a, b)
    before = _quoted(_alone(block, n).plain, a + PLAIN, b + PLAIN)
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

"""How surprising are the characters of a value, after those of its field and of all fields.

P = 1/256, then for each level (all fields, this field) and each order (1, 2):
    P = (c + d P) / (t + d)
with c how often the character came in its context, t how often the context did, and d how many
different characters came after it. A value ends with a character of its own.
Witten and Bell, "The zero-frequency problem", IEEE Trans. Inf. Theory 37, 1991.
"""

from collections.abc import Sequence

import numpy as np

from amiss.data import Array, Floats, State

BITS = 20  # cells of the tables: 2^BITS; n-grams and contexts are found by their hash
ORDER = 2  # characters of an n-gram; more know less of what comes seldom
LEAST = 1e-12

Text = tuple[int, bytes]
"""A field, and what stands in it."""

ONE, TWO, THREE = (
    np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xA0761D6478BD642F)
)
DOWN = np.uint64(64 - BITS)


def init() -> State:
    """No value yet: 12.6 MB."""
    return {name: np.zeros(1 << BITS, np.int32) for name in ("count", "total", "distinct")}


def surprise(state: State, texts: Sequence[Text], alone: bool = False) -> tuple[Floats, Floats]:
    """N texts -> the largest -ln P of their characters, and the sum over sqrt(length); (N,) each.

    `alone`: they were learned themselves; leave each out. Cost: about 100 ns a character.
    """
    cells, contexts, _, begin = _cells(texts)
    p = np.full(cells.shape[1], 1 / 256)
    for cell, context in zip(cells, contexts, strict=True):
        c, t, d = state["count"][cell], state["total"][context], state["distinct"][context]
        if alone:
            c, t, d = np.maximum(c - 1, 0), np.maximum(t - 1, 0), np.maximum(d - (c == 1), 0)
        p = np.where(t > 0, (c + d * p) / np.maximum(t + d, 1), p)
    nats = -np.log(np.maximum(p, LEAST))
    lengths = np.diff(np.append(begin, len(nats)))
    return np.maximum.reduceat(nats, begin), np.add.reduceat(nats, begin) / np.sqrt(lengths)


def learn(state: State, texts: Sequence[Text]) -> State:
    """Count the characters of some texts, which may repeat."""
    many: dict[Text, int] = {}
    for text in texts:
        many[text] = many.get(text, 0) + 1
    if not many:
        return state
    cells, contexts, owner, _ = _cells(list(many))
    weight = np.fromiter(many.values(), np.int32)[owner]
    weight = np.broadcast_to(weight, cells.shape).ravel()
    cell, context = cells.ravel(), contexts.ravel()
    fresh = np.flatnonzero(state["count"][cell] == 0)
    _, first = np.unique(cell[fresh], return_index=True)
    np.add.at(state["distinct"], context[fresh[first]], 1)
    np.add.at(state["count"], cell, weight)
    np.add.at(state["total"], context, weight)
    return state


def _cells(texts: Sequence[Text]) -> tuple[Array, Array, Array, Array]:
    """Cells of all n-grams and of their contexts (levels x orders, characters); whose each
    character is, and where texts begin."""
    joined = b"".join(b"\1" * ORDER + data + b"\0" for _, data in texts)
    u = np.frombuffer(joined, np.uint8).astype(np.uint64)
    lengths = np.array([len(data) + 1 for _, data in texts])
    owner = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(owner)) + ORDER * (owner + 1)
    field = np.array([field for field, _ in texts], np.uint64)[owner] * np.uint64(16)
    now, past = u[place] + np.uint64(7), np.zeros(len(place), np.uint64)
    before = []
    for order in range(1, ORDER + 1):
        if order > 1:
            past = past * np.uint64(257) + u[place - (order - 1)] + np.uint64(1)
        before.append(past * THREE)
    cells, contexts = [], []
    for level in (np.zeros(1, np.uint64), field):
        for order, key in enumerate(before, 1):
            k = (level + np.uint64(order)) * TWO ^ key
            k ^= k >> np.uint64(29)
            contexts.append((k * ONE) >> DOWN)
            cells.append((((k + now) * ONE) ^ k) * TWO >> DOWN)
    begin = np.cumsum(lengths) - lengths
    return np.stack(cells).astype(np.int64), np.stack(contexts).astype(np.int64), owner, begin

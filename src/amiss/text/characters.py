"""Characters of values, each after the one before it, in fields: each such gram has a number.

The same grams come again and again in a block of lines. What is known of one, and what is learned
of it, is looked up by its number, which is found once.
With each gram come three that say less: its character anywhere in the field; in all fields after
the one before; and anywhere in all fields. Characters are bytes, all digits the same. A value ends
with a character of its own. Compiled.
"""

from typing import NamedTuple

import numpy as np

from amiss.data import Array
from amiss.kernel import borrowing, inlined
from amiss.text.hashes import COUNT, NONE, TAG, cell

END, BEGIN = 0, 1  # characters
NOUGHT, NINE, TEN = (np.uint64(n) for n in (48, 57, 10))
EIGHT, LOW, ANY, SPAN = (np.uint64(n) for n in (8, 255, 256, 511))
FIELD = ~np.uint64((1 << 17) - 1)
ALL = np.uint64(0x165667B19E3779F9)
AFTER = np.uint64(0x9E3779B97F4A7C15)
ONE, DOWN = np.uint64(1), np.uint64(32)
MOST = 1 << 14  # grams that have a number at once
LESS = 3  # grams that come with one


class Characters(NamedTuple):
    """The grams of values from `span[0]` to before `span[1]`, of which there are `span[2]`."""

    text: Array  # the bytes of all values
    text_to: Array  # (values + 1,) where those of each end
    field: Array  # (values,)
    same: Array  # (values,) the first value that is the same but for digits, in the same field
    which: Array  # uint16: of each character and each end, the gram; for first values alone
    span: Array
    cells: Array  # uint16 by hash, a gram and 1; 0 is free
    key: Array  # of each gram: upper bits of its field, the character before or ANY, the character
    of: Array  # its field, or ALL
    less: Array  # (grams, 3) those that come with it, or -1
    weight: Array  # how often it came, to be learned
    context: Array  # where its context is in a table, and itself; or -1
    place: Array


def characters(text: Array, text_to: Array, field: Array, form: Array) -> Characters:
    """The characters of values (N,), where `form` is equal for those that differ in digits alone.

    Values have at most 4,095 bytes. Takes 1.5 MB at most, and two bytes a character. No gram has
    a number yet.
    """
    values = len(text_to) - 1
    size = int(text_to[-1]) + values
    room = min(MOST, (1 + LESS) * size)
    same = np.empty(values, np.int64)
    _same(form, np.zeros(1 << (2 * values + 1).bit_length(), np.uint64), same)
    return Characters(
        text, text_to, field, same,
        which=np.empty(size, np.uint16),
        span=np.full(3, -1),
        cells=np.empty(1 << (2 * room - 1).bit_length(), np.uint16),
        key=np.empty(room, np.uint64),
        of=np.empty(room, np.uint64),
        less=np.empty((room, LESS), np.int32),
        weight=np.empty(room, np.int64),
        context=np.empty(room, np.int32),
        place=np.empty(room, np.int32),
    )  # fmt: skip


@borrowing
def _same(form: Array, table: Array, same: Array) -> None:
    for k in range(len(same)):
        at = cell(table, form[k])
        if table[at] == NONE:
            table[at] = (form[k] & TAG) | np.uint64(k + 1)
        same[k] = np.int64(table[at] & COUNT) - 1


@inlined
def _at(cells: Array, keys: Array, key: np.uint64) -> np.uint64:
    """Where in the table a gram is, or would go."""
    last = np.uint64(len(cells) - 1)
    at = ((key * AFTER) >> DOWN) & last
    while cells[at] != 0 and keys[cells[at] - ONE] != key:
        at = (at + ONE) & last
    return at


@borrowing
def number(some: Characters, first: int) -> int:
    """Give numbers to the grams of values from the first on; where the room for them ends."""
    text, text_to, field, same, which, span, cells, keys, of, less, _, _, _ = some
    many, k = 0, first
    cells[:] = 0
    while k < len(same):
        a, b = text_to[k], text_to[k + 1]
        if many + (1 + LESS) * (b + 1 - a) > len(keys):
            break
        base, before = field[k], np.uint64(BEGIN)
        for j in range(a, b + 1 if same[k] == k else a):
            byte = np.uint64(text[j]) if j < b else np.uint64(END)
            if NINE - byte < TEN:
                byte = NOUGHT
            key = (base & FIELD) | (before << EIGHT) | byte
            at = _at(cells, keys, key)
            if cells[at] == 0:
                keys[many], of[many] = key, base
                cells[at] = many + 1
                many = _fewer(cells, keys, of, less, many)
            which[j + k] = cells[at] - ONE
            before = byte
        k += 1
    some.weight[:many], some.context[:many], some.place[:many] = 0, -1, -1
    span[0], span[1], span[2] = first, k, many
    return k


@borrowing
def _fewer(cells: Array, keys: Array, of: Array, less: Array, gram: int) -> int:
    """Number those that come with a gram that is new, the last; how many there are then."""
    many, byte, before = gram + 1, keys[gram] & LOW, (keys[gram] >> EIGHT) & SPAN
    for view in range(LESS):
        wide = of[gram] if view == 0 else ALL
        key = (wide & FIELD) | ((before if view == 1 else ANY) << EIGHT) | byte
        to = _at(cells, keys, key)
        if cells[to] == 0:
            less[many, 0], keys[many], of[many] = -1, key, wide
            many += 1
            cells[to] = many
        less[gram, view] = np.int64(cells[to]) - 1
    return many

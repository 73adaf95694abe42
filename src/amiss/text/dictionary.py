"""Columns of texts by a dictionary: each text once, and which of them each row has. Compiled.

Names and labels of records are the same few again and again; what is asked of a text is asked once.
"""

from typing import Any

import numpy as np

from amiss.data import Array, Strings
from amiss.kernel import borrowing
from amiss.text.hashes import PRIME, START, mixed

MEETING = 16  # others that a row meets in the table on average, at most; by chance it is one


def encoded(*columns: Strings) -> tuple[Array, Array]:
    """One or more columns of N texts -> the first row that has each (K,), and which of those each
    row has (N,): numbers from 0 in the order in which they first come.

    With several columns, rows are the same where all of them are. Cost: 1 to 2 ns a character of
    the column's width, which is a tenth of sorting them. Texts that were made to meet at one place
    of a table are sorted.
    """
    if len(columns) == 1:
        return _rows(_characters(columns[0]))
    codes = [encoded(column)[1] for column in columns]
    return _rows(np.stack(codes, axis=1).astype(np.uint32))


def _characters(column: Strings) -> Array:
    """(N, width) code points."""
    column = np.ascontiguousarray(column)
    return column.view(np.uint32).reshape(len(column), column.dtype.itemsize // 4)


def _rows(rows: Array) -> tuple[Array, Array]:
    n = len(rows)
    rows = rows.view()
    rows.flags.writeable = False  # of both kinds the kernel would be compiled twice
    first, code = np.empty(n, np.int64), np.empty(n, np.int64)
    table = np.zeros(1 << (2 * n + 1).bit_length(), np.int32)
    many = _encode(rows, first, code, np.empty(n, np.uint64), table)
    return _by_order(rows) if many < 0 else (first[:many].copy(), code)


def _by_order(rows: Array) -> tuple[Array, Array]:
    """The same, slower, whatever the texts are."""
    _, first, which = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return first[order], place[which.ravel()]


@borrowing
def _encode(rows: Array, first: Array, code: Array, hashes: Array, table: Array) -> Any:
    """Fill `first` and `code`; how many are different, or -1 if far more of them meet than chance
    has it. `table` has a row's number and 1, or 0.
    """
    many, last, left = 0, np.uint64(len(table) - 1), MEETING * (len(rows) + 1)
    for n in range(len(rows)):
        if n and _same(rows, n, n - 1):
            code[n] = code[n - 1]
            continue
        key = START
        for k in range(rows.shape[1]):
            key = (key ^ np.uint64(rows[n, k])) * PRIME
        key = mixed(key)
        at = np.int64(key & last)
        while table[at] != 0:
            one = table[at] - 1
            if hashes[one] == key and _same(rows, n, first[one]):
                break
            at = (at + 1) & (len(table) - 1)
            left -= 1
            if left < 0:
                return -1
        if table[at] == 0:
            first[many], hashes[many] = n, key
            many += 1
            table[at] = many
        code[n] = table[at] - 1
    return many


@borrowing
def _same(rows: Array, a: int, b: int) -> bool:
    for k in range(rows.shape[1]):
        if rows[a, k] != rows[b, k]:
            return False
    return True

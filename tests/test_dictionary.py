"""Columns by a dictionary: against the dictionary of Python."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import Array
from amiss.text import dictionary
from amiss.text.dictionary import encoded
from amiss.text.hashes import PRIME, START, mixed

TEXTS = st.lists(st.text(st.sampled_from("ab\0\u00e9\U0001f600"), max_size=4), max_size=40)


def naive(rows: list[object]) -> tuple[list[int], list[int]]:
    """The first of each row, and which of those each has."""
    first: dict[object, int] = {}
    for n, row in enumerate(rows):
        first.setdefault(row, n)
    order = list(first)
    return list(first.values()), [order.index(row) for row in rows]


@given(TEXTS)
def test_each_text_has_one_number_in_the_order_of_its_coming(texts: list[str]) -> None:
    column = np.array(texts, dtype=str)
    first, which = encoded(column)
    assert (first.tolist(), which.tolist()) == naive(column.tolist())
    assert column[first][which].tolist() == column.tolist()


@given(st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from(["", "a", "bb"])), max_size=40))
def test_rows_of_several_columns_are_the_same_where_all_of_them_are(
    rows: list[tuple[str, str]],
) -> None:
    columns = [np.array([row[i] for row in rows], dtype=str) for i in range(2)]
    first, which = encoded(*columns)
    assert (first.tolist(), which.tolist()) == naive(rows)


def test_many_texts_that_are_all_different_keep_their_order() -> None:
    column = np.array([f"{i * 7919 % 10007}" for i in range(10007)])
    first, which = encoded(column)
    assert first.tolist() == which.tolist() == list(range(10007))


def test_a_part_of_a_column_is_encoded_as_it_stands() -> None:
    column = np.array(["a", "b", "a", "c", "a", "b"])
    first, which = encoded(column[::2])
    assert (first.tolist(), which.tolist()) == ([0], [0, 0, 0])


def test_texts_made_to_meet_in_the_table_are_sorted_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sorted_ones = []

    def by_order(rows: Array) -> tuple[Array, Array]:
        sorted_ones.append(len(rows))
        return known(rows)

    known = dictionary._by_order
    monkeypatch.setattr(dictionary, "_by_order", by_order)
    letters = np.stack(np.meshgrid(*3 * [np.arange(97, 177)], indexing="ij"), axis=-1)
    made, key = letters.reshape(-1, 3).astype(np.uint32), np.full(80**3, START)
    for k in range(3):
        key = (key ^ made[:, k].astype(np.uint64)) * PRIME
    where = np.array([int(mixed(one)) & 1023 for one in key])
    column = made[where == 0][:200].copy().view("U3").ravel()[::-1]
    first, which = encoded(np.concatenate([column, column]))
    assert (len(column), sorted_ones) == (200, [400])
    assert (first.tolist(), which.tolist()) == naive(column.tolist() * 2)

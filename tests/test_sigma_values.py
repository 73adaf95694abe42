"""Values of Sigma rules with wildcards, dashes and codes, beside a plain way to find the same."""

import base64
from functools import cache

import numpy as np
import pytest

from amiss.sigma.values import match


def naive(wanted: str, text: str) -> bool:
    """Whether a text is as a value with * and ? says, each character tried in turn."""

    @cache
    def from_(i: int, j: int) -> bool:
        if i == len(wanted):
            return j == len(text)
        if wanted[i] == "*":
            return from_(i + 1, j) or (j < len(text) and from_(i, j + 1))
        return j < len(text) and wanted[i] in ("?", text[j]) and from_(i + 1, j + 1)

    return from_(0, 0)


@pytest.mark.parametrize("placed", ["", "contains", "startswith", "endswith"])
def test_wildcards_hold_where_trying_each_way_finds_one(placed: str) -> None:
    chance = np.random.default_rng(0)
    before = "*" if placed in ("contains", "endswith") else ""
    after = "*" if placed in ("contains", "startswith") else ""
    found = []
    for _ in range(3000):
        wanted = "".join(chance.choice(list("ab*?"), chance.integers(1, 7)))
        text = "".join(chance.choice(list("ab\n"), chance.integers(0, 9)))
        found.append(match(wanted, [placed] if placed else [])(text))
        assert found[-1] == naive(before + wanted + after, text), (wanted, text)
    assert 0 < sum(found) < len(found)


def test_wildcards_are_tried_once_a_place() -> None:
    """There are some 10^13 ways to put three pieces."""
    text = "a" * 2700 + "b" * 2700 + "c" * 2700
    assert not match("*a*b*c*d*", [])(text)
    assert not match("a*b*c*d", ["contains"])(text)
    assert match("*a*b*c*c", [])(text)


def test_each_dash_that_begins_a_word_is_any_kind_of_dash() -> None:
    found = match(" -a x-y /b", ["windash", "contains"])
    assert found("sh -a x-y -b")
    assert found("sh /a x-y \u2013b")
    assert not found("sh -a x/y /b")
    assert not found("sh a x-y b")
    assert match("-*-z", ["windash"])("-1/z")


@pytest.mark.parametrize("text", ["whoami", "caf\u00e9 \u20ac5", "\U0001f600!"])
def test_wide_is_two_bytes_a_character_as_windows_has_them(text: str) -> None:
    for begin in ("", "ab", "abcd"):
        coded = base64.b64encode((begin + text + "!").encode("utf-16le")).decode()
        assert match(text, ["wide", "base64offset", "contains"])(f"-enc {coded}")
        assert match(text, ["utf16le", "base64offset"])(coded)
    assert match(text, ["wide", "base64"])(base64.b64encode(text.encode("utf-16le")).decode())
    assert match(text, ["base64"])(base64.b64encode(text.encode()).decode())

"""The condition of a Sigma rule: and, or, not, brackets, `1 of selection*`, `all of them`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import reduce
from typing import TypeAlias

import numpy as np

from amiss.data import Array

Held: TypeAlias = Callable[[str], Array]
"""Which records (N,) a selection of this name holds for."""
Test: TypeAlias = Callable[[Held], Array]

TOKEN = re.compile(r"\s*([()|]|[^\s()|]+)")
DEEPEST = 50


class Unsupported(ValueError):
    """Why a rule cannot be used, in words."""


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    names: Sequence[str]
    depth: int = 0

    def word(self) -> str:
        return self.tokens[0].lower() if self.tokens else ""

    def either(self) -> Test:
        found = [self.both()]
        while self.word() == "or":
            self.tokens.pop(0)
            found.append(self.both())
        return _joined(np.logical_or, found)

    def both(self) -> Test:
        found = [self.one()]
        while self.word() == "and":
            self.tokens.pop(0)
            found.append(self.one())
        return _joined(np.logical_and, found)

    def one(self) -> Test:
        self.depth += 1
        if self.depth > DEEPEST or not self.tokens:
            raise Unsupported("its condition ends too soon" if not self.tokens else "too deep")
        token = self.tokens.pop(0)
        word = token.lower()
        if word == "not":
            inner = self.one()
            found: Test = lambda held: np.logical_not(inner(held))  # noqa: E731
        elif word == "(":
            found = self.either()
            if self.word() != ")":
                raise Unsupported("a bracket of its condition is not closed")
            self.tokens.pop(0)
        elif word in ("1", "any", "all") and self.word() == "of":
            self.tokens.pop(0)
            found = self.several(word)
        elif token in self.names:
            found = lambda held: held(token)  # noqa: E731
        else:
            raise Unsupported(f"its condition has no selection {token!r}")
        self.depth -= 1
        return found

    def several(self, how: str) -> Test:
        pattern = self.tokens.pop(0) if self.tokens else ""
        chosen = [name for name in self.names if not name.startswith("_")]
        if pattern.lower() != "them":
            chosen = [name for name in self.names if fnmatchcase(name, pattern)]
        if not chosen:
            raise Unsupported(f"its condition has no selection {pattern!r}")
        join = np.logical_and if how == "all" else np.logical_or
        return lambda held: np.asarray(join.reduce([held(name) for name in chosen]))


def _joined(join: Callable[[Array, Array], Array], parts: Sequence[Test]) -> Test:
    return lambda held: reduce(join, (part(held) for part in parts))


def condition(said: str, selections: Mapping[str, object]) -> Test:
    """What tells, of the records that selections hold for, those that a condition does.

    Raises Unsupported with the reason.
    """
    tokens = TOKEN.findall(said)
    if "|" in tokens:
        raise Unsupported("aggregation (what follows |) is not supported")
    reader = _Reader(tokens, list(selections))
    found = reader.either()
    if reader.tokens:
        raise Unsupported(f"its condition goes on with {reader.tokens[0]!r}")
    return found

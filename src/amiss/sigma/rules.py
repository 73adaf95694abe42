"""Sigma rules from files: what can be matched is compiled, what cannot is refused with a reason."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amiss.data import Array, Records, Severity
from amiss.sigma.column import Column
from amiss.sigma.condition import Test, Unsupported, condition
from amiss.sigma.values import KNOWN, Match, absent, match

GRAVE: Mapping[str, Severity] = {
    "informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "high",
}  # fmt: skip
MOST = 5000  # rules
LARGEST = 2**20  # bytes of a file
LEFT = ("timeframe", "condition")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a selection: what a field must be. A field of "" is all that a record says."""

    field: str
    matches: tuple[Match, ...]
    every: bool  # whether all must match, or any
    exists: bool | None = None  # whether it is about the field being there alone


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that can be matched."""

    title: str
    severity: Severity
    selections: Mapping[str, tuple[tuple[Item, ...], ...]]  # any of these, all of whose items hold
    tests: tuple[Test, ...]  # any of its conditions


@dataclass(frozen=True, slots=True)
class Refused:
    """One that cannot, with where it is and why."""

    file: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.why}"


def read(place: str, fields: Mapping[str, str]) -> tuple[list[Rule], list[Refused]]:
    """All rules of a file, or of the .yml and .yaml files of a folder and those in it.

    `fields` are other names for the fields of rules. Raises ValueError if there is no such place.
    """
    path = Path(place)
    files = [path]
    if path.is_dir():
        files = sorted(f for f in path.rglob("*") if f.suffix in (".yml", ".yaml"))
    elif not path.is_file():
        raise ValueError(f"{place} is neither a file nor a folder")
    rules, refused = list[Rule](), list[Refused]()
    for file in files:
        for line, found in _documents(file):
            try:
                if isinstance(found, str):
                    raise Unsupported(found)
                if len(rules) >= MOST:
                    raise Unsupported(f"there are {MOST:,} rules before it, which is most")
                rules.append(_rule(found, fields))
            except Unsupported as exc:
                refused.append(Refused(str(file), line, str(exc)))
    return rules, refused


def _documents(file: Path) -> Iterator[tuple[int, Any]]:
    """The line where each begins, and what it holds; a text is why it cannot be read."""
    try:
        if file.stat().st_size > LARGEST:
            yield 1, f"it is larger than {LARGEST // 2**20} MB"
            return
        nodes = list(yaml.compose_all(file.read_text("utf-8-sig"), yaml.CSafeLoader))
        for node in nodes:
            if node is not None:
                yield node.start_mark.line + 1, _loaded(node)
    except OSError as exc:
        yield 1, f"it cannot be read: {exc.strerror}"
    except UnicodeDecodeError:
        yield 1, "it is not written in UTF-8"
    except (yaml.YAMLError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        yield (mark.line + 1 if mark else 1), "it is no YAML"


def _loaded(node: yaml.Node) -> Any:
    """What a document holds, or why it cannot be read."""
    if _aliased(node):  # a few lines of them can stand for any number of values
        return "aliases of YAML (*name) are not supported"
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        return f"it is no YAML: {(str(exc).splitlines() or [''])[0]}"


def _aliased(node: yaml.Node) -> bool:
    seen, left = set[int](), [node]
    while left:
        one = left.pop()
        if id(one) in seen:
            return True
        seen.add(id(one))
        if isinstance(one, yaml.MappingNode):
            left.extend(part for pair in one.value for part in pair)
        elif isinstance(one, yaml.SequenceNode):
            left.extend(one.value)
    return False


def _rule(said: Any, fields: Mapping[str, str]) -> Rule:
    if not isinstance(said, dict) or not isinstance(said.get("detection"), dict):
        if isinstance(said, dict) and "correlation" in said:
            raise Unsupported("correlation is not supported")
        raise Unsupported("it is no Sigma rule: it has no detection")
    detection = said["detection"]
    if "timeframe" in detection:
        raise Unsupported("a timeframe is not supported")
    level = str(said.get("level", "medium")).lower()
    if level not in GRAVE:
        raise Unsupported(f"there is no level {level[:40]!r}")
    selections = {
        str(name): _selection(one, fields) for name, one in detection.items() if name not in LEFT
    }
    asked = detection.get("condition")
    conditions = asked if isinstance(asked, list) else [asked]
    if not conditions or not all(isinstance(one, str) for one in conditions):
        raise Unsupported("it has no condition")
    tests = tuple(condition(one, selections) for one in conditions)
    return Rule(str(said.get("title", "untitled"))[:100], GRAVE[level], selections, tests)


def _selection(said: Any, fields: Mapping[str, str]) -> tuple[tuple[Item, ...], ...]:
    if isinstance(said, dict):
        return (tuple(_item(str(key), value, fields) for key, value in said.items()),)
    many = said if isinstance(said, list) else [said]
    maps = [one for one in many if isinstance(one, dict)]
    words = tuple(match(one, ["contains"]) for one in many if not isinstance(one, dict | list))
    found = [tuple(_item(str(k), v, fields) for k, v in one.items()) for one in maps]
    if words:
        found.append((Item("", words, False),))
    if not found or len(maps) + len(words) != len(many):
        raise Unsupported("a selection holds neither fields nor words")
    return tuple(found)


def _item(key: str, value: Any, fields: Mapping[str, str]) -> Item:
    name, *modifiers = key.split("|")
    for one in modifiers:
        if one not in KNOWN:
            raise Unsupported(f"modifier {one[:40]!r} is not supported")
    field = fields.get(name, name)
    if "exists" in modifiers:
        asked = {"true": True, "false": False}.get(str(value).lower())
        if asked is None:
            raise Unsupported(f"{key[:40]}: it is neither true nor false")
        return Item(field, (), False, asked)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise Unsupported(f"{key}: there is nothing to look for")
    if any(isinstance(one, list | dict | set) for one in values):
        raise Unsupported(f"{key[:40]}: a value is a list or a map")
    if values == [None]:
        return Item(field, (), False, False)
    matches = tuple(absent if one in (None, "") else match(one, modifiers) for one in values)
    return Item(field, matches, "all" in modifiers)


class Table:
    """Records looked at by many rules: each field is searched by its distinct texts, once a value.

    Cost: O(distinct texts) for each item of each rule, and O(N) to spread what was found.
    """

    def __init__(self, records: Records) -> None:
        self.records = records
        self.columns = dict[str, Column]()

    def held(self, rule: Rule) -> Array:
        """Which records (N,) a rule holds for."""
        found = dict[str, Array]()

        def of(name: str) -> Array:
            if name not in found:
                found[name] = self._any(rule.selections[name])
            return found[name]

        held = np.zeros(len(self.records.time), np.bool_)
        for test in rule.tests:
            held = held | test(of)
        return held

    def _any(self, parts: tuple[tuple[Item, ...], ...]) -> Array:
        held = np.zeros(len(self.records.time), np.bool_)
        for items in parts:
            all_of = np.ones(len(held), np.bool_)
            for item in items:
                rows = np.flatnonzero(all_of)
                if not len(rows):
                    break
                all_of[rows] = self._item(item, rows)
            held |= all_of
        return held

    def _item(self, item: Item, rows: Array) -> Array:
        if item.field == "":
            every = [self._matched(name, item, rows) for name in (*self.records.labels, "text")]
            return np.asarray(np.logical_or.reduce(every))
        return self._matched(item.field, item, rows)

    def _matched(self, field: str, item: Item, rows: Array) -> Array:
        column = self._column(field)
        which, back = np.arange(len(column.texts)), column.where[rows]
        if len(rows) < len(which) // 4:
            which, back = np.unique(back, return_inverse=True)
        if item.exists is not None:
            return np.asarray((column.there[which] == item.exists)[back])
        hit = np.full(len(which), item.every)
        for test in item.matches:
            left = np.flatnonzero(hit == item.every)  # the others are settled
            found = column.holds(test, which[left])
            hit[left] = found if test is absent else found & column.there[which[left]]
        return np.asarray(hit[back])

    def _column(self, field: str) -> Column:
        """One that no record has is as one that these records do not have."""
        texts = self.records.labels.get(field)
        if texts is None and field == "text":
            texts = self.records.text
        name = "" if texts is None else field
        if name not in self.columns:
            none = np.full(len(self.records.time), "")
            self.columns[name] = Column(none if texts is None else texts)
        return self.columns[name]

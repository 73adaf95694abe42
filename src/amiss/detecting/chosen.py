"""Which series a detector is about: by name and labels, with * for anything. Pure."""

import re
from collections.abc import Mapping
from functools import lru_cache

from amiss.data import parse_key, series_key

Chosen = tuple[int, ...]


def chosen(metric: str, where: Mapping[str, str], keys: tuple[str, ...]) -> Chosen:
    """The numbers of the series whose names are as `metric` says, and labels as `where` says."""
    return _chosen(metric, tuple(sorted(where.items())), keys)


@lru_cache(maxsize=64)
def _chosen(metric: str, where: tuple[tuple[str, str], ...], keys: tuple[str, ...]) -> Chosen:
    name, labels = pattern(metric), [(label, pattern(text)) for label, text in where]
    found = []
    for s, key in enumerate(keys):
        said, of = parse_key(key)
        if name.fullmatch(said) and all(p.fullmatch(of.get(label, "")) for label, p in labels):
            found.append(s)
    return tuple(found)


@lru_cache(maxsize=64)
def beside(name: str, keys: tuple[str, ...], some: tuple[str, ...]) -> list[int]:
    """Of each of some series, which of all has this name and the same labels; -1 if none has."""
    where = {key: s for s, key in enumerate(keys)}
    return [where.get(series_key(name, parse_key(key)[1]), -1) for key in some]


@lru_cache(maxsize=64)
def groups(keys: tuple[str, ...], but: tuple[str, ...]) -> tuple[Chosen, ...]:
    """The numbers of series that have the same name and labels, but for some labels."""
    found: dict[str, list[int]] = {}
    for s, key in enumerate(keys):
        name, labels = parse_key(key)
        rest = {label: text for label, text in labels.items() if label not in but}
        found.setdefault(series_key(name, rest), []).append(s)
    return tuple(tuple(members) for members in found.values())


def pattern(text: str) -> re.Pattern[str]:
    """What a text with * matches. What stands between two * is found once, where it comes first:
    so no text takes longer than its length times that of the pattern.
    """
    first, *rest = (re.escape(part) for part in re.split(r"\*+", text))
    between = "".join(f"(?>.*?{part})" for part in rest[:-1])
    return re.compile(first + between + "".join(f".*{part}" for part in rest[-1:]), re.DOTALL)

"""Answers of Prometheus and VictoriaMetrics to range queries, read into columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from amiss.data import Floats, Strings, Times

NAME = "__name__"
METRIC = "metric"
"""The label that keeps the names of metrics apart, where a query gives several."""
MILLISECOND = 10**6
LONGEST = 300  # characters of what a server says


@dataclass(frozen=True, slots=True)
class Line:
    """One series of an answer. Not finite is NaN."""

    labels: Mapping[str, str]
    time: Times  # (N,) ns
    value: Floats  # (N,)


@dataclass(frozen=True, slots=True)
class Answer:
    """The series of one query, and what else the server had to say."""

    lines: Sequence[Line]
    warnings: tuple[str, ...] = ()
    partial: bool = False  # of a cluster of which some did not answer


def read(body: bytes) -> Answer:
    """An answer of /api/v1/query_range. 0.2 us a sample, 2 us a series.

    Raises ValueError if it is none, and for one that says it failed, with what it says.
    """
    try:
        said = orjson.loads(body)
        if said["status"] != "success":
            raise ValueError(complaint(body) or "it failed and does not say why")
        if said["data"]["resultType"] != "matrix":
            raise ValueError(f"a {said['data']['resultType']} is no series")
        result = said["data"]["result"]
        names = {one["metric"].get(NAME, "") for one in result}
        lines = [_line(one, len(names) > 1) for one in result]
    except orjson.JSONDecodeError:
        raise ValueError("what it answered is no JSON") from None
    except (KeyError, TypeError, AttributeError, IndexError):
        raise ValueError("it does not answer as Prometheus does") from None
    warnings = tuple(_short(str(one)) for one in said.get("warnings") or ())
    return Answer(lines, warnings, bool(said.get("isPartial")))


def _line(one: dict[str, Any], several: bool) -> Line:
    labels = {str(name): str(text) for name, text in one["metric"].items() if name != NAME}
    if several:
        labels[METRIC] = one["metric"].get(NAME, "")
    seconds, said = zip(*one["values"], strict=True) if one["values"] else ((), ())
    time = np.rint(np.array(seconds, np.float64) * 1000).astype(np.int64) * MILLISECOND
    value = np.array(list(map(float, said)), np.float64)
    return Line(labels, time, np.where(np.isfinite(value), value, np.nan))


def complaint(body: bytes) -> str:
    """What a server says of a query that failed, on one line; "" if it says nothing of use."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = body[: 4 * LONGEST].decode("utf-8", "replace")
        return "" if "<" in text else _short(text)  # a page for people, of a proxy
    error = said.get("error") if isinstance(said, dict) else None
    return _short(str(error)) if error else ""


def _short(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def columns(
    lines: Sequence[tuple[str, Line]], rename: Mapping[str, str]
) -> tuple[Times, Strings, Floats, dict[str, Strings]]:
    """Time, name, value and labels (N,) of lines with the name of each, labels called anew."""
    sizes = [len(line.time) for _, line in lines]
    names = {name for _, line in lines for name in line.labels}
    found: dict[str, Strings] = {}
    for name in sorted(names):
        told = [line.labels.get(name, "") for _, line in lines]
        found[rename.get(name, name)] = _repeated(told, sizes)
    return (
        np.concatenate([line.time for _, line in lines] or [np.zeros(0, np.int64)]),
        _repeated([name for name, _ in lines], sizes),
        np.concatenate([line.value for _, line in lines] or [np.zeros(0)]),
        found,
    )


def _repeated(texts: Iterable[str], sizes: Sequence[int]) -> Strings:
    return np.repeat(np.array(list(texts), np.str_), sizes)

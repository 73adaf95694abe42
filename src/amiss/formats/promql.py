"""Answers of Prometheus and VictoriaMetrics to range queries, read into columns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from amiss.data import Floats, Strings, Times
from amiss.formats.decoded import decoded

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
    several: bool = False  # metrics, of which each line has its own as label
    warnings: tuple[str, ...] = ()
    partial: bool = False  # of a cluster of which some did not answer
    histograms: int = 0  # native ones, which are no samples


def read(body: bytes, several: bool = False) -> Answer:
    """An answer of /api/v1/query_range. 0.2 us a sample, 2 us a series. `several`: an earlier
    one gave several metrics, so the label that keeps them apart stays.

    Raises ValueError if it is none, and for one that says it failed, with what it says.
    """
    try:
        said = decoded(body)
        if said["status"] != "success":
            raise ValueError(complaint(body) or "it failed and does not say why")
        if said["data"]["resultType"] != "matrix":
            raise ValueError(f"a {said['data']['resultType']} is no series")
        result = said["data"]["result"]
        names = {one["metric"].get(NAME, "") for one in result}
        several = several or len(names) > 1
        lines = [_line(one, several) for one in result]
        histograms = sum(len(one.get("histograms") or ()) for one in result)
        warnings = tuple(_short(str(one)) for one in said.get("warnings") or ())
    except orjson.JSONDecodeError:
        raise ValueError("what it answered is no JSON") from None
    except (KeyError, TypeError, AttributeError, IndexError):
        raise ValueError("it does not answer as Prometheus does") from None
    return Answer(lines, several, warnings, bool(said.get("isPartial")), histograms)


def _line(one: dict[str, Any], several: bool) -> Line:
    labels = {str(name): str(text) for name, text in one["metric"].items() if name != NAME}
    if several:
        labels[METRIC] = one["metric"].get(NAME, "")
    values = one.get("values", ()) if "histograms" in one else one["values"]
    seconds, said = zip(*values, strict=True) if values else ((), ())
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
    called = [_called(line.labels, rename) for _, line in lines]
    names = {name for one in called for name in one}
    found = {
        name: _repeated([one.get(name, "") for one in called], sizes) for name in sorted(names)
    }
    return (
        np.concatenate([line.time for _, line in lines] or [np.zeros(0, np.int64)]),
        _repeated([name for name, _ in lines], sizes),
        np.concatenate([line.value for _, line in lines] or [np.zeros(0)]),
        found,
    )


def _called(labels: Mapping[str, str], rename: Mapping[str, str]) -> Mapping[str, str]:
    """Labels anew; one that was called so before is exported_, as Prometheus does it."""
    anew = {rename[name]: text for name, text in labels.items() if name in rename}
    for name, text in labels.items():
        if name not in rename:
            anew[f"exported_{name}" if name in anew else name] = text
    return anew


def _repeated(texts: Iterable[str], sizes: Sequence[int]) -> Strings:
    return np.repeat(np.array(list(texts), np.str_), sizes)

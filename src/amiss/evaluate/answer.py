"""What `amiss score` writes: one row for each sample, as CSV."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from amiss.data import Array, Floats
from amiss.decide.fuse import p_of
from amiss.errors import ConfigError
from amiss.evaluate import arrow, digits

HEADER = ("time", "series", "value", "score", "p", "expected", "lower", "upper", "alert")
SPECIAL = frozenset(',"\r\n')
DIGITS = np.array([15, 7, 6, 15, 12, 12])
"""Of the numbers among these: what was read with so many is written as it was."""
LINES = 1 << 13  # made at once: they fit the cache of a core


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of T rows of C columns. NaN is nothing."""

    value: Floats  # (T, C), as are all that follow
    score: Floats  # nats
    expected: Floats
    lower: Floats
    upper: Floats
    alert: Array  # bool


def lines_of(text: Any, names: Sequence[str], which: Array, said: Verdict) -> Iterator[bytes]:
    """T rows of C columns as T x C lines, those of a row together.

    `text` (T,) is the time of each row as it was written; `which` (T, C) is the place in `names`
    of each sample's series.
    """
    named, ends = _joined([quoted(name).encode() for name in names])
    times, time_ends = arrow.text(text)
    columns = said.value.shape[1]
    most = min(max(1, LINES // columns), len(text))
    longest = int(np.diff(time_ends).max(initial=0) + np.diff(ends).max(initial=0))
    most_bytes = longest + len(DIGITS) * digits.WIDEST + 4
    out = np.empty(most * columns * most_bytes + digits.ROOM, np.uint8)
    for at in range(0, len(text), most):
        part = slice(at, at + most)
        score = said.score[part]
        bands = said.expected[part], said.lower[part], said.upper[part]
        numbers = np.stack([said.value[part], score, p_of(score), *bands])
        end = digits.lines(
            out, times, time_ends[at : at + most + 1], named, ends, which[part].ravel(),
            numbers.reshape(len(DIGITS), -1), DIGITS, said.alert[part].ravel(), columns,
        )  # fmt: skip
        yield out[:end].tobytes()


def numbered(first: int, p: Floats, alert: Array) -> bytes:
    """Rows of number, score, p and alert, for p (N,); numbers count from the first."""
    out = np.empty(len(p) * (3 * digits.WIDEST + 4) + digits.ROOM, np.uint8)
    end = digits.judged(out, first, np.abs(np.log(p)), p, alert, 9)
    return out[:end].tobytes()


def blamed_lines(
    of: Iterable[Any], score: Floats, p: Floats, alert: Array, worst: Iterator[Sequence[str]]
) -> Iterator[bytes]:
    """A line for each row: what it is called, score, p, alert, and whom to blame for it.

    `worst` has the columns to blame, the worst first, for each row that alerts.
    """
    out = []
    for name, s, q, fire in zip(of, score.tolist(), p.tolist(), alert.tolist(), strict=True):
        said = f"{s:.9g},{q:.9g}" if isfinite(s) else ","
        blame = quoted(";".join(next(worst))) if fire else ""
        out.append(f"{name},{said},{int(fire)},{blame}\n")
    yield "".join(out).encode()


def _joined(texts: Sequence[bytes]) -> tuple[Array, Array]:
    ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
    return np.frombuffer(b"".join(texts), np.uint8), ends


def quoted(name: str) -> str:
    """As RFC 4180 has it, where need be."""
    return '"{}"'.format(name.replace('"', '""')) if SPECIAL.intersection(name) else name


@contextmanager
def writing(path: Path | None) -> Iterator[BinaryIO]:
    """A file that takes its place when it is whole; standard output without a path.

    A device or a pipe is written into as it is. Raises ConfigError if it cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f".{path.name}.part")
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be written: {exc.strerror}") from None
    finally:
        part.unlink(missing_ok=True)

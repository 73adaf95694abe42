"""Labelled rows, lines and blocks as they lie in a folder of data sets, and how they are parted.

csic/     normal.txt anomalous.txt: a request a line
unsw/     flows.csv.gz: columns, with attack_cat and label
nslkdd/   KDD*.txt.gz: 41 columns, label, difficulty; fields.csv may name the columns
hdfs/     HDFS.log.gz, labels.csv: block,anomaly; history.log.gz may be there
loghub/   SYSTEM/*_structured_corrected.csv: Content, EventId

Rows and requests: half of the normal ones are the history. Test files hold the other half and one
attack for nineteen of them, mixed at random; each draws its attacks anew. In a dirty history one
row in a hundred is an attack, none of them in a test file.
"""

import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from amiss.data import Array
from amiss.errors import ConfigError
from amiss.evaluate.quality.inputs import Missing, folder

BLOCK = r"(blk_-?\d+)"
RATE = 0.05
DRAWS = 5
DIRT = 0.01


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of text cells, and which of them are attacks."""

    names: tuple[str, ...]
    cells: list[list[str]]
    attack: Array  # (N,)


@dataclass(frozen=True, slots=True)
class Draw:
    """Which rows, in order, make a test file, and which of those are attacks."""

    rows: Array
    label: Array


@dataclass(frozen=True, slots=True)
class Parted:
    """Which rows, in order, are the history, the normal ones after it, and the test files."""

    history: Array
    rest: Array
    draws: list[Draw]

    @property
    def size(self) -> int:
        """Rows of all files."""
        return len(self.history) + sum(len(draw.rows) for draw in self.draws)


def text(path: Path) -> list[str]:
    r"""Lines of a file, gzipped or not. Only \n ends one."""
    raw = path.read_bytes()
    raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
    return raw.decode("utf-8", "replace").removesuffix("\n").split("\n")


def requests(data: Path) -> tuple[list[str], Array]:
    """All requests of CSIC, normal ones first, and which are attacks. Raises Missing."""
    normal = text(folder(data, "csic", "normal.txt"))
    known = set(normal)
    told = dict.fromkeys(text(folder(data, "csic", "anomalous.txt")))
    attacks = [line for line in told if line not in known]
    return normal + attacks, np.arange(len(normal) + len(attacks)) >= len(normal)


def flows(data: Path) -> Rows:
    """UNSW-NB15 without number, category and label. Raises Missing, ConfigError."""
    path = folder(data, "unsw", "flows.csv.gz")
    names, *cells = csv.reader(text(path))
    kept = [n for n, name in enumerate(names) if name not in ("id", "attack_cat", "label")]
    try:
        label = names.index("label")
        attack = np.array([float(row[label]) != 0 for row in cells])
    except (ValueError, IndexError):
        raise ConfigError(f"{path}: it has no column label of 0 and 1") from None
    return Rows(tuple(names[n] for n in kept), [[row[n] for n in kept] for row in cells], attack)


def connections(data: Path) -> Rows:
    """NSL-KDD without label and difficulty. Raises Missing, ConfigError."""
    files = sorted(folder(data, "nslkdd").glob("KDD*.txt.gz"))
    if not files:
        raise Missing("nslkdd holds no KDD*.txt.gz")
    cells = list(csv.reader(text(files[0])))
    if any(len(row) < 42 for row in cells):
        raise ConfigError(f"{files[0]}: a row has fewer than 42 columns")
    named = data / "nslkdd" / "fields.csv"
    names = [row[0] for row in csv.reader(text(named)) if row] if named.exists() else []
    if len(names) != 41:
        names = [f"feature{n + 1:02d}" for n in range(41)]
    attack = np.array([row[41] != "normal" for row in cells])
    return Rows(tuple(names), [row[:41] for row in cells], attack)


def parted(attack: Array, draws: int = DRAWS, dirt: float = 0.0) -> Parted:
    """Part rows (N,) of which some are attacks. Raises Missing if there are too few of those."""
    normal, bad = np.flatnonzero(~attack), np.flatnonzero(attack)
    chance = np.random.default_rng(0)
    shuffled = chance.permutation(len(normal))
    past, rest = np.split(shuffled, [len(normal) // 2])
    count = round(len(rest) * RATE / (1.0 - RATE))
    hidden = round(len(past) * dirt / (1.0 - dirt))
    if not 0 < count <= len(bad) - hidden:
        raise Missing("too few rows for a test part with 5 % attacks")
    order = chance.permutation(len(bad)) if hidden else np.arange(len(bad))
    history = np.concatenate([normal[past], bad[order[:hidden]]])
    if hidden:
        history = np.random.default_rng(1).permutation(history)
    chosen = [chance.choice(order[hidden:], count, replace=False) for _ in range(draws)]
    files = [mixed(normal[rest], bad[some], n) for n, some in enumerate(chosen)]
    return Parted(history, normal[rest], files)


def mixed(normal: Array, attacks: Array, seed: int) -> Draw:
    """Both in one random order."""
    every = np.concatenate([normal, attacks])
    order = np.random.default_rng(seed).permutation(len(every))
    return Draw(every[order], order >= len(normal))


def blocks(data: Path, part: float = 1.0) -> tuple[list[str], list[str], dict[str, bool]]:
    """History and test lines of HDFS, and which blocks are anomalous. Raises Missing.

    The history is the lines of the blocks that begin first, half of all; `part` of them is used.
    """
    found = text(folder(data, "hdfs", "HDFS.log.gz"))
    table = csv.DictReader(text(folder(data, "hdfs", "labels.csv")))
    label = {row["block"]: row["anomaly"] not in ("0", "") for row in table}
    before = data / "hdfs" / "history.log.gz"
    if before.exists():
        return text(before), found, label
    of = [match[1] if (match := re.search(BLOCK, line)) else "" for line in found]
    order = [name for name in dict.fromkeys(of) if name]
    order = order[: int(len(order) * part)]
    early, late = set(order[: len(order) // 2]), set(order[len(order) // 2 :])
    pairs = list(zip(found, of, strict=True))
    history = [line for line, name in pairs if name in early]
    return history, [line for line, name in pairs if name in late], label


def systems(data: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, messages and the labelled group of each, for all systems of loghub. Raises Missing."""
    files = sorted(folder(data, "loghub").glob("*/*_structured_corrected.csv"))
    if not files:
        raise Missing("loghub holds no *_structured_corrected.csv")
    for path in files:
        with path.open(newline="", encoding="utf-8") as file:
            told = list(csv.DictReader(file))
        yield path.parent.name, [row["Content"] for row in told], [row["EventId"] for row in told]


def write_rows(path: Path, rows: Rows, some: Iterable[int]) -> Path:
    """Some rows as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(rows.names)
        table.writerows(rows.cells[n] for n in some)
    return path

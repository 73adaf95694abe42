"""Public security data as logs that blueprints/security.yaml can watch, with attacks planted.

Rows of UNSW-NB15 and NSL-KDD and requests of CSIC 2010 carry no times. They are laid over two
weeks, at random and in random order: normal ones throughout, and on each day of the second week
one episode of attacks of one kind: either 20 rows in a row are exchanged for 20 attacks, so that
nothing comes more often than before and only what the rows say tells of it; or 100 attacks come
within ten minutes on top of what is normal, as a scan or a flood does. The log of sshd and sudo is
real, with its own times; nobody labelled it.
"""

import csv
import gzip
import re
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amiss.data import DAY, MINUTE, SECOND, Array
from amiss.evaluate.labels import Label
from amiss.evaluate.quality import labelled

ROOT = Path(__file__).parent.parent
BLUEPRINT = ROOT / "blueprints" / "security.yaml"
START = 1_772_409_600 * SECOND  # 2 March 2026, a Monday
QUIET, DAYS = 7, 14
EXCHANGED, SURGE, LASTS = 20, 100, 10 * MINUTE  # rows of an episode, and how long a surge is
GUESSES, WITHIN = 20, 10 * MINUTE
FAILED = re.compile(r"(?:Failed password|Invalid user).* from (\S+)")
Table = tuple[tuple[str, ...], list[list[str]], list[str]]
"""Columns, cells, and the kind of each row: "" is normal."""


@dataclass(frozen=True)
class Feed:
    """A log, how the blueprint is to read it, and what was planted in it."""

    name: str
    pipeline: str  # of the blueprint
    path: Path
    source: dict[str, Any]  # what is other than in the blueprint
    features: dict[str, Any]
    labels: list[Label]
    events: int


def flows(data: Path) -> Table:
    """UNSW-NB15."""
    names, *cells = csv.reader(labelled.text(data / "unsw" / "flows.csv.gz"))
    kept = [n for n, name in enumerate(names) if name not in ("id", "attack_cat", "label")]
    at = names.index("attack_cat")
    kinds = ["" if row[at] == "Normal" else row[at] for row in cells]
    return tuple(names[n] for n in kept), [[row[n] for n in kept] for row in cells], kinds


def connections(data: Path) -> Table:
    """NSL-KDD."""
    rows = labelled.connections(data)
    file = next((data / "nslkdd").glob("KDD*.txt.gz"))
    told = [row[41] for row in csv.reader(gzip.decompress(file.read_bytes()).decode().splitlines())]
    return rows.names, rows.cells, ["" if kind == "normal" else kind for kind in told]


def requests(data: Path) -> Table:
    """CSIC 2010: method and address."""
    lines, attack = labelled.requests(data)
    cells = [line.partition(" ") for line in lines]
    kinds = ["attack" if bad else "" for bad in attack]
    return ("method", "url"), [[method.upper(), url] for method, _, url in cells], kinds


def laid_out(table: Table, seed: int, surge: bool) -> tuple[Array, list[int], list[Label]]:
    """Times (ns, N), which rows, and when there are attacks; of each kind in turn."""
    chance = np.random.default_rng(seed)
    kinds, long = np.array(table[2]), SURGE if surge else EXCHANGED
    rows = chance.permutation(np.flatnonzero(kinds == ""))
    time = START + np.sort(chance.integers(0, DAYS * DAY, len(rows)))
    names = [name for name in np.unique(kinds) if name and (kinds == name).sum() >= long]
    order, labels = chance.permutation(names).tolist(), []
    planted, when = list[Array](), list[Array]()
    for day in range(QUIET, DAYS):
        kind = order[(day - QUIET) % len(order)]
        attacks = chance.choice(np.flatnonzero(kinds == kind), long, replace=False)
        if surge:
            first = START + day * DAY + int(chance.integers(0, DAY - LASTS))
            planted.append(attacks)
            when.append(first + np.sort(chance.integers(0, LASTS, long)))
            labels.append(Label(first, first + LASTS + MINUTE))
            continue
        inside = np.flatnonzero((time >= START + day * DAY) & (time < START + (day + 1) * DAY))
        at = int(chance.integers(inside[0], inside[-1] - long))
        rows[at : at + long] = attacks
        labels.append(Label(int(time[at]), int(time[at + long - 1]) + MINUTE))
    every, rows = np.concatenate([time, *when]), np.concatenate([rows, *planted])
    by_time = np.argsort(every, kind="stable")
    return every[by_time], rows[by_time].tolist(), labels


def write_table(table: Table, seed: int, surge: bool, path: Path) -> tuple[list[Label], int]:
    """As CSV with a column of times; what was planted, and how many rows there are."""
    time, rows, labels = laid_out(table, seed, surge)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(("time", *table[0]))
        for at, row in zip(time.tolist(), rows, strict=True):
            out.writerow((f"{at / SECOND:.3f}", *table[1][row]))
    return labels, len(rows)


def write_access(table: Table, seed: int, surge: bool, path: Path) -> tuple[list[Label], int]:
    """As lines of a web server, to the second."""
    time, rows, labels = laid_out(table, seed, surge)
    labels = [Label(one.start // SECOND * SECOND, one.end) for one in labels]
    with path.open("w", encoding="utf-8") as file:
        for at, row in zip(time.tolist(), rows, strict=True):
            method, url = table[1][row]
            stamp = datetime.fromtimestamp(at // SECOND, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
            said = url.replace('"', "%22").replace(" ", "%20")
            file.write(f'192.0.2.7 - - [{stamp}] "{method} {said} HTTP/1.1" 200 1000 "-" "-"\n')
    return labels, len(rows)


def guessing(path: Path) -> list[Label]:
    """When an address failed 20 times within ten minutes: a rule, as nobody labelled the log."""
    recent: dict[str, deque[int]] = {}
    found, now = list[Label](), datetime.now(UTC)
    for line in path.read_text("utf-8", "replace").splitlines():
        if not (match := FAILED.search(line)):
            continue
        at = datetime.strptime(f"{now.year} {line[:15]}", "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
        at = at.replace(year=now.year - 1) if at > now else at  # of the last year, as it says none
        ns, mine = int(at.timestamp()) * SECOND, recent.setdefault(match[1], deque())
        mine.append(ns)
        while ns - mine[0] > WITHIN:
            mine.popleft()
        if len(mine) >= GUESSES:
            if found and mine[0] <= found[-1].end + WITHIN:
                found[-1] = Label(found[-1].start, ns + MINUTE)
            else:
                found.append(Label(mine[0], ns + MINUTE))
    return found


def feeds(data: Path, folder: Path, seed: int, surge: bool) -> list[Feed]:
    """Those of the four for which there is data, as files in this folder."""
    found = []
    plain = {"subject": [], "names": [], "ignore": []}
    for name, make, count in (("unsw", flows, "proto"), ("nslkdd", connections, "protocol_type")):
        if not (data / name).is_dir():
            continue
        path = folder / f"{name}.csv"
        labels, events = write_table(make(data), seed, surge, path)
        given = {"path": str(path), "format": "csv"}
        roles = {"count_by": [count], "roles": {"protocol": count}}
        found.append(Feed(name, "flows", path, given, plain | roles, labels, events))
    if (data / "csic").is_dir():
        path = folder / "access.log"
        labels, events = write_access(requests(data), seed, surge, path)
        found.append(Feed("csic", "requests", path, {"path": str(path)}, {}, labels, events))
    log = data / "access" / "auth.log"
    if log.is_file():
        events = len(labelled.text(log))
        found.append(Feed("auth.log", "authentication", log, {"path": str(log)}, {},
                          guessing(log), events))  # fmt: skip
    return found


def configured(feed: Feed, quick: bool = False) -> dict[str, Any]:
    """The blueprint's pipeline of this feed, reading it; `quick` has a smaller network."""
    said = yaml.safe_load(BLUEPRINT.read_text("utf-8"))
    pipeline = next(one for one in said["pipelines"] if one["name"] == feed.pipeline)
    pipeline = pipeline | {
        "name": feed.name.partition(".")[0],
        "source": pipeline["source"] | feed.source,
        "features": pipeline["features"] | feed.features,
    }
    for one in pipeline["detectors"] if quick else ():
        for member in one.get("detectors", ()):
            if member["type"] == "lstm":
                member |= {"units": [4], "window": 10, "steps": 20}
    return pipeline

"""Labelled records after a history, through the product: rows, requests, lines, blocks."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _logins import of_logins

from amiss.evaluate.quality import figures, labelled, product
from amiss.evaluate.quality.ranking import ranked, roc_auc
from amiss.evaluate.quality.said import Cost

COMMON = 10  # lines at least with a word that is no rarity, or one in a hundred of a short log
SHARE = 0.05  # of the lines after a history, for each way to plant
LEAST = 20  # of each way

Figures = dict[str, float]
Words = list[str]
Chance = np.random.Generator


def of_rows(rows: labelled.Rows, place: Path) -> Figures:
    """Average precision and ROC after a clean history; with one attack in a hundred in it."""
    found = dict[str, float]()
    for name, dirt in (("", 0.0), ("dirty_", labelled.DIRT)):
        parted = labelled.parted(rows.attack, dirt=dirt)
        past = labelled.write_rows(place / "past.csv", rows, parted.history)
        tables = [
            labelled.write_rows(place / f"test{n}.csv", rows, draw.rows)
            for n, draw in enumerate(parted.draws)
        ]
        saids = list(product.rows(tables, past, Cost()))
        labels = [draw.label for draw in parted.draws]
        values = figures.values_of(figures.of_rows("rows", labels, saids))
        found |= {f"{name}{key.removeprefix('rows.')}": value for key, value in values.items()}
    return found


def of_requests(data: Path, place: Path) -> Figures:
    """Average precision and ROC of requests."""
    texts, attack = labelled.requests(data)
    parted = labelled.parted(attack)
    past = product.write_text(place / "past.txt", [texts[n] for n in parted.history])
    logs = [
        product.write_text(place / f"test{n}.txt", [texts[row] for row in draw.rows])
        for n, draw in enumerate(parted.draws)
    ]
    labels = [draw.label for draw in parted.draws]
    values = figures.of_rows("csic", labels, list(product.lines(logs, past)))
    return {key.removeprefix("csic."): value for key, (value, _) in values.items()}


def of_blocks(data: Path, place: Path) -> Figures:
    """Average precision and F1 of blocks."""
    past, now, labels = labelled.blocks(data)
    log, before = (
        product.write_text(place / name, lines)
        for name, lines in (("test.log", now), ("past.log", past))
    )
    names, said = product.sessions(log, before, labelled.BLOCK)
    values = figures.of_blocks(np.array([labels[name] for name in names]), said)
    return {key.removeprefix("hdfs."): value for key, (value, _) in values.items()}


def of_planted(data: Path, place: Path, seed: int = 0) -> Figures:
    """ROC of lines of common words that were made odd, against the ordinary lines beside them.

    Two thirds of each log of loghub are the history. Mean over the logs, for each way to plant.
    """
    found = dict[str, list[float]]()
    for _, lines, _ in labelled.systems(data):
        cut = 2 * len(lines) // 3
        past = product.write_text(place / "past.log", lines[:cut])
        for name, plant in PLANTED.items():
            chance = np.random.default_rng(seed)
            rest, label = planted(lines[:cut], lines[cut:], plant, chance)
            [said] = product.lines([product.write_text(place / "test.log", rest)], past)
            found.setdefault(name, []).append(roc_auc(label, ranked(said.score)))
    return {name: float(np.mean(each)) for name, each in found.items()}


def planted(
    past: Sequence[str], rest: Sequence[str], plant: "Plant", chance: Chance
) -> tuple[list[str], np.ndarray]:
    """Ordinary lines with odd ones among them, and which are odd."""
    texts = [line.split(" ") for line in past]
    words, times = np.unique([w for text in texts for w in set(text) if w], return_counts=True)
    common = words[times >= min(COMMON, len(past) // 100)].tolist()
    odd, known = list[str](), {*past, *rest}
    wanted = max(LEAST, round(SHARE * len(rest)))
    for _ in range(100 * wanted):  # a log may have nothing in it to be planted so
        if len(odd) == wanted:
            break
        line, other = (texts[n] for n in chance.integers(0, len(texts), 2))
        made = " ".join(plant(line, other, common, chance))
        if made not in known:
            odd.append(made)
    order = chance.permutation(len(rest) + len(odd))
    every = [*rest, *odd]
    return [every[n] for n in order], order >= len(rest)


def _replaced(line: Words, other: Words, common: Words, chance: Chance) -> Words:
    """A common word stands in place of another."""
    at = int(chance.integers(len(line)))
    return [*line[:at], common[chance.integers(len(common))], *line[at + 1 :]]


def _swapped(line: Words, other: Words, common: Words, chance: Chance) -> Words:
    """Two words have changed places."""
    a, b = chance.integers(0, len(line), 2)
    made = list(line)
    made[a], made[b] = made[b], made[a]
    return made


def _joined(line: Words, other: Words, common: Words, chance: Chance) -> Words:
    """The head of one line has the tail of another."""
    return [*line[: (len(line) + 1) // 2], *other[len(other) // 2 :]]


def _long(line: Words, other: Words, common: Words, chance: Chance) -> Words:
    """A word with a digit in it is four times as long."""
    return _valued(line, chance, lambda word: 4 * word)


def _mixed(line: Words, other: Words, common: Words, chance: Chance) -> Words:
    """The characters of a word with a digit in it stand in another order."""
    return _valued(line, chance, lambda word: "".join(chance.permutation(list(word))))


def _digits(line: Words, other: Words, common: Words, chance: Chance) -> Words:
    """A word with a digit in it has other digits."""
    return _valued(
        line, chance, lambda word: re.sub(r"\d", lambda _: str(chance.integers(10)), word)
    )


def _valued(line: Words, chance: Chance, change: Callable[[str], str]) -> Words:
    """One of the words of at least four characters with a digit in it is another one."""
    places = [n for n, word in enumerate(line) if len(word) > 3 and re.search(r"\d", word)]
    made = list(line)
    if places:
        at = places[chance.integers(len(places))]
        made[at] = change(line[at])
    return made


Plant = Callable[[Words, Words, Words, Chance], Words]
PLANTED: dict[str, Plant] = {
    "replaced": _replaced, "swapped": _swapped, "joined": _joined, "long": _long, "mixed": _mixed,
    "digits": _digits,
}  # fmt: skip

RECORDS: dict[str, Callable[[Path, Path], Figures]] = {
    "unsw": lambda data, place: of_rows(labelled.flows(data), place),
    "nslkdd": lambda data, place: of_rows(labelled.connections(data), place),
    "csic": of_requests,
    "loghub": of_planted,
    "hdfs": of_blocks,
    "logins": of_logins,
}


def judged(data: Path, name: str) -> Figures:
    """The figures of a set of records."""
    with TemporaryDirectory() as place:
        return RECORDS[name](data, Path(place))

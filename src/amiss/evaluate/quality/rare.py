"""Rows, requests, blocks and templates: Amiss and the baselines on the same, and their figures."""

import re
from collections.abc import Sequence
from math import log

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality import features, figures, labelled, product
from amiss.evaluate.quality.baselines import BASELINES
from amiss.evaluate.quality.bench import AMISS, Bench, Figure, together
from amiss.evaluate.quality.figures import Values
from amiss.evaluate.quality.grouping import grouping_accuracy
from amiss.evaluate.quality.inputs import Missing
from amiss.evaluate.quality.said import Said

ALERT = log(100.0)  # nats at which a baseline tells of a row


def flows(bench: Bench) -> list[Figure]:
    """UNSW-NB15, clean history."""
    return _events(bench, "unsw", labelled.flows(bench.data))


def connections(bench: Bench) -> list[Figure]:
    """NSL-KDD, clean history."""
    return _events(bench, "nslkdd", labelled.connections(bench.data))


def dirty_flows(bench: Bench) -> list[Figure]:
    """UNSW-NB15, attacks in the history."""
    return _events(bench, "dirty.unsw", labelled.flows(bench.data), labelled.DIRT)


def dirty_connections(bench: Bench) -> list[Figure]:
    """NSL-KDD, attacks in the history."""
    return _events(bench, "dirty.nslkdd", labelled.connections(bench.data), labelled.DIRT)


def requests(bench: Bench) -> list[Figure]:
    """Requests of CSIC, each a line; `csic.all` has all attacks in one file."""
    texts, attack = labelled.requests(bench.data)
    parted = labelled.parted(attack, _draws(bench))
    if not bench.quick:
        everything = labelled.mixed(parted.rest, np.flatnonzero(attack), len(parted.draws))
        parted.draws.append(everything)
    past = product.write_text(bench.work / "past.txt", [texts[n] for n in parted.history])
    logs = [
        product.write_text(bench.work / f"test{n}.txt", [texts[row] for row in draw.rows])
        for n, draw in enumerate(parted.draws)
    ]
    with bench.costs.charged("csic", AMISS, parted.size):
        saids = list(product.lines(logs, past))
    numbers = np.array([features.of_line(line) for line in texts])

    def values(all_of: Sequence[Said]) -> Values:
        labels = [draw.label for draw in parted.draws]
        if bench.quick:
            return figures.of_rows("csic", labels, all_of)
        found = figures.of_rows("csic", labels[:-1], all_of[:-1])
        last = figures.of_rows("csic.all", labels[-1:], all_of[-1:])
        return found | {"csic.all.roc": last["csic.all.roc"]}

    bench.tell(AMISS)
    beside = {}
    for name, all_of in _baselines(bench, "csic", numbers, parted).items():
        beside[name] = values(all_of)
    return together(values(saids), beside, not bench.quick)


def blocks(bench: Bench) -> list[Figure]:
    """Sessions of HDFS: blocks, half of them the history, with its anomalies."""
    past, now, labels = labelled.blocks(bench.data, 0.25 if bench.quick else 1.0)
    before = product.write_text(bench.work / "past.log", past)
    log = product.write_text(bench.work / "test.log", now)
    with bench.costs.charged("hdfs", AMISS, len(past) + len(now)):
        names, said = product.sessions(log, before, labelled.BLOCK)
    bench.tell(AMISS)
    label = np.array([labels[name] for name in names])
    if label.all() or not label.any():
        raise Missing("hdfs: the test part needs normal and anomalous blocks")
    early, late = _sessions(past), _sessions(now)
    counts = features.of_sessions(list(early.values()), [late[name] for name in names])
    rows = np.arange(len(counts))
    draw = labelled.Draw(rows[len(early) :], label)
    parted = labelled.Parted(rows[: len(early)], rows[:0], [draw])
    beside = {
        name: figures.of_blocks(label, others)
        for name, [others] in _baselines(bench, "hdfs", counts, parted).items()
    }
    return together(figures.of_blocks(label, said), beside, not bench.quick)


def templates(bench: Bench) -> list[Figure]:
    """Systems of loghub, message content only; beside it words with a digit in them masked."""
    ours, plain = dict[str, float](), list[float]()
    for name, lines, label in labelled.systems(bench.data):
        log = product.write_text(bench.work / "system.log", lines)
        with bench.costs.charged("templates", AMISS, len(lines)):
            found = product.templates(log)
        ours[name] = grouping_accuracy(label, found)
        plain.append(grouping_accuracy(label, [features.masked(line) for line in lines]))
    bench.tell(AMISS)
    each = ", ".join(f"{name} {value:.2f}" for name, value in ours.items())
    value = float(np.mean(list(ours.values())))
    beside: dict[str, Values] = {"words masked": {"templates.ga": (float(np.mean(plain)), "")}}
    return together({"templates.ga": (value, each)}, beside)


def _events(bench: Bench, measure: str, rows: labelled.Rows, dirt: float = 0.0) -> list[Figure]:
    parted = labelled.parted(rows.attack, _draws(bench), dirt)
    past = labelled.write_rows(bench.work / "past.csv", rows, parted.history)
    tables = [
        labelled.write_rows(bench.work / f"test{n}.csv", rows, draw.rows)
        for n, draw in enumerate(parted.draws)
    ]
    with bench.costs.charged(measure, AMISS, parted.size) as cost:
        saids = list(product.rows(tables, past, cost))
    bench.tell(AMISS)
    labels = [draw.label for draw in parted.draws]
    numbers = features.of_rows(rows, parted.history)
    others = _baselines(bench, measure, numbers, parted)
    beside = {name: figures.of_rows(measure, labels, all_of) for name, all_of in others.items()}
    return together(figures.of_rows(measure, labels, saids), beside, not bench.quick)


def _draws(bench: Bench) -> int:
    return 1 if bench.quick else labelled.DRAWS


def _baselines(
    bench: Bench, measure: str, numbers: Floats, parted: labelled.Parted
) -> dict[str, list[Said]]:
    """What each says of the rows of each test file, given all rows as numbers (N, F)."""
    found = dict[str, list[Said]]()
    start = len(parted.history)
    for name, baseline in BASELINES.items():
        with bench.costs.charged(measure, name, parted.size):
            opinions = [
                baseline(numbers[np.concatenate([parted.history, draw.rows])], start)
                for draw in parted.draws
            ]
        nats: list[Array] = [opinion.nats[start:] for opinion in opinions]
        found[name] = [Said(each, each >= ALERT) for each in nats]
        bench.tell(name)
    return found


def _sessions(lines: Sequence[str]) -> dict[str, list[str]]:
    """The masked templates of each block's lines, blocks in order of their first line."""
    found = dict[str, list[str]]()
    for line in lines:
        match = re.search(labelled.BLOCK, line)
        if match is not None:
            found.setdefault(match[1], []).append(features.masked(line))
    return found

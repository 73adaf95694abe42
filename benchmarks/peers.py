"""Amiss and libraries of others on the same inputs, with what each costs.

    python benchmarks/peers.py --data DIR [--env DIR] [--only nab,wsd,asd,unsw] [--quick] [--json]

DIR holds data sets as for `amiss benchmark quality` ($AMISS_DATA if it is not given). The peers
are installed from requirements/peers.txt and merlion.txt into environments of their own, in the
user's cache unless --env names a place: half a gigabyte each. Every peer is used with its own
defaults, sees each row once, and gets the same two treatments as the baselines of that command:
as it is, its scores ranked among those of the rows to learn from; and with the calibration of
Amiss around it. Sets are sampled, the same inputs for all but those that are too slow.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import platformdirs

from amiss.evaluate.joint import CONTROL
from amiss.evaluate.quality import features, figures, inputs, labelled, product, suites
from amiss.evaluate.quality.baselines import Opinion, among
from amiss.evaluate.quality.figures import Values, values_of
from amiss.evaluate.quality.said import Cost, Costs, Said
from amiss.evaluate.quality.treatment import interval_of, layered, plain
from amiss.warm import warm

ROOT = Path(__file__).parent.parent
WORKER = Path(__file__).with_name("_peers.py")
SAMPLE = {"nab": 58, "wsd": 8, "asd": 2, "unsw": 1}  # inputs, by chance
SLOW = {"nab": 8, "wsd": 0, "asd": 0, "unsw": 0}  # the first of them
QUICK = {"nab": 3, "wsd": 2, "asd": 1, "unsw": 1}
SHOWN = {
    "nab": ("nab.theta6.standard", "nab.best.standard", "budget.nab.within"),
    "wsd": ("wsd.recall", "wsd.false"),
    "asd": ("asd.vus_pr",),
    "unsw": ("unsw.ap", "unsw.roc"),
}
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Peer:
    """A method of _peers.py: the environment it is in, what it can do, whether it is slow."""

    name: str
    environment: str = "peers"
    sets: tuple[str, ...] = ("nab", "wsd", "asd", "unsw")
    slow: bool = False


PEERS = (
    Peer("half-space trees"),
    Peer("LODA"),
    Peer("HBOS"),
    Peer("KNN"),
    Peer("ZMS", "merlion", ("nab", "wsd")),
    Peer("WindStats", "merlion", ("nab", "wsd")),
    Peer("xStream", slow=True),
)


@dataclass(frozen=True)
class Input:
    """What a peer sees of one input, and what Amiss said of it."""

    it: object
    values: np.ndarray  # (T, F)
    time: np.ndarray  # (T,) seconds
    start: int
    said: Said


@dataclass(frozen=True)
class Task:
    """A sampled set: its inputs, what Amiss cost, how figures come of opinions."""

    inputs: list[Input]
    cost: Cost
    figures: Callable[[Sequence[object], Sequence[Said]], Values]
    treat: dict[str, Callable[[Input, Opinion], Said]]


def sampled(items: Sequence, many: int) -> list:
    """Some of them, always the same, in an order in which the first are a sample too."""
    order = np.random.default_rng(0).permutation(len(items))[:many]
    return [items[n] for n in order]


def curves(data: Path, work: Path, kind: str) -> Task:
    """NAB or WSD."""
    costs, found = Costs(), []
    for it in sampled(inputs.curves(data, kind), SAMPLE[kind]):
        with costs.charged(kind, "Amiss", len(it.time)) as cost:
            said = product.curve(it, work, cost)
        values = np.asarray(it.value, float)[:, None]
        found.append(Input(it, values, it.time, it.start, said))
    of = figures.of_nab if kind == "nab" else partial(figures.of_kpi, kind)

    def treat(way: Callable[..., Said], one: Input, opinion: Opinion) -> Said:
        return way(one.time, opinion, interval_of(one.time, one.start), 1.0)

    ways = {"plain": partial(treat, plain), "layered": partial(treat, layered)}
    return Task(found, cost, of, ways)


def hosts(data: Path, work: Path) -> Task:
    """ASD."""
    costs, found, every = Costs(), [], suites.EVERY["asd"]
    for it in sampled(inputs.hosts(data, "asd"), SAMPLE["asd"]):
        values = np.concatenate([it.train, it.test])
        with costs.charged("asd", "Amiss", len(values)) as cost:
            said = product.host(it, every, work, cost)
        found.append(Input(it, values, every * np.arange(len(values)), len(it.train), said))

    def of(its: Sequence, saids: Sequence[Said]) -> Values:
        return figures.of_hosts("asd", its, saids, every, product.metrics_of(its[0]))

    def treat(way: Callable[..., Said], one: Input, opinion: Opinion) -> Said:
        said = way(one.time, opinion, every, 7.0)
        return Said(said.score[one.start :], said.alert[one.start :])

    with_control = partial(layered, control=CONTROL)
    ways = {"plain": partial(treat, plain), "layered": partial(treat, with_control)}
    return Task(found, cost, of, ways)


def flows(data: Path, work: Path) -> Task:
    """UNSW-NB15: one test file."""
    rows = labelled.flows(data)
    parted = labelled.parted(rows.attack, SAMPLE["unsw"])
    past = labelled.write_rows(work / "past.csv", rows, parted.history)
    table = labelled.write_rows(work / "test.csv", rows, parted.draws[0].rows)
    numbers, costs, start = features.of_rows(rows, parted.history), Costs(), len(parted.history)
    values = numbers[np.concatenate([parted.history, parted.draws[0].rows])]
    with costs.charged("unsw", "Amiss", len(values)) as cost:
        [said] = product.rows([table], past, cost)
    one = Input(parted.draws[0].label, values, np.arange(len(values)), start, said)

    def treat(one: Input, opinion: Opinion) -> Said:
        nats = opinion.nats[one.start :]
        return Said(nats, nats >= np.log(100.0))

    return Task([one], cost, partial(figures.of_rows, "unsw"), {"plain": treat})


TASKS: dict[str, Callable[[Path, Path], Task]] = {
    "nab": partial(curves, kind="nab"),
    "wsd": partial(curves, kind="wsd"),
    "asd": hosts,
    "unsw": flows,
}


def environment(name: str, place: Path) -> Path:
    """The Python of an environment that has what its list of packages says; made if need be."""
    wanted = ROOT / "requirements" / f"{name}.txt"
    python, stamp = place / name / "bin" / "python", place / name / ".amiss"
    made_of = hashlib.sha256(wanted.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != made_of:
        print(f"setting up {place / name}: once, some minutes", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(place / name)], check=True)
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run([str(python), *install, "-r", str(wanted)], check=True)
        stamp.write_text(made_of)
    return python


def opinions(peer: Peer, python: Path, some: Sequence[Input]) -> tuple[list[Opinion], dict]:
    """What a peer says of inputs, and what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        for n, one in enumerate(some):
            held = {"values": one.values, "time": one.time, "start": one.start}
            np.savez(Path(folder, f"{n}.npz"), **held)
        command = [str(python), str(WORKER), peer.name, folder]
        subprocess.run(command, check=True, env=os.environ | ONE_THREAD)
        raws = [np.load(Path(folder, f"{n}.npy")) for n in range(len(some))]
        cost = json.loads(Path(folder, "cost.json").read_text())
    return [_opinion(raw, one.start) for raw, one in zip(raws, some, strict=True)], cost


def _opinion(raw: np.ndarray, start: int) -> Opinion:
    """Its nats are its rank in the past; for the layer, how far it is above the median of that."""
    raw = np.nan_to_num(raw, posinf=1e300, neginf=0.0)
    return Opinion(np.maximum(raw - np.median(raw[:start]), 0.0), among(raw, start))


def compare(data: Path, place: Path, names: Sequence[str]) -> Iterator[dict]:
    """All peers on all sets: a row for each, with the figures of Amiss on the same inputs."""
    warm()
    for name in names:
        with tempfile.TemporaryDirectory() as work:
            try:
                task = TASKS[name](data, Path(work))
            except inputs.Missing as exc:
                print(f"{name}: left out: {exc}", file=sys.stderr)
                continue
        whole = _figures(task, name, len(task.inputs), [one.said for one in task.inputs])
        spent = {"rows_per_second": task.cost.rows_per_second, "peak_mb": task.cost.peak_mb}
        size = {"set": name, "inputs": len(task.inputs), "rows": task.cost.rows}
        state = {"state_bytes": task.cost.state_bytes}
        yield size | {"method": "Amiss", "figures": whole, **spent, **state}
        for peer in PEERS:
            many = SLOW[name] if peer.slow else len(task.inputs)
            if name not in peer.sets or not many:
                continue
            print(f"{name}: {peer.name}", file=sys.stderr, flush=True)
            some = task.inputs[:many]
            said, cost = opinions(peer, environment(peer.environment, place), some)
            row = {"set": name, "inputs": many, "rows": cost["rows"], "method": peer.name}
            row["version"] = cost["version"]
            row["rows_per_second"] = cost["rows"] / cost["seconds"]
            row |= {key: cost[key] for key in ("peak_mb", "state_bytes")}
            for way, treat in task.treat.items():
                saids = [treat(one, opinion) for one, opinion in zip(some, said, strict=True)]
                key = "figures" if way == "plain" else way
                row[key] = _figures(task, name, many, saids)
            if many < len(task.inputs):
                row["amiss"] = _figures(task, name, many, [one.said for one in some])
            yield row


def _figures(task: Task, name: str, many: int, saids: Sequence[Said]) -> dict[str, float]:
    found = values_of(task.figures([one.it for one in task.inputs[:many]], saids))
    return {key: found[key] for key in SHOWN[name]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("AMISS_DATA"))
    parser.add_argument("--env", type=Path, default=platformdirs.user_cache_path("amiss") / "peers")
    parser.add_argument("--only", default=",".join(TASKS))
    parser.add_argument("--quick", action="store_true", help="a few inputs: does it work at all")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.data is None:
        print("no data sets: name their folder with --data or AMISS_DATA")
        return
    unknown = [name for name in asked.only.split(",") if name not in TASKS]
    if unknown:
        parser.error(f"--only: there is no set {unknown[0]!r}; known: {', '.join(TASKS)}")
    if asked.quick:
        SAMPLE.update(QUICK)
        SLOW.update(nab=1)
    for row in compare(Path(asked.data), asked.env, asked.only.split(",")):
        if asked.json:
            print(json.dumps(row), flush=True)
            continue
        shown = ", ".join(f"{key} {value:.3f}" for key, value in row["figures"].items())
        lifted = ", ".join(f"{value:.3f}" for value in row.get("layered", {}).values())
        state = f"{row['state_bytes']:,}" if row["state_bytes"] else "?"
        print(
            f"{row['set']:<5} {row['method']:<17} {row['rows_per_second']:>10,.0f} rows/s "
            f"{row['peak_mb']:>5.0f} MB {state:>10} bytes  {shown}"
            + (f"; with the calibration of Amiss {lifted}" if lifted else "")
        )


if __name__ == "__main__":
    main()

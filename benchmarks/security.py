"""What blueprints/security.yaml finds in public data, and what it costs.

    python benchmarks/security.py --data DIR [--draws 2] [--quick] [--exchanged] [--json FILE]

Each log (see _security.py) goes through its pipeline of the blueprint from an empty memory on, by
the steps that live takes; models are fitted where live would, on what came before. Nothing is
set by what was planted. An episode is found if an incident opens in it. Counted is what came
after the first seven days; each log has a quarter of a budget of 5 a day. Requests are judged by
`lines`, `level` and `surprise` alone: `patterns` were written with attacks in sight. `events/s` is
of processor time of this process, the fits apart.

`--quick` takes an LSTM of 4 units, windows of 10 and 20 steps, where the blueprint has 64, 50 and
500: what it costs is then not that of the blueprint. `--exchanged` takes the logs with exchanged
rows alone, and no ensemble, which judges counts: these say nothing of such rows. Nothing more then.

Then the three models of the ensemble by themselves on test rows with 5 % attacks, fitted on 10,000
normal rows: seconds of processor time; the share of attacks and of normal rows that has p <= .05,
calibrated on what each had not seen of the normal ones; and the accuracy that makes. And `runs`:
what would tell the exchanged rows of an episode, were their scores taken together.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from _security import EXCHANGED, QUIET, START, Feed, configured, feeds

from amiss.data import DAY, MINUTE, SECOND, Floats, Frame
from amiss.detectors.dbscan import Dbscan
from amiss.detectors.ensemble import Ensemble
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.lstm import Lstm
from amiss.evaluate.again import look_over
from amiss.evaluate.labels import judge
from amiss.evaluate.quality import labelled
from amiss.evaluate.quality.labelled import Rows, parted
from amiss.evaluate.trial import Tally, Trial
from amiss.pipeline import Pipeline
from amiss.run.replay import replay
from amiss.world import World

SHARE = "1.25/day"  # a quarter of 5 a day
REQUESTS = ("lines", "level", "surprise")  # that judge requests here
FITTED = 10_000  # rows
RARE = 0.05
THIRD = 3
MODELS = {
    "isolation forest": IsolationForest(trees=100),
    "LSTM": Lstm(units=(64,), dropout=0.2, window=50),
    "DBSCAN": Dbscan(min_samples=5),
}


def tried(feed: Feed, quick: bool = False, exchanged: bool = False) -> tuple[Trial, float]:
    """What it would have told, and seconds of processor time."""
    said = configured(feed, quick) | {"budget": SHARE}
    if exchanged:
        said["detectors"] = [one for one in said["detectors"] if one["type"] != "ensemble"]
    if feed.name == "csic":
        said["detectors"] = [one for one in said["detectors"] if one["type"] in REQUESTS]
    pipeline = Pipeline.model_validate(said)
    world = World()
    source = pipeline.source.again()
    assert source is not None
    recording = look_over(source, world, feed.name)
    start = recording.first + QUIET * DAY
    tally = Tally(pipeline, start, recording.last, recording.first, around=None)
    began = time.process_time()
    for outcome in replay(pipeline, recording.records(recording.first, recording.last)):
        tally.take(outcome)
    return tally.trial(), time.process_time() - began


def told(
    data: Path, draws: int, quick: bool, exchanged: bool = False
) -> Iterator[dict[str, object]]:
    """A row for each log, of all draws together."""
    rows: dict[str, dict[str, float]] = {}
    for seed, surge in product(range(draws), (False,) if exchanged else (False, True)):
        with TemporaryDirectory() as folder:
            for feed in feeds(data, Path(folder), seed, surge):
                name = feed.name
                if name != "auth.log":
                    name += ", 100 more" if surge else ", 20 exchanged"
                elif seed or surge or exchanged:
                    continue  # the same again
                trial, seconds = tried(feed, quick, exchanged)
                found = judge(trial, feed.labels)
                row = rows.setdefault(name, dict.fromkeys(
                    ("events", "episodes", "found", "told", "false", "days", "cpu"), 0.0
                ))  # fmt: skip
                row["events"] += feed.events
                row["episodes"] += found.events
                row["found"] += found.found
                row["told"] += found.incidents
                row["false"] += found.incidents - found.true
                row["days"] += found.days
                row["cpu"] += seconds
                print(name, seed, row, flush=True)
                for each in trial.incidents:
                    print("   ", any(one.start <= each.since <= one.end for one in feed.labels),
                          each.severity, each.title[:140], flush=True)  # fmt: skip
    for name, row in rows.items():
        yield {
            "log": name,
            "episodes": int(row["episodes"]),
            "found": int(row["found"]),
            "told_a_week": round(7 * row["told"] / row["days"], 1),
            "asked_a_week": 8.75,
            "false_a_week": round(7 * row["false"] / row["days"], 1),
            "events_per_second": round(row["events"] / row["cpu"]),
        }


def runs(data: Path, seed: int) -> Iterator[dict[str, object]]:
    """Episodes of exchanged rows beyond the third most of all calm ones: single records, by the
    score of `amiss score --as events`, and means over 20 in a row.
    """
    with TemporaryDirectory() as folder:
        for feed in feeds(data, Path(folder), seed, surge=False):
            if feed.path.suffix != ".csv":
                continue
            out = Path(folder) / "scores.csv"
            words = ("score", str(feed.path), "--as", "events", "--out", str(out))
            command = [sys.executable, "-m", "amiss", *words]
            subprocess.run(command, check=True, capture_output=True)
            with feed.path.open(encoding="utf-8") as given, out.open(encoding="utf-8") as said:
                time = SECOND * np.array([float(row["time"]) for row in csv.DictReader(given)])
                score = np.array([float(row["score"] or "nan") for row in csv.DictReader(said)])
            inside = [(time >= one.start) & (time <= one.end - MINUTE) for one in feed.labels]
            calm = (time >= START + QUIET * DAY) & ~np.any(inside, axis=0)
            means = [
                score[i : i + EXCHANGED].mean()
                for i in range(0, len(score) - EXCHANGED, EXCHANGED)
                if calm[i : i + EXCHANGED].all()
            ]
            bars = np.sort(score[calm])[-THIRD], np.sort(means)[-THIRD]
            yield {
                "log": feed.name,
                "episodes": len(inside),
                "by_single_records": sum(bool(score[one].max() > bars[0]) for one in inside),
                "by_means_of_20": sum(bool(score[one].mean() > bars[1]) for one in inside),
            }


def numbers(rows: Rows) -> Floats:
    """The numeric columns (N, F)."""
    found = []
    for column in zip(*rows.cells, strict=True):
        try:
            found.append(np.array(column, float))
        except ValueError:
            continue
    return np.column_stack(found)


def frame(x: Floats) -> Frame:
    """Events as the snapshots of one system."""
    names = tuple(f"m{f}" for f in range(x.shape[1]))
    return Frame(np.arange(len(x)), ("events",), names, x[:, None, :])


def alone(name: str, rows: Rows) -> Iterator[dict[str, object]]:
    """A row for each model."""
    parts = parted(rows.attack, draws=1)
    (test,) = parts.draws
    x = numbers(rows)
    history, asked = frame(x[parts.history[:FITTED]]), frame(x[test.rows])
    ensemble = Ensemble(detectors=tuple(MODELS.values()), contamination=RARE)
    state = ensemble.fit(ensemble.init(1, x.shape[1]), history)
    _, said = ensemble.step(state, asked)
    together: dict[str, tuple[Floats, float | None]] = {"ensemble": (said.values[:, 0], None)}
    assert said.votes is not None
    for (model, detector), vote in zip(MODELS.items(), said.votes[:, 0].T, strict=True):
        began = time.process_time()
        detector.fit(detector.init(1, x.shape[1]), history)
        together[model] = vote, time.process_time() - began
    for model, (nats, seconds) in together.items():
        odd = np.nan_to_num(nats) >= -np.log(RARE)
        caught, calm = odd[test.label].mean(), 1.0 - odd[~test.label].mean()
        yield {
            "set": name,
            "model": model,
            "rows": len(history.time),
            "cpu": None if seconds is None else round(seconds, 1),
            "attacks_found": round(float(caught), 3),
            "normal_left_alone": round(float(calm), 3),
            "accuracy": round(float((odd == test.label).mean()), 3),
            "balanced_accuracy": round(float((caught + calm) / 2), 3),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("AMISS_DATA"))
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--exchanged", action="store_true")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.data is None:
        print("not measured: --data or AMISS_DATA names the folder of the public sets")
        return
    data = Path(asked.data)
    found: dict[str, list[dict[str, object]]] = {}
    if not asked.exchanged:
        found["models"] = [
            *alone("unsw", labelled.flows(data)),
            *alone("nslkdd", labelled.connections(data)),
        ]
        found["runs"] = [row for seed in range(asked.draws) for row in runs(data, seed)]
    for row in (row for rows in found.values() for row in rows):
        print(row, flush=True)
    found["logs"] = list(told(data, asked.draws, asked.quick, asked.exchanged))
    for row in found["logs"]:
        print(row)
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

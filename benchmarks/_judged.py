"""Labelled sets through the default stack: figures as JSON, and what was said if it is wanted.

    python benchmarks/_judged.py DIR [--sets nab,wsd,kpi,asd,smd] [--keep FILE]

Sets of records (_records.py) may be named as well, of which nothing is kept.

Run by `ablation.py` with one or another variant of the package before the real one on the path.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from _figures import budget, nab, recall
from _labelled import BEGIN, INTERVAL, Curve, Host, curves, hosts
from _records import RECORDS, judged

from amiss.data import SECOND, Array
from amiss.evaluate.columns import Piece
from amiss.evaluate.joint import Joint
from amiss.evaluate.metrics import Metrics
from amiss.evaluate.quality.inputs import spans
from amiss.evaluate.quality.vus import vus_pr, width_of
from amiss.evaluate.scorer import Memories

SETS = ("nab", "wsd", "kpi", "asd", "smd")


def of_curves(name: str, held: list[Curve], kept: dict[str, Array]) -> dict[str, float]:
    """The figures of single curves, at one alert a week."""
    scores, alerts = [], []
    for n, curve in enumerate(held):
        piece = Piece(None, curve.time * SECOND, ("value",), curve.value[:, None])
        said = Metrics(1.0).judge({}, piece)[0]
        scores.append(said.score[:, 0])
        alerts.append(said.alert[:, 0])
        kept |= {f"{name}/{n}/score": scores[-1], f"{name}/{n}/alert": alerts[-1]}
    found = dict[str, float]()
    if name == "nab":
        found["theta6"] = nab(held, scores)
        found["thetas"] = float(np.mean([nab(held, scores, t) for t in np.arange(5.6, 6.61, 0.1)]))
        found["ratio"], found["within"], found["recall"] = budget(held, alerts)
    else:
        found["recall"], found["false"] = recall(held, scores)
        found["ratio"], found["within"], found["told"] = budget(held, alerts)
    return found


def of_hosts(name: str, held: list[Host], kept: dict[str, Array]) -> dict[str, float]:
    """The figures of hosts, at one alert a day after the rows to learn from."""
    areas, hits, events, told, days = [], 0, 0, 0, 0.0
    for n, host in enumerate(held):
        memories: Memories = {}
        scorer, names = Joint(7.0), tuple(f"metric{f:02}" for f in range(host.test.shape[1]))
        time = (BEGIN + INTERVAL[name] * np.arange(len(host.train) + len(host.test))) * SECOND
        past, judged = (
            Piece(None, t, names, x)
            for t, x in (
                (time[: len(host.train)], host.train),
                (time[len(host.train) :], host.test),
            )
        )
        scorer.judge(memories, past)
        score, alert, _ = scorer.judge(memories, judged)
        areas.append(vus_pr(score, host.label, width_of(host.test[:, 0])))
        labelled = spans(host.label)
        hits += sum(bool(alert[a:b].any()) for a, b in labelled)
        events += len(labelled)
        told += int(alert.sum())
        days += len(alert) * INTERVAL[name] / 86400
        kept |= {f"{name}/{n}/score": score, f"{name}/{n}/alert": alert}
    return {"vus_pr": float(np.mean(areas)), "recall": hits / events, "ratio": told / days}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    found, kept = {}, dict[str, Array]()
    for name in asked.sets.split(","):
        folder = asked.data / name
        if name in RECORDS:
            found[name] = judged(asked.data, name)
        elif name in INTERVAL:
            found[name] = of_hosts(name, hosts(folder), kept)
        else:
            found[name] = of_curves(name, curves(folder), kept)
    if asked.keep:
        np.savez(asked.keep, **kept)
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""What a confidence is worth: of what is said to be amiss with 70 %, is it 70 %? Labelled events.

    python benchmarks/confidence.py --data DIR [--json FILE]

Flows (UNSW-NB15) and connections (NSL-KDD), their numeric columns alone, parted as `amiss benchmark
quality` does it (amiss/evaluate/quality/labelled.py): a history with 5 % attacks, and test events
with 5 %. The classifier learns from the labels of the history; ensemble and members from its normal
events, and are told that 5 % are attacks (`contamination`). A member is asked alone with the
calibration that it has in the ensemble. `ece` is the mean gap of confidence and share over the
bins, by how many are in them; `ap` is average precision, `roc` the area under the curve.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from amiss.data import Array, Floats, Frame
from amiss.detectors.classifier import Classifier
from amiss.detectors.dbscan import Dbscan
from amiss.detectors.ensemble import Ensemble
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.one_class_svm import OneClassSvm
from amiss.evaluate.quality import labelled
from amiss.evaluate.quality.labelled import RATE, Rows, parted
from amiss.evaluate.quality.ranking import average_precision, roc_auc

EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0)
LABEL = "attack"
MEMBERS = (IsolationForest(), OneClassSvm(), Dbscan())
VOTES = {
    f"ensemble, {voting}": Ensemble(detectors=MEMBERS, voting=voting, contamination=RATE)
    for voting in ("mean", "any", "majority", "all")
}
LEARNERS = {
    "classifier, forest": Classifier(label=LABEL),
    "classifier, logistic": Classifier(label=LABEL, kind="logistic"),
}


def numbers(rows: Rows) -> tuple[tuple[str, ...], Floats]:
    """The numeric columns (N, F)."""
    found = {}
    for name, *column in zip(rows.names, *rows.cells, strict=True):
        try:
            found[name] = np.array(column, float)
        except ValueError:
            continue
    return tuple(found), np.column_stack(list(found.values()))


def frame(names: tuple[str, ...], x: Floats) -> Frame:
    """Events as the snapshots of one system."""
    return Frame(np.arange(len(x)), ("events",), names, x[:, None, :])


def measure(name: str, rows: Rows) -> list[dict[str, object]]:
    """A row for each that is asked."""
    names, x = numbers(rows)
    parts = parted(rows.attack, draws=1, dirt=RATE)
    (test,) = parts.draws
    bad, found = rows.attack[parts.history], []
    clean, asked = frame(names, x[parts.history[~bad]]), frame(names, x[test.rows])
    dirty = frame((*names, LABEL), np.column_stack([x[parts.history], bad]))
    said: dict[str, tuple[Floats, Floats]] = {}
    first = VOTES["ensemble, mean"]
    (_, scores) = first.step(first.fit(first.init(1, len(names)), clean), asked)
    votes = np.moveaxis(scores.votes, 2, 0)
    for member, score in zip(MEMBERS, votes, strict=True):
        said[member.type] = score[:, 0], first.confidence(score[:, 0])
    for voting, ensemble in VOTES.items():
        score = ensemble.fused(votes)[:, 0]
        said[voting] = score, ensemble.confidence(score)
    for kind, learner in LEARNERS.items():
        state = learner.fit(learner.init(1, len(names)), dirty)
        score = learner.step(state, asked)[1].values[:, 0]
        said[kind] = score, learner.confidence(score)
    for who, (score, sure) in said.items():
        row = {
            "set": name,
            "asked": who,
            "rows": len(score),
            "ap": round(average_precision(test.label, score), 3),
            "roc": round(roc_auc(test.label, score), 3),
        }
        found.append(row | reliability(sure, test.label))
        print(found[-1], flush=True)
    return found


def reliability(sure: Floats, label: Array) -> dict[str, object]:
    """By bins of confidence: how many, their mean confidence, and the share that was an attack."""
    place = np.clip(np.searchsorted(EDGES, sure, "right") - 1, 0, len(EDGES) - 2)
    bins = []
    for k in range(len(EDGES) - 1):
        if (here := place == k).any():
            bins.append((int(here.sum()), float(sure[here].mean()), float(label[here].mean())))
    gap = sum(count * abs(mean - share) for count, mean, share in bins) / len(sure)
    return {"ece": round(gap, 4), "bins": [(n, round(c, 3), round(s, 3)) for n, c, s in bins]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.data is None:
        print("not measured: --data names the folder of the labelled sets")
        return
    found = measure("unsw", labelled.flows(asked.data))
    found += measure("nslkdd", labelled.connections(asked.data))
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

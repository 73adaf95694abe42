"""Compile the kernels ahead of time, so that no request ever waits for a compiler."""

import time
from collections.abc import Iterable
from typing import get_args

import numpy as np
import pyarrow as pa

from amiss.component import Detector, find
from amiss.data import SECOND, Frame, Records
from amiss.decide import budget, cusum, lines, pace, portion
from amiss.detecting import trees
from amiss.detecting.precision import invert
from amiss.detectors import burst, dbscan, one_class_svm, pairs, relation
from amiss.detectors.conduct import Conduct
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.lstm import Lstm
from amiss.evaluate import digits
from amiss.evaluate.answer import Verdict, lines_of, numbered
from amiss.evaluate.joint import smooth
from amiss.evaluate.stream import Stream
from amiss.features import each, encoding, grams, templates
from amiss.features.each import Each
from amiss.formats.timeless import timeless
from amiss.steps.judge import judge, judge_whole
from amiss.subjects import conduct, habits
from amiss.text.hashes import halve
from amiss.text.lines import split


def warm() -> float:
    """Run each kernel once on a few numbers; the seconds it took. Quick if they are cached."""
    began = time.perf_counter()
    ticks = np.arange(1, 4) * 5 * SECOND
    frame = Frame(ticks, ("a", "b"), ("value",), np.arange(6.0).reshape(3, 2, 1))
    kinds = find("amiss.detectors", Detector).values()
    fused = [kind for kind in kinds if not kind.apart]
    alone = [kind() for kind in fused if not kind.joint and not kind.each]
    streaming = [kind() for kind in kinds if kind.joint and kind.calibration == "size"]
    judge_whole(streaming, {}, frame, np.zeros((3, 2, 1)), np.ones((2, 1), np.bool_))
    invert(np.eye(2), 0.1)
    _, opinion = judge(alone, {}, frame)
    _warm_apart([kind for kind in kinds if kind.apart and not kind.each], frame)
    budget.ration(budget.init(2), ticks, opinion.scores.values, opinion.interval, 1.0)
    _warm_networks()
    system = IsolationForest()
    leaf = np.full((1, 1), -1, np.int32)
    state = system.init(2, 1) | {
        "names": np.array(["value"]),
        "median": np.zeros(1),
        "spread": np.ones(1),
        "feature": leaf,
        "threshold": np.zeros((1, 1)),
        "left": leaf,
        "right": leaf,
        "path": np.ones((1, 1)),
    }
    system.step(state, frame)
    rows = np.arange(6.0).reshape(3, 2)
    forest = trees.grow(rows)
    trees.score(forest, rows)
    trees.moved(forest, rows)
    dbscan.nearest(rows, rows)
    one = np.ones(1)
    near = {"vectors": rows, "dual": np.ones(3), "gamma": one, "rho": one}
    one_class_svm.decision(near, rows)
    leaves = trees.leaves(forest, rows)
    often, _ = burst.fit(leaves, forest["feature"].shape[1])
    burst.score(burst.learn(often, leaves), leaves)
    burst.blame(often, forest["feature"], leaves, columns=2)
    smooth({}, np.zeros(1))
    code, every = np.zeros((2, 2), np.int32), np.arange(2)
    met, _ = pairs.fit(code, 1, every, seed=0)
    pairs.score(met, code)
    pairs.blame(met, code)
    texts = np.zeros((len(rows), 1), np.int64)
    encoding.encode(encoding.fit(rows, texts, rows), rows, texts)
    habits.step(habits.init(), ticks, np.ones(3, np.int64), np.ones((3, 1), np.int64), rows)
    _warm_conduct()
    pace.step(pace.init(), ticks)
    cusum.step(cusum.init(1), ticks, np.full(3, 9.0), ticks[:, None])
    relation.fit(np.arange(4.0).reshape(2, 2), every)
    portion.step({}, np.zeros(1), 0.1)
    _warm_lines()
    nothing = np.full((1, 1), np.nan)
    verdict = Verdict(nothing, nothing, nothing, nothing, nothing, nothing > 0.0)
    Stream().observe(0.0, 1.0)
    list(lines_of(pa.array(["0"]), ["a"], np.zeros((1, 1), np.int32), verdict))
    return time.perf_counter() - began


def _warm_conduct() -> None:
    roles: tuple[conduct.Role, ...] = get_args(conduct.Role)
    features = Each(roles={role: role for role in roles}, subject=("user",))
    count = 2 * each.HEAD
    said = Records(
        time=np.arange(count) * SECOND,
        name=np.full(count, "x"),
        value=np.zeros(count),
        labels={role: np.full(count, "1") for role in roles},
    )
    _, frame = features.step(features.init(), said)
    Conduct().step({}, frame)


def _warm_networks() -> None:
    network = Lstm(units=(1,), steps=1, batch=1, window=2)
    time, values = np.arange(40) * SECOND, np.arange(40.0)[:, None, None]
    history = Frame(time, ("a",), ("value",), values)
    network.step(network.fit(network.init(1, 1), history), history)


def _warm_apart(kinds: Iterable[type[Detector]], frame: Frame) -> None:
    rule = {"metric": "a", "above": 1.0, "of": "mean", "over": "1m"}
    needed: dict[str, dict[str, object]] = {"rule": rule}
    for kind in kinds:
        detector = kind(**needed.get(kind.model_fields["type"].default, {}))
        values = np.repeat(frame.values, len(kind.needs), axis=2)
        detector.step(
            detector.init(2, len(kind.needs)), Frame(frame.time, frame.keys, kind.needs, values)
        )


def _warm_lines() -> None:
    text = b"2026-03-07T14:02:10Z a b=1 2\n" * lines.FIRST
    some = timeless(split(text, templates.TEXT)[0])
    templates.add(templates.init(), some)
    states, p, alert = lines.step(lines.init(), some)
    lines.step(states, some)
    halve(*states["words"].values())
    grams.halved(states["grams"])
    numbered(1, p, alert)
    size, ends = np.empty(64, np.uint8), np.arange(2)
    digits.endings(size, 1, np.zeros(1, np.int32), size[:1], ends)


def main() -> None:
    """Compile, and say how long it took."""
    print(f"kernels ready after {warm():.1f} s")


if __name__ == "__main__":
    main()

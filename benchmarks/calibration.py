"""What p promises, and what it keeps: how often p <= a comes on data where nothing is amiss.

    python benchmarks/calibration.py [--runs 1] [--json]

Everything that says p is shown independent runs of exchangeable samples: what came before tells
nothing of what comes next, so that P(p <= a) <= a should hold. Prints P(p <= a) / a with its
standard error over the runs, the table of docs/benchmarks.md. `--runs 4` makes four times as many.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa

from amiss.data import SECOND, Floats, Frame
from amiss.decide import lines as judged
from amiss.decide import rank, sessions
from amiss.evaluate.columns import Notes, Piece
from amiss.evaluate.events import Events
from amiss.evaluate.joint import Joint
from amiss.evaluate.metrics import SINGLE
from amiss.evaluate.rows import Rows
from amiss.steps.judge import States, judge
from amiss.text.lines import lines_of

START = 1_750_032_000  # midnight
LEVELS = (0.1, 0.01, 0.001, 0.0001)
PIECE = 250  # ticks at once

Noise = np.random.Generator
Draw = Callable[[Noise, tuple[int, int]], Floats]
Ask = Callable[[int, int], Floats]
"""A seed and how many runs -> p (runs, asked)."""

DRAWS: dict[str, Draw] = {
    "white": lambda noise, shape: noise.normal(size=shape),
    "heavy-tailed": lambda noise, shape: noise.standard_t(3, size=shape),
    "Cauchy": lambda noise, shape: noise.standard_cauchy(size=shape),
    "bursty": lambda noise, shape: (
        np.where(noise.random(shape) < 0.02, 50 * noise.exponential(size=shape), 0.0)
        + noise.random(shape)
    ),
    "quantised": lambda noise, shape: np.round(2 * noise.normal(size=shape)),
    "sparse": lambda noise, shape: np.where(noise.random(shape) < 0.02, 1.0, 0.0),
}


def ranks(seed: int, runs: int, draw: str, past: int = 1000) -> Floats:
    """One score of each series, against so many before it."""
    noise, state = np.random.default_rng(seed), rank.init(runs)
    left = past
    while left:
        some = min(left, PIECE)
        state, _ = rank.step(state, np.abs(DRAWS[draw](noise, (some, runs))))
        left -= some
    _, inverse = rank.step(state, np.abs(DRAWS[draw](noise, (1, runs))))
    return 1.0 / inverse.T


def fused(seed: int, runs: int, draw: str, every: int, past: int, asked: int) -> Floats:
    """The score of single series, asked so often after so many samples."""
    noise = np.random.default_rng(seed)
    keys, states, found = tuple(map(str, range(runs))), States(), []
    for first in range(0, past + asked, PIECE):
        ticks = np.arange(first, min(first + PIECE, past + asked))
        x = DRAWS[draw](noise, (len(ticks), runs))
        frame = Frame((START + every * ticks) * SECOND, keys, ("value",), x[:, :, None])
        states, opinion = judge(SINGLE, states, frame)
        found.append(opinion.scores.values[ticks >= past])
    return np.exp(-np.maximum(np.concatenate(found), 0.0)).T


young = partial(fused, every=5, past=500, asked=500)  # an envelope needs two days
grown = partial(fused, every=300, past=1000, asked=500)


def joint(seed: int, runs: int, draw: str, common: float = 0.0) -> Floats:
    """Five metrics as one system, that share a part of what they are."""
    found = []
    for run in range(runs):
        noise = np.random.default_rng((seed, run))
        x = DRAWS[draw](noise, (1200, 5)) + common * noise.normal(size=(1200, 1))
        text = pa.array([""] * len(x))
        time = (START + 300 * np.arange(len(x))) * SECOND
        found.append(_p(Joint(1.0).learn({}, Piece(text, time, tuple("abcde"), x)).lines)[500:])
    return np.array(found)


def events(seed: int, runs: int, first: int, last: int) -> Floats:
    """Rows of three numbers, two of them related, and two categories, one with ever new values."""
    found = []
    for run in range(runs):
        noise = np.random.default_rng((seed, run))
        z = noise.normal(size=last)
        batch = pa.RecordBatch.from_pydict(
            {
                "bytes": np.exp(z),
                "packets": 10 * z + noise.normal(size=last),
                "seconds": noise.exponential(size=last),
                "kind": [f"k{k}" for k in noise.integers(0, 3, last)],
                "user": [f"u{u:.0f}" for u in 20 * noise.exponential(size=last)],
            }
        )
        found.append(_p(Events().learn({}, Rows("rows", Notes(), 1, batch)).lines)[first:])
    return np.array(found)


def lines(seed: int, runs: int, first: int, last: int) -> Floats:
    """Lines of three forms with names, numbers and tokens."""
    found = []
    for run in range(runs):
        noise = np.random.default_rng((seed, run))
        text = []
        for form, a, b, c in zip(
            noise.random(last),
            noise.integers(0, 6, last),
            noise.integers(0, 255, last),
            noise.exponential(20, last),
            strict=True,
        ):
            name = ("ann", "bob", "cyd", "dan", "eve", "fay")[a]
            if form < 0.7:
                text.append(f"user {name} logged in from 10.0.0.{b} took {c:.3f} ms")
            elif form < 0.95:
                text.append(f"GET /index?id={b}&name={name} HTTP/1.1 {c:.1f}")
            else:
                text.append(f"cache hit for {b}: age={c:.2f}")
        found.append(judged.step(judged.init(), lines_of(text))[1][first:])
    return np.array(found)


def of_sessions(seed: int, runs: int, first: int, last: int) -> Floats:
    """Sessions that open, write some times, are checked now and then, and close."""
    found = []
    for run in range(runs):
        noise = np.random.default_rng((seed, run))
        made = [
            [1, *[2] * int(n), *([4] if checked else []), 3]
            for n, checked in zip(
                noise.geometric(0.4, last), noise.random(last) < 0.25, strict=True
            )
        ]
        found.append(sessions.step(sessions.init(), made)[2][first:])
    return np.array(found)


ASKED: dict[str, tuple[Ask, int]] = {
    **{f"rank, {draw}": (partial(ranks, draw=draw), 40_000) for draw in DRAWS},
    **{f"series before its third day, {draw}": (partial(young, draw=draw), 2000) for draw in DRAWS},
    **{f"series from then on, {draw}": (partial(grown, draw=draw), 2000) for draw in DRAWS},
    "joint, white": (partial(joint, draw="white"), 60),
    "joint, white with a common part": (partial(joint, draw="white", common=3.0), 60),
    "joint, heavy-tailed": (partial(joint, draw="heavy-tailed"), 60),
    "events, rows 65 to 256": (partial(events, first=64, last=256), 40),
    "events, rows 257 to 1,024": (partial(events, first=256, last=1024), 30),
    "events, rows 1,025 to 2,048": (partial(events, first=1024, last=2048), 30),
    "lines 513 to 2,048": (partial(lines, first=512, last=2048), 20),
    "lines 2,049 to 6,000": (partial(lines, first=2048, last=6000), 20),
    "sessions 513 to 2,048": (partial(of_sessions, first=512, last=2048), 20),
}
"""Who is asked, and over how many runs."""


def _p(rows) -> Floats:
    """The column p of rows that begin with what they are about, score and p."""
    cells = b"".join(rows).decode().splitlines()
    return np.array([float(cell.split(",")[2] or "nan") for cell in cells])


def measure(name: str, times: float = 1.0, seed: int = 0) -> dict[str, object]:
    """P(p <= a) / a for each level, and its standard error; NaN is no opinion."""
    ask, runs = ASKED[name]
    p = ask(seed, max(2, int(runs * times)))
    shares = [np.mean(p <= a, axis=1) / a for a in LEVELS]
    return {
        "of": name,
        "ratio": [round(float(share.mean()), 2) for share in shares],
        "error": [round(float(share.std(ddof=1) / len(p) ** 0.5), 2) for share in shares],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=float, default=1.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if not asked.json:
        print("| P(p <= a) / a | a = .1 | .01 | .001 | .0001 |\n|-|-|-|-|-|")
    for name in ASKED:
        row = measure(name, asked.runs)
        if asked.json:
            print(json.dumps(row))
            continue
        said = zip(row["ratio"], row["error"], strict=True)
        print(
            " | ".join([f"| {name}", *(f"{r:.2f} ± {e:.2f}" for r, e in said)]) + " |", flush=True
        )


if __name__ == "__main__":
    main()

"""How many normal samples lie inside their band, of which 99 % are to, on public labelled data.

    python benchmarks/bands.py --data DIR [--json]

Curves and single metrics of hosts are judged one by one (benchmarks/_labelled.py says how DIR is
laid out); rows within labelled events and those to warm up on do not count. `open` is the width of
the band in widths of its narrowest, 1 where what is recent and what is usual agree.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _labelled import BEGIN, INTERVAL, Curve, curves, hosts

from amiss.data import SECOND, Array
from amiss.evaluate.columns import Piece
from amiss.evaluate.metrics import Metrics

SETS = ("nab", "wsd", "kpi", "asd", "smd")


def series(folder: Path) -> Iterator[Curve]:
    """Each curve, or each metric of each host."""
    if folder.name not in INTERVAL:
        yield from curves(folder)
        return
    for host in hosts(folder):
        x = np.concatenate([host.train, host.test])
        time = BEGIN + INTERVAL[folder.name] * np.arange(len(x))
        first = len(host.train)
        rows = first + np.flatnonzero(np.diff(host.label, prepend=False, append=False))
        events = tuple((int(a), int(b)) for a, b in rows.reshape(-1, 2))
        for f in range(x.shape[1]):
            yield Curve(f"{host.name}/{f}", time, x[:, f], events, first)


def inside(curve: Curve) -> tuple[float, float] | None:
    """The share of normal samples inside the band, and how open it is; None without a band."""
    piece = Piece(None, curve.time * SECOND, ("value",), curve.value[:, None])
    said = Metrics(1.0).judge({}, piece)[0]
    m, low, high = (x[:, 0] for x in (said.expected, said.lower, said.upper))
    counted: Array = curve.normal() & np.isfinite(curve.value) & np.isfinite(low)
    if not counted.any():
        return None
    x, m, low, high = (column[counted] for column in (curve.value, m, low, high))
    width = 2.0 * np.minimum(m - low, high - m)
    wide = (high - low)[width > 0.0] / width[width > 0.0]
    return float(((x >= low) & (x <= high)).mean()), float(wide.mean()) if len(wide) else 1.0


def measure(folder: Path) -> dict[str, float | str]:
    """The shares of a set's series."""
    found = [said for curve in series(folder) if (said := inside(curve)) is not None]
    share, wide = np.array(found).T
    return {
        "set": folder.name,
        "series": len(found),
        "mean": round(float(share.mean()), 4),
        "median": round(float(np.median(share)), 4),
        "fifth_percentile": round(float(np.quantile(share, 0.05)), 4),
        "least": round(float(share.min()), 4),
        "open": round(float(np.median(wide)), 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.data is None:
        print("not measured: --data names the folder of the labelled sets")
        return
    rows = [measure(asked.data / name) for name in SETS if (asked.data / name).is_dir()]
    if asked.json:
        print(json.dumps(rows))
        return
    for n, row in enumerate(rows):
        if n == 0:
            print(f"| {' | '.join(row)} |\n|{'-|' * len(row)}")
        print(f"| {' | '.join(map(str, row.values()))} |")


if __name__ == "__main__":
    main()

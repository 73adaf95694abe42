"""Writes the tables and plots of docs/benchmarks.md that come from benchmarks/results/.

    python benchmarks/page.py [--check]

With --check only says what is out of date. Tables stand between <!-- begin NAME --> and
<!-- end NAME -->; what is around them is written by hand.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from _svg import bars, curves, scatter

from amiss.evaluate.quality.goals import said

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
OTHERS = ("random", "flag-all", "|difference|", "EWMA z", "isolation forest")
LAYER = " + layer"
PLOTTED = {
    "nab.theta6.standard": "NAB (of 100)",
    "wsd.recall": "WSD recall",
    "kpi.recall": "KPI recall",
    "asd.vus_pr": "ASD VUS-PR",
    "smd.vus_pr": "SMD VUS-PR",
    "hdfs.ap": "HDFS AP",
    "csic.roc": "CSIC ROC-AUC",
    "unsw.ap": "UNSW AP",
    "nslkdd.ap": "NSL-KDD AP",
}

TRAINED = {
    "CPU s": "cpu",
    "wall s": "wall",
    "peak MB": "peak",
    "kept MB": "kept",
    "us a snapshot": "score",
}
DRAWN = (
    "isolation_forest", "linear_regression", "one_class_svm", "dbscan", "classifier, forest",
    "lstm", "autoencoder", "aer, dense",
)  # fmt: skip
CURVES = ("ensemble, mean", "classifier, forest")


def table(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    head = [f"| {' | '.join(columns)} |", f"|{'-|' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)])


def named(method: str) -> str:
    """A method as it may stand in a table."""
    return method.replace("|", "\\|")


def quality(found: dict[str, Any]) -> str:
    """Every figure, its goals, and the baselines."""
    rows = []
    for it in found["figures"]:
        levels = [it.get(level, "") for level in ("floor", "target", "stretch", "reached")]
        beside = [said(it["beside"].get(method)) for method in OTHERS]
        rows.append([f"`{it['name']}`", said(it["value"]), *levels, *beside])
    columns = ("figure", "Amiss", "floor", "target", "stretch", "reached", *map(named, OTHERS))
    return table(columns, rows)


def layer(found: dict[str, Any]) -> str:
    """The baselines with our calibration around them, for figures that have a goal."""
    rows = []
    for it in found["figures"]:
        beside = [said(it["beside"].get(method + LAYER)) for method in OTHERS]
        if "what" in it and any(beside):
            rows.append([f"`{it['name']}`", said(it["value"]), *beside])
    return table(("figure", "Amiss", *map(named, OTHERS)), rows)


def cost(found: dict[str, Any]) -> str:
    """What each took."""
    rows = [
        [
            it["set"],
            named(it["method"]),
            said(it["rows_per_second"]),
            said(it["peak_mb"]),
            f"{it['state_bytes']:,}" if it["state_bytes"] else "",
        ]
        for it in found["costs"]
        if it["seconds"] and it["method"] not in ("random", "flag-all")
    ]
    return table(("set", "method", "rows/s", "peak MB", "bytes of state"), rows)


def peers(found: list[dict[str, Any]]) -> str:
    """Amiss and the libraries of others."""
    rows = []
    for it in found:
        same = it.get("amiss", {})
        for n, (name, value) in enumerate(it["figures"].items()):
            first = [
                it["set"],
                it["method"],
                it.get("version", ""),
                f"{it['inputs']}",
                said(it["rows_per_second"]),
                said(it["peak_mb"]),
                f"{it['state_bytes']:,}" if it["state_bytes"] else "",
            ]
            figure = [f"`{name}`", said(value), said(it.get("layered", {}).get(name))]
            rows.append([*(first if n == 0 else [""] * len(first)), *figure, said(same.get(name))])
    return table(
        (
            "set", "method", "version", "inputs", "rows/s", "peak MB", "bytes of state",
            "figure", "value", "with our layer", "Amiss on the same",
        ),
        rows,
    )  # fmt: skip


def training(found: list[dict[str, Any]]) -> str:
    """What fitting took, a row for each model and number of snapshots."""
    rows = [
        [
            it["model"],
            f"{it['rows']:,}",
            *(f"{it[name]:,}" if name in it else "not done" for name in TRAINED.values()),
        ]
        for it in found
    ]
    return table(("model", "snapshots", *TRAINED), rows)


def trained(found: list[dict[str, Any]]) -> dict[str, str]:
    """The same as curves: seconds, and memory."""
    made = {}
    for file, column, title, up in (
        ("training.svg", "cpu", "Fitting a model", "seconds of processor time"),
        ("memory.svg", "peak", "Memory of the process that fits", "MB at the peak"),
    ):
        lines: dict[str, list[tuple[float, float]]] = {}
        for it in found:
            if it["model"] in DRAWN and column in it:
                lines.setdefault(it["model"], []).append((it["rows"], max(it[column], 0.01)))
        made[file] = curves(title, "snapshots", up, lines)
    return made


def confidence(found: list[dict[str, Any]]) -> str:
    """How well each ranks, and how far its confidence is from the share that it was right."""
    rows = [
        [it["set"], it["asked"], *(f"{it[n]:.3f}" if n in it else "" for n in ("ap", "roc", "ece"))]
        for it in found
    ]
    return table(("set", "asked", "AP", "ROC-AUC", "mean gap"), rows)


def reliability(found: list[dict[str, Any]]) -> str:
    """The curve itself: in each bin of confidence how many, their mean, and what was an attack."""
    rows = []
    for it in found:
        if it["asked"] in CURVES:
            for n, (count, mean, share) in enumerate(it["bins"]):
                first = [it["set"], it["asked"]] if n == 0 else ["", ""]
                rows.append([*first, f"{count:,}", f"{mean:.3f}", f"{share:.3f}"])
    return table(("set", "asked", "events", "confidence", "attacks"), rows)


def pictures(found: dict[str, Any], others: list[dict[str, Any]]) -> dict[str, str]:
    """The plots, by the name of their file."""
    by_name = {it["name"]: it for it in found["figures"]}
    groups = {}
    for name, title in PLOTTED.items():
        if name in by_name:
            it, scale = by_name[name], 100.0 if name.startswith("nab") else 1.0
            values = {"Amiss": it["value"], **{method: it["beside"][method] for method in OTHERS}}
            groups[title] = {method: value / scale for method, value in values.items()}
    points = []
    for it in others:
        if it["set"] != "nab" or "amiss" in it:  # not on the same inputs as all others
            continue
        x, name = it["rows_per_second"], it["method"]
        points.append((name, x, it["figures"]["nab.best.standard"], name == "Amiss"))
        if "layered" in it:
            points.append((name, x, it["layered"]["nab.best.standard"], True))
    made = {}
    if groups:
        made["quality.svg"] = bars(
            "Quality on public sets, each row judged by those before it", groups, ("Amiss", *OTHERS)
        )
    if points:
        made["cost.svg"] = scatter(
            "NAB and what it costs; empty: as it is, full: with the calibration of Amiss",
            "rows a second on one core",
            "NAB standard, best threshold",
            points,
        )
    return made


def sweep(swept: list[dict[str, Any]]) -> str:
    """What a point costs, series down and ticks in a call across."""
    cost = {(it["series"], it["ticks_per_call"]): it["nanoseconds_per_point"] for it in swept}
    ticks = sorted({tick for _, tick in cost})
    head = ("series", "1 tick a call", *(f"{tick:,}" for tick in ticks[1:]))
    rows = [
        [f"{many:,}", *(f"{cost[many, tick]:,}" if (many, tick) in cost else "" for tick in ticks)]
        for many in sorted({many for many, _ in cost})
    ]
    return table(head, rows)


def growth(swept: list[dict[str, Any]]) -> str:
    """The same as curves, one for each number of ticks in a call."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for it in swept:
        name = "1 tick a call" if it["ticks_per_call"] == 1 else f"{it['ticks_per_call']:,} ticks"
        lines.setdefault(name, []).append((it["series"], it["nanoseconds_per_point"]))
    return curves("What a point costs on one core", "series", "ns a point", lines)


def wanted() -> dict[Path, str]:
    """What the page and the plots should be."""
    found = json.loads((RESULTS / "quality.json").read_text("utf-8"))
    others = [json.loads(row) for row in (RESULTS / "peers.jsonl").read_text("utf-8").splitlines()]
    text = PAGE.read_text("utf-8")
    tables = {"quality": quality(found), "layer": layer(found), "cost": cost(found)}
    swept = [json.loads(row) for row in (RESULTS / "speed.jsonl").read_text("utf-8").splitlines()]
    tables |= {"peers": peers(others), "sweep": sweep(swept)}
    for name, make in {"training": training, "confidence": confidence}.items():
        tables[name] = make(json.loads((RESULTS / f"{name}.json").read_text("utf-8")))
    tables["reliability"] = reliability(
        json.loads((RESULTS / "confidence.json").read_text("utf-8"))
    )
    for name, made in tables.items():
        marked = re.compile(f"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text, times = marked.subn(lambda match, made=made: f"{match[1]}{made}\n{match[2]}", text)
        if times != 1:
            raise SystemExit(f"{PAGE}: there is no place for the table {name!r}")
    plots = pictures(found, others) | {"speed.svg": growth(swept)}
    plots |= trained(json.loads((RESULTS / "training.json").read_text("utf-8")))
    return {PAGE: text} | {PAGE.with_name(name): made for name, made in plots.items()}


def main(check: bool) -> int:
    """0 if all is, or now is, as the results say."""
    stale = 0
    for path, text in wanted().items():
        if path.exists() and path.read_text("utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"{path.relative_to(ROOT)} is not as the results say; run: make bench ARGS=page")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

"""A report that a person can read: what was seen, what was found, how good the models are."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from amiss.evaluate import sections
from amiss.evaluate.distribution import Distribution
from amiss.evaluate.entries import RECORD, Entry
from amiss.evaluate.figures import written
from amiss.evaluate.paper import document, facts, faint, footer, page_name
from amiss.facade.trained import Trained
from amiss.words.message import write_time

LATEST = 10


def report(
    stats: Mapping[str, Any], models: Sequence[Trained], history: Sequence[Mapping[str, Any]]
) -> str:
    """Plain text of some forty lines."""
    lines = ["ANOMALY DETECTION REPORT", ""]
    lines += [f"{name:<20} {said}" for name, said in _counts(stats)]
    lines += ["", "Models", *([f"  {_model(one)}" for one in models] or ["  none"])]
    anomalies = [one for one in history if one["is_anomaly"]]
    lines += sections.breakdown_lines([entry(one) for one in anomalies])
    lines += ["", f"Latest {LATEST} anomalies"]
    lines += [f"  {sections.printable(_line(one))}" for one in anomalies[-LATEST:]] or ["  none"]
    return "\n".join(lines) + "\n"


def write(
    path: Path,
    stats: Mapping[str, Any],
    models: Sequence[Trained],
    history: Sequence[Mapping[str, Any]],
    now: int,
) -> None:
    """The same with pictures of `history`, as one page of HTML, made `now` (ns).

    Raises ConfigError if it cannot be written.
    """
    from amiss.evaluate.answer import writing

    text = document("Anomaly detection report", _body(stats, models, history, now))
    with writing(page_name(path)) as file:
        file.write(text.encode())


def entry(result: Mapping[str, Any]) -> Entry:
    """An anomaly as all reports count it."""
    at = int(datetime.fromisoformat(result["timestamp"]).timestamp() * 1e9)
    blame: Sequence[str] = result["blame"]
    return Entry(
        since=at,
        until=at,
        severity=result["severity"],
        kind=result["data_type"],
        subject="all",
        judged=RECORD,
        score=result["score"],
        said=_line(result),
        of={name: 1.0 / (place + 1) for place, name in enumerate(blame)},
    )


def _body(
    stats: Mapping[str, Any],
    models: Sequence[Trained],
    history: Sequence[Mapping[str, Any]],
    now: int,
) -> Iterator[str]:
    yield "<h1>Anomaly detection report</h1>"
    yield facts(_counts(stats))
    yield "<h2>Models</h2>"
    said = "".join(f"<li>{escape(_model(one))}</li>" for one in models)
    yield f'<ul class="plain">{said}</ul>' if models else faint("None is trained.")
    entries, scores = [entry(one) for one in history if one["is_anomaly"]], Distribution()
    scores.take(np.array([one["score"] for one in history], float))
    times = [int(datetime.fromisoformat(one["timestamp"]).timestamp() * 1e9) for one in history]
    yield from sections.breakdown(entries, "anomalies")
    if times:
        yield from sections.pictures(entries, min(times), max(times) + 1, scores, "an anomaly")
    yield footer((), f"Made on {written(now)}.")


def _counts(stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    total, found = stats["total_samples"], stats["anomalies_detected"]
    rate = f" ({found / total:.2%})" if total else ""
    return [
        ("Samples judged", f"{total:,}"),
        ("Anomalies", f"{found:,}{rate}"),
        ("False positives", f"{stats['false_positives']:,} (as reported)"),
        ("Last model update", f"{stats['last_model_update'] or 'never'}"),
    ]


def _line(one: Mapping[str, Any]) -> str:
    return (
        f"{one['timestamp']}  {one['data_type']:<14} {one['severity']:<6} "
        f"{one['confidence']:.2f}  {', '.join(one['blame'])}"
    )


def _model(one: Trained) -> str:
    """Of the last fifth, which it had not seen: 1 % of samples have p <= .01 if all is well."""
    told = one.figures.get("validation", {}).get("told", {})
    share = f"; p <= .01 for {told['0.01']:.1%} of samples held out" if "0.01" in told else ""
    return (
        f"{one.name} ({one.kind}): {one.samples:,} samples in {one.seconds:.1f} s, "
        f"{write_time(one.at)[:19]}Z{share}"
    )

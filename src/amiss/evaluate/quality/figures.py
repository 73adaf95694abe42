"""From what a method says of labelled inputs to its figures: one function for each kind of input.

Each gives figures by name, with a sentence about what else was seen. The names are those of the
goals (goals.py).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from amiss.data import Array, Floats
from amiss.evaluate.quality import nab, recall
from amiss.evaluate.quality.coverage import coverage
from amiss.evaluate.quality.inputs import Curve, Host, spans
from amiss.evaluate.quality.kept import Kept, kept
from amiss.evaluate.quality.ranking import average_precision, f1, ranked, roc_auc
from amiss.evaluate.quality.said import Said
from amiss.evaluate.quality.vus import vus_pr, width_of

Values = dict[str, tuple[float, str]]
SERVERS = ("realAWSCloudwatch/", "realKnownCause/")
NAMED = 3  # metrics that may be blamed


def of_nab(curves: Sequence[Curve], saids: Sequence[Said]) -> Values:
    """The NAB scores of alerts as told, of a fixed threshold, of the best one per profile."""
    worths = [nab.worth(curve) for curve in curves]
    scores = [said.score for said in saids]

    def at(theta: float) -> list[Array]:
        pairs = zip(curves, scores, strict=True)
        return [nab.told(score, curve.time, theta) for curve, score in pairs]

    ways = {"alerts": [said.alert for said in saids], "theta6": at(nab.THETA)}
    found: Values = {}
    for way, alerts in ways.items():
        count = sum(int(a[c.start :].sum()) for a, c in zip(alerts, curves, strict=True))
        for name, profile in nab.PROFILES.items():
            found[f"nab.{way}.{name}"] = nab.score(worths, alerts, profile), f"{count} alerts"
    judged = [s[c.start :] for s, c in zip(scores, curves, strict=True)]
    swept = [
        (theta, [nab.score(worths, alerts, profile) for profile in nab.PROFILES.values()])
        for theta in nab.thetas(judged).tolist()
        for alerts in [at(theta)]
    ]
    for n, name in enumerate(nab.PROFILES):
        theta, values = max(swept, key=lambda tried: tried[1][n])
        found[f"nab.best.{name}"] = values[n], f"theta {theta:.2f}"
    some = [n for n, curve in enumerate(curves) if curve.name.startswith(SERVERS)]
    servers = [worths[n] for n in some], [ways["theta6"][n] for n in some]
    value = nab.score(*servers, nab.PROFILES["standard"])
    found["nab.theta6.servers"] = value, f"{len(some)} files: AWS and known causes"
    return found | of_budget("nab", curves, saids) | of_bands("nab", curves, saids)


def of_kpi(kind: str, curves: Sequence[Curve], saids: Sequence[Said]) -> Values:
    """Recall at one false alert per series-week, in three ways; `kind` is wsd or kpi."""
    scores = [said.score for said in saids]
    theta = recall.thetas([s[c.start :] for s, c in zip(scores, curves, strict=True)])
    counts = recall.count(curves, scores, theta)
    value, false = recall.crossed(counts)
    events, weeks = counts.events.sum(), counts.weeks.sum()
    own = recall.past(curves, scores)
    hits, more = recall.count(curves, scores, np.array([own])).at(np.arange(len(curves)), 0)
    told = kept(curves, [said.alert for said in saids])
    rates = told.false.sum() / weeks, told.ratio
    found: Values = {
        f"{kind}.recall": (
            value,
            f"{len(curves)} curves, {events:.0f} events, {weeks:.0f} series-weeks",
        ),
        f"{kind}.false": (false, "per series-week, one asked"),
        f"{kind}.recall_past": (hits, f"theta {own:.2f}, {more:.2f} false per series-week"),
        f"{kind}.alerts.recall": (
            told.recall,
            f"{rates[0]:.2f} false, {rates[1]:.2f} alerts per series-week",
        ),
    }
    return found | of_budget(kind, curves, saids) | of_bands(kind, curves, saids)


def of_budget(kind: str, curves: Sequence[Curve], saids: Sequence[Said]) -> Values:
    """Whether one alert a week is kept to, and what it finds."""
    it: Kept = kept(curves, [said.alert for said in saids])
    low, middle, high = np.quantile(it.told / it.weeks, [0.25, 0.5, 0.75])
    return {
        f"budget.{kind}.ratio": (
            it.ratio,
            f"{it.told.sum():.0f} alerts, {it.weeks.sum():.0f} series-weeks",
        ),
        f"budget.{kind}.within": (it.within, f"quartiles {low:.2f}, {middle:.2f}, {high:.2f}"),
        f"budget.{kind}.recall": (
            it.recall,
            f"{it.found.sum():.0f} of {it.events.sum():.0f} events; precision {it.precision:.2f}",
        ),
    }


def of_bands(kind: str, curves: Sequence[Curve], saids: Sequence[Said]) -> Values:
    """How many normal points lie in their band; nothing for what tells no band."""
    parts = [
        (np.asarray(curve.value, np.float64), said.lower, said.upper, curve.normal())
        for curve, said in zip(curves, saids, strict=True)
        if said.lower is not None and said.upper is not None
    ]
    return banded(kind, parts) if parts else {}


def banded(kind: str, parts: Sequence[tuple[Floats, Floats, Floats, Array]]) -> Values:
    """The same of value, lower, upper and what is normal (T,) of each series."""
    it = coverage(parts)
    bare = it.bare.sum() / max((it.bare + it.banded).sum(), 1.0)
    note = f"a tenth of series below {it.least:.4f}; {bare:.1%} of points have no band"
    return {f"{kind}.band": (it.share, note)}


def of_hosts(
    kind: str, hosts: Sequence[Host], saids: Sequence[Said], every: int, names: Sequence[str]
) -> Values:
    """Ranking of rows, alerts at one a day, and whether the right metrics are blamed.

    Rows are `every` seconds apart; `names` are those of the metrics, in order.
    """
    volumes, found, events, blame = [], 0, 0, list[tuple[bool, float]]()
    for host, said in zip(hosts, saids, strict=True):
        volumes.append(vus_pr(ranked(said.score), host.label, width_of(host.test[:, 0])))
        for span in spans(host.label):
            told = np.flatnonzero(said.alert[slice(*span)]) + span[0]
            events += 1
            found += len(told) > 0
            true = host.blamed(span)
            if len(told) and true and said.blame:
                named = {names.index(name) for name in said.blame[told[0]][:NAMED]}
                blame.append((bool(true & named), _by_chance(host.test.shape[1], len(true))))
    alerts = sum(int(said.alert.sum()) for said in saids)
    days = sum(len(host.test) for host in hosts) * every / 86400.0
    each = ", ".join(f"{h.name} {v:.2f}" for h, v in zip(hosts, volumes, strict=True))
    values: Values = {
        f"{kind}.vus_pr": (float(np.mean(volumes)), each),
        f"{kind}.recall": (found / max(events, 1), f"{found} of {events} events"),
        f"{kind}.ratio": (alerts / days, f"{alerts} in {days:.0f} host-days, one a day asked"),
    }
    if blame:
        right, chance = np.mean(blame, axis=0)
        note = f"of {len(blame)} explained events found; by chance {chance:.2f}"
        values[f"{kind}.blame"] = float(right), note
    return values


def of_rows(measure: str, labels: Sequence[Array], saids: Sequence[Said]) -> Values:
    """Average precision and ROC-AUC, means over the test files."""
    pairs = [(label, ranked(said.score)) for label, said in zip(labels, saids, strict=True)]
    ap = [average_precision(label, score) for label, score in pairs]
    roc = [roc_auc(label, score) for label, score in pairs]
    share = np.mean([said.alert.mean() for said in saids])
    rate = np.mean([label.mean() for label in labels])
    size = f"{len(labels)} files of {len(labels[0])} rows, {rate:.1%} attacks"
    return {
        f"{measure}.ap": (float(np.mean(ap)), f"{size}; spread {np.ptp(ap):.3f}"),
        f"{measure}.roc": (
            float(np.mean(roc)),
            f"spread {np.ptp(roc):.3f}; {share:.1%} of rows alert",
        ),
    }


def of_blocks(label: Array, said: Said) -> Values:
    """Average precision, ROC-AUC and F1 of the alerts."""
    score = ranked(said.score)
    value, precision, recalled = f1(label, said.alert)
    size = f"{int(label.sum())} of {len(label)} blocks are anomalous"
    return {
        "hdfs.ap": (average_precision(label, score), size),
        "hdfs.roc": (roc_auc(label, score), ""),
        "hdfs.f1": (value, f"precision {precision:.2f}, recall {recalled:.2f}"),
    }


def values_of(values: Mapping[str, tuple[float, str]]) -> dict[str, float]:
    """Without what else was seen."""
    return {name: value for name, (value, _) in values.items()}


def _by_chance(metrics: int, true: int) -> float:
    """How often one of three metrics, drawn at random, is one of the true ones."""
    missed = [max(metrics - true - n, 0) / (metrics - n) for n in range(NAMED)]
    return 1.0 - float(np.prod(missed))

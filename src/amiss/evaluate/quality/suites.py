"""Curves and hosts: Amiss and all baselines on the same rows, and their figures."""

from functools import partial

import numpy as np

from amiss.evaluate import speed
from amiss.evaluate.joint import CONTROL
from amiss.evaluate.quality import figures, inputs, product
from amiss.evaluate.quality.baselines import BASELINES
from amiss.evaluate.quality.bench import AMISS, LAYER, Bench, Figure, together
from amiss.evaluate.quality.figures import Values
from amiss.evaluate.quality.said import Said
from amiss.evaluate.quality.treatment import interval_of, layered, plain

QUICK = {"wsd": 10, "kpi": 4, "asd": 2, "smd": 1}
EVERY = {"asd": 300, "smd": 60}  # seconds between rows


def single(bench: Bench, kind: str) -> list[Figure]:
    """Curves of nab, wsd or kpi, each by itself."""
    its = inputs.curves(bench.data, kind)
    if bench.quick and kind in QUICK:
        its = sorted(its, key=lambda c: (len(c.time), c.name))[: QUICK[kind]]
    rows = sum(len(it.time) for it in its)
    values_from = figures.of_nab if kind == "nab" else partial(figures.of_kpi, kind)
    saids = []
    for it in its:
        with bench.costs.charged(kind, AMISS, len(it.time)) as cost:
            saids.append(product.curve(it, bench.work, cost))
    found, beside = values_from(its, saids), dict[str, Values]()
    bench.tell(AMISS)
    for name, baseline in BASELINES.items():
        with bench.costs.charged(kind, name, rows):
            opinions = [baseline(np.asarray(it.value, float)[:, None], it.start) for it in its]
        every = [interval_of(it.time, it.start) for it in its]
        parts = list(zip(its, opinions, every, strict=True))
        beside[name] = values_from(its, [plain(it.time, o, dt, 1.0) for it, o, dt in parts])
        del opinions
        saids = [layered(it.time, o, dt, 1.0) for it, o, dt in parts]
        beside[name + LAYER] = values_from(its, saids)
        bench.tell(name)
    return together(found, beside, not bench.quick or kind not in QUICK)


def systems(bench: Bench, kind: str) -> list[Figure]:
    """Hosts of asd or smd, each as a whole."""
    its = inputs.hosts(bench.data, kind)[: QUICK[kind] if bench.quick else None]
    every, rows = EVERY[kind], sum(len(it.train) + len(it.test) for it in its)
    names = product.metrics_of(its[0])
    saids, parts = [], []
    for it in its:
        with bench.costs.charged(kind, AMISS, len(it.train) + len(it.test)) as cost:
            saids.append(product.host(it, every, bench.work, cost))
        value, lower, upper = product.bands(it, every, bench.work)
        normal = ~it.label
        parts += [(value[:, f], lower[:, f], upper[:, f], normal) for f in range(len(names))]
    found = figures.of_hosts(kind, its, saids, every, names) | figures.banded(kind, parts)
    del parts
    bench.tell(AMISS)
    beside = dict[str, Values]()
    for name, baseline in BASELINES.items():
        with bench.costs.charged(kind, name, rows):
            opinions = [baseline(np.concatenate([it.train, it.test]), len(it.train)) for it in its]
        for way, treat in (("", plain), (LAYER, partial(layered, control=CONTROL))):
            saids = [
                _after(len(it.train), treat(every * np.arange(len(o.raw)), o, every, 7.0))
                for it, o in zip(its, opinions, strict=True)
            ]
            beside[name + way] = figures.of_hosts(kind, its, saids, every, names)
        bench.tell(name)
    return together(found, beside, not bench.quick)


def quickness(bench: Bench) -> list[Figure]:
    """Points a second of the default detectors on one core, and what they remember."""
    narrow = speed.measure(1)
    bench.tell(AMISS)
    found: Values = {
        "speed.narrow": (float(narrow.points_per_second), "one series, fed in batches"),
        "speed.state": (float(narrow.bytes_per_series), "one series"),
    }
    if not bench.quick:
        wide = speed.measure(100_000)
        found["speed.wide"] = float(wide.points_per_second), "100,000 series, tick by tick"
        found["speed.state"] = float(wide.bytes_per_series), "of 100,000 series"
    return together(found, {})


def _after(start: int, said: Said) -> Said:
    return Said(said.score[start:], said.alert[start:])

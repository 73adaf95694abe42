"""Charts as plain Vega-Lite: a value as a thin line, what was expected as a soft band.

A chart's form is fixed by its series and size alone, so that new data is drawn into the same
chart instead of a new one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from amiss.data import SECOND, Array, Floats
from amiss.store import Points
from amiss.units import unit_of
from amiss.web.dashboard import words

Spec = dict[str, Any]
Stretch = tuple[int, int]  # ns, from and to

MS = 10**6
GAP = 3.5  # samples that may be missing before the line is broken
FAINT = 3.0  # nats from which a moment is seen on the heat strip
STRIP = 5  # pixels


def table(
    points: Points, name: str, every: float, bar: float, stretches: Sequence[Stretch] = ()
) -> pa.Table:
    """What a chart of one series draws, as columns; NaN is null.

    t, u: milliseconds, from and to; v, e, lo, hi: value, expected and band; s: nats; m: whether
    it is to be marked; a, b: a stretch to be shaded, in rows of their own.
    """
    time = points.time / MS
    longest = _step(time, every)
    shown = _broken(points, time, longest)
    time, value, score, expected, lower, upper = shown
    low, high = _cut(value, expected, lower, upper, name)
    marked = score >= bar if np.isfinite(bar) else np.zeros(len(time), bool)
    until = np.append(time[1:], time[-1:] + every * SECOND / MS)
    columns = {
        "t": time,
        "u": np.minimum(until, time + longest),
        "v": value,
        "e": expected,
        "lo": low,
        "hi": high,
        "s": np.where(score >= FAINT, score, np.nan),
        "m": marked.astype(float),
    }
    many = len(stretches)
    for name_, column in columns.items():
        columns[name_] = np.concatenate([column, np.full(many, np.nan)])
    nothing = np.full(len(time), np.nan)
    for i, name_ in enumerate("ab"):
        ends = np.array([stretch[i] / MS for stretch in stretches], float)
        columns[name_] = np.concatenate([nothing, ends])
    return pa.table({n: pa.array(c, pa.float64(), from_pandas=True) for n, c in columns.items()})


def series_chart(
    name: str, colours: Mapping[str, Any], height: int, every: float, *, zoom: bool = False
) -> Spec:
    """One series named so, drawn from a `table`. Small ones have fewer ticks and no strip."""
    large = height >= 180
    x: Spec = {
        "field": "t",
        "type": "temporal",
        "title": None,
        "axis": {
            "format": "",
            "labelExpr": _clock(),
            "tickCount": 6 if large else 3,
            "labelFlush": True,
            "labelOverlap": True,
            "grid": False,
            "domain": False,
            "ticks": False,
            "offset": STRIP + 5,
            "labelPadding": 4,
        },
    }
    y: Spec = {
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": True},
        "axis": {
            "labelExpr": number("datum.value", name),
            "tickCount": 4 if large else 3,
            "domain": False,
            "ticks": False,
            "minExtent": 54,
            "maxExtent": 54,
            "gridColor": colours["grid"],
        },
    }
    layers = [
        _stretches(colours),
        _strip(colours),
        {
            "transform": [{"filter": "isValid(datum.t)"}],
            "mark": {
                "type": "area",
                "color": colours["band"],
                "opacity": colours["bandOpacity"],
                "line": False,
            },
            "encoding": {"x": x, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}},
        },
    ]
    if large:
        layers.append(_line(x, y, "e", colours["expected"], 1.0, [4, 3]))
    layers += [
        _line(x, y, "v", colours["line"], 1.6 if large else 1.4),
        _marks(x, y, colours, 18 if large else 14),
        _pointer(x, y, name, every, colours),
    ]
    if zoom:
        layers[2]["params"] = [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}}]
    return {
        "height": height,
        "padding": {"left": 0, "right": 4, "top": 6, "bottom": 0},
        "config": _config(colours),
        "layer": layers,
    }


def histogram(
    points: Points, name: str, colours: Mapping[str, Any], bins: int = 32
) -> tuple[pa.Table, Spec]:
    """How often each value was seen, and where the last one lies."""
    value = points.value[np.isfinite(points.value)]
    last = float(value[-1]) if len(value) else np.nan
    many, edges = np.histogram(value, bins)
    rows = {"x": edges[:-1], "x2": edges[1:], "n": many.astype(float)}
    rows = {n: np.append(column, np.nan) for n, column in rows.items()}
    rows["at"] = np.append(np.full(bins, np.nan), last)
    data = pa.table({n: pa.array(c, pa.float64(), from_pandas=True) for n, c in rows.items()})
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "nice": False},
        "axis": {
            "labelExpr": number("datum.value", name),
            "tickCount": 5,
            "grid": False,
            "ticks": False,
            "labelFlush": True,
        },
    }
    tooltip = f"{number('datum.x', name)} + ' to ' + {number('datum.x2', name)}"
    bars: Spec = {
        "transform": [
            {"filter": "isValid(datum.x)"},
            {"calculate": tooltip, "as": "range"},
        ],
        "mark": {"type": "bar", "color": colours["bar"], "binSpacing": 1},
        "encoding": {
            "x": {**x, "bin": {"binned": True}},
            "x2": {"field": "x2"},
            "y": {"field": "n", "type": "quantitative", "title": None, "axis": None},
            "tooltip": [
                {"field": "range", "title": "values"},
                {"field": "n", "title": "samples"},
            ],
        },
    }
    rule: Spec = {
        "transform": [{"filter": "isValid(datum.at)"}],
        "mark": {"type": "rule", "color": colours["line"], "strokeWidth": 2},
        "encoding": {"x": {**x, "field": "at"}},
    }
    return data, {
        "height": 110,
        "padding": {"left": 0, "right": 4, "top": 4, "bottom": 0},
        "config": _config(colours),
        "layer": [bars, rule],
    }


def number(value: str, name: str) -> str:
    """A Vega expression that writes a value with its unit, as `units.write_number` would."""
    unit = unit_of(name)
    if unit in ("%", "°C", "rpm", "V"):
        return f"format({value}, '.3~r') + ' {unit}'"
    small = f"format({value}, '.3~r')"
    gap = "" if unit in ("", "/s") else " "
    plain = f"{small} + '{gap}{unit}'"
    if unit == "s":
        return f"abs({value}) < 1 && {value} != 0 ? format({value}, '.3~s') + 's' : {plain}"
    # 21M to 21 M, then the unit
    text = f"replace(format({value}, '.3~s'), /([a-zA-Z])$/, ' $1')"
    return f"abs({value}) < 1000 ? {plain} : {text} + '{unit}'"


def _clock() -> str:
    """Time of the reader; with the day at midnight."""
    day = "timeFormat(datum.value, '%H:%M') == '00:00'"
    return f"{day} ? timeFormat(datum.value, '%-d %b') : timeFormat(datum.value, '%H:%M')"


def _step(time: Floats, every: float) -> float:
    """The longest distance in milliseconds that is no gap."""
    least = GAP * every * SECOND / MS
    if len(time) < 3:
        return least
    usual = float(np.median(np.diff(time)))
    if usual < 1.5 * every * SECOND / MS:
        return least
    # thinned: three points of each stretch are left, at any place in it
    return max(least, 6.5 * (time[-1] - time[0]) / len(time))


def _broken(points: Points, time: Floats, longest: float) -> list[Array]:
    """All columns with an empty row in each gap, so that no line is drawn across it."""
    after = np.flatnonzero(np.diff(time) > longest) + 1
    columns = [np.insert(time, after, time[after - 1] + 1)]
    rest = points.columns()[1:]
    return columns + [np.insert(column, after, np.nan) for column in rest]


def _cut(
    value: Floats, expected: Floats, lower: Floats, upper: Floats, name: str
) -> tuple[Floats, Floats]:
    """The band, not beyond where the series can be: see `words.shown`."""
    known = np.concatenate([value, expected])
    known = known[np.isfinite(known)]
    if not len(known):
        return lower, upper
    least, most = words.shown(float(known.min()), -np.inf, np.inf, float(known.max()), name)
    least = least if known.min() >= 0 else -np.inf
    return np.maximum(lower, least), np.minimum(upper, most)


def _line(x: Spec, y: Spec, field: str, colour: str, width: float, dash: Any = None) -> Spec:
    mark = {"type": "line", "color": colour, "strokeWidth": width, "strokeJoin": "round"}
    return {
        "transform": [{"filter": "isValid(datum.t)"}],
        "mark": mark | ({"strokeDash": dash} if dash else {}),
        "encoding": {"x": x, "y": {**y, "field": field}},
    }


def _marks(x: Spec, y: Spec, colours: Mapping[str, Any], size: int) -> Spec:
    return {
        "transform": [{"filter": "datum.m == 1"}],
        "mark": {
            "type": "point",
            "shape": "circle",
            "filled": True,
            "color": colours["mark"],
            "stroke": colours["paper"],
            "strokeWidth": 0.8,
            "opacity": 1,
            "size": size,
        },
        "encoding": {"x": x, "y": {**y, "field": "v"}},
    }


def _stretches(colours: Mapping[str, Any]) -> Spec:
    """Where an incident lasted, shaded from top to bottom."""
    mark = {"type": "rect", "color": colours["span"], "opacity": colours["spanOpacity"]}
    return {
        "transform": [{"filter": "isValid(datum.a)"}],
        "mark": mark,
        "encoding": {
            "x": {"field": "a", "type": "temporal", "title": None},
            "x2": {"field": "b"},
            "y": {"value": 0},
            "y2": {"value": "height"},
        },
    }


def _strip(colours: Mapping[str, Any]) -> Spec:
    """A thin strip below the chart: the rarer the moment, the stronger."""
    return {
        "transform": [{"filter": "isValid(datum.s)"}],
        "mark": {"type": "rect", "color": colours["heat"], "tooltip": False},
        "encoding": {
            "x": {"field": "t", "type": "temporal", "title": None},
            "x2": {"field": "u"},
            "y": {"value": {"expr": "height + 3"}},
            "y2": {"value": {"expr": f"height + {3 + STRIP}"}},
            "opacity": {
                "field": "s",
                "type": "quantitative",
                "legend": None,
                "scale": {"domain": [FAINT, 12], "range": [0.12, 1], "clamp": True},
            },
        },
    }


def _pointer(x: Spec, y: Spec, name: str, every: float, colours: Mapping[str, Any]) -> Spec:
    """What was seen and expected at the time that is pointed at."""
    expected = f"{number('datum.lo', name)} + ' to ' + {number('datum.hi', name)}"
    return {
        "transform": [
            {"filter": "isValid(datum.v)"},
            {"calculate": number("datum.v", name), "as": "seen"},
            {"calculate": f"isValid(datum.lo) ? {expected} : 'nothing yet'", "as": "expected"},
            {"calculate": _rare(every), "as": "rarity"},
        ],
        "params": [
            {
                "name": "at",
                "select": {
                    "type": "point",
                    "on": "pointerover",
                    "clear": "pointerout",
                    "nearest": True,
                    "fields": ["t"],
                },
            }
        ],
        "mark": {"type": "point", "filled": True, "size": 36, "color": colours["line"]},
        "encoding": {
            "x": x,
            "y": {**y, "field": "v"},
            "opacity": {"condition": {"param": "at", "empty": False, "value": 1}, "value": 0},
            "tooltip": [
                {"field": "t", "type": "temporal", "title": "at", "format": "%-d %b %H:%M:%S"},
                {"field": "seen", "title": "seen"},
                {"field": "expected", "title": "expected"},
                {"field": "rarity", "title": "rarity"},
            ],
        },
    }


def _rare(every: float) -> str:
    """A Vega expression that says what a score means: see `words.rarity_now`."""
    days = f"{every / 86400!r} * exp(datum.s)"
    text = "'usual'"
    for size, unit in ((1 / 1440, "minutes"), (1 / 24, "hours"), (1, "days"), (365.25, "years")):
        said = f"'about once in ' + format({days} / {size!r}, '.0f') + ' {unit}'"
        text = f"{days} >= {1.5 * size!r} ? {said} : {text}" if size > 1 / 1440 else said
    return f"isValid(datum.s) ? {text} : 'usual'"


def _config(colours: Mapping[str, Any]) -> Spec:
    return {
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {"labelColor": colours["text"], "labelFontSize": 11},
    }

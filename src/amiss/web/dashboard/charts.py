"""Charts as plain Vega-Lite: a value as a thin line, what was expected as a soft band.

A chart's form is fixed by its series and size alone, so that new data is drawn into the same
chart instead of a new one.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from amiss.data import SECOND, Floats
from amiss.store import Points
from amiss.units import unit_of
from amiss.web.dashboard import theme, words

Spec = dict[str, Any]
Stretch = tuple[int, int]  # ns, from and to

MS = 10**6
GAP = 3.5  # samples that may be missing before the line is broken
FAINT = 3.0  # nats from which a moment is seen on the heat strip
STRIP = 5  # pixels
LARGE = 140  # pixels


def table(
    points: Points, name: str, every: float, bar: float, stretches: Sequence[Stretch] = ()
) -> pa.Table:
    """What a chart of one series draws, as few bytes as will do; NaN is null.

    t: milliseconds; v, e, lo, hi: value, expected and band; s: nats, where they are worth a
    word; w: milliseconds to the next row; m: whether it is to be marked. In rows of their own,
    b: milliseconds from t on that are to be shaded.
    """
    time, *columns = _broken(points, every)
    value, score, expected, lower, upper = columns
    low, high = _cut(value, expected, lower, upper, name)
    shown = {
        "t": time,
        "v": value,
        "e": expected,
        "lo": low,
        "hi": high,
        "s": np.where(score >= FAINT, score, np.nan),
        "w": np.diff(time, append=time[-1:] + every * SECOND / MS),
        "b": np.full(len(time), np.nan),
    }
    marked = score >= bar if np.isfinite(bar) else np.zeros(len(time), bool)
    if stretches:
        ends = np.array(stretches, float).T / MS
        rest = dict.fromkeys(shown, np.full(len(stretches), np.nan))
        rest |= {"t": ends[0], "b": ends[1] - ends[0]}
        shown = {name: np.concatenate([column, rest[name]]) for name, column in shown.items()}
        marked = np.append(marked, np.zeros(len(stretches), bool))
    arrays = {
        name: pa.array(column, pa.float64() if name == "t" else pa.float32(), from_pandas=True)
        for name, column in shown.items()
    }
    return pa.table({**arrays, "m": pa.array(marked)})


@lru_cache(maxsize=256)
def series_chart(name: str, dark: bool, height: int, every: float, zoom: bool = False) -> Spec:
    """One series named so, drawn from a `table`. Not to be changed: it is handed out again.

    Small ones have fewer ticks and say less of a point. Where `zoom`, dragging selects a time.
    """
    colours, large = theme.palette(dark), height >= LARGE
    drawn = [_band(colours), _line("v", colours["line"], 1.6 if large else 1.4)]
    if large:
        drawn.insert(1, _line("e", colours["expected"], 1.0) | {"name": "expected"})
        drawn[1]["mark"]["strokeDash"] = [4, 3]
    if zoom:
        select = {"type": "interval", "encodings": ["x"]}
        drawn[0]["params"] = [{"name": "zoom", "select": select}]
    drawn += [_marks(colours, 16 if large else 9), _pointer(name, every, colours)]
    return {
        "height": height,
        "padding": {"left": 0, "right": 4, "top": 6, "bottom": 0},
        "config": _config(colours),
        "layer": [
            _stretches(colours),
            _strip(colours),
            {"encoding": {"x": _time(large), "y": _value(name, large, colours)}, "layer": drawn},
        ],
    }


def histogram(points: Points, name: str, dark: bool, bins: int = 32) -> tuple[pa.Table, Spec]:
    """How often each value was seen, and where the last one lies."""
    colours = theme.palette(dark)
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


def _broken(points: Points, every: float) -> list[Floats]:
    """All columns, time in milliseconds, with an empty row in each gap: no line is drawn there."""
    time, *rest = points.columns()
    time = time / MS
    gaps = np.flatnonzero(np.diff(time) > _longest(time, every * SECOND / MS)) + 1
    inside = (time[gaps - 1] + time[gaps]) / 2
    return [np.insert(time, gaps, inside), *(np.insert(column, gaps, np.nan) for column in rest)]


def _longest(time: Floats, every: float) -> float:
    """The longest distance between two points that is no gap."""
    least = GAP * every
    if len(time) < 3 or np.median(np.diff(time)) < 1.5 * every:
        return least
    # thinned: about three points of each stretch are left, at any place in it
    return float(max(least, 6.5 * (time[-1] - time[0]) / len(time)))


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


def _time(large: bool) -> Spec:
    axis = {
        "labelExpr": "timeFormat(datum.value, timeFormat(datum.value, '%H:%M') == '00:00'"
        " ? '%-d %b' : '%H:%M')",
        "tickCount": 6 if large else 3,
        "labelFlush": True,
        "labelOverlap": True,
        "grid": False,
        "domain": False,
        "ticks": False,
        "offset": STRIP + 5,
        "labelPadding": 4,
    }
    return {"field": "t", "type": "temporal", "title": None, "axis": axis}


def _value(name: str, large: bool, colours: Mapping[str, Any]) -> Spec:
    axis = {
        "labelExpr": number("datum.value", name),
        "tickCount": 4 if large else 3,
        "domain": False,
        "ticks": False,
        "minExtent": 54,
        "maxExtent": 54,
        "gridColor": colours["grid"],
    }
    scale = {"zero": False, "nice": True}
    return {"type": "quantitative", "title": None, "scale": scale, "axis": axis}


def _band(colours: Mapping[str, Any]) -> Spec:
    mark = {"type": "area", "color": colours["band"], "opacity": colours["bandOpacity"]}
    return {
        "transform": [{"filter": "!isValid(datum.b)"}],
        "mark": mark,
        "encoding": {"y": {"field": "lo"}, "y2": {"field": "hi"}},
    }


def _line(field: str, colour: str, width: float) -> Spec:
    return {
        "transform": [{"filter": "!isValid(datum.b)"}],
        "mark": {"type": "line", "color": colour, "strokeWidth": width, "strokeJoin": "round"},
        "encoding": {"y": {"field": field}},
    }


def _marks(colours: Mapping[str, Any], size: int) -> Spec:
    mark = {"type": "circle", "color": colours["mark"], "opacity": 1, "size": size}
    return {"transform": [{"filter": "datum.m"}], "mark": mark, "encoding": {"y": {"field": "v"}}}


def _stretches(colours: Mapping[str, Any]) -> Spec:
    """Where an incident lasted, shaded from top to bottom."""
    mark = {"type": "rect", "color": colours["span"], "opacity": colours["spanOpacity"]}
    return {
        "transform": [
            {"filter": "isValid(datum.b)"},
            {"calculate": "datum.t + datum.b", "as": "until"},
        ],
        "mark": mark,
        "encoding": {"x": {"field": "t", "type": "temporal"}, "x2": {"field": "until"}},
    }


def _strip(colours: Mapping[str, Any]) -> Spec:
    """A thin strip below the chart: the rarer the moment, the stronger."""
    mark = {
        "type": "rect",
        "color": colours["heat"],
        "y": {"expr": "height + 3"},
        "y2": {"expr": f"height + {3 + STRIP}"},
    }
    strength = {"domain": [FAINT, 12], "range": [0.15, 1], "clamp": True}
    return {
        "transform": [
            {"filter": "isValid(datum.s)"},
            {"calculate": "datum.t + datum.w", "as": "next"},
        ],
        "mark": mark,
        "encoding": {
            "x": {"field": "t", "type": "temporal"},
            "x2": {"field": "next"},
            "opacity": {"field": "s", "type": "quantitative", "legend": None, "scale": strength},
        },
    }


def _pointer(name: str, every: float, colours: Mapping[str, Any]) -> Spec:
    """What was seen and expected at the time that is pointed at, and how rare that was."""
    expected = f"{number('datum.lo', name)} + ' to ' + {number('datum.hi', name)}"
    select = {
        "type": "point",
        "on": "pointerover",
        "clear": "pointerout",
        "nearest": True,
        "fields": ["t"],
    }
    return {
        "transform": [
            {"filter": "isValid(datum.v)"},
            {"calculate": number("datum.v", name), "as": "seen"},
            {"calculate": f"isValid(datum.lo) ? {expected} : 'nothing yet'", "as": "expected"},
            {"calculate": _rare(every), "as": "rarity"},
        ],
        "params": [{"name": "at", "select": select}],
        "mark": {"type": "circle", "size": 36, "color": colours["line"]},
        "encoding": {
            "y": {"field": "v"},
            "opacity": {"condition": {"param": "at", "empty": False, "value": 1}, "value": 0},
            "tooltip": [
                {"field": "t", "type": "temporal", "title": "at", "format": "%-d %b %H:%M:%S"},
                {"field": "seen"},
                {"field": "expected"},
                {"field": "rarity"},
            ],
        },
    }


def _rare(every: float) -> str:
    """A Vega expression that says what a score means: see `words.rarity_now`."""
    days = f"{every / 86400:.9g} * exp(datum.s)"
    said = f"format({days} * 1440, '.0f') + ' minutes'"
    for size, unit in ((1 / 24, "hours"), (1, "days"), (365.25, "years")):
        more = f"format({days} / {size:.9g}, '.0f') + ' {unit}'"
        said = f"({days} >= {1.5 * size:.9g} ? {more} : {said})"
    return f"isValid(datum.s) ? 'about once in ' + {said} : 'usual'"


def _config(colours: Mapping[str, Any]) -> Spec:
    return {
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {"labelColor": colours["text"], "labelFontSize": 11},
    }

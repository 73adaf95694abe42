"""Charts as plain Vega-Lite: a value as a thin line, what was expected as a soft band.

A chart's form is fixed by its series and size alone, so that new data is drawn into the same
chart instead of a new one.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from amiss.web.dashboard import theme, words
from amiss.words.units import unit_of

Spec = dict[str, Any]

FAINT = words.USUAL  # nats from which a moment is seen on the heat strip
STRIP = 5  # pixels
LARGE = 140  # pixels


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
    drawn += [_marks(colours, 13 if large else 7), _pointer(name, every, colours)]
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


@lru_cache(maxsize=64)
def histogram(name: str, dark: bool) -> Spec:
    """How often each value was seen, and where the last one lies; from a `distribution`."""
    colours = theme.palette(dark)
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
    return {
        "height": 200,
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


def _time(large: bool) -> Spec:
    axis = {
        "labelExpr": "timeFormat(datum.value, seconds(datum.value) ? '%H:%M:%S' :"
        " hours(datum.value) + minutes(datum.value) ? '%H:%M' : '%-d %b')",
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
    room = 60 if large else 54  # pixels for the numbers: charts above each other begin in line
    axis = {
        "labelExpr": number("datum.value", name),
        "tickCount": 4 if large else 3,
        "domain": False,
        "ticks": False,
        "minExtent": room,
        "maxExtent": room,
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

"""The curve of a training: the error at each look, and where the weights come from."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pyarrow as pa

from amiss.run.figures import kept_at
from amiss.web.dashboard import parts, theme
from amiss.web.dashboard.charts import Spec

HEIGHT = 170  # pixels


def curve(loss: Mapping[str, Any]) -> pa.Table:
    """What is drawn of the figure `loss` of a model: x epochs, y error, `of` which.

    `k` is whether the weights that are kept are of this look.
    """
    best = kept_at(loss)
    rows = [
        {"x": x, "y": y, "of": of, "k": of == "validation" and i == best}
        for of in ("training", "validation")
        for i, (x, y) in enumerate(zip(loss["epochs"], loss[of], strict=True))
        if y is not None
    ]
    return pa.Table.from_pylist(rows)


@lru_cache(maxsize=2)
def chart(dark: bool) -> Spec:
    """Errors on a logarithmic scale over epochs, as the last ones differ by little."""
    colours = theme.palette(dark)
    tones = {"domain": ["training", "validation"], "range": [colours["bar"], colours["line"]]}
    plain = {"domain": False, "ticks": False, "grid": False}
    x = {
        "field": "x",
        "type": "quantitative",
        "title": "epochs",
        "axis": plain | {"tickCount": 5, "titleColor": colours["text"]},
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "title": None,
        "scale": {"type": "log", "nice": False, "padding": 12},
        "axis": plain | {"tickCount": 4, "format": ".3~g"},
    }
    shown = [
        {"field": "of", "title": "error of"},
        {"field": "x", "title": "epochs", "format": ".2~f"},
        {"field": "y", "title": "squared", "format": ".4~g"},
    ]
    marked = {"type": "circle", "size": 90, "color": colours["mark"], "opacity": 1}
    lines = {"type": "line", "strokeWidth": 2, "point": {"size": 26}}
    tone = {"field": "of", "type": "nominal", "legend": None, "scale": tones}
    return {
        "height": HEIGHT,
        "padding": {"left": 0, "right": 8, "top": 6, "bottom": 0},
        "config": {
            "background": "transparent",
            "view": {"stroke": None},
            "axis": {"labelColor": colours["text"], "labelFontSize": 11, "titleFontWeight": 400},
        },
        "encoding": {"x": x, "y": y, "tooltip": shown},
        "layer": [
            {"mark": lines, "encoding": {"color": tone}},
            {"transform": [{"filter": "datum.k"}], "mark": marked},
        ],
    }


def legend(dark: bool) -> str:
    """What is drawn in it."""
    colours = theme.palette(dark)
    return parts.keys(
        ("line", colours["bar"], "training"),
        ("line", colours["line"], "validation: the last fifth, not trained on"),
        ("mark", colours["mark"], "weights that are kept"),
    )

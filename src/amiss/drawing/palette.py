"""Colours of charts in light and dark, told apart by lightness as well as by hue; the mark."""

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#23496b"/>'
    '<path d="M5 20h6l3-3 3 3 3-12 3 12h4" fill="none" stroke="#fff" stroke-width="2.6"'
    ' stroke-linejoin="round" stroke-linecap="round"/><circle cx="20" cy="8" r="3" fill="#f2a65a"/>'
    "</svg>"
)
"""For the tab: a line with one point that is amiss."""


LIGHT = {
    "line": "#24527d",
    "band": "#7ea3c4",
    "bandOpacity": 0.26,
    "expected": "#7ea3c4",
    "mark": "#c2330f",
    "span": "#e0892b",
    "spanOpacity": 0.13,
    "heat": "#d0521b",
    "text": "#5d646b",
    "grid": "#e9e9e4",
    "bar": "#9db7cf",
}
DARK = {
    "line": "#a9cbec",
    "band": "#5e8db8",
    "bandOpacity": 0.30,
    "expected": "#5e8db8",
    "mark": "#ff8a5c",
    "span": "#f0a54a",
    "spanOpacity": 0.14,
    "heat": "#ff8a4c",
    "text": "#98a1a9",
    "grid": "#262c31",
    "bar": "#4a6d8f",
}

"""How it looks: Streamlit's options, and the colours that charts cannot take from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

STYLE = Path(__file__).with_name("style.css")
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="7" fill="#23496b"/>'
    '<path d="M5 20h6l3-3 3 3 3-12 3 12h4" fill="none" stroke="#fff" stroke-width="2.6"'
    ' stroke-linejoin="round" stroke-linecap="round"/><circle cx="20" cy="8" r="3" fill="#f2a65a"/>'
    "</svg>"
)
"""For the tab: a line with one point that is amiss."""

OPTIONS: Mapping[str, Any] = {
    "runner.magicEnabled": False,
    "logger.enableRich": False,  # a coloured traceback takes a third of a second of all threads
    "client.showErrorLinks": False,
    "client.showSidebarNavigation": False,
    "theme.font": "'Source Sans', system-ui, sans-serif",
    "theme.baseRadius": "8px",
    "theme.showWidgetBorder": True,
    "theme.headingFontWeights": [700, 600, 600, 600, 600, 600],
    "theme.light.primaryColor": "#1f5f99",
    "theme.light.backgroundColor": "#fbfbf9",
    "theme.light.secondaryBackgroundColor": "#f1f1ed",
    "theme.light.textColor": "#1b1e22",
    "theme.light.linkColor": "#1f5f99",
    "theme.light.borderColor": "#e2e2dc",
    "theme.dark.primaryColor": "#86b9e8",
    "theme.dark.backgroundColor": "#111417",
    "theme.dark.secondaryBackgroundColor": "#1b2024",
    "theme.dark.textColor": "#e4e7ea",
    "theme.dark.linkColor": "#86b9e8",
    "theme.dark.borderColor": "#2b3137",
}
"""Set by `amiss.web.mount` beside its own. Light and dark follow what the reader's system asks
for."""

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


def palette(dark: bool) -> Mapping[str, Any]:
    """Colours for charts, told apart by lightness as well as by hue."""
    return DARK if dark else LIGHT

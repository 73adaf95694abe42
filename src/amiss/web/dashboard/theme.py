"""How it looks: Streamlit's options, and the colours that charts cannot take from them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amiss.drawing.palette import DARK, ICON, LIGHT

__all__ = ["DARK", "ICON", "LIGHT", "OPTIONS", "STYLE", "palette"]

STYLE = Path(__file__).with_name("style.css")

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


def palette(dark: bool) -> Mapping[str, Any]:
    """Colours for charts, told apart by lightness as well as by hue."""
    return DARK if dark else LIGHT

"""How it looks: options that Streamlit knows, and colours that can be read."""

import re
from collections.abc import Iterator

import pytest
from streamlit import config

from amiss.web import mount
from amiss.web.dashboard import theme
from amiss.web.mount import streamlit_app

STYLE = theme.STYLE.read_text("utf-8")
WAYS = ("light", "dark")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 has it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def pairs() -> dict[str, tuple[str, str]]:
    """Colours of the style sheet by name: in light, in dark."""
    found = re.findall(r"(--am-\w+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
    return {name: (light, dark) for name, light, dark in found}


def papers(way: str) -> tuple[str, str]:
    return theme.OPTIONS[f"theme.{way}.backgroundColor"], pairs()["--am-card"][WAYS.index(way)]


@pytest.fixture(scope="module", autouse=True)
def _as_it_was() -> Iterator[None]:
    """Options are those of the whole process."""
    before = {name: config.get_option(name) for name in (*theme.OPTIONS, *mount.OPTIONS)}
    yield
    for name, value in before.items():
        config.set_option(name, value)


def test_the_pages_are_served_in_these_colours() -> None:
    streamlit_app(mount.SCRIPT)
    assert {name: config.get_option(name) for name in theme.OPTIONS} == dict(theme.OPTIONS)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["faint", "high", "medium", "low", "good", "link"])
def test_words_can_be_read_on_every_ground(way: str, name: str) -> None:
    colour = pairs()[f"--am-{name}"][WAYS.index(way)]
    assert min(contrast(colour, paper) for paper in papers(way)) >= 4.5


@pytest.mark.parametrize("way", WAYS)
def test_what_is_drawn_can_be_seen(way: str) -> None:
    colours = theme.palette(way == "dark")
    for name, least in (("text", 4.5), ("line", 4.5), ("mark", 3.0), ("heat", 3.0)):
        assert min(contrast(colours[name], paper) for paper in papers(way)) >= least
    text = theme.OPTIONS[f"theme.{way}.textColor"]
    assert min(contrast(text, paper) for paper in papers(way)) >= 7


def test_the_style_sheet_fetches_nothing_and_is_whole() -> None:
    assert "url(" not in STYLE
    assert "@import" not in STYLE
    assert STYLE.count("{") == STYLE.count("}")

"""The paper that reports are written on: one page by itself, no script, all escaped, printable."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from amiss.data import readable
from amiss.drawing.palette import DARK, ICON, LIGHT
from amiss.errors import ConfigError

STYLE = Path(__file__).with_name("report.css")
SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the page, should something have slipped through: show it."""


def document(name: str, body: Iterable[str]) -> str:
    """A whole page; its body is HTML already."""
    return readable(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{SAFE}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(name)}</title>{_icon()}<style>{_colours()}{_style()}</style></head>"
        f'<body><main><header><p class="brand">Amiss <span>{escape(name)}</span></p></header>'
        f"{''.join(body)}</main></body></html>\n"
    )


def page_name(page: Path) -> Path:
    """The same; ConfigError if it is that of a kind of file that a report is not."""
    if page.suffix.lower() in (".pdf", ".txt", ".json", ".docx"):
        as_html = page.with_suffix(".html")
        raise ConfigError(f"{page}: a report is a page of HTML; name it {as_html}, and print that")
    return page


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """A card for each: what it is, and how much."""
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in pairs)
    return f'<dl class="facts">{cells}</dl>'


def faint(text: str) -> str:
    """A remark."""
    return f'<p class="faint">{escape(text)}</p>'


def footer(notes: Sequence[str], last: str) -> str:
    """What is to be known, and where the page comes from."""
    said = "".join(f"<p>{escape(note)}</p>" for note in (*notes, last))
    return f"<footer>{said}</footer>"


def _icon() -> str:
    return f'<link rel="icon" href="data:image/svg+xml,{quote(ICON)}">'


def _colours() -> str:
    light, dark = (
        "".join(f"--{name}:{value};" for name, value in colours.items())
        for colours in (LIGHT, DARK)
    )
    return f":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


def _style() -> str:
    return STYLE.read_text(encoding="utf-8")

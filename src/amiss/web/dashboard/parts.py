"""The pieces that pages are made of. All text from outside is escaped here."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pyarrow as pa
import streamlit as st

from amiss.data import SECOND, readable
from amiss.drawing.markup import table
from amiss.errors import Error
from amiss.run.now import Now
from amiss.web.dashboard import here, theme, words

if TYPE_CHECKING:
    from amiss.run.live import Live

LONG = 20  # characters of a fact that wants the room of two
REFRESH = "2s"
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:<>&^=])")


@dataclass(frozen=True, slots=True)
class Look:
    """One look of one reader at what is going on."""

    live: "Live"
    now: Now
    at: int  # ns
    zone: tzinfo
    dark: bool

    @property
    def moment(self) -> tuple[int, int]:
        """What words depend on: made anew with each picture, and every two seconds."""
        return self.now.version, self.at // (2 * SECOND)

    @property
    def pace(self) -> str:
        """How often there are new samples: it is no use to draw charts more often."""
        quickest = min((p.every for p in self.now.pipelines), default=2.0)
        return f"{min(max(quickest, 2.0), 10.0):g}s"

    @property
    def systems(self) -> int:
        """How many hosts, services or whatever are watched."""
        return len({one.system for one in self.now.series})

    def every(self, pipeline: str) -> float:
        """Seconds between two samples of a pipeline."""
        return next((p.tick or p.every for p in self.now.pipelines if p.name == pipeline), 5.0)

    def clock(self, ns: int, seconds: bool = False) -> str:
        """A time where the reader is."""
        return words.clock(ns, self.at, self.zone, seconds)


def look() -> Look:
    """What there is to see now."""
    live = here.the_live()
    now = live.now()
    return Look(
        live=live,
        now=now,
        at=max(live.world.now(), now.at),
        zone=words.zone_of(st.context.timezone),
        dark=st.context.theme.type == "dark",
    )


def refreshing(draw: Callable[[], None], every: str = REFRESH) -> None:
    """Draw now and again and again. A failure is told, and the next try is not far."""

    def safely() -> None:
        try:
            draw()
        except Error as exc:
            show(notice("fail", f"This page cannot be drawn just now: {exc}", "It tries again."))

    st.fragment(safely, run_every=every)()


def show(body: str) -> None:
    """HTML of ours."""
    st.html(readable(body))


def chart(data: pa.Table, spec: dict[str, Any], alt: str) -> None:
    """A chart as wide as there is room."""
    st.vega_lite_chart(data, spec, width="stretch", alt=alt)


def link(page: str, label: str, icon: str | None = None, **query: str) -> None:
    """A link to another page, without loading everything anew. `label` is Markdown."""
    query = {name: readable(value) for name, value in query.items()}
    label = readable(label)
    st.page_link(st.session_state["pages"][page], label=label, icon=icon, query_params=query)


def address(page: str, **query: str) -> str:
    """Where a link within HTML leads."""
    said = urlencode({name: readable(value) for name, value in query.items()})
    return escape(f"{page}?{said}")


def plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return SPECIAL.sub(r"\\\1", text)


def severity(of: str) -> str:
    """A shape, a word and a colour."""
    return f'<span class="am-tag am-{of}"><i class="am-shape" aria-hidden="true"></i>{of}</span>'


def state(word: str, tone: str) -> str:
    """The same for anything that has a state. Tones: good, wait, fail, amiss, going, still."""
    return f'<span class="am-tag am-{tone}"><i class="am-shape"></i>{escape(word)}</span>'


def line(word: str, tone: str, said: str, name: str = "") -> str:
    """A state with its reason in a sentence."""
    whose = f"<b>{escape(name)}</b>" if name else ""
    return f'<p class="am-line">{whose}{state(word, tone)}<span>{escape(said)}</span></p>'


def notice(tone: str, said: str, more: str = "") -> str:
    """One thing that the reader should know."""
    rest = f"<p>{escape(more)}</p>" if more else ""
    return f'<div class="am-notice am-{tone}" role="status"><p>{escape(said)}</p>{rest}</div>'


def heading(text: str, note: str = "") -> str:
    """A heading within a page."""
    small = f"<small>{escape(note)}</small>" if note else ""
    return f'<h2 class="am-h2">{escape(text)}{small}</h2>'


def legend(dark: bool) -> str:
    """What is drawn in the chart of a series."""
    colours = theme.palette(dark)
    return keys(
        ("line", colours["line"], "seen"),
        ("band", colours["band"], "expected"),
        ("mark", colours["mark"], "amiss"),
        ("span", colours["span"], "while the incident lasted"),
        ("heat", colours["heat"], "below: the stronger, the rarer"),
    )


def keys(*found: tuple[str, str, str]) -> str:
    """A form, a colour and a word for each thing that a chart draws."""
    shown = "".join(
        f'<span><i class="am-key am-key-{kind}" style="--am-tone:{colour}"></i>{said}</span>'
        for kind, colour, said in found
    )
    return f'<p class="am-legend">{shown}</p>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels and values side by side."""
    cells = (
        f"<div{' class=am-long' if len(b) > LONG else ''}><dt>{escape(a)}</dt>"
        f"<dd>{escape(b)}</dd></div>"
        for a, b in pairs
    )
    return f'<dl class="am-facts">{"".join(cells)}</dl>'


def rows(head: Sequence[str], body: Iterable[Sequence[str]], label: str) -> str:
    """A table of HTML cells; on a narrow screen each row becomes a block."""
    return table(head, body, label, "am-table")


def meter(done: float, of: float, label: str) -> str:
    """How far something is."""
    share = 0.0 if of <= 0 else min(max(done / of, 0.0), 1.0)
    return (
        f'<div class="am-meter" role="progressbar" aria-label="{escape(label)}" aria-valuemin="0"'
        f' aria-valuemax="100" aria-valuenow="{share * 100:.0f}">'
        f'<span style="width:{share * 100:.1f}%"></span></div>'
    )

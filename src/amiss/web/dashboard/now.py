"""What is amiss now, and whether Amiss is awake: the first page."""

from html import escape

import streamlit as st

from amiss.data import HOUR, MINUTE, Incident, parse_key
from amiss.decide import pulse
from amiss.web.dashboard import charts, overview, parts, saying, words
from amiss.web.dashboard.drawn import READ, table
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.words.wording import is_whole

SPAN = 20 * MINUTE  # of the small charts
TILE = 116  # pixels
DRAWN = "incidents that are drawn"
CARDS = 3  # incidents with a chart; further ones are lines


def page() -> None:
    """The headline renews itself quickly, the pictures as often as there are new samples."""
    st.session_state[DRAWN] = None
    parts.refreshing(draw_head)
    parts.refreshing(draw, parts.look().pace)


def draw_head() -> None:
    """How things are, in a sentence. What opens or resolves is drawn below at once."""
    look = parts.look()
    n = len(look.now.open)
    st.set_page_config(page_title=f"{n} amiss" if n else "Amiss")
    parts.show(
        shared(look.live, ("head", str(look.zone)), look.moment, lambda: overview.head(look))
    )
    if st.session_state.get(DRAWN) not in (None, _open(look)):
        st.session_state[DRAWN] = None
        st.rerun()


def _open(look: Look) -> tuple[tuple[str, str], ...]:
    return tuple((one.id, one.severity) for one in look.now.open)


def draw() -> None:
    """What is amiss, what wants attention, then the machine."""
    look = parts.look()
    st.session_state[DRAWN] = _open(look)
    chosen = overview.chosen_series(look.now.series)
    below, tiles = shared(
        look.live,
        ("now", str(look.zone)),
        look.moment,
        lambda: (overview.below(look, chosen), overview.over(look, chosen)),
    )
    incidents(look)
    parts.show(below)
    if chosen:
        with st.container(key="tiles"):
            parts.show(tiles)
            for one in chosen:
                series(look, one.key, look.at - SPAN, TILE)


def incidents(look: Look) -> None:
    """A card for each of the worst, a line for each further one."""
    found = words.worst_first(look.now.open)
    for each in found[:CARDS]:
        card(look, each)
    for each in found[CARDS : CARDS + 20]:
        label = f"**{each.severity}** {parts.plain(each.title)}"
        parts.link("incident", label, ":material/priority_high:", id=each.id)


def card(look: Look, each: Incident) -> None:
    """One incident: what, since when, how rare, why, and a picture of it."""
    with st.container(border=True, key=f"card-{each.severity}-{each.id}"):
        parts.link("incident", parts.plain(each.title), id=each.id)
        lasted = words.span(look.at - each.since)
        said = [
            f"since {look.clock(each.since)}, for {lasted}",
            words.how_rare(each),
            words.count(each.breadth, "series", "series"),
        ]
        evidence = f'<p class="am-evidence">{escape(each.evidence[0])}</p>' if each.evidence else ""
        meta = "".join(f"<span>{escape(one)}</span>" for one in said)
        tags = saying.tags(saying.read(look), each.id)
        tags = f"{parts.severity(each.severity)}{tags}{meta}"
        parts.show(f'<div class="am-meta">{tags}</div>{evidence}')
        first = next((m for m in each.members if not is_whole(m)), None)
        key = next((one.series for m in each.members for one in m.blamed), "")
        if first is not None:
            key = pulse.rate_of(each.system) if first.said else first.series
        if key:
            since = each.since - max(look.at - each.since, HOUR)
            series(look, key, since, 130, each.id)


def series(look: Look, key: str, start: int, height: int, of: str = "") -> None:
    """A small chart of a series from a time on; `of` an incident, or of no one."""
    name = parse_key(key)[0]
    every, bar = look.every(key), look.now.budget.bar
    amiss = [i for i in look.now.open if i.id == of or any(m.series == key for m in i.members)]
    stretches = [(max(i.since, start), look.at) for i in amiss]
    data = shared(
        look.live,
        ("small", key, height, of),
        look.now.version,
        lambda: table(look.live.history(key, start, look.at, READ), name, every, bar, stretches),
    )
    spec = charts.series_chart(name, look.dark, height, every)
    parts.chart(data, spec, f"{words.title(key)} with what was expected")

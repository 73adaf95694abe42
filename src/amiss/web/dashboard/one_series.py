"""One series: its state in a sentence, a chart to look closer in, how its values lie."""

from dataclasses import dataclass
from html import escape
from math import isfinite

import numpy as np
import streamlit as st

from amiss.data import DAY, HOUR, MINUTE, parse_key, readable
from amiss.run.now import SeriesNow
from amiss.steps.judge import WARM
from amiss.store import Points
from amiss.web.dashboard import charts, parts, words
from amiss.web.dashboard.drawn import READ, distribution, table
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.web.times import iso, parse_time
from amiss.words.units import write_number

SPANS = {"15 min": 15 * MINUTE, "1 h": HOUR, "6 h": 6 * HOUR, "24 h": DAY, "7 d": 7 * DAY,
         "30 d": 30 * DAY}  # fmt: skip
POINTS = 400  # points that are drawn
SLOWEST = MINUTE  # a long span is read again this often, ns


@dataclass(frozen=True, slots=True)
class Stretch:
    """What the chart shows: the time until now, or one that was chosen."""

    start: int
    end: int
    live: bool


def chosen(look: Look) -> str | None:
    """The key in the address, or the worst of all."""
    asked = st.query_params.get("key")
    if asked:
        return next((s.key for s in look.now.series if readable(s.key) == asked), asked)
    worst = words.strangest(look.now.series, look.now.budget.bar)
    return worst[0].key if worst else None


def draw() -> None:
    """The chosen series."""
    look = parts.look()
    key = chosen(look)
    if key is None:
        parts.show(parts.notice("wait", "Nothing is watched yet.", look.now.reason))
        return
    one = next((s for s in look.now.series if s.key == key), None)
    parts.show(
        f'<h1 class="am-h1">{escape(words.title(key, look.systems))}</h1>{standing(look, key, one)}'
    )
    stretch = asked_for(look)
    points = history(look, key, stretch)
    if not np.isfinite(points.value).any():
        more = "Choose a longer time." if stretch.live else "Nothing was recorded then."
        parts.show(parts.notice("still", "There are no samples in this time.", more))
        return
    picture(look, key, points, stretch)
    name = parse_key(key)[0]
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        parts.show(parts.heading("Values", "how often each was seen; the line is the last one"))
        data = distribution(points)
        parts.chart(data, charts.histogram(name, look.dark), "How often each value was seen")
    with right:
        parts.show(parts.heading("In numbers"))
        parts.show(parts.facts(numbers(look, key, one, points)))


def standing(look: Look, key: str, one: SeriesNow | None) -> str:
    """The state of a series with its reason, in a sentence."""
    if one is None:
        return parts.line(
            "gone",
            "still",
            "It has not been seen since Amiss was started; what is kept of it is shown.",
        )
    name = parse_key(key)[0]
    value = write_number(one.value, name)
    if one.state == "silent":
        said = f"No data since {look.clock(one.time)}, {words.ago(one.time, look.at)}."
        return parts.line("silent", "still", said if one.time else one.reason)
    if one.state == "warming up":
        said = f"{value} now. First opinion: {one.reason}."
        return parts.line("warming up", "wait", said) + parts.meter(one.seen, WARM, "samples seen")
    expected = words.band(one.expected, one.lower, one.upper, one.value, name)
    rare = words.rarity_now(one.score, one.every)
    means = "nothing unusual" if rare == "usual" else f"a moment like this comes {rare}"
    said = f"{value} now, {expected} expected; {means}."
    return parts.line("amiss" if one.amiss else "judged", "amiss" if one.amiss else "good", said)


def asked_for(look: Look) -> Stretch:
    """The span in the address: one that ends now, or one that was drawn with the mouse."""
    first, last = st.query_params.get("from"), st.query_params.get("to")
    if first and last:
        try:
            start, end = parse_time(first), parse_time(last)
        except ValueError:
            start = end = 0
        if start < end:
            with st.container(horizontal=True, vertical_alignment="center", key="spans"):
                first, last = (look.clock(ns, seconds=True) for ns in (start, end))
                st.html(
                    f'<p class="am-faint">{escape(first)} to {escape(last)}</p>', width="content"
                )
                if st.button("Back to live", icon=":material/undo:", key="back"):
                    live_again()
                    st.rerun()
            return Stretch(start, end, live=False)
    with st.container(horizontal=True, vertical_alignment="center", key="spans"):
        span = st.segmented_control(
            "Time shown",
            SPANS,
            default="1 h",
            required=True,
            key="span",
            bind="query-params",
            label_visibility="collapsed",
        )
        said = '<p class="am-faint am-wide">drag in the chart to look closer</p>'
        st.html(said, width="content")
    return Stretch(look.at - SPANS[span or "1 h"], look.at, live=True)


def live_again() -> None:
    """Forget the span that was chosen."""
    for name in ("from", "to"):
        if name in st.query_params:
            del st.query_params[name]


def history(look: Look, key: str, stretch: Stretch) -> Points:
    """The points to draw, read anew as often as the picture would change."""
    every = int(look.every(key) * 10**9)
    span = stretch.end - stretch.start
    stamp = look.at // min(max(every, span // POINTS), SLOWEST) if stretch.live else 0
    name = ("history", key, span if stretch.live else (stretch.start, stretch.end))
    return shared(
        look.live,
        name,
        stamp,
        lambda: look.live.history(key, stretch.start, stretch.end, READ),
    )


def picture(look: Look, key: str, points: Points, stretch: Stretch) -> None:
    """The large chart; dragging in it chooses a span."""
    name = parse_key(key)[0]
    every = look.every(key)
    found = shared(
        look.live,
        ("incidents of", key, stretch.end - stretch.start),
        look.now.version,
        lambda: look.live.store.incidents(since=stretch.start, limit=200),
    )
    stretches = [
        (max(i.since, stretch.start), min(words.strange_until(i, look.at), stretch.end))
        for i in found
        if any(m.series == key for m in i.members) and i.since < stretch.end
    ]
    data = table(points, name, every, look.now.budget.bar, stretches, POINTS)
    spec = charts.series_chart(name, look.dark, 300, every, zoom=True)
    alt = f"{words.title(key)}: value, what was expected, and how rare each moment was"
    span = st.session_state.get("span") if stretch.live else stretch.start
    place = readable(f"zoom {key} {span}")
    event = st.vega_lite_chart(data, spec, width="stretch", alt=alt, on_select="rerun", key=place)
    parts.show(parts.legend(look.dark))
    drawn = event.selection.get("zoom", {}).get("t") if event else None
    if drawn and drawn[1] - drawn[0] > 2 * every * 1000:
        st.query_params["from"] = iso(int(drawn[0] * 10**6))
        st.query_params["to"] = iso(int(drawn[1] * 10**6))
        st.rerun()


def numbers(look: Look, key: str, one: SeriesNow | None, points: Points) -> list[tuple[str, str]]:
    """For those who open the details."""
    name, labels = parse_key(key)
    value = points.value[np.isfinite(points.value)]
    found = [
        ("least", write_number(float(value.min()), name)),
        ("median", write_number(float(np.median(value)), name)),
        ("most", write_number(float(value.max()), name)),
    ]
    if one is not None:
        found.append(("samples seen", f"{one.seen:,}"))
        if isfinite(one.score):
            found.append(("score, -ln p", f"{one.score:.1f} nats"))
            found.append(("p", f"{one.p:.2g}"))
        if isfinite(look.now.budget.bar):
            found.append(("opens an incident", f"{look.now.budget.bar:.1f} nats"))
        found.append(("pipeline", one.pipeline))
    return [*found, *((label, labels[label]) for label in sorted(labels))]

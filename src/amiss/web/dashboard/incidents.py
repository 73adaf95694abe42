"""All incidents, the last one first."""

from html import escape
from typing import Literal

import streamlit as st

from amiss.data import Incident
from amiss.run import feedback
from amiss.web.dashboard import parts, saying, words
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared

STATES: dict[str, Literal["open", "resolved"]] = {"open": "open", "resolved": "resolved"}
SHOWN = ("all", *STATES)
NONE = {
    "all": "There has been no incident so far.",
    "open": "No incident is open.",
    "resolved": "No incident has been resolved so far.",
}
PAGE = 30


def listing() -> None:
    """A line for each, linked to its page."""
    parts.show('<h1 class="am-h1">Incidents</h1>')
    st.pills(
        "State",
        SHOWN,
        default="all",
        required=True,
        key="show",
        bind="query-params",
        label_visibility="collapsed",
        on_change=newest,
    )
    parts.refreshing(draw, "5s")
    if said := figures(parts.look()):
        parts.show(said)


def figures(look: Look) -> str:
    """What people said of those of the last month."""
    counted = feedback.figures(look.live.store, look.at - feedback.LATELY)
    if not counted.normal + counted.amiss:
        return ""
    said = (
        f"Of {words.count(counted.incidents, 'incident')} of the last 30 days {counted.normal} "
        f"were said to be normal, {counted.amiss} amiss; of {counted.unsaid} nobody said so."
    )
    return f'<p class="am-faint">{said}</p>'


def newest() -> None:
    """Another state begins with its newest."""
    st.query_params.pop("before", None)


def draw() -> None:
    """One page of them."""
    look = parts.look()
    asked, before = str(st.session_state.get("show") or "all"), st.query_params.get("before")
    state = STATES.get(asked)
    found: list[Incident] = shared(
        look.live,
        ("incidents", asked, before),
        look.now.version,
        lambda: look.live.store.incidents(state=state, limit=PAGE + 1, before=before),
    )
    if not found:
        parts.show(nothing(look, asked, before))
    for each in found[:PAGE]:
        line(look, each)
    show = {"show": asked} if state else {}
    with st.container(horizontal=True):
        if before:
            parts.link("incident", "Newest", ":material/first_page:", **show)
        if len(found) > PAGE:
            last = found[PAGE - 1].id
            parts.link("incident", "Older", ":material/chevron_right:", **show, before=last)


def nothing(look: Look, asked: str, before: str | None) -> str:
    """Why there is none. That all is well is said only where the first page says it, too."""
    if before:
        days = look.live.settings.keep.incident_days
        more = f"Incidents are kept for {days} days."
        return parts.notice("still", "There are no older ones.", more)
    tone, title, sentence = words.headline(look.now, look.at)
    if asked != "resolved" and look.now.open:  # since this very moment: the list follows
        return parts.notice(tone, f"{title}.", sentence)
    if tone != "good":
        return parts.notice(tone, NONE[asked], f"{title}. {sentence}")
    if asked == "open":
        return parts.notice("good", "Nothing is amiss now.", "What was amiss is under all.")
    since = f"Amiss has been watching for {words.span(look.at - look.now.first)}."
    return parts.notice("good", NONE[asked], since)


def line(look: Look, each: Incident) -> None:
    """What it was, when, how long and how bad."""
    lasted = words.span(words.strange_until(each, look.at) - each.since)
    ended = "" if each.state == "open" else f"lasted {lasted}"
    known = (look.clock(each.since), ended, words.how_rare(each))
    meta = "".join(f"<span>{escape(one)}</span>" for one in known if one)
    going = parts.state("open", "going") if each.state == "open" else ""
    with st.container(key=f"line-{each.severity}-{each.id}"):
        parts.link("incident", parts.plain(each.title), id=each.id)
        said = saying.tags(saying.read(look), each.id)
        parts.show(f'<div class="am-meta">{parts.severity(each.severity)}{going}{said}{meta}</div>')

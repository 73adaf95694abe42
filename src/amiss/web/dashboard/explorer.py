"""Any series: what it does, what was expected of it, how rare that is."""

import streamlit as st

from amiss.data import parse_key, readable
from amiss.run.now import SeriesNow
from amiss.steps.judge import WARM
from amiss.web.dashboard import one_series, parts, words
from amiss.web.dashboard.parts import Look
from amiss.words.units import write_number

STATES = ("all", "amiss", "judged", "warming up", "silent")
LISTED = 60  # series in the list at once


def page() -> None:
    """A list to choose from, and the one that was chosen."""
    left, right = st.columns([1, 2.4], gap="medium")
    with left, st.container(key="choose"):
        st.text_input("Find a series", key="q", bind="query-params", placeholder="cpu, sda, eth0")
        st.pills(
            "State",
            STATES,
            default="all",
            required=True,
            key="state",
            bind="query-params",
            label_visibility="collapsed",
        )
        parts.refreshing(choose, "15s")
    with right:
        parts.refreshing(one_series.draw, parts.look().pace)


def choose() -> None:
    """The series that were asked for, worst first. The one chosen is in the address."""
    look = parts.look()
    asked = str(st.session_state.get("q") or "").lower().split()
    found = matching(look, asked, str(st.session_state.get("state") or "all"))
    if not found:
        said = "No series is like that." if look.now.series else "Nothing is watched yet."
        more = "Try fewer letters, or another state." if look.now.series else look.now.reason
        parts.show(parts.notice("still", said, more))
        return
    listed = {one.key: one for one in found[:LISTED]}
    shown = one_series.chosen(look)
    with st.container(height=430, border=False, key="list"):
        picked = st.radio(
            "Series",
            list(listed),
            index=list(listed).index(shown) if shown in listed else None,
            format_func=lambda key: parts.plain(words.title(key, look.systems)),
            captions=[parts.plain(caption(look, one)) for one in listed.values()],
            key="series",
            label_visibility="collapsed",
            width="stretch",
        )
    if len(found) > LISTED:
        parts.show(f'<p class="am-faint">{len(found) - LISTED:,} more; type to narrow down</p>')
    if picked and picked != shown:
        st.query_params["key"] = readable(picked)
        one_series.live_again()
        st.rerun()


def matching(look: Look, asked: list[str], state: str) -> list[SeriesNow]:
    """Series in this state with all these words in their key or their title, worst first."""
    return [
        one
        for one in words.strangest(look.now.series, look.now.budget.bar)
        if (state in ("all", one.state) or (state == "amiss" and one.amiss))
        and all(part in one.key.lower() or part in words.title(one.key).lower() for part in asked)
    ]


def caption(look: Look, one: SeriesNow) -> str:
    """A value and what it means, or why there is none."""
    name = parse_key(one.key)[0]
    if one.state == "silent":
        return f"silent for {words.span(look.at - one.time)}" if one.time else "silent"
    value = write_number(one.value, name)
    if one.state == "warming up":
        return f"{value}, warming up {one.seen} of {WARM}"
    rare = words.rarity_now(one.score, one.every)
    return f"{value}, amiss: {rare}" if one.amiss else f"{value}, {rare}"

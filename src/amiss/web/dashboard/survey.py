"""What was amiss lately, seen from afar: by kind, by subject, by hour, by rarity."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from amiss.data import DAY, Incident
from amiss.web.dashboard import parts, surveyed, words
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.web.dashboard.surveyed import Counted, Hour

SPANS = {"7 days": 7, "30 days": 30}
MOST = 1000  # incidents that are looked at
LINES = 12  # of a table
LEVELS = ("high", "medium", "low")


def page() -> None:
    """All of it, over a span that the reader chooses."""
    parts.show('<h1 class="am-h1">Survey</h1>')
    st.pills(
        "Span",
        tuple(SPANS),
        default="7 days",
        required=True,
        key="span",
        bind="query-params",
        label_visibility="collapsed",
    )
    parts.refreshing(draw, "10s")
    days = SPANS.get(str(st.session_state.get("span")), 7)
    link = f'<a href="../api/v1/report?days={days}" target="_blank">Report of these {days} days</a>'
    parts.show(f'<p class="am-faint">{link}: one page to send on or to print</p>')


def draw() -> None:
    """The pictures of one moment."""
    look = parts.look()
    days = SPANS.get(str(st.session_state.get("span")), 7)
    found: list[Incident] = shared(
        look.live,
        ("survey", days),
        look.now.version,
        lambda: look.live.store.incidents(since=look.at - days * DAY, limit=MOST),
    )
    if not found:
        seen = words.span(look.at - look.now.first)
        more = f"Amiss has been watching for {seen}."
        parts.show(parts.notice("good", f"No incident in the last {days} days.", more))
        return
    parts.show(
        _sums(found, days)
        + _map(look, found, days)
        + '<div class="am-pair">'
        + _table(look, "kind", "what it was about", surveyed.counted(found, surveyed.kind))
        + _table(look, "subject", "whom or what", surveyed.counted(found, surveyed.subject))
        + "</div>"
        + _rarities(found)
    )


def _sums(found: Sequence[Incident], days: int) -> str:
    """How many of each severity."""
    each = "".join(
        f"<span>{parts.severity(level)} <b>{sum(i.severity == level for i in found)}</b></span>"
        for level in LEVELS
    )
    more = f", the last {MOST} of them" if len(found) == MOST else ""
    said = f"{words.count(len(found), 'incident')} in {days} days{more}"
    return f'<div class="am-meta"><span>{escape(said)}</span>{each}</div>'


def _map(look: Look, found: Sequence[Incident], days: int) -> str:
    """A row for each day and a cell for each hour, as strong as the worst that began in it."""
    lines = []
    for day, cells in surveyed.hours(found, look.at, days, look.zone):
        each = "".join(_cell(hour, cells.get(hour)) for hour in range(24))
        lines.append(f"<tr><th scope=row>{day:%a} {day.day}</th>{each}</tr>")
    top = "".join(f"<th scope=col>{h if h % 6 == 0 else ''}</th>" for h in range(24))
    return (
        parts.heading("When they began", "each hour as bad as the worst that began in it")
        + f'<table class="am-map" aria-label="Incidents by day and hour"><thead><tr><td></td>{top}'
        + f"</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _cell(hour: int, of: Hour | None) -> str:
    if of is None:
        return "<td></td>"
    said = f"{hour}:00: {words.count(of.count, 'incident')}, {of.worst} at worst"
    number = of.count if of.count > 1 else ""
    return f'<td class="am-{of.worst}" title="{said}" aria-label="{said}">{number}</td>'


def _table(look: Look, what: str, note: str, groups: Sequence[Counted]) -> str:
    """A line for each group, with a bar by severity and a link to the last one."""
    most = max(one.total for one in groups)
    body = [
        (
            escape(one.name),
            _bar(one, most),
            f'<a href="{parts.address("incident", id=one.last.id)}">'
            f"{escape(look.clock(one.last.since))}</a>",
        )
        for one in groups[:LINES]
    ]
    rest = len(groups) - LINES
    more = f'<p class="am-faint">and {rest} more</p>' if rest > 0 else ""
    drawn = parts.rows((what, "incidents", "last"), body, f"By {what}")
    return f"<section>{parts.heading(f'By {what}', note)}{drawn}{more}</section>"


def _bar(of: Counted, most: int) -> str:
    """How many, and how bad: a stretch for each severity."""
    stretches = "".join(
        f'<i class="am-{level}" style="width:{of.by[level] / most * 100:.1f}%"></i>'
        for level in LEVELS
        if of.by[level]
    )
    said = ", ".join(f"{of.by[level]} {level}" for level in LEVELS if of.by[level])
    bar = f'<span class="am-bar" title="{said}">{stretches}</span>'
    return f'<span class="am-count">{of.total}</span>{bar}'


def _rarities(found: Sequence[Incident]) -> str:
    """How rare such moments are, as one would say it."""
    counts = surveyed.rarities(found)
    most = max(counts.values())
    body = [
        (
            escape(said),
            f'<span class="am-count">{n}</span><span class="am-bar">'
            f'<i class="am-still" style="width:{n / most * 100:.1f}%"></i></span>',
        )
        for said, n in counts.items()
        if n
    ]
    note = "how often such a moment is to be expected"
    return parts.heading("How rare they were", note) + parts.rows(
        ("rarity", "incidents"), body, "Rarity"
    )

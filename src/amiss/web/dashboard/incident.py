"""One incident, by the id in the address; without one, all of them."""

from functools import partial
from html import escape
from urllib.parse import quote

import orjson
import pyarrow as pa
import streamlit as st

from amiss.data import DAY, HOUR, Incident, Member, parse_key
from amiss.decide.explain import is_whole
from amiss.message import as_json
from amiss.store import Delivery
from amiss.units import words as name_of
from amiss.units import write_number
from amiss.web.dashboard import charts, parts, words
from amiss.web.dashboard.incidents import listing
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared

CHARTS = 4  # members that are drawn
POINTS = 300
SETTLED = "10s"  # how often the page of an incident that is over is drawn anew
TOLD = {"delivered": "good", "retrying": "wait", "refused": "fail"}


def page() -> None:
    """The page of the id in the address."""
    asked = st.query_params.get("id")
    if not asked:
        listing()
        return
    look = parts.look()
    revisions = look.live.store.incident(asked)
    parts.link("incident", "All incidents", ":material/arrow_back:")
    if not revisions:
        days = look.live.settings.keep.incident_days
        parts.show(
            parts.notice(
                "still", f"There is no incident {asked}.", f"Incidents are kept for {days} days."
            )
        )
        return
    open_ = revisions[-1].state == "open"
    parts.refreshing(lambda: draw(asked), look.pace if open_ else SETTLED)
    parts.show(parts.heading("As data"))
    body = orjson.dumps([as_json(one) for one in revisions], option=orjson.OPT_INDENT_2)
    with st.container(horizontal=True):
        st.download_button(
            "Download JSON",
            body,
            f"incident-{asked}.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
    with st.expander("Show JSON"):
        st.code(body.decode(), language="json")


def draw(asked: str) -> None:
    """All that is known of it."""
    look = parts.look()
    revisions = shared(
        look.live, ("revisions", asked), look.now.version, lambda: look.live.store.incident(asked)
    )
    each = revisions[-1]
    parts.show(top(look, each))
    parts.show(parts.facts(details(look, each)))
    parts.show(parts.heading("What was seen, and what was expected", "ranked by surprise"))
    parts.show(members(look, each))
    pictures(look, each)
    evidence(each)
    before(look, each)
    told(look, each)


def top(look: Look, each: Incident) -> str:
    """Severity and state, and the sentence."""
    sentence = words.localised(each, look.at, look.zone)
    rest = sentence.removeprefix(each.title).strip()
    over = each.until or each.seen
    said = (
        parts.state("open", "amiss")
        if each.state == "open"
        else parts.state(f"resolved {words.ago(over, look.at)}", "good")
    )
    return (
        f'<section class="am-one"><p class="am-meta">{parts.severity(each.severity)}{said}</p>'
        f'<h1 class="am-h1">{escape(each.title)}</h1>'
        f"<p>{escape(rest[:1].upper() + rest[1:])}</p></section>"
    )


def details(look: Look, each: Incident) -> list[tuple[str, str]]:
    """When, how long, how rare."""
    over = each.until or look.at
    found = [
        ("since", f"{look.clock(each.since)}, {words.ago(each.since, look.at)}"),
        ("lasted" if each.until else "lasts", words.span(over - each.since)),
        ("how rare", words.how_rare(each)),
        ("rests on", f"{words.span(int(each.watched * DAY))} watched"),
        ("series", str(each.breadth)),
        ("score, -ln p", f"{each.score:.1f} nats"),
    ]
    if each.until:
        found.insert(1, ("until", look.clock(each.until)))
    return found


def members(look: Look, each: Incident) -> str:
    """Each with what was seen and expected at its strangest moment."""
    lines = []
    for member in each.members:
        rarity = words.rarity_now(member.score, every(look, member))
        when = f"{look.clock(member.at)}<small>strange since {look.clock(member.since)}</small>"
        lines.append((subject(look, member), *seen(member), escape(rarity), when))
    table = parts.rows(("series", "seen", "expected", "rarity", "strangest at"), lines, "Members")
    more = each.breadth - len(each.members)
    return table + (f'<p class="am-faint">and {more} more series</p>' if more > 0 else "")


def subject(look: Look, member: Member) -> str:
    """A link to the series; or what is to blame if it is the picture as a whole."""
    if is_whole(member):
        blame = ", ".join(name_of(key) for key in member.blame)
        most = f"<small>most of all {escape(blame)}</small>" if blame else ""
        return f"The picture as a whole{most}"
    said = escape(words.title(member.series, look.systems))
    return f'<a href="explorer?key={quote(member.series)}">{said}</a>'


def seen(member: Member) -> tuple[str, str]:
    """Cells for what was observed and expected."""
    if is_whole(member):
        return "unusual", "as before"
    name = parse_key(member.series)[0]
    times = member.observed / member.expected if member.expected > 0 else 0.0
    much = f"<small>{times:.0f} times the usual</small>" if 2 <= times < 1000 else ""
    expected = words.band(member.expected, member.lower, member.upper, member.observed, name)
    return f"<b>{escape(write_number(member.observed, name))}</b>{much}", escape(expected)


def every(look: Look, member: Member) -> float:
    """Seconds between two samples of a member."""
    pipeline = next((s.pipeline for s in look.now.series if s.key == member.series), "")
    return look.every(pipeline)


def pictures(look: Look, each: Incident) -> None:
    """The first members over a time that shows what is normal."""
    drawn = [m for m in each.members if not is_whole(m)][:CHARTS]
    end = look.at if each.until is None else each.until
    lasted = end - each.since
    start = each.since - min(max(3 * lasted, HOUR), 2 * DAY)
    end = min(look.at, end + max(lasted // 4, HOUR // 6))
    stretch = ((each.since, each.until or look.at),)
    stamp = look.now.version if each.until is None or end == look.at else 0
    for member in drawn:
        name, often = parse_key(member.series)[0], every(look, member)
        data = shared(
            look.live,
            ("member", each.id, member.series),
            stamp,
            partial(drawing, look, member, (start, end), stretch),
        )
        parts.link(
            "explorer",
            parts.plain(words.title(member.series, look.systems)),
            ":material/show_chart:",
            key=member.series,
        )
        if data.num_rows <= len(stretch):
            parts.show('<p class="am-faint">its history is no longer kept</p>')
            continue
        spec = charts.series_chart(name, look.dark, 150, often)
        parts.chart(data, spec, f"{words.title(member.series)} before and during the incident")


def drawing(
    look: Look, member: Member, between: charts.Stretch, stretch: tuple[charts.Stretch, ...]
) -> pa.Table:
    """What the chart of a member draws."""
    points = look.live.history(member.series, *between, POINTS)
    name, bar = parse_key(member.series)[0], look.now.budget.bar
    return charts.table(points, name, every(look, member), bar, stretch)


def evidence(each: Incident) -> None:
    """What the source said beside the numbers."""
    parts.show(parts.heading("At that moment"))
    if not each.evidence:
        parts.show('<p class="am-faint">The source said nothing beside the numbers.</p>')
        return
    lines = "".join(f"<li>{escape(one)}</li>" for one in each.evidence)
    parts.show(f'<ol class="am-list">{lines}</ol>')


def before(look: Look, each: Incident) -> None:
    """Incidents with the same first member."""
    first = each.members[0].series if each.members else ""
    found = shared(
        look.live,
        ("before", each.id),
        look.now.version,
        lambda: look.live.store.incidents(limit=300, before=each.id),
    )
    alike = [i for i in found if i.members and i.members[0].series == first][:5]
    parts.show(parts.heading("Before", "incidents that began with the same series"))
    if not alike:
        parts.show('<p class="am-faint">None like it so far.</p>')
    for one in alike:
        lasted = words.span((one.until or look.at) - one.since)
        label = f"{parts.plain(look.clock(one.since))}: {one.severity}, lasted {lasted}"
        parts.link("incident", label, ":material/history:", id=one.id)


def told(look: Look, each: Incident) -> None:
    """Who was told, and what came of it."""
    parts.show(parts.heading("Who was told"))
    found = shared(
        look.live,
        ("told", each.id),
        (look.now.version, look.at // (2 * 10**9)),
        lambda: look.live.store.deliveries(each.id),
    )
    if not found:
        more = (
            "It is being told just now."
            if look.now.sinks
            else "No sink is configured: incidents "
            "are shown here and in the log. Name some under sinks: in the configuration."
        )
        parts.show(parts.notice("still", "Nobody yet.", more))
        return
    parts.show(
        parts.rows(
            ("sink", "what", "when", "result"),
            (delivery(look, one) for one in found),
            "Notifications",
        )
    )


def delivery(look: Look, one: Delivery) -> tuple[str, ...]:
    """The cells of one notification."""
    result = parts.state(one.outcome, TOLD.get(one.outcome, "still"))
    message = f"<small>{escape(one.message)}</small>" if one.message else ""
    tries = f"<small>after {one.times} tries</small>" if one.times > 1 else ""
    what = "opened" if one.revision == 1 else f"change {one.revision}"
    return escape(one.sink), what, look.clock(one.at, seconds=True), result + message + tries

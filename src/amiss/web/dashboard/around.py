"""What is to be known around an incident: pictures, processes, others like it, who was told."""

from dataclasses import replace
from functools import partial
from html import escape

import pyarrow as pa

from amiss.data import DAY, HOUR, Incident, Member, parse_key
from amiss.decide import pulse
from amiss.store import Delivery
from amiss.web.dashboard import charts, parts, words
from amiss.web.dashboard.drawn import READ, Stretch, table
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.words.wording import is_whole

CHARTS = 4  # members that are drawn
POINTS = 300
TOLD = {"delivered": "good", "retrying": "wait", "refused": "fail", "quiet": "still"}


def pictures(look: Look, each: Incident) -> None:
    """The first members over a time that shows what is normal."""
    drawn = [m for m in each.members if not is_whole(m) and not m.said]
    keys = {m.series for m in drawn}
    blamed = {one.series: m for m in each.members for one in m.blamed if one.series not in keys}
    drawn = [*drawn, *(replace(m, series=key) for key, m in blamed.items())][:CHARTS]
    rate = pulse.rate_of(each.system)
    if len(drawn) < CHARTS and rate not in {m.series for m in drawn}:
        drawn += [replace(m, series=rate) for m in each.members if m.said][:1]
    end = look.at if each.until is None else each.until
    lasted = end - each.since
    start = each.since - min(max(3 * lasted, HOUR), 2 * DAY)
    end = min(look.at, end + max(lasted // 4, HOUR // 6))
    stretch = ((each.since, words.strange_until(each, look.at)),)
    stamp = look.now.version if each.until is None or end == look.at else 0
    if drawn:
        parts.show(parts.heading("Before and since") + parts.legend(look.dark))
    for member in drawn:
        name = parse_key(member.series)[0]
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
            parts.show('<p class="am-faint">no history of it is kept from then</p>')
            continue
        spec = charts.series_chart(name, look.dark, 170, look.every(member.series))
        parts.chart(data, spec, f"{words.title(member.series)} before and during the incident")


def drawing(look: Look, member: Member, between: Stretch, stretch: tuple[Stretch, ...]) -> pa.Table:
    """What the chart of a member draws."""
    points = look.live.history(member.series, *between, READ)
    name, bar = parse_key(member.series)[0], look.now.budget.bar
    return table(points, name, look.every(member.series), bar, stretch, POINTS)


def evidence(each: Incident) -> None:
    """What the source said beside the numbers, if it did."""
    if not each.evidence:
        return
    parts.show(parts.heading("At that moment", "what else the source saw"))
    lines = "".join(f"<li>{escape(one)}</li>" for one in each.evidence)
    parts.show(f'<ol class="am-list">{lines}</ol>')


def before(look: Look, each: Incident) -> None:
    """Incidents with the same first member."""
    first = each.members[0].series if each.members else ""

    def like_it() -> list[Incident]:
        found = look.live.store.incidents(limit=300, before=each.id)
        return [i for i in found if i.members and i.members[0].series == first][:5]

    alike = shared(look.live, ("before", each.id), look.now.version, like_it)
    parts.show(parts.heading("Earlier ones like it", "incidents that began with the same series"))
    if not alike:
        parts.show('<p class="am-faint">No incident like it so far.</p>')
    for one in alike:
        lasted = words.span(words.strange_until(one, look.at) - one.since)
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
        nobody = "Nobody yet." if look.now.sinks else "Nobody."
        parts.show(parts.notice("still", nobody, more))
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

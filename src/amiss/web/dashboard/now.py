"""What is amiss now, and whether Amiss is awake: the first page."""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

import streamlit as st

from amiss.data import DAY, HOUR, MINUTE, Incident, parse_key
from amiss.run.now import BudgetNow, Now, SeriesNow
from amiss.units import write_number
from amiss.web.dashboard import charts, parts, words
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared

SPAN = 20 * MINUTE  # of the small charts
POINTS = 240
TILE = 116  # pixels
DRAWN = "incidents that are drawn"
CARDS = 3  # incidents with a chart; further ones are lines
KEY = (
    ("cpu_percent",),
    ("memory_percent",),
    ("load1", "load5"),
    ("disk_busy_percent", "disk_write_bytes_per_second"),
    ("disk_write_bytes_per_second", "disk_percent"),
    ("network_receive_bytes_per_second", "network_send_bytes_per_second"),
)
"""The first one there is of each line is shown live."""


def page() -> None:
    """The headline renews itself quickly, the pictures as often as there are new samples."""
    parts.refreshing(draw_head)
    parts.refreshing(draw, parts.look().pace)


def draw_head() -> None:
    """How things are, in a sentence. What opens or resolves is drawn below at once."""
    look = parts.look()
    parts.show(shared(look.live, ("head", str(look.zone)), look.moment, lambda: head(look)))
    if st.session_state.get(DRAWN) not in (None, _open(look)):
        st.session_state[DRAWN] = None
        st.rerun()


def _open(look: Look) -> tuple[tuple[str, str], ...]:
    return tuple((one.id, one.severity) for one in look.now.open)


def draw() -> None:
    """What is amiss, what wants attention, then the machine."""
    look = parts.look()
    st.session_state[DRAWN] = _open(look)
    chosen = chosen_series(look.now.series)
    below, tiles = shared(
        look.live,
        ("now", str(look.zone)),
        look.moment,
        lambda: (attention(look) + day(look) + about(look, chosen), over(look, chosen)),
    )
    incidents(look)
    parts.show(below)
    if chosen:
        with st.container(key="tiles"):
            parts.show(tiles)
            for one in chosen:
                series(look, one.key, look.at - SPAN, TILE)


def head(look: Look) -> str:
    """The headline with the budget beside it."""
    tone, title, sentence = words.headline(look.now, look.at)
    seen = max((p.polled for p in look.now.pipelines), default=0)
    fresh = f"last sample {look.clock(seen, seconds=True)}" if seen else "no sample yet"
    return (
        f'<section class="am-head am-{tone}"><div><h1><i class="am-shape" aria-hidden="true"></i>'
        f"{escape(title)}</h1><p>{escape(sentence)}</p>"
        f'<p class="am-faint"><i class="am-pulse" aria-hidden="true"></i>{escape(fresh)}</p></div>'
        f"{budget(look.now.budget)}</section>"
    )


def budget(of: BudgetNow) -> str:
    """Asked, spent and left, and what it came to so far."""
    slots = max(round(of.asked), 1)
    filled = "".join(
        f'<i class="{"on" if i < of.today else ""}"></i>' for i in range(min(slots, 20))
    )
    left = max(round(of.asked) - of.today, 0)
    over = of.today - round(of.asked)
    rest = f"{over} over" if over > 0 else f"{left} left"
    achieved = (
        f"{of.achieved:.2g} a day over the last {of.days:.2g} days"
        if of.days >= 1
        else "too early to say how many come in a day"
    )
    return (
        f'<div class="am-budget"><p><b>{of.today}</b> of {of.asked:g} incidents used today,'
        f' {rest}</p><div class="am-slots" aria-hidden="true">{filled}</div>'
        f'<p class="am-faint">{escape(achieved)}</p></div>'
    )


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
        parts.show(f'<div class="am-meta">{parts.severity(each.severity)}{meta}</div>{evidence}')
        first = next((m for m in each.members if not m.blame), None)
        if first is not None:
            since = min(each.since, look.at - HOUR)
            before = max(look.at - each.since, HOUR)
            series(look, first.series, since - before // 2, 130, ((each.since, look.at),))


def series(
    look: Look, key: str, start: int, height: int, stretches: Sequence[charts.Stretch] = ()
) -> None:
    """A small chart of a series from a time on."""
    name = parse_key(key)[0]
    pipeline = next((one.pipeline for one in look.now.series if one.key == key), "")
    every, bar = look.every(pipeline), look.now.budget.bar
    data = shared(
        look.live,
        ("small", key, height),
        look.now.version,
        lambda: charts.table(
            look.live.history(key, start, look.at, POINTS), name, every, bar, stretches
        ),
    )
    spec = charts.series_chart(name, look.dark, height, every)
    parts.chart(data, spec, f"{words.title(key)} with what was expected")


def attention(look: Look) -> str:
    """What is warming up, silent or failing: a line each, with a link."""
    lines = "".join(
        f'<li><a href="health">{parts.state(word, tone)}<span>{escape(said)}</span></a></li>'
        for word, tone, said in concerns(look.now)
    )
    return f'<ul class="am-attention">{lines}</ul>' if lines else ""


def concerns(now: Now) -> list[tuple[str, str, str]]:
    """A word, a tone and a sentence of each."""
    found = [
        ("failing", "fail", f"sink {s.name}: {s.reason}")
        for s in now.sinks
        if s.health == "failing"
    ]
    found += [
        ("failing", "fail", f"model {m.name}: {m.reason}")
        for m in now.models
        if m.state == "failed"
    ]
    if now.config_error:
        said = f"the new configuration is not in use: {now.config_error}"
        found.append(("refused", "fail", said))
    if now.skipped:
        n = words.count(sum(now.skipped.values()), "reading", "readings")
        most = max(now.skipped, key=lambda reason: now.skipped[reason])
        found.append(("skipped", "wait", f"{n} since the start, most of all: {most}"))
    warming, silent = words.waiting(now.series)
    if warming and now.phase == "watching":
        n = words.count(len(warming), "series", "series")
        found.append(("warming up", "wait", f"{n}: {warming[0].reason}"))
    if silent:
        n = words.count(len(silent), "series", "series")
        found.append(("silent", "still", f"{n}, such as {words.title(silent[0].key)}"))
    return found


def day(look: Look) -> str:
    """The incidents of the last 24 hours as a strip."""
    now, at = look.now, look.at
    found = shared(
        look.live, "day", now.version, lambda: look.live.store.incidents(since=at - DAY, limit=200)
    )
    start = at - DAY
    bars = []
    for each in sorted(found, key=lambda i: i.score):
        begin, end = max(each.since, start), each.until or at
        left, width = (begin - start) / DAY * 100, max((end - begin) / DAY * 100, 0.35)
        said = f"{each.severity}: {each.title}, {look.clock(each.since)}"
        bars.append(
            f'<a class="am-{each.severity}" style="left:{left:.2f}%;width:{width:.2f}%"'
            f' href="incident?id={quote(each.id)}" title="{escape(said)}"'
            f' aria-label="{escape(said)}"></a>'
        )
    unseen = min(max((now.first - start) / DAY, 0.0), 1.0) * 100
    if unseen > 0:
        bars.insert(0, f'<i class="am-unseen" style="width:{unseen:.2f}%"></i>')
    hours = "".join(
        f'<span style="left:{(ns - start) / DAY * 100:.2f}%">{escape(text)}</span>'
        for ns, text in words.quarters(start, at, look.zone)
    )
    n = words.count(len(found), "incident") if found else "no incident"
    return (
        f'<section class="am-day">'
        f"{parts.heading('Last 24 hours', n)}"
        f'<div class="am-strip">{"".join(bars)}</div>'
        f'<div class="am-hours">{hours}</div></section>'
    )


def about(look: Look, chosen: Sequence[SeriesNow]) -> str:
    """The heading of the tiles; or, before there are any, when there will be."""
    where = parse_key(chosen[0].key)[1].get("host", "") if chosen else ""
    heading = parts.heading(f"{where} live" if where else "Live", "with what is expected")
    if chosen:
        return heading
    first = "The first pictures come with the second poll, in about ten seconds."
    return heading + parts.notice("wait", first, "Opinions follow after about eight minutes.")


def over(look: Look, chosen: Sequence[SeriesNow]) -> str:
    """What stands over the chart of each tile: its value now, and what was expected."""
    return "".join(tile(look, one) for one in chosen)


def tile(look: Look, one: SeriesNow) -> str:
    """One of them, linked to the explorer."""
    name = parse_key(one.key)[0]
    if one.state == "judged":
        expected = words.band(one.expected, one.lower, one.upper, one.value, name) + " expected"
    else:
        expected = one.state
    value = write_number(one.value, name) if one.state != "silent" else "no data"
    return (
        f'<a class="am-tile" href="explorer?key={quote(one.key)}">'
        f"{escape(words.title(one.key, look.systems))}<b>{escape(value)}</b>"
        f"<small>{escape(expected)}</small></a>"
    )


def chosen_series(series: Sequence[SeriesNow]) -> list[SeriesNow]:
    """The few series that say most about a machine; of anything else the first ones."""
    by_name: dict[str, list[SeriesNow]] = {}
    for one in series:
        by_name.setdefault(parse_key(one.key)[0], []).append(one)
    chosen: list[SeriesNow] = []
    for names in KEY:
        found = next(
            (by_name[n][0] for n in names if n in by_name and by_name[n][0] not in chosen), None
        )
        if found is not None:
            chosen.append(found)
    return chosen or list(series[:6])

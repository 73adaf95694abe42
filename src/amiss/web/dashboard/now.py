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
    """The whole page renews itself."""
    parts.refreshing(draw)


def draw() -> None:
    """Sentences first, then what is amiss, then the machine."""
    look = parts.look()
    said = shared(look.live, ("head", str(look.zone)), (look.now.version, look.at // 10**9),
                  lambda: head(look))  # fmt: skip
    parts.show(said)
    incidents(look)
    attention(look)
    parts.show(day(look))
    key_series(look)


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
    spec = charts.series_chart(name, look.colours, height, every)
    parts.chart(data, spec, f"{words.title(key)} with what was expected")


def attention(look: Look) -> None:
    """What is warming up, silent or failing: a line each, with a link."""
    found = concerns(look.now)
    if found:
        with st.container(key="attention"):
            for icon, said in found:
                parts.link("health", parts.plain(said), f":material/{icon}:")


def concerns(now: Now) -> list[tuple[str, str]]:
    """Icon and words of each."""
    found = []
    warming, silent = words.waiting(now.series)
    if warming and now.phase == "watching":
        n = words.count(len(warming), "series is", "series are")
        found.append(("hourglass_top", f"{n} warming up: {warming[0].reason}"))
    if silent:
        n = words.count(len(silent), "series is", "series are")
        found.append(("sensors_off", f"{n} silent, such as {words.title(silent[0].key)}"))
    for sink in now.sinks:
        if sink.health == "failing":
            found.append(("notifications_off", f"Sink {sink.name} is failing: {sink.reason}"))
    for model in now.models:
        if model.state == "failed":
            found.append(("model_training", f"Model {model.name} has failed: {model.reason}"))
    lost = sum(now.skipped.values())
    if lost:
        most = max(now.skipped, key=lambda reason: now.skipped[reason])
        n = words.count(lost, "reading", "readings")
        found.append(("report", f"{n} skipped since the start, most of all: {most}"))
    if now.config_error:
        found.append(("settings_alert", f"The new configuration is not in use: {now.config_error}"))
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
        f'<section class="am-day"><h2 class="am-h2">Last 24 hours<small>{n}</small></h2>'
        f'<div class="am-strip">{"".join(bars)}</div>'
        f'<div class="am-hours">{hours}</div></section>'
    )


def key_series(look: Look) -> None:
    """This machine's metrics live, each with its expected band."""
    chosen = chosen_series(look.now.series)
    if not chosen:
        parts.heading("Live")
        first = "The first pictures come with the second poll, in about ten seconds."
        parts.show(parts.notice("wait", first, "Opinions follow after about eight minutes."))
        return
    where = parse_key(chosen[0].key)[1].get("host", "")
    parts.heading(f"{where} live" if where else "Live", "with what is expected, last 20 minutes")
    with st.container(key="tiles"):
        for at in range(0, len(chosen), 3):
            row = chosen[at : at + 3]
            for column, one in zip(st.columns(3, border=True), row, strict=False):
                with column:
                    tile(look, one)


def tile(look: Look, one: SeriesNow) -> None:
    """One series: its value now, what was expected, and a chart."""
    name = parse_key(one.key)[0]
    value = write_number(one.value, name)
    if one.state == "judged":
        expected = words.band(one.expected, one.lower, one.upper, one.value, name) + " expected"
    else:
        expected = one.reason if one.state == "silent" else "warming up"
    label = f"{parts.plain(words.title(one.key))} **{parts.plain(value)}** {parts.aside(expected)}"
    parts.link("explorer", label, key=one.key)
    series(look, one.key, look.at - SPAN, 116)


def chosen_series(series: Sequence[SeriesNow]) -> list[SeriesNow]:
    """The few series that say most about a machine; of anything else the first ones."""
    by_name: dict[str, list[SeriesNow]] = {}
    for one in series:
        by_name.setdefault(parse_key(one.key)[0], []).append(one)
    chosen: list[SeriesNow] = []
    for names in KEY:
        found = next((by_name[n][0] for n in names if n in by_name and by_name[n][0] not in chosen),
                     None)  # fmt: skip
        if found is not None:
            chosen.append(found)
    return chosen or list(series[:6])

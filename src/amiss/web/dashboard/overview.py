"""The words of the first page, as HTML: all that is not a chart."""

from collections.abc import Sequence
from html import escape

from amiss.data import DAY, parse_key
from amiss.run.now import BudgetNow, Now, SeriesNow
from amiss.steps.judge import WARM
from amiss.web.dashboard import parts, words
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.words.units import write_days, write_number

KEY = (
    ("cpu_percent",),
    ("memory_percent",),
    ("load1", "load5"),
    ("disk_busy_percent", "disk_write_bytes_per_second"),
    ("disk_write_bytes_per_second", "disk_percent"),
    ("network_receive_bytes_per_second", "network_send_bytes_per_second"),
)
"""The first one there is of each line is shown live."""


def below(look: Look, chosen: Sequence[SeriesNow]) -> str:
    """What comes after the incidents: what wants attention, the last day, a heading."""
    return attention(look) + day(look) + about(look, chosen)


def head(look: Look) -> str:
    """The headline with the budget beside it."""
    tone, title, sentence = words.headline(look.now, look.at)
    warming, _ = words.waiting(look.now.series)
    going = ""
    if look.now.phase == "warming up" and warming:
        going = parts.meter(warming[0].seen, WARM, "samples seen before the first opinion")
    seen = max((p.polled for p in look.now.pipelines), default=0)
    fresh = f"last sample {look.clock(seen, seconds=True)}" if seen else "no sample yet"
    return (
        f'<section class="am-head am-{tone}"><div><h1><i class="am-shape" aria-hidden="true"></i>'
        f"{escape(title)}</h1><p>{escape(sentence)}</p>{going}"
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
        ("waiting", "wait", f"source {p.name}: {p.reason}")
        for p in now.pipelines
        if p.health == "waiting"
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
            f' href="{parts.address("incident", id=each.id)}" title="{escape(said)}"'
            f' aria-label="{escape(said)}"></a>'
        )
    unseen = min(max((now.first - start) / DAY, 0.0), 1.0) * 100
    if unseen > 0:
        bars.insert(0, f'<i class="am-unseen" style="width:{unseen:.2f}%"></i>')
    hours = "".join(
        f'<span style="--am-at:{(ns - start) / DAY * 100:.2f}%">{escape(text)}</span>'
        for ns, text in words.quarters(start, at, look.zone)
    )
    n = words.count(len(found), "incident") if found else "no incident"
    if unseen > 0:
        n += f", watched since {look.clock(now.first)}"
    return (
        f'<section class="am-day">'
        f"{parts.heading('Last 24 hours', n)}"
        f'<div class="am-strip">{"".join(bars)}</div>'
        f'<div class="am-hours">{hours}</div></section>'
    )


def about(look: Look, chosen: Sequence[SeriesNow]) -> str:
    """The heading of the tiles; or, before there are any, when there will be."""
    hosts = {parse_key(one.key)[1].get("host", "") for one in chosen}
    where = hosts.pop() if len(hosts) == 1 else ""
    heading = parts.heading(f"{where} live" if where else "Live", "with what is expected")
    if chosen:
        return heading
    every = max((p.every for p in look.now.pipelines), default=5.0)
    first = f"The first pictures come with the second poll, in about {max(2 * every, 5):.0f} s."
    tick = max((p.tick or p.every for p in look.now.pipelines), default=5.0)
    opinions = f"Opinions follow after {WARM} samples, in about {write_days(WARM * tick / 86400)}."
    return heading + parts.notice("wait", first, opinions)


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
        f'<a class="am-tile" href="{parts.address("explorer", key=one.key)}">'
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

"""What each part of Amiss is doing: sources, series, sinks, budget, what was left out."""

import platform
from functools import partial
from html import escape
from importlib.metadata import version
from math import isfinite

import streamlit as st

from amiss import __version__
from amiss.data import HOUR, SECOND
from amiss.run.now import Health, PipelineNow, SeriesNow, SinkNow
from amiss.web.dashboard import parts, words
from amiss.web.dashboard.overview import budget
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.web.headline import blind
from amiss.words.units import write_number

TONE: dict[Health, str] = {"good": "good", "failing": "fail", "starting": "wait", "waiting": "wait"}
LISTED = 300  # series in a list
PACKAGES = ("numpy", "numba", "scikit-learn", "SQLAlchemy", "fastapi", "streamlit")


def page() -> None:
    """What changes quickly renews itself; the list of series more slowly."""
    parts.refreshing(draw)
    parts.refreshing(draw_series, "10s")
    program()


def draw() -> None:
    """Sources, sinks, budget, skipped."""
    look = parts.look()
    key = ("health", str(look.zone))
    parts.show(shared(look.live, key, look.moment, lambda: report(look)))


def report(look: Look) -> str:
    """All of it as one piece of HTML."""
    now = look.now
    return "".join(
        (
            summary(look),
            parts.heading("Sources", "what is polled, and how long it takes"),
            "".join(source(look, one) for one in now.pipelines)
            or parts.notice("wait", "No source has started yet.", now.reason),
            parts.heading("Sinks", "who is told of incidents"),
            sinks(look),
            parts.heading("Budget", "how many incidents you want, and how many there were"),
            f'<div class="am-two">{budget(now.budget)}{parts.facts(asked(look))}</div>',
            parts.heading("Skipped", "readings that could not be used, since the start, by reason"),
            skipped(look),
        )
    )


def summary(look: Look) -> str:
    """Whether all is well with Amiss itself."""
    now = look.now
    bad = [f"source {p.name}" for p in blind(now)]
    bad += [f"sink {s.name}" for s in now.sinks if s.health == "failing"]
    bad += ["the new configuration"] if now.config_error else []
    ran = f"Running for {words.span(look.at - now.started)}, since {look.clock(now.started)}."
    title, tone = "Amiss is well", "good"
    if bad:
        title, tone = f"Failing: {', '.join(bad)}", "fail"
    elif any(p.health == "starting" for p in now.pipelines):
        title, tone = "Amiss is starting", "wait"
    error = (
        parts.notice(
            "fail",
            f"The new configuration is not in use: {now.config_error}",
            "The one before stays in use until the file is right.",
        )
        if now.config_error
        else ""
    )
    if now.config_waits:
        error += parts.notice("wait", f"Of the new configuration, {now.config_waits}.")
    return (
        f'<section class="am-head am-{tone}"><div><h1><i class="am-shape" aria-hidden="true"></i>'
        f"{escape(title)}</h1><p>{escape(ran)}</p></div></section>{error}"
    )


def source(look: Look, one: PipelineNow) -> str:
    """A pipeline and its source."""
    tone = TONE[one.health]
    polled = words.ago(one.polled, look.at) if one.polled else "never so far"
    said = one.reason or f"It is polled every {one.every:g} s."
    pairs = [
        ("last poll that worked", polled),
        ("series", f"{one.series:,}"),
        ("ticks since the start", f"{one.ticks:,}"),
        ("failed polls", f"{one.failures:,}"),
        ("a step takes", write_number(one.step_seconds, "x_seconds", 2)),
        ("a commit takes", write_number(one.commit_seconds, "x_seconds", 2)),
        ("behind by", behind(one.lag)),
        ("memory of the series", write_number(one.state_bytes, "x_bytes", 2)),
        ("ticks replayed at the start", f"{one.replayed:,}"),
    ]
    return (
        f'<div class="am-box am-edge-{tone}">{parts.line(one.health, tone, said, one.name)}'
        f"{parts.facts(pairs)}</div>"
    )


def behind(seconds: float) -> str:
    """How far the newest tick is from now: 4.2 s, 7 months."""
    long = isfinite(seconds) and seconds >= 60
    return words.span(int(seconds * SECOND)) if long else write_number(seconds, "x_seconds", 2)


def sinks(look: Look) -> str:
    """Each with what became of what it was told."""
    if not look.now.sinks:
        return parts.notice(
            "still",
            "No sink is configured: incidents are shown here and in the log.",
            "To be told elsewhere, name a sink under sinks: in the configuration.",
        )
    lines = (sink(look, one) for one in look.now.sinks)
    head = ("sink", "state", "delivered", "tried again", "refused", "kept quiet", "last delivery")
    return parts.rows(head, lines, "Sinks")


def sink(look: Look, one: SinkNow) -> tuple[str, ...]:
    """The cells of one."""
    reason = f"<small>{escape(one.reason)}</small>" if one.reason else ""
    last = words.ago(one.last, look.at) if one.last else "none since the start"
    return (
        f"{escape(one.name)}<small>{escape(one.type)}</small>",
        f"<span>{parts.state(one.health, TONE[one.health])}{reason}</span>",
        f"{one.delivered:,}",
        f"{one.retried:,}",
        f"{one.refused:,}",
        f"{one.quiet:,}",
        escape(last),
    )


def asked(look: Look) -> list[tuple[str, str]]:
    """The budget in numbers."""
    of = look.now.budget
    bar = f"{of.bar:.1f} nats" if isfinite(of.bar) else "not before the first opinions"
    found = [
        ("asked for", f"{of.asked:g} a day"),
        ("last 24 hours", words.count(of.today, "incident")),
        ("last 7 days", words.count(of.week, "incident")),
        ("an incident opens at", bar),
    ]
    if isfinite(of.price):
        found.append(("added to keep the budget", f"{of.price:.1f} nats"))
    return found


def skipped(look: Look) -> str:
    """Reasons and counts."""
    if not look.now.skipped:
        return parts.notice("good", "Nothing was skipped.")
    worst = sorted(look.now.skipped.items(), key=lambda pair: -pair[1])
    return parts.rows(("reason", "readings"), ((escape(a), f"{b:,}") for a, b in worst), "Skipped")


def draw_series() -> None:
    """Each series with what it is doing."""
    look = parts.look()
    found = words.states(look.now.series)
    parts.show(parts.heading("Series", f"{len(look.now.series):,} in all"))
    if not look.now.series:
        parts.show(parts.notice("wait", "No series yet.", look.now.reason))
        return
    warming, silent = words.waiting(look.now.series)
    judged = [one for one in look.now.series if one.state == "judged"]
    for state, tone, series in (
        ("warming up", "wait", warming),
        ("silent", "still", silent),
        ("judged", "good", judged),
    ):
        if series:
            with st.expander(
                f"{state}: {found[state]:,}",
                expanded=state == "silent",
                icon={"good": ":material/check_circle:", "wait": ":material/hourglass_top:"}.get(
                    tone, ":material/sensors_off:"
                ),
                key=f"series {state}",
            ):
                name = ("listed", state, str(look.zone))
                made = shared(look.live, name, look.now.version, partial(listed, look, series))
                parts.show(made)


def listed(look: Look, series: list[SeriesNow]) -> str:
    """A line for each, up to a number."""
    lines = (
        (
            f'<a href="{parts.address("explorer", key=one.key)}">'
            f"{escape(words.title(one.key, look.systems))}</a>",
            escape(words.doing(one, look.at, look.zone)),
        )
        for one in series[:LISTED]
    )
    more = len(series) - LISTED
    rest = f'<p class="am-faint">and {more:,} more: see the explorer</p>' if more > 0 else ""
    return parts.rows(("series", "what it is doing"), lines, "Series") + rest


def program() -> None:
    """Versions, files and what is kept: does not change by itself."""
    look = parts.look()
    parts.show(parts.heading("Program"))
    kept = shared(look.live, "kept", look.at // HOUR, look.live.store.series)
    points, size = sum(s.points for s in kept), sum(s.bytes for s in kept)
    pairs = [
        ("Amiss", __version__),
        ("Python", platform.python_version()),
        *shared(look.live, "versions", 0, lambda: [(n, version(n)) for n in PACKAGES]),
        ("configuration", look.now.config),
        ("folder", str(look.live.home)),
        ("first started", look.clock(look.now.first)),
        ("history kept", f"{points:,} points in {write_number(size, 'x_bytes', 2)}"),
        ("kept at most", f"{look.live.settings.keep.days} days"),
    ]
    parts.show(parts.facts(pairs))

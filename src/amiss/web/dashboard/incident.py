"""One incident, by the id in the address; without one, all of them."""

import json
from html import escape

import streamlit as st

from amiss.data import DAY, SECOND, Incident, Member, parse_key
from amiss.run.final import final
from amiss.web.dashboard import around, parts, saying, words
from amiss.web.dashboard.incidents import listing
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.words.message import as_json
from amiss.words.units import words as name_of
from amiss.words.units import write_number
from amiss.words.wording import is_whole

SETTLED = "10s"  # how often the page of an incident that is over is drawn anew


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
        parts.show(missing(look, asked))
        return
    open_ = revisions[-1].state == "open"
    pace = look.pace if open_ else SETTLED
    parts.refreshing(lambda: draw_top(asked), pace)
    saying.asking(look, asked)
    parts.refreshing(lambda: draw(asked), pace)
    parts.show(parts.heading("As data"))
    text = json.dumps([as_json(one) for one in revisions], ensure_ascii=False, indent=2)
    body = text.encode("utf-8", "backslashreplace")  # names need not be UTF-8: JSON has \udc80, too
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


def newest(look: Look, asked: str) -> Incident | None:
    """As it is now; None if it was pruned while its page was open."""
    revisions = shared(
        look.live, ("revisions", asked), look.now.version, lambda: look.live.store.incident(asked)
    )
    return revisions[-1] if revisions else None


def draw_top(asked: str) -> None:
    """What it is, in short, and what people said of it."""
    look = parts.look()
    each = newest(look, asked)
    if each is None:
        parts.show(missing(look, asked))
        return
    parts.show(top(look, each))
    parts.show(parts.facts(details(look, each)))
    if said := saying.lines(look, each):
        parts.show(said)


def draw(asked: str) -> None:
    """All else that is known of it."""
    look = parts.look()
    each = newest(look, asked)
    if each is None:
        return
    around.evidence(each)
    parts.show(parts.heading("What was seen, and what was expected", "the strangest first"))
    parts.show(members(look, each))
    around.pictures(look, each)
    around.before(look, each)
    around.told(look, each)


def missing(look: Look, asked: str) -> str:
    """That there is none of that id."""
    days = look.live.settings.keep.incident_days
    more = f"Incidents are kept for {days} days."
    return parts.notice("still", f"There is no incident {asked}.", more)


def top(look: Look, each: Incident) -> str:
    """Severity and state, and the sentence."""
    sentence = words.localised(each, look.at, look.zone)
    rest = sentence.removeprefix(each.title).strip()
    over = each.until or each.seen
    said = (
        parts.state("open", "going")
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
    lasted = words.span(words.strange_until(each, look.at) - each.since)
    rare = words.how_rare(each)
    found = [
        ("since", look.clock(each.since)),
        ("lasted" if each.until else "lasts", lasted),
        ("how rare", rare),
        ("series", str(each.breadth)),
        ("score, -ln p", f"{each.score:.1f} nats"),
    ]
    if "watched" not in rare:  # else it has been said
        found.insert(3, ("rests on", f"{words.span(int(each.watched * DAY))} watched"))
    if each.until:
        found.insert(2, ("closed", f"{look.clock(each.until)}"))
    return found


def members(look: Look, each: Incident) -> str:
    """Each with what was seen and expected at its strangest moment."""
    lines, finals = (
        [],
        shared(
            look.live,
            ("final", each.id),
            (look.now.version, look.at // (10 * SECOND)),
            lambda: {one.series: one.words for one in final(look.live.store, each)},
        ),
    )
    for member in each.members:
        rarity = words.rarity_of(member, words.interval(each))
        when = f"{look.clock(member.at)}<small>strange since {look.clock(member.since)}</small>"
        lines.append(
            (
                subject(look, member, finals.get(member.series, "")),
                *seen(member),
                escape(rarity),
                when,
            )
        )
    table = parts.rows(("series", "seen", "expected", "rarity", "strangest at"), lines, "Members")
    more = each.breadth - len(each.members)
    return table + (f'<p class="am-faint">and {more} more series</p>' if more > 0 else "")


def subject(look: Look, member: Member, final: str = "") -> str:
    """A link to the series; or what is to blame if it is the picture as a whole."""
    if is_whole(member) or member.said:
        names = member.blame if member.said else [name_of(key) for key in member.blame]
        most = f"<small>most of all {escape(', '.join(names))}</small>" if names else ""
        most += f"<small>{escape('; '.join(member.votes))}</small>" if member.votes else ""
        most += f"<small>{escape(final)}</small>" if final else ""
        whole = (
            words.title(member.series, look.systems) if member.said else "the picture as a whole"
        )
        return f"{escape(whole[:1].upper() + whole[1:])}{most}"
    said = escape(words.title(member.series, look.systems))
    return f'<a href="{parts.address("explorer", key=member.series)}">{said}</a>'


def seen(member: Member) -> tuple[str, str]:
    """Cells for what was observed and expected."""
    if member.said:
        return f"<code>{escape(member.said)}</code>", "like those before"
    if is_whole(member):
        found, expected = (
            "".join(f"<small>{escape(one)}</small>" for one in part)
            for part in words.parted(member)
        )
        return f"unusual{found}", f"{'given all others' if expected else 'as before'}{expected}"
    name = parse_key(member.series)[0]
    times = member.observed / member.expected if member.expected > 0 else 0.0
    much = f"<small>{times:.0f} times the usual</small>" if 2 <= times < 1000 else ""
    expected = words.band(member.expected, member.lower, member.upper, member.observed, name)
    observed = f"<b>{escape(write_number(member.observed, name))}</b>{much}"
    return escape(member.why) or observed, escape(expected)

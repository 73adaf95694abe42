"""What people say of an incident on its page, and taking it back."""

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from amiss.data import Incident
from amiss.errors import Error
from amiss.run import feedback
from amiss.store import Said, Word
from amiss.store.feedback import SEEN, VERDICT, kind_of
from amiss.web.dashboard import parts
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared

if TYPE_CHECKING:
    from amiss.run.live import Live

BUTTONS: dict[Word, tuple[str, str]] = {
    "acknowledged": ("Acknowledge", ":material/visibility:"),
    "normal": ("It was normal", ":material/thumb_up:"),
    "amiss": ("It was a problem", ":material/report:"),
}
BACK = {SEEN: "Take the acknowledgement back", VERDICT: "Take the verdict back"}
TONES: dict[Word, str] = {"acknowledged": "wait", "normal": "good", "amiss": "amiss"}
RECENT = 2 * 10**9  # ns for which what was said is read once


def read(look: Look) -> list[Said]:
    """All that was said of all incidents."""
    stamp = (look.now.version, look.at // RECENT, st.session_state.get("said last"))
    return shared(look.live, "said", stamp, look.live.store.said)


def tags(said: list[Said], incident: str) -> str:
    """What was said of one, in a word each."""
    return "".join(
        parts.state(one.word, TONES[one.word]) for one in said if one.incident == incident
    )


def lines(look: Look, each: Incident) -> str:
    """What was said of it, by whom and when; and what keeps it quiet."""
    found = ""
    for one in read(look):
        if one.incident == each.id:
            note = f": {one.note}" if one.note else ""
            found += parts.line(one.word, TONES[one.word], f"{one.who}, {look.clock(one.at)}{note}")
    if like := feedback.alike(look.live.store, each):
        other = f'<a href="{parts.address("incident", id=like.incident.id)}">{like.incident.id}</a>'
        found += (
            f'<p class="am-line">{parts.state("kept quiet", "still")}<span>It is like {other}, '
            f"which {escape(like.who)} called normal.</span></p>"
        )
    return found


def asking(look: Look, incident: str) -> None:
    """A note and a button for each thing that can be said or taken back."""
    own = {kind_of(one.word): one.word for one in look.live.store.said(incident)}
    note = f"note {incident}"
    st.text_input("Note", key=note, max_chars=feedback.LONGEST, placeholder="why, for later")
    with st.container(horizontal=True):
        for word, (label, icon) in BUTTONS.items():
            kind = kind_of(word)
            back = own.get(kind) == word
            effect = "as if it had not been said" if back else feedback.EFFECTS[word]
            st.button(
                BACK[kind] if back else label,
                icon=":material/undo:" if back else icon,
                key=f"{word} {incident}",
                help=f"{effect[:1].upper()}{effect[1:]}.",
                on_click=take_back if back else say,
                args=(look.live, incident, word, note),
            )
    if told := st.session_state.pop("said", ""):
        parts.show(told)


def say(live: "Live", incident: str, word: Word, note: str) -> None:
    """Keep it; what came of it is shown once."""
    try:
        feedback.say(live.trail, "dashboard", incident, word, str(st.session_state.get(note) or ""))
        told = parts.notice(
            "good", f"Noted: {word}.", f"What it changes: {feedback.EFFECTS[word]}."
        )
        st.session_state[note] = ""
    except Error as exc:
        told = parts.notice("fail", f"Not noted: {exc}.")
    _shown(live, told)


def take_back(live: "Live", incident: str, word: Word, _: str) -> None:
    """Take back what was said of this kind."""
    try:
        feedback.unsay(live.trail, "dashboard", incident, word)
        told = parts.notice("good", "Taken back.", "It is as if it had not been said.")
    except Error as exc:
        told = parts.notice("fail", f"Not taken back: {exc}.")
    _shown(live, told)


def _shown(live: "Live", told: str) -> None:
    st.session_state["said"] = told
    st.session_state["said last"] = live.world.monotonic()

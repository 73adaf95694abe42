"""The versions of a model: what is known of each, compared with the one in use, put to use."""

from html import escape
from math import isfinite
from typing import TYPE_CHECKING

import streamlit as st

from amiss.data import DAY
from amiss.errors import ConfigError, Error
from amiss.model import card_of
from amiss.run import models as kept_models
from amiss.run.audited import about
from amiss.run.compared import Comparison, rate
from amiss.run.figures import asked_by, left_out, trained_by, validated
from amiss.store.models import Model
from amiss.web.dashboard import losses, parts, words
from amiss.web.dashboard.parts import Look
from amiss.words.units import words as name_of
from amiss.words.units import write_days, write_number

if TYPE_CHECKING:
    from amiss.run.live import Live

NAMED = 8  # features that are written out


def versions(look: Look, pipeline: str, name: str, found: list[Model]) -> None:
    """A list to choose from, what is known of the chosen one, and what can be done with it."""
    own = [m for m in found if (m.pipeline, m.card.get("name")) == (pipeline, name)]
    if not own:
        return
    with st.expander(f"Versions: {len(own)} kept"):
        by_id = {m.id: m for m in own}
        place = f"{pipeline} {name}"
        chosen = st.selectbox(
            "Version",
            list(by_id),
            format_func=lambda id: label(look, by_id[id]),
            key=f"version {place}",
        )
        kept = by_id.get(chosen or "", own[0])
        parts.show(parts.facts(facts(look, kept)))
        if loss := kept.card.get("figures", {}).get("loss"):
            said = "Squared error in training and in validation, by epoch"
            parts.show(f'<p class="am-faint">{said}</p>{losses.legend(look.dark)}')
            parts.chart(losses.curve(loss), losses.chart(look.dark), said)
        with st.container(horizontal=True):
            st.button(
                "Put to use",
                icon=":material/publish:",
                key=f"use {place}",
                disabled=kept.in_use,
                on_click=put_to_use,
                args=(look.live, kept.id, place),
            )
            st.button(
                "Roll back",
                icon=":material/undo:",
                key=f"back {place}",
                disabled=len(own) < 2,
                help="Use the one again that served before the one in use.",
                on_click=roll_back,
                args=(look.live, name, pipeline, place),
            )
            compared = st.button(
                "Compare",
                icon=":material/compare_arrows:",
                key=f"compare {place}",
                disabled=len(own) < 2,
                help="Step it and the one in use through everything recorded since both were "
                "trained: what each would have told.",
            )
        if compared:
            parts.show(comparison(look, kept.id))
        elif said := st.session_state.pop(f"said {place}", ""):
            parts.show(said)


def label(look: Look, kept: Model) -> str:
    """A version in a line."""
    use = ", in use" if kept.in_use else ""
    return f"{look.clock(kept.trained)}, {kept.card.get('samples', 0):,} samples, {kept.id}{use}"


def facts(look: Look, kept: Model) -> list[tuple[str, str]]:
    """What is known of it, as pairs."""
    card = card_of(kept.card, kept.id)
    span = write_days((card.last - card.first) / DAY)
    more = f" and {len(card.features) - NAMED} more" if len(card.features) > NAMED else ""
    told = [
        *asked_by(card.figures),
        ("trained", f"{look.clock(card.trained)}, in {card.seconds:.1f} s"),
        ("on", f"{words.count(card.samples, 'sample')}, {span} up to {look.clock(card.last)}"),
        *left_out(card.figures),
        *validated(card.figures.get("validation", {})),
        *trained_by(card.figures.get("loss", {})),
        (
            "metrics",
            f"{len(card.features)}: {', '.join(map(name_of, card.features[:NAMED]))}{more}",
        ),
        ("size", write_number(float(kept.bytes), "x_bytes", 2)),
        ("id", kept.id),
    ]
    return told


def comparison(look: Look, model: str) -> str:
    """Two models on the same moments, in words; or why there is none."""
    try:
        one, other, found = kept_models.compared(look.live.store, model, None, look.at)
    except ConfigError as exc:
        return parts.notice("wait", f"{str(exc)[:1].upper()}{str(exc)[1:]}.")
    except Error as exc:
        return parts.notice("fail", f"Not compared: {exc}.")
    span = write_days((found.last - found.first) / DAY)
    pairs = [("on", f"{words.count(found.samples, 'moment')}, {span}, which neither had seen")]
    pairs.append(("told by both", f"{found.both:,}"))
    if isfinite(found.agreement):
        pairs.append(("agreement", f"{found.agreement:.2f} (rank correlation of their scores)"))
    head = ("", *(escape(card.id) for card in (one, other)))
    return parts.rows(head, beside(found), "Two models beside each other") + parts.facts(pairs)


def beside(found: Comparison) -> list[tuple[str, ...]]:
    """A row for each figure, and what it is of either."""
    sides = found.sides
    rows: list[tuple[str, ...]] = [
        ("p <= .001", *(f"{told:,}, {rate(told, found):.1f} a day" for told in found.told)),
        ("p <= .01", *(f"{side.often:,}, {side.often / found.samples:.2%}" for side in sides)),
        ("median", *(f"{side.middle:.2f} nats" for side in sides)),
        ("99 %", *(f"{side.high:.2f} nats" for side in sides)),
    ]
    if any(isfinite(side.off) for side in sides):
        off = (f"{side.off:.2f} times the last value's" for side in sides)
        rows.append(("forecast error", *off))
    return [tuple(escape(cell) for cell in row) for row in rows]


def roll_back(live: "Live", name: str, pipeline: str, place: str) -> None:
    """Use the one before; what came of it is shown once."""
    try:
        card = kept_models.rollback(live.store, name, pipeline)
        live.trail.note("dashboard", "model rolled back", **about(card))
        said = parts.notice(
            "good", f"{card.id} is in use again.", "From one of the next samples on."
        )
    except Error as exc:
        said = parts.notice("fail", f"Not rolled back: {exc}.")
    st.session_state[f"said {place}"] = said


def put_to_use(live: "Live", model: str, place: str) -> None:
    """Promote it; what came of it is shown once."""
    try:
        card = kept_models.promote(live.store, model)
        live.trail.note("dashboard", "model promoted", **about(card))
        said = parts.notice("good", "Put to use.", "It serves from one of the next samples on.")
    except Error as exc:
        said = parts.notice("fail", f"Not put to use: {exc}.")
    st.session_state[f"said {place}"] = said

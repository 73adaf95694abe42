"""What was learned by fitting, since when it is in use, and how to fit it anew."""

from functools import partial
from html import escape
from math import isfinite
from typing import TYPE_CHECKING

import streamlit as st

from amiss.data import SECOND, parse_key
from amiss.run.now import JointNow, ModelNow
from amiss.run.training import LEAST, MOST
from amiss.store.models import Model
from amiss.web.dashboard import parts, training, words
from amiss.web.dashboard.parts import Look
from amiss.web.dashboard.shared import shared
from amiss.web.dashboard.versions import versions
from amiss.words.units import words as name_of
from amiss.words.units import write_number

if TYPE_CHECKING:
    from amiss.run.live import Live

TONE = {"waiting": "wait", "training": "wait", "in use": "good", "failed": "fail"}
WHAT = {
    "isolation_forest": "Judges all metrics of a system together: is the picture as a whole odd?",
    "linear_regression": "Foretells the next value from the picture as a whole.",
    "lstm": "A network that remembers foretells the next value of each metric.",
    "autoencoder": "A network gives the last samples back through a narrow passage: what is odd "
    "does not come through.",
    "aer": "A network foretells the next sample and gives back those before it. What it says at "
    "once is provisional; incidents say its final score, which is known a window later.",
    "ensemble": "Several models that vote, with one confidence.",
    "classifier": "How likely a moment is one of those that somebody called suspicious.",
}
FORECAST = 6  # metrics whose forecast is written out
USUAL = 720  # samples suggested: an hour at 5 s


def page() -> None:
    """A part for each model."""
    parts.show('<h1 class="am-h1">Models</h1>')
    look = parts.look()
    if not look.now.models:
        said = "No detector of this configuration is fitted."
        parts.show(parts.notice("still", said, "All that are in use learn as they go."))
        return
    for model in look.now.models:
        with st.container(border=True, key=f"model-{model.pipeline}-{model.name}"):
            parts.refreshing(partial(draw, model.pipeline, model.name))
            asking(look, model)
            versions(look, model.pipeline, model.name, stored(look))


def draw(pipeline: str, name: str) -> None:
    """How the model does, and what it says now."""
    look = parts.look()
    model = next((m for m in look.now.models if (m.pipeline, m.name) == (pipeline, name)), None)
    if model is None:
        parts.show(parts.notice("still", f"{name} is no longer configured."))
        return
    said = WHAT.get(name, "")
    parts.show(
        f'<h2 class="am-h2">{escape(title(name))}<small>{escape(pipeline)}</small></h2>'
        f'<p class="am-faint">{escape(said)}</p>{standing(look, model)}'
        + "".join(
            opinion(look, one)
            for one in look.now.joint
            if (one.pipeline, one.detector) == (pipeline, name)
        )
        + progress(look, pipeline, name)
    )


def title(name: str) -> str:
    """isolation_forest is "Isolation forest"."""
    text = words.model(name)
    return text[:1].upper() + text[1:]


def standing(look: Look, model: ModelNow) -> str:
    """Its state in a sentence."""
    if model.state == "in use":
        since = f"Trained {words.ago(model.trained, look.at)}, {look.clock(model.trained)}"
        said = f"{since}, on {words.count(model.samples, 'sample')} in {model.seconds:.1f} s."
        if model.reason:
            said += f" {model.reason[:1].upper()}{model.reason[1:]}."
    elif model.state == "training":
        said = f"Being trained {model.reason}; " + (
            "the one before answers meanwhile." if model.id else "there is none before it."
        )
    elif model.state == "waiting":
        said = f"It is trained by itself as soon as there is enough: {model.reason}."
    else:
        said = f"The training failed: {model.reason}."
    return parts.line(model.state, TONE[model.state], said)


def opinion(look: Look, one: JointNow) -> str:
    """Its score or its forecast for a system, with what it means."""
    whose = ", ".join(parse_key(f"x{{{one.system}}}")[1].values()) or "all"
    if not isfinite(one.score):
        return parts.facts([(whose, "no opinion yet")])
    rare = words.rarity_now(one.score, look.tick(one.pipeline))
    pairs = [
        (f"picture of {whose}", "usual" if rare == "usual" else f"comes {rare}"),
        ("score, -ln p", f"{one.score:.1f} nats"),
    ]
    now = {s.key: s.value for s in look.now.series if s.system == one.system}
    for metric, value in list(one.forecast.items())[:FORECAST]:
        name = parse_key(metric)[0]
        seen = next((v for key, v in now.items() if same(key, metric)), None)
        pairs = [(f"{name_of(metric)}, forecast", write_number(value, name)), *pairs]
        if seen is not None:
            pairs.insert(1, (f"{name_of(metric)}, now", write_number(seen, name)))
    if len(one.forecast) > FORECAST:
        pairs.append(("forecast too", f"{len(one.forecast) - FORECAST} more metrics"))
    return parts.facts(pairs)


def same(key: str, metric: str) -> bool:
    """Whether a series is this metric of its system."""
    (name, labels), (wanted, own) = parse_key(key), parse_key(metric)
    return name == wanted and own.items() <= labels.items()


def progress(look: Look, pipeline: str, name: str) -> str:
    """The training that was asked for last."""
    run = training.last(look.live, pipeline, name)
    if run is None:
        return ""
    if not run.said:
        took = f"{(look.at - run.began) / SECOND:.0f} s so far"
        said = f"Training on {words.count(run.samples, 'sample')}: {took}."
        return (
            parts.notice("wait", said, "You may leave this page; it goes on.")
            + '<div class="am-meter am-busy" role="progressbar" aria-label="training">'
            "<span></span></div>"
        )
    return parts.notice("good" if run.good else "fail", run.said, words.ago(run.ended, look.at))


def asking(look: Look, model: ModelNow) -> None:
    """Samples and a button."""
    recorded = max((s.seen for s in look.now.series if s.pipeline == model.pipeline), default=0)
    most = min(max(recorded, LEAST), MOST)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = f"samples {model.pipeline} {model.name}"
        st.number_input(
            "Learn from the last samples",
            LEAST,
            MOST,
            min(max(model.samples, USUAL), most),
            key=number,
            help=f"{LEAST} to {MOST:,}; {recorded:,} are recorded since the start.",
            width=220,
        )
        st.button(
            "Retrain",
            icon=":material/model_training:",
            key=f"retrain {model.pipeline} {model.name}",
            disabled=recorded < LEAST,
            on_click=retrain,
            args=(look.live, model.pipeline, model.name, number),
        )
    if recorded < LEAST:
        parts.show(f'<p class="am-faint">{LEAST} samples are needed; {recorded} are recorded.</p>')


def retrain(live: "Live", pipeline: str, name: str, number: str) -> None:
    """Begin with the number that is there now: the button was drawn with the one before."""
    training.begin(live, pipeline, name, int(st.session_state[number]))


def stored(look: Look) -> list[Model]:
    """All models that are kept."""
    stamp = (look.now.version, look.at // (10 * SECOND))
    return shared(look.live, "models", stamp, look.live.store.models)

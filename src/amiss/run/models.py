"""Which of the models that are kept serves: what the commands, the API and the pages do."""

from collections.abc import Iterable

from amiss.data import Frame
from amiss.errors import ConfigError
from amiss.model import Card, card_of, difference
from amiss.run.compared import Comparison, compare
from amiss.run.shadow import shadow, shadow_on
from amiss.run.training import Trainee
from amiss.steps.systems import features_of
from amiss.store import Store
from amiss.store.models import Model


def chosen(store: Store, begin: str) -> Model:
    """The model whose id begins so. Raises ConfigError if none does, or several."""
    found = [m for m in store.models() if m.id.startswith(begin)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ConfigError(f"there is no model {begin!r}; `amiss models` lists them")
    raise ConfigError(f"{len(found)} models begin with {begin!r}; write more of the id")


def promote(store: Store, model: str, anyway: bool = False) -> Card:
    """Put a model to use. ConfigError if it knows other metrics than the one in use, or has no
    place.
    """
    kept = chosen(store, model)
    card = card_of(kept.card, kept.id)
    if not anyway:
        check_place(store, card)
        check_features(store, card)
    store.promote(kept.id)
    return card


def rollback(store: Store, name: str, pipeline: str | None = None) -> Card:
    """Go back to the one that served before the one in use, of this type.

    Those that nobody put to use, and those that are gone, are passed over. Raises ConfigError if
    none is in use, several are, or there is none to go back to.
    """
    own = [m for m in store.models(pipeline) if m.card.get("name") == name]
    used = [m for m in own if m.in_use]
    if not used:
        raise ConfigError(f"no model {name!r} is in use; see `amiss models`")
    if len(used) > 1:
        kinds = ", ".join(f"{m.pipeline} ({m.detector})" for m in used)
        raise ConfigError(f"{name!r} is in use {len(used)} times: {kinds}; promote one by id")
    (now,) = used
    known = {m.id: m for m in own if _kind(m) == _kind(now)}
    served = store.served(now.pipeline, now.detector)
    before = [known[one] for one in served if one in known and one != now.id]
    if not before:
        raise ConfigError(
            f"no {name} of {now.pipeline} served before {now.id}; `amiss models promote` puts "
            "another one to use"
        )
    store.promote(before[-1].id, back=True)
    return card_of(before[-1].card, before[-1].id)


def against(kept: Model) -> str:
    """The model that was in use when a challenger was fitted; "" of a model that is none."""
    return str(kept.card.get("figures", {}).get("against", ""))


def mate(store: Store, kept: Model) -> Model:
    """What a model is compared with: the one in use in its place, or before that.

    Raises ConfigError if there is none.
    """
    others = [m for m in store.models(kept.pipeline) if m.id != kept.id]
    same = [m for m in others if m.card.get("name") == kept.card.get("name")]
    best = sorted(same, key=lambda m: (not m.in_use, _kind(m) != _kind(kept)))
    if not best:
        raise ConfigError(f"there is no other model of {kept.pipeline} than {kept.id} of its type")
    return best[0]


def compared(
    store: Store, one: str, other: str | None, until: int
) -> tuple[Card, Card, Comparison]:
    """Two models on everything recorded since both were fitted, up to a time (ns).

    Raises ConfigError if one is not there or they cannot be compared, StateError if damaged.
    """
    a, b = (shadow(store, kept.id, until) for kept in pair(store, one, other))
    return a.card, b.card, compare(a, b)


def compared_on(
    store: Store, one: str, other: str | None, frame: Frame, label: str = ""
) -> tuple[Card, Card, Comparison]:
    """The same on metrics of systems (T, S, F) from elsewhere, one of which may be a label."""
    a, b = (shadow_on(store, kept.id, frame, label) for kept in pair(store, one, other))
    return a.card, b.card, compare(a, b)


def pair(store: Store, one: str, other: str | None) -> tuple[Model, Model]:
    """The two models that are to be compared. Raises ConfigError if one is not there."""
    first = chosen(store, one)
    return first, mate(store, first) if other is None else chosen(store, other)


def check_features(store: Store, card: Card) -> None:
    """Raises ConfigError if a model was fitted on other metrics than the one in its place, or,
    where none is, on some that its pipeline does not have, as far as its memory says.
    """
    kind = (card.pipeline, card.detector)
    used = [m for m in store.models(card.pipeline, in_use=True) if _kind(m) == kind]
    if not used:
        states = store.load(card.pipeline).states
        keys, by = (states.get(name, {}) for name in ("series", "by"))
        if not (keys and by):  # it never ran
            return
        there = features_of(tuple(keys["keys"].tolist()), tuple(by["names"].tolist()))
        if differs := difference(card.features, there.intersection(card.features)):
            raise ConfigError(
                f"model {card.id} was fitted on other metrics than pipeline {card.pipeline} has "
                f"as it ran last: {differs}; say --anyway if they are still to come"
            )
        return
    if used[0].id == card.id:
        return
    if differs := difference(card.features, used[0].card.get("features", [])):
        raise ConfigError(
            f"model {card.id} was fitted on other metrics than {used[0].id}, which is in use: "
            f"{differs}; say --anyway if that is meant"
        )


def check_place(store: Store, card: Card) -> None:
    """Raises ConfigError if no detector has the settings that a model was fitted with, as far as
    its pipeline's memory says: nothing would ever take it.
    """
    there = store.load(card.pipeline).states
    if there and card.detector not in there:
        raise ConfigError(
            f"model {card.id} would not serve: pipeline {card.pipeline} as it ran last has no "
            f"{card.name} with the settings that it was fitted with; put them into the "
            "configuration, or say --anyway if that is still to come"
        )


def _kind(kept: Model) -> tuple[str, str]:
    return kept.pipeline, kept.detector


def named(trainees: Iterable[Trainee], model: str, pipeline: str | None) -> Trainee:
    """The one of that type, in any pipeline or in one. Raises ConfigError, with those there are."""
    known = [one for one in trainees if pipeline in (None, one.watch.name)]
    trainee = next((one for one in known if one.type == model), None)
    if trainee is None:
        names = ", ".join(sorted({one.type for one in known})) or "none"
        raise ConfigError(f"model_name: there is no model {model!r} to train; known: {names}")
    return trainee

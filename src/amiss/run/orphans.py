"""Incidents that nobody watches any more."""

from collections.abc import Sequence
from dataclasses import replace

from amiss.data import Incident
from amiss.decide import opened
from amiss.decide.explain import ended
from amiss.run.commits import NOTHING
from amiss.run.watched import Watch
from amiss.store import Checkpoint, Store

NOBODY = "-"  # no pipeline can be called so


def resolve(watches: Sequence[Watch], store: Store) -> int:
    """Resolve what is open in the log and in no memory; says how many those were.

    Their pipeline was taken out of the configuration, or its memory was lost: nothing else
    would ever end them. Raises Unreachable or StateError of the store.
    """
    found = store.incidents(state="open", limit=1000)  # first: what opens meanwhile is not here
    if not found or not all(watch.states for watch in watches):
        return 0
    known = {one.id for watch in watches for one in _opened(watch)}
    left = [_ended(one) for one in found if one.id not in known]
    if left:
        store.commit(NOBODY, {}, NOTHING, left, Checkpoint({}))
    return len(left)


def _ended(one: Incident) -> Incident:
    said = ended(one.sentence, one.seen - one.since, False)
    revision = one.revision + 1
    return replace(one, revision=revision, state="resolved", until=one.seen, sentence=said)


def _opened(watch: Watch) -> list[opened.Opened]:
    group = watch.states.get("group")
    return list(opened.load(group["memory"].tobytes()).opened.values()) if group else []

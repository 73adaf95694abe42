"""What people say of incidents: what it changes, and that it can be undone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amiss.audit import FILE, entries
from amiss.data import DAY, HOUR, Event, Incident, Records
from amiss.errors import ConfigError, Unreachable
from amiss.run import feedback
from amiss.run.audited import Trail
from amiss.run.exclude import not_learned
from amiss.run.tell import Channel, tell
from amiss.sinks.stdout import Stdout
from amiss.store import Store
from amiss.world import World
from servers.incidents import START, ended, incident, member

NOTHING = Records(np.zeros(0, np.int64), np.zeros(0, "U1"), np.zeros(0))


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    store = Store(tmp_path / "amiss.db")
    store.enrol(["one"])
    yield Trail(tmp_path, store, World(now=lambda: START + HOUR))
    store.close()


def happen(trail: Trail, *revisions: Incident) -> None:
    trail.store.commit("host", {}, NOTHING, revisions)


def told(trail: Trail) -> dict[str, list[str]]:
    """What came of telling each incident, revision by revision, once all that waits is told."""
    channel = Channel("one", Stdout(), trail.store, trail.world)
    while tell(channel):
        pass
    every = trail.store.incidents()
    return {one.id: [d.outcome for d in trail.store.deliveries(one.id)] for one in every}


def later(id: str) -> Incident:
    return incident(id, since=START + DAY, seen=START + DAY)


def test_what_was_called_normal_is_told_once_and_not_again(trail: Trail) -> None:
    happen(trail, incident("a"), ended(incident("a")))
    assert told(trail) == {"a": ["delivered", "delivered"]}
    feedback.say(trail, "joe", "a", "normal", "the backup of every Saturday")
    happen(trail, later("b"), ended(later("b")))
    assert told(trail)["b"] == ["quiet", "quiet"]
    assert trail.store.deliveries("b")[0].message == "like a, which joe called normal"
    assert (like := feedback.alike(trail.store, later("b"))) and like.incident.id == "a"


def test_what_is_kept_quiet_counts_once_though_others_are_tried_again(trail: Trail) -> None:
    class Down(Stdout):
        def send(
            self, incidents: Sequence[Incident], world: World, event: Event | None = None
        ) -> None:
            raise Unreachable("not now")

    happen(trail, incident("a"))
    assert told(trail) == {"a": ["delivered"]}
    feedback.say(trail, "joe", "a", "normal")
    other = replace(later("c"), members=(member("load"),))
    happen(trail, later("b"), other)
    channel = Channel("one", Down(), trail.store, trail.world)
    for _ in range(3):
        with pytest.raises(Unreachable):
            tell(channel)
    channel.sink = Stdout()
    assert tell(channel)
    assert (channel.status.quiet, channel.status.delivered) == (1, 1)


def test_it_is_told_when_it_grows_beyond_what_was_called_normal(trail: Trail) -> None:
    happen(trail, incident("a"))
    feedback.say(trail, "joe", "a", "normal")
    wider = replace(later("b"), revision=2, members=(member(), member("load")), breadth=2)
    happen(trail, later("b"), wider, ended(wider))
    assert told(trail)["b"] == ["quiet", "delivered", "delivered"]


def test_who_heard_that_it_began_hears_its_end_whatever_was_said_meanwhile(trail: Trail) -> None:
    happen(trail, incident("a"))
    assert told(trail)["a"] == ["delivered"]
    feedback.say(trail, "joe", "a", "normal")
    worse = replace(incident("a", 2), severity="high")
    happen(trail, worse, ended(worse))
    assert told(trail)["a"] == ["delivered", "quiet", "delivered"]


def test_what_is_said_is_of_the_incident_as_it_was_then(trail: Trail) -> None:
    """Else whatever it grows into would be normal, too."""
    happen(trail, incident("a"))
    assert told(trail)["a"] == ["delivered"]
    feedback.say(trail, "joe", "a", "normal")
    worse = replace(incident("a", 2), severity="high", members=(member(score=20.0),))
    happen(trail, worse)
    assert told(trail)["a"] == ["delivered", "delivered"]


def test_it_can_be_undone(trail: Trail) -> None:
    happen(trail, incident("a"), ended(incident("a")))
    feedback.say(trail, "joe", "a", "normal")
    assert feedback.unsay(trail, "ann", "a", "normal").who == "joe"
    happen(trail, later("b"))
    assert told(trail)["b"] == ["delivered"]
    with pytest.raises(ConfigError, match="there is no verdict of incident a to take back"):
        feedback.unsay(trail, "ann", "a", "amiss")
    happen(trail, later("c"))
    feedback.say(trail, "joe", "a", "normal")
    feedback.say(trail, "ann", "a", "amiss")  # in its place
    assert told(trail)["c"] == ["delivered"]
    assert [one.word for one in trail.store.said("a")] == ["amiss"]


def test_models_learn_of_the_time_of_what_was_normal(trail: Trail) -> None:
    happen(trail, ended(incident("a")), ended(later("b")))
    assert len(list(not_learned(trail.store, "host", 0))) == 2
    feedback.say(trail, "joe", "a", "normal")
    feedback.say(trail, "joe", "b", "amiss")
    assert [span.start for span in not_learned(trail.store, "host", 0)] == [START + DAY]
    feedback.unsay(trail, "joe", "a", "normal")
    assert len(list(not_learned(trail.store, "host", 0))) == 2


def test_all_of_it_is_on_the_trail_and_counted(trail: Trail, tmp_path: Path) -> None:
    happen(trail, incident("a1b2"), later("c3d4"), later("e5f6"))
    feedback.say(trail, "joe", "a1", "acknowledged", "mine")
    feedback.say(trail, "joe", "a1", "amiss")
    feedback.say(trail, "ann", "c3", "normal")
    counted = feedback.figures(trail.store, START)
    assert (counted.incidents, counted.normal, counted.amiss) == (3, 1, 1)
    assert (counted.unsaid, counted.acknowledged) == (1, 1)
    assert feedback.figures(trail.store, START + HOUR).amiss == 0
    feedback.unsay(trail, "ann", "a1b2", "acknowledged")
    assert [(one["who"], one["what"]) for one in entries(tmp_path / FILE)] == [
        ("joe", "incident acknowledged"),
        ("joe", "incident called amiss"),
        ("ann", "incident called normal"),
        ("ann", "acknowledgement taken back"),
    ]
    assert entries(tmp_path / FILE)[0]["said"]["note"] == "mine"


def test_it_goes_with_the_incident(trail: Trail) -> None:
    happen(trail, ended(incident("a")))
    feedback.say(trail, "joe", "a", "normal")
    trail.store.prune(1, 10**9, incident_days=1, now=START + 3 * DAY)
    assert trail.store.said() == [] and trail.store.taught() == []
    with pytest.raises(ConfigError, match="there is no incident 'a'"):
        feedback.say(trail, "joe", "a", "normal")


def test_an_incident_that_cannot_be_read_teaches_nothing(
    trail: Trail, caplog: pytest.LogCaptureFixture
) -> None:
    happen(trail, incident("a"), incident("b"))
    feedback.say(trail, "joe", "a", "normal")
    feedback.say(trail, "joe", "b", "normal")
    with trail.store.write() as db:
        db.exec_driver_sql("UPDATE revision SET body = '{' WHERE incident = 'a'")
    assert [one.incident.id for one in trail.store.taught()] == ["b"]
    assert "what joe said of an incident does not count" in caplog.text


def test_a_note_has_an_end(trail: Trail) -> None:
    happen(trail, incident("a"))
    with pytest.raises(ConfigError, match="the note has 1001 characters; 1000 is most"):
        feedback.say(trail, "joe", "a", "normal", "x" * 1001)

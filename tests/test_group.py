"""From scores to incidents, tick by tick, with numbers chosen by hand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, MINUTE, SECOND, Incident, Member
from amiss.decide import budget, group, opened, told
from amiss.decide.finding import Finding
from amiss.decide.group import CAP, SHOWN
from amiss.decide.judged import Judged, Policy
from amiss.decide.opened import Memory, Opened, Told
from made import START

NOW = START * SECOND
POLICY = Policy("test", 5.0)
BAR = float(budget.bar(np.array([60.0]), 5.0, 0.0)[0])  # 3.66 nats; nobody looks below 4
STRANGE = 9.0
HOT, COLD = 50.0, 1.0
"""A value outside the band of all series here, and one inside it."""


@dataclass
class World:
    """Series on hosts, whose scores and values are set tick by tick, a minute apart."""

    keys: tuple[str, ...] = ('cpu_percent{host="a"}', 'load1{host="a"}', 'cpu_percent{host="b"}')
    memory: Memory = field(default_factory=Memory)
    policy: Policy = POLICY
    now: int = NOW
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ready: bool = True

    def ticks(self, *rows: Mapping[int, float], **said: Any) -> list[Incident]:
        """Each row says which series are strange, by how many nats; all others are calm."""
        shape = (len(rows), len(self.keys))
        scores = np.zeros(shape)
        for t, row in enumerate(rows):
            for s, score in row.items():
                scores[t, s] = score
        value = np.where(scores > 0, HOT, COLD)
        for t, s in said.get("said", {}):
            value[t, s] = nan  # of a single record
        systems = tuple(said.get("system", key[key.index("{") + 1 : -1]) for key in self.keys)
        time = self.now + MINUTE * np.arange(1, len(rows) + 1)
        judged = Judged(
            time=time,
            keys=self.keys,
            systems=systems,
            scores=scores,
            value=said.get("value", value),
            expected=np.full(shape, 1.0),
            lower=np.full(shape, said.get("lower", 0.0)),
            upper=np.full(shape, said.get("upper", 2.0)),
            interval=np.full(shape, said.get("interval", 60.0)),
            watched=np.full(shape, 3.0),
            ready=np.full(shape, self.ready),
            blame=said.get("blame", {}),
            found=said.get("found", {}),
            said=said.get("said", {}),
        )
        self.memory, found = group.step(self.memory, judged, self.policy, self._evidence)
        self.now = int(time[-1])
        return found

    def _evidence(self, system: str, now: int) -> Mapping[str, Sequence[str]]:
        return self.context

    def calm(self, minutes: int = 4) -> list[Incident]:
        return self.ticks(*[{}] * minutes)

    def quiet(self, span: int) -> None:
        """Nothing for so long, in one leap."""
        self.now += span


def test_opens_and_is_over_after_a_calm_stretch() -> None:
    world = World()
    [first] = world.ticks({0: STRANGE})
    assert (first.state, first.revision, first.system) == ("open", 1, 'host="a"')
    assert first.since == first.seen == world.now
    assert first.until is None
    assert first.p == exp(-STRANGE)
    [last] = world.calm()
    assert (last.state, last.revision, last.id) == ("resolved", 2, first.id)
    assert last.seen == first.seen
    assert last.until == first.since + 3 * MINUTE  # three samples, as they are further apart
    assert not world.memory.opened


QUIET = {"interval": 1800.0}
"""Seconds between records, on average."""


def quiet_log() -> World:
    users = ("bob", "cy", "dee")
    world = World(keys=tuple(f'login{{host="a",user="{user}"}}' for user in users))
    world.keys += ('logins_in_a_row{host="a"}', 'logins{host="a"}')
    return world


def one_system(world: World, row: Mapping[int, float], **said: Any) -> list[Incident]:
    """A tick in which all of these are of one host, whoever the user is."""
    words = {(0, s): f"record of {world.keys[s]}" for s in row if s < 4}
    return world.ticks(row, said=words, system='host="a"', **said)


def test_records_of_others_hours_later_are_incidents_of_their_own() -> None:
    world = quiet_log()
    [bob] = one_system(world, {0: STRANGE}, **QUIET)
    world.quiet(HOUR)
    over, cy = one_system(world, {1: STRANGE + 3}, **QUIET)
    assert (over.id, over.state, over.seen) == (bob.id, "resolved", bob.since)
    assert over.until == bob.since + POLICY.calm
    assert (cy.revision, cy.state, len(cy.members)) == (1, "open", 1)
    assert cy.evidence == ('record of login{host="a",user="cy"}',)
    world.quiet(HOUR)
    assert not one_system(world, {1: STRANGE + 3}, **QUIET)  # the same user: one thing
    world.quiet(HOUR)
    assert len(one_system(world, {2: STRANGE + 3}, **QUIET)) == 2
    assert list(world.memory.opened['host="a"'].members) == [world.keys[2]]


def test_records_of_others_at_once_and_a_run_that_began_before_are_one_incident() -> None:
    world = quiet_log()
    [first] = one_system(world, {0: STRANGE}, **QUIET)
    [both] = one_system(world, {1: STRANGE}, **QUIET)
    assert (both.id, both.breadth) == (first.id, 2)
    world.quiet(HOUR)
    run = {(0, 3): Finding("all as odd", since=first.since)}
    for one in one_system(world, {2: STRANGE, 3: STRANGE}, found=run, **QUIET):
        assert one.id == first.id
    assert world.memory.opened['host="a"'].id == first.id
    world.quiet(HOUR)
    run = {(0, 3): Finding("all as odd", since=world.now)}
    over, _ = one_system(world, {3: STRANGE + 3}, found=run, **QUIET)
    assert (over.id, over.state) == (first.id, "resolved")


def test_records_of_others_of_whom_the_same_is_said_are_one_incident() -> None:
    """Passwords tried on one user after the other, minutes apart."""
    world = quiet_log()
    spray = "users that failed from 192.0.2.1 in 1h: {} (usually 0.2)"
    [first] = one_system(world, {0: STRANGE}, blame={(0, 0): (spray.format(7),)}, **QUIET)
    for s in (1, 2):
        world.quiet(5 * MINUTE)
        blame = {(0, s): ("device phone", spray.format(7 + s))}
        for one in one_system(world, {s: STRANGE}, blame=blame, **QUIET):
            assert (one.id, one.state) == (first.id, "open")
    assert len(world.memory.opened['host="a"'].members) == 3
    world.quiet(5 * MINUTE)
    other = {(0, 1): (spray.replace("192.0.2.1", "192.0.2.2").format(7),)}
    [over] = one_system(world, {3: STRANGE}, blame=other, **QUIET)[:1]
    assert over.state == "resolved"


def test_a_series_that_is_ahead_of_a_record_lasts_by_its_own_samples() -> None:
    world = quiet_log()
    one_system(world, {0: STRANGE}, **QUIET)
    one_system(world, {4: STRANGE + 2}, **QUIET | {"interval": 60.0})
    over = [one for _ in range(90) for one in one_system(world, {}, **QUIET)][-1]
    assert over.state == "resolved"
    assert over.members[0].series == 'logins{host="a"}'
    assert over.sentence.endswith("It lasted 2 minutes.")


def test_who_was_told_stays_silent_after_what_is_apart_was_told() -> None:
    world = quiet_log()
    one_system(world, {0: STRANGE}, **QUIET)
    world.quiet(10 * MINUTE)
    assert len(one_system(world, {1: STRANGE}, **QUIET)) == 2
    world.quiet(10 * MINUTE)
    [over] = one_system(world, {0: STRANGE}, **QUIET)
    assert over.state == "resolved"
    assert not world.memory.opened


def test_a_series_beside_records_is_waited_for_as_long_as_ever() -> None:
    world = quiet_log()
    [first] = one_system(world, {0: STRANGE}, **QUIET)
    one_system(world, {4: STRANGE}, interval=600.0)
    world.quiet(20 * MINUTE)
    for one in one_system(world, {1: STRANGE}, **QUIET):
        assert one.id == first.id
    assert world.memory.opened['host="a"'].id == first.id


SLOW = np.array([[HOUR / SECOND, 60.0, 60.0]])


def test_a_slow_series_is_waited_for_beside_faster_ones_that_are_stranger() -> None:
    """The bar of a slow one is lower: it opens, and one that may not joins before it."""
    world = World(keys=("a{}", "b{}", "c{}"), policy=Policy("test", 0.01))
    bar = float(budget.bar(SLOW[0, 1:2], 0.01, np.log(3) / 2)[0])
    [first] = world.ticks({0: bar - 1, 1: bar - 0.5}, interval=SLOW)
    value = np.array([[nan, COLD, COLD]])
    for _ in range(20):
        world.ticks({}, interval=SLOW, value=value)
    for one in world.ticks({2: bar - 0.5}, interval=SLOW, value=value):
        assert (one.id, one.state) == (first.id, "open")
    assert world.memory.opened[""].id == first.id


def test_series_after_a_gap_are_in_the_incident_whose_values_are_still_outside() -> None:
    world = World(keys=("a{}", "b{}"))
    [first] = world.ticks({0: STRANGE})
    world.quiet(20 * MINUTE)
    for one in world.ticks({1: STRANGE}, value=np.array([[HOT, HOT]])):
        assert (one.id, one.state) == (first.id, "open")
    assert list(world.memory.opened[""].members) == list(world.keys)


def test_series_that_are_strange_three_samples_later_are_in_the_same_incident() -> None:
    world = World(keys=("a{}", "b{}"))
    [first] = world.ticks({0: STRANGE})
    found = world.ticks({}, {}, {1: STRANGE})
    assert {one.id for one in found} <= {first.id}
    assert list(world.memory.opened[""].members) == list(world.keys)


def test_a_series_beside_records_that_is_still_outside_keeps_it_together() -> None:
    world = quiet_log()
    [first] = one_system(world, {0: STRANGE}, **QUIET)
    one_system(world, {4: STRANGE}, interval=60.0)
    world.quiet(20 * MINUTE)
    value = np.array([[nan, nan, nan, nan, HOT]])
    for one in one_system(world, {1: STRANGE + 3}, value=value, **QUIET):
        assert one.id == first.id
    assert world.memory.opened['host="a"'].id == first.id


def test_below_the_bar_nothing_opens() -> None:
    world = World()
    world.ticks({})
    price = world.memory.price
    assert price == pytest.approx(np.log(3) / 2)
    bar = BAR + price
    assert not world.ticks({0: bar - 0.01})
    assert world.ticks({0: bar + 0.01})


def test_who_has_not_been_seen_long_enough_opens_nothing() -> None:
    world = World(ready=False)
    assert not world.ticks({0: STRANGE}, {0: STRANGE})
    assert world.memory.price == 0.0


def test_all_of_a_system_are_one_incident_and_systems_are_apart() -> None:
    world = World()
    first, second = world.ticks({0: 9.0, 1: 11.0, 2: 8.0})
    assert (first.system, second.system) == ('host="a"', 'host="b"')
    assert [m.series for m in first.members] == [world.keys[1], world.keys[0]]  # ranked
    assert (first.breadth, first.score) == (2, 11.0)


def test_others_join_within_two_nats_of_the_bar() -> None:
    world = World(policy=Policy("test", 0.01))
    world.ticks({})
    bar = BAR + np.log(500) + (world.memory.price or 0.0)
    world.ticks({0: bar + 0.5})
    price = world.memory.price  # one incident dearer
    assert price is not None
    bar = BAR + np.log(500) + price
    assert [i.breadth for i in world.ticks({0: bar, 1: bar - 2.1})] == []
    [grown] = world.ticks({1: bar - 1.9})
    assert grown.breadth == 2


def test_it_lasts_while_the_value_is_outside_the_band_of_the_beginning() -> None:
    world = World()
    [first] = world.ticks({0: STRANGE})
    value = np.full((30, 3), COLD)
    value[:, 0] = HOT
    found = world.ticks(*[{}] * 30, value=value, upper=100.0)  # expected meanwhile
    assert all(i.state == "open" for i in found)
    [*_, last] = world.calm()
    assert last.state == "resolved"
    assert last.seen - first.since == 30 * MINUTE
    assert "It lasted 31 minutes." in last.sentence


def test_who_joins_late_does_not_keep_it_open_by_its_value() -> None:
    """Drawn up by the incident, its band may be that of the outage: its way home is no news."""
    world = World()
    world.ticks({0: STRANGE}, *[{0: STRANGE}] * 6, {0: STRANGE, 1: STRANGE})
    value = np.full((4, 3), COLD)
    value[:, 1] = HOT
    [*_, last] = world.ticks({}, {}, {}, {}, value=value)
    assert (last.state, last.breadth) == ("resolved", 2)


def test_who_left_its_band_by_next_to_nothing_holds_nothing_open_and_is_told_last() -> None:
    """A disk that never moves: 70 MB more are rare indeed, and nobody waits for them to go."""
    world = World()
    value = np.full((1, 3), HOT)
    value[:, 1] = 1.009
    [first] = world.ticks({0: STRANGE, 1: STRANGE + 2.0}, value=value, upper=1.001)
    assert [m.score for m in first.members] == [STRANGE, STRANGE + 2.0]
    assert first.score == STRANGE + 2.0
    assert "CPU at 50 %" in first.sentence
    value = np.full((4, 3), COLD)
    value[:, 1] = 1.009
    [*_, last] = world.ticks({}, {}, {}, {}, value=value)
    assert last.state == "resolved"


@pytest.mark.parametrize(("value", "lasts"), [(2.9, 0), (3.1, 10)])
def test_a_little_outside_the_band_holds_nothing_open(value: float, lasts: int) -> None:
    """A sample in a hundred is: only what is half the width of the band outside counts."""
    world = World()
    world.ticks({0: STRANGE})
    found = world.ticks(*[{}] * 10, value=np.full((10, 3), value)) + world.calm()
    assert found[-1].state == "resolved"
    assert found[-1].seen - found[-1].since == lasts * MINUTE


@pytest.mark.parametrize(("outside", "lasts"), [(0, 0), (1, 0), (2, 10), (3, 10)])
def test_it_lasts_while_half_of_the_beginning_is_outside(outside: int, lasts: int) -> None:
    """A cache that was filled stays full when all else is over."""
    world = World(keys=tuple(f'x{i}{{host="a"}}' for i in range(4)))
    world.ticks(dict.fromkeys(range(4), STRANGE))
    value = np.full((10, 4), COLD)
    value[:, :outside] = HOT
    found = world.ticks(*[{}] * 10, value=value) + world.calm()
    assert found[-1].state == "resolved"
    assert found[-1].seen - found[-1].since == lasts * MINUTE


def test_the_way_back_is_the_end_however_steep() -> None:
    """Back inside the band its score is still held high: that is no strangeness any more."""
    world = World()
    [first] = world.ticks({0: STRANGE})
    value = np.full((4, 3), COLD)
    [last] = world.ticks({0: 12.0}, {0: 11.0}, {0: 8.0}, {}, value=value)
    assert last.until == first.since + 3 * MINUTE
    assert last.score == STRANGE


def test_a_strange_course_inside_the_band_lasts_while_its_score_does() -> None:
    world = World()
    world.ticks({0: STRANGE}, upper=100.0)
    assert not world.ticks(*[{0: STRANGE}] * 4, upper=100.0)[-1:] or world.memory.opened
    [*_, last] = world.calm()
    assert last.seen == last.since + 4 * MINUTE


def test_what_stays_is_the_new_normal_in_the_end() -> None:
    world = World(policy=Policy("test", 5.0, settle=HOUR))
    world.ticks({0: STRANGE})
    value = np.full((90, 3), COLD)
    value[:, 0] = HOT
    [*_, last] = world.ticks(*[{}] * 90, value=value)
    assert last.state == "resolved"
    assert last.until == last.since + HOUR
    assert last.sentence.endswith("After 60 minutes it is the new normal.")
    assert not world.ticks({0: STRANGE}, value=value[:1])  # and is not told again at once


def test_nan_is_calm() -> None:
    """A series that vanishes takes its incident with it."""
    world = World()
    world.ticks({0: STRANGE})
    [last] = world.ticks({}, {}, {}, value=np.full((3, 3), nan))
    assert last.state == "resolved"


def test_a_series_that_is_forgotten_meanwhile() -> None:
    world = World()
    world.ticks({0: STRANGE})
    world.keys = world.keys[1:]
    [last] = world.calm()
    assert last.state == "resolved"
    assert last.members[0].series == 'cpu_percent{host="a"}'


class TestRevisions:
    """Each change that a person should know of, and no other."""

    def test_twice_as_many_members(self) -> None:
        world = World(keys=tuple(f'm{i}{{host="a"}}' for i in range(9)))
        found = [i for n in range(1, 10) for i in world.ticks(dict.fromkeys(range(n), 5.0))]
        assert [i.breadth for i in found][:3] == [1, 2, 4]
        assert len(found) <= 5  # the severity rises as well

    def test_more_severe(self) -> None:
        world = World()
        found = world.ticks({0: 6.0}, {0: 7.0}, {0: 9.0}, {0: 9.5}, {0: 13.0}, {0: 13.1})
        assert [i.severity for i in found] == ["low", "medium", "high"]

    def test_never_less_severe(self) -> None:
        world = World()
        [first] = world.ticks({0: 14.0})
        assert first.severity == "high"
        [last] = world.calm()
        assert last.severity == "high"

    def test_first_few_members_are_shown_and_all_are_counted(self) -> None:
        world = World(keys=tuple(f'm{i:02}{{host="a"}}' for i in range(40)))
        [first] = world.ticks({i: 6.0 + i / 10 for i in range(40)})
        assert first.breadth == 40
        assert [m.series[:3] for m in first.members] == [f"m{i}" for i in range(39, 39 - SHOWN, -1)]

    def test_members_are_capped(self) -> None:
        world = World(keys=tuple(f'm{i}{{host="a"}}' for i in range(CAP + 50)))
        [first] = world.ticks(dict.fromkeys(range(CAP + 50), STRANGE))
        assert first.breadth == CAP


class TestEvidence:
    """What the source said at the strangest moment of a series that it may explain."""

    def test_of_the_strangest_that_has_any(self) -> None:
        keys = ('cpu_percent{host="a"}', 'network_bytes{host="a"}', 'disk_bytes{host="a"}')
        world = World(keys=keys, context={"top_cpu": ["one"], "top_io": ["two"]})
        assert world.ticks({0: 6.0, 1: 9.0})[0].evidence == ("one",)
        assert world.ticks({2: 7.0, 1: 12.0})[-1].evidence == ("two",)

    def test_of_that_moment(self) -> None:
        world = World(context={"top_cpu": ["one"]})
        world.ticks({0: 8.0})
        world.context = {"top_cpu": ["two"]}
        world.ticks({0: 7.0})
        [last] = world.calm()
        assert last.evidence == ("one",)

    def test_is_not_lost_when_there_is_none(self) -> None:
        world = World(context={"top_cpu": ["one"]})
        world.ticks({0: 8.0})
        world.context = {}
        [*_, last] = world.ticks({0: 10.0}) + world.calm()
        assert last.evidence == ("one",)


class TestSilenceAndPrice:
    def test_for_an_hour_after_it_its_members_open_no_other(self) -> None:
        world = World()
        world.ticks({0: STRANGE, 1: STRANGE})
        world.calm()
        over = world.now
        while world.now < over + HOUR - 10 * MINUTE:
            assert not world.ticks({0: STRANGE, 1: STRANGE + 1.9}, {}, {}, {})
        world.quiet(15 * MINUTE)
        assert world.ticks({1: STRANGE})

    def test_unless_they_are_much_stranger(self) -> None:
        world = World()
        world.ticks({0: STRANGE})
        world.calm()
        assert world.ticks({0: STRANGE + 2.1})

    def test_others_may(self) -> None:
        world = World()
        world.ticks({0: STRANGE})
        world.calm()
        assert world.ticks({1: STRANGE})

    def test_each_is_dearer_and_that_is_forgotten(self) -> None:
        """A series that is as strange every two hours is told less and less, all else at rest."""
        world = World(policy=Policy("test", 1000.0))
        gaps, since = [], 0
        for i in range(12 * 14):
            world.quiet(2 * HOUR)
            if world.ticks({0: 4.5}):
                gaps.append(i - since)
                since = i
            world.calm()
        assert 3 <= len(gaps) <= 15
        assert max(gaps[-4:]) > max(gaps[:4])

    def test_may_open(self) -> None:
        last = Told(NOW, 8.0, 2.0)
        hour = HOUR
        assert told.may_open(None, NOW, 5.0, 5.0, hour)
        assert not told.may_open(None, NOW, 4.9, 5.0, hour)
        assert not told.may_open(last, NOW + hour, 9.9, 5.0, hour)
        assert told.may_open(last, NOW + hour, 10.0, 5.0, hour)
        assert told.may_open(last, NOW + hour + 1, 7.0, 5.0, hour)
        assert not told.may_open(last, NOW + hour + 1, 6.9, 5.0, hour)
        assert told.may_open(last, NOW + 14 * DAY, 5.0 + 2 / np.e, 5.0, hour)
        assert not told.may_open(last, NOW - hour, 7.0, 5.0, hour)  # the clock was set back

    def test_who_was_told_is_forgotten_in_the_end(self) -> None:
        world = World(keys=tuple(f'm{i}{{host="h{i}"}}' for i in range(200)))
        most = 0
        for i in range(400):
            world.quiet(DAY // 2)
            world.ticks({i % 200: 20.0})
            world.calm()
            most = max(most, len(world.memory.told))
        assert most < 100

    @given(st.lists(st.integers(0, 40 * DAY), max_size=20))
    def test_the_price_of_an_installation(self, gaps: list[int]) -> None:
        """It rises by one for each incident, and falls by the budget a day; never below 0."""
        world = World(keys=('m{host="a"}',), policy=Policy("test", 2.0))
        world.ticks({})
        expected, last = 0.0, world.now
        for gap in gaps:
            world.quiet(gap)
            world.memory.told.clear()
            found = world.ticks({0: inf if gap % 2 else 40.0})
            assert found
            expected = max(0.0, expected - 2.0 * (world.now - last) / DAY) + 1.0
            assert world.memory.price == pytest.approx(expected)
            last = world.now
            world.calm()


class TestTime:
    def test_the_clock_is_set_back_while_it_is_open(self) -> None:
        world = World()
        world.ticks({0: STRANGE}, *[{0: STRANGE}] * 20)
        world.quiet(-10 * MINUTE)
        [last] = world.calm()[-1:]
        assert last.state == "resolved"
        assert last.since <= last.seen <= (last.until or 0)

    def test_to_before_it_began(self) -> None:
        world = World()
        world.ticks({0: STRANGE})
        world.quiet(-HOUR)
        [last] = world.ticks({0: STRANGE})
        assert last.state == "resolved"
        assert last.since == last.seen == last.until

    def test_the_same_moment_twice_is_two_incidents(self) -> None:
        world = World()
        [first] = world.ticks({0: STRANGE})
        world.calm()
        world.now = NOW
        world.memory.told.clear()
        [second] = world.ticks({0: STRANGE})
        assert second.since == first.since
        assert second.id != first.id


def test_a_member_is_remembered_after_others_have_come() -> None:
    """Seen two hours ago is not "not seen before", though the member opened nothing then."""
    world = World()
    world.ticks({0: STRANGE, 1: 12.0})
    world.calm()
    world.quiet(2 * HOUR)
    world.ticks({2: 11.0})
    world.calm()
    [first] = world.ticks({1: 11.9})
    assert "last like this 2 hours before" in first.sentence


def test_how_rare_is_said_with_care() -> None:
    world = World()
    [first] = world.ticks({0: STRANGE})
    assert "not seen before in the 3 days watched" in first.sentence
    assert (first.watched, first.rarity) == (3.0, pytest.approx(60 * exp(9) / 86400))
    world.calm()
    world.quiet(5 * HOUR)
    [again] = world.ticks({0: STRANGE - 0.5})
    assert "last like this 5 hours before" in again.sentence
    world.calm()
    world.quiet(5 * HOUR)
    [worse] = world.ticks({0: STRANGE + 3})
    assert "not seen before in the 3 days watched" in worse.sentence


@given(st.permutations(range(6)))
def test_the_order_of_series_does_not_matter(order: list[int]) -> None:
    keys = tuple(f'm{i}{{host="{i % 2}"}}' for i in range(6))
    rows: list[dict[int, float]] = [{0: 9, 1: 9, 3: 9}, {2: 7, 4: 7}, {5: 12}, {}, {}, {}, {}]
    place = {s: i for i, s in enumerate(order)}
    usual, turned = World(keys=keys), World(keys=tuple(keys[s] for s in order))
    found = usual.ticks(*rows)
    again = turned.ticks(*({place[s]: x for s, x in row.items()} for row in rows))
    assert found == again


@given(
    st.lists(st.dictionaries(st.integers(0, 2), st.floats(0, 14)), max_size=30), st.integers(0, 30)
)
def test_however_ticks_come_in_batches(rows: list[dict[int, float]], at: int) -> None:
    """And however memory is written down in between."""
    whole, parts = World(), World()
    found = whole.ticks(*rows) if rows else []
    again: list[Incident] = []
    for part in (rows[:at], rows[at:]):
        if part:
            again += parts.ticks(*part)
        parts.memory = opened.load(opened.dump(parts.memory))
    assert found == again
    assert opened.dump(whole.memory) == opened.dump(parts.memory)


def test_memory_is_written_down_with_all_that_is_in_it() -> None:
    seen = Member("m", NOW, NOW, 5.0, 1.0, nan, nan, nan, ("a", "b"))
    it = Opened(
        "id", NOW, NOW, 4.0, 60.0, 3.0, NOW, Told(1, 2.0, 3.0), 5.0, 2, "high", 1, {"m": seen}
    )
    memory = Memory(1.5, NOW, 7, 3, {'host="é"': it}, {"m": Told(NOW, 5.0, 1.0)})
    again = opened.load(opened.dump(memory))
    assert repr(again) == repr(memory)
    assert repr(opened.load(opened.dump(Memory()))) == repr(Memory())


def test_nothing_to_judge() -> None:
    world = World(keys=())
    assert world.ticks({}, {}) == []
    assert world.memory == Memory()


def ids(incidents: Iterable[Incident]) -> set[str]:
    return {incident.id for incident in incidents}


def test_ids_are_the_same_each_time() -> None:
    rows: list[dict[int, float]] = [{0: 9.0}, {2: 9.0}]
    assert ids(World().ticks(*rows)) == ids(World().ticks(*rows))
    assert len(ids(World().ticks(*rows))) == 2
    assert ids(World(policy=Policy("other", 5.0)).ticks(*rows)) != ids(World().ticks(*rows))


def test_runs_of_one_kind_pay_together_and_one_of_another_kind_is_news() -> None:
    world, times = World(), [0, 0]
    for kind in range(2):
        for _ in range(4):  # each at a score that opens one, and not a second one that is dearer
            world.quiet(DAY)
            run = Finding("odd", since=world.now, about=("port", "state")[kind])
            found = world.ticks({0: BAR + 0.8}, found={(0, 0): run})
            times[kind] += len(found)
            world.calm()
    assert times == [1, 1]


def test_a_run_that_was_told_of_one_is_not_told_again_when_it_is_said_to_be_of_another() -> None:
    world = World()
    world.quiet(DAY)
    of = {name: Finding("odd", since=world.now, run=name) for name in ("of a", "of b")}
    first = world.ticks({0: STRANGE}, found={(0, 0): of["of a"]})
    world.memory = opened.load(opened.dump(world.memory))
    world.calm()
    world.quiet(2 * HOUR)
    assert not world.ticks({1: STRANGE + 3}, found={(0, 1): of["of a"]})
    assert len(first) == len(world.ticks({1: STRANGE + 3}, found={(0, 1): of["of b"]})) == 1

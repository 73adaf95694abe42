"""Logins, judged one by one beside their rate: one stream of incidents, one budget."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp

import numpy as np
import pytest

from amiss.data import DAY, HOUR, MINUTE, SECOND, Incident, Records, parse_key
from amiss.decide import pace
from amiss.decide.judged import LEAST, Judged
from amiss.features.each import Each
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from amiss.steps import singles
from amiss.steps.judge import States
from amiss.steps.outcome import Outcome
from amiss.steps.singles import Strange
from amiss.steps.whom import Whom
from amiss.words.phrases import how_rare, one_in
from made import START, Chance

PIPELINE = Pipeline.model_validate(
    {
        "name": "logins",
        "source": {"type": "host"},
        "features": {"type": "each", "subject": ["user"]},
        "detectors": [{"type": "rarity"}, {"type": "level"}],
        "budget": "5/day",
    }
)
COUNT, STOLEN = 1100, 900
HOME = {"ann": "SE", "bob": "DE", "eve": "US"}


def logins(seed: int = 3) -> Records:
    """Three people at home, about a login a minute; one of them is stolen."""
    chance = Chance(seed)
    who = np.array(list(HOME))[(3 * chance.uniform(COUNT)).astype(int)]
    device = np.where(chance.uniform(COUNT) < 0.5, "phone", "laptop")
    country = np.array([HOME[name] for name in who.tolist()], dtype="U2")
    who[STOLEN], country[STOLEN], device[STOLEN] = "ann", "KP", "toast"
    gaps = 120 * chance.uniform(COUNT)
    return Records(
        time=((START + np.cumsum(gaps)) * SECOND).astype(np.int64),
        name=np.full(COUNT, "login"),
        value=np.full(COUNT, np.nan),
        labels={
            "user": who,
            "country": country,
            "device": device,
            "host": np.full(COUNT, "web-1"),
        },
    )


def run(*cuts: int, restart: bool = False) -> tuple[States, list[Incident], list[Outcome]]:
    states, outcomes, said = PIPELINE.init(), [], logins()
    for a, b in pairwise((0, *cuts, COUNT)):
        states, outcome = PIPELINE.step(states, said[a:b])
        outcomes.append(outcome)
        if restart:
            states = load(dump(states))
    return states, [one for outcome in outcomes for one in outcome.incidents], outcomes


@pytest.fixture(scope="module")
def whole() -> tuple[States, list[Incident], list[Outcome]]:
    return run()


def plain(incidents: Sequence[Incident]) -> list[str]:
    """NaN is not equal to itself; its text is."""
    return [repr(one) for one in incidents]


def test_the_stolen_login_is_told_with_what_is_odd_about_it(whole) -> None:
    worst = max(whole[1], key=lambda one: one.score)
    assert worst.system == 'host="web-1"'
    assert worst.members[0].series == 'login{host="web-1",user="ann"}'
    assert abs(worst.since - logins().time[STOLEN]) < 10 * MINUTE
    assert "an unusual login of ann, most of all" in worst.sentence
    assert "device toast" in worst.sentence
    assert any("country=KP, device=toast" in text for text in worst.evidence)
    assert worst.score > 2 + max(one.score for one in whole[1] if one.id != worst.id)


def test_a_record_is_said_to_be_no_rarer_than_those_seen_can_show(whole) -> None:
    worst = max(whole[1], key=lambda one: one.score)
    member = worst.members[0]
    assert member.among == STOLEN + 1 < exp(member.score)
    assert one_in(member.score, member.among) == f"fewer than one in {STOLEN + 1:,} seen"
    assert how_rare(worst).startswith("not seen before in the")
    # after days of a record each hour a thousand come at once: there were no more for that
    time = np.append(HOUR * np.arange(100), 100 * HOUR + SECOND * np.arange(1000))
    frame = Each().step(Each().init(), replace(logins()[:1100], time=time))[1]
    often = pace.step({}, time)[1:]
    those = singles.strange(
        frame, np.full(1100, 9.0), [()] * 1100, [None] * 1100, Whom(("host",)), *often
    )
    assert list(those.among) == list(range(1, 1101))
    assert those.watched[-1] < 1.1 < 4 < often[1][-1]


def test_it_ends_once_nothing_odd_has_come_for_a_while(whole) -> None:
    ends = [one for one in whole[1] if one.state == "resolved"]
    assert len(ends) == len({one.id for one in whole[1]})
    assert all(one.until - one.seen >= 2 * MINUTE for one in ends)


def test_the_budget_holds_for_records_and_series_together(whole) -> None:
    days = (logins().time[-1] - logins().time[0]) / 86400e9
    assert 1 <= len({one.id for one in whole[1]}) <= 5 * days + 4


@pytest.mark.parametrize(
    "cuts", [(1,), (64, 65), (500, 901), (899, 900, 901), range(50, COUNT, 50)]
)
def test_in_pieces_it_is_the_same(whole, cuts: Sequence[int]) -> None:
    states, incidents, _ = run(*cuts)
    assert plain(incidents) == plain(whole[1])
    assert states.keys() == whole[0].keys()
    for name, state in states.items():
        for column, array in state.items():
            np.testing.assert_array_equal(array, whole[0][name][column], err_msg=f"{name}/{column}")


def test_after_a_restart_it_goes_on_the_same(whole) -> None:
    assert plain(run(300, 600, 900, 1000, restart=True)[1]) == plain(whole[1])


def test_charts_have_the_count_and_the_strangest_of_each_minute(whole) -> None:
    [outcome] = whole[2]
    assert outcome.frame.keys == ('events_per_minute{host="web-1"}',)
    minute = -(-logins().time // MINUTE)
    told = minute < minute[-1]
    counts = np.bincount(minute[told] - minute[0])
    np.testing.assert_array_equal(outcome.frame.values[:, 0, 0], counts)
    assert (outcome.frame.time // MINUTE == minute[0] + np.arange(len(counts))).all()
    row = int(minute[STOLEN] - minute[0])
    assert outcome.scores.values[row, 0] == max(one.score for one in whole[1])


def test_its_hours_are_those_of_its_zone() -> None:
    tokyo = PIPELINE.model_copy(update={"zone": "Asia/Tokyo"})
    states, _ = tokyo.step(tokyo.init(), logins())
    alone = Each(subject=("user",))
    known, _ = alone.step(alone.init(), replace(logins(), zone="Asia/Tokyo"))
    for name, column in known.items():
        np.testing.assert_array_equal(states["features"][name], column, err_msg=name)
    utc, _ = alone.step(alone.init(), logins())
    assert any((utc[name] != column).any() for name, column in known.items())


def test_without_a_detector_of_records_their_rate_is_watched_alone() -> None:
    said = PIPELINE.model_dump(exclude={"detectors"}) | {"detectors": [{"type": "level"}]}
    pipeline = Pipeline.model_validate(said)
    _, outcome = pipeline.step(pipeline.init(), logins())
    assert all(m.series.startswith("events_per") for i in outcome.incidents for m in i.members)
    assert np.nanmax(outcome.scores.values) >= LEAST


def test_records_are_counted_by_what_is_asked_for() -> None:
    features = {"type": "each", "count_by": ["country"]}
    said = PIPELINE.model_dump(exclude={"features", "detectors"})
    pipeline = Pipeline.model_validate(
        said | {"features": features, "detectors": [{"type": "level"}]}
    )
    _, outcome = pipeline.step(pipeline.init(), logins())
    whole, *parts = sorted(outcome.frame.keys, key=len)
    assert whole == 'events_per_minute{host="web-1"}'
    assert {parse_key(key)[1]["country"] for key in parts} == {*HOME.values(), "KP"}
    columns = {key: outcome.frame.values[:, s, 0] for s, key in enumerate(outcome.frame.keys)}
    total = np.nansum([columns[key] for key in parts], axis=0)
    np.testing.assert_array_equal(columns[whole], total)


def test_a_host_that_is_forgotten_takes_nothing_with_it_of_what_records_taught() -> None:
    said, states = logins(), PIPELINE.init()
    host = np.where(np.arange(COUNT) < 100, "gone", "web-1")
    said = replace(said, labels={**said.labels, "host": host})
    states, _ = PIPELINE.step(states, said)
    later = replace(said[1000:], time=said.time[1000:] + 20 * DAY)
    states, outcome = PIPELINE.step(states, later)
    assert states["series"]["keys"].tolist() == ['events_per_minute{host="web-1"}']
    assert np.nanmax(outcome.scores.values) > 0


def test_a_detector_of_records_wants_features_that_give_them() -> None:
    said = PIPELINE.model_dump(exclude={"features"}) | {"features": {"type": "grid"}}
    with pytest.raises(ValueError, match=r"'rarity' judges single records, .* write features"):
        Pipeline.model_validate(said)


def test_a_system_that_is_long_gone_leaves_what_is_known_of_records() -> None:
    pipeline = PIPELINE.model_copy(update={"forget": 2 * DAY})
    states, said = pipeline.init(), logins()
    other = {**said.labels, "host": np.full(COUNT, "web-2")}
    late = replace(said, time=said.time + 4 * DAY, labels=other)
    for records in (said, late, replace(late, time=late.time + 4 * DAY)):
        states, _ = pipeline.step(states, records)
    assert states["series"]["keys"].tolist() == ['events_per_minute{host="web-2"}']
    rarity = next(name for name in states if name.startswith("rarity"))
    assert states[rarity]["sample.rows"][0] > 2 * COUNT


def test_the_first_records_are_counted_in_their_own_minutes_however_they_come() -> None:
    def counted(*cuts: int) -> list[float]:
        states, said, counts = PIPELINE.init(), logins()[:100], []
        for a, b in pairwise((0, *cuts, 100)):
            mark = int(said.time[b - 1]) - 1
            states, outcome = PIPELINE.step(states, replace(said[a:b], watermark=mark))
            counts += outcome.frame.values[:, :, 0].sum(axis=1).tolist()
        return counts

    whole = counted()
    assert counted(63) == counted(*range(1, 100)) == whole
    assert max(whole) < 10


def test_a_record_without_the_field_that_is_counted_by_counts_once() -> None:
    features = PIPELINE.features.model_copy(update={"count_by": ("status",)})
    pipeline = PIPELINE.model_copy(update={"features": features})
    status = np.where(np.arange(COUNT) % 2, "200", "")
    said = replace(logins(), labels={**logins().labels, "status": status})
    frame = pipeline.step(pipeline.init(), said)[1].frame
    total = dict(zip(frame.keys, np.nansum(frame.values[:, :, 0], axis=0), strict=True))
    of_all = np.sum(said.time <= frame.time[-1])
    assert total['events_per_minute{host="web-1"}'] == of_all
    assert total['events_per_minute{host="web-1",status="200"}'] == np.sum(
        (said.time <= frame.time[-1]) & (status != "")
    )


def test_ten_thousand_strange_records_of_as_many_people_take_no_square_of_memory() -> None:
    alone, count = np.full((3, 1), np.nan), 10_000
    judged = Judged(np.arange(3) * MINUTE, ("cpu",), ("",), *[alone] * 7, ready=np.isfinite(alone))
    one, time = np.full(count, 5.0), np.sort(Chance(1).uniform(count) * 3 * MINUTE).astype(np.int64)
    time[2000:4000] = MINUTE  # of one moment the records come first
    keys = [f'login{{user="u{n}"}}' for n in range(count)]
    those = Strange(time, keys, one, one, one, [()] * count, keys, [None] * count, range(count))
    found = list(singles.pieces(judged, those, ("host",)))
    assert max(part.scores.size for part in found) < 300 * 300
    order = np.concatenate([part.time for part in found])
    ticks = np.concatenate([~part.ready.any(axis=1) for part in found])
    assert (np.diff(order) >= 0).all()
    assert order[ticks].tolist() == judged.time.tolist()
    said = [text for part in found for _, text in sorted(part.said.items())]
    assert said == keys
    at = np.flatnonzero(ticks & (order == MINUTE))[0]
    assert not (order[at:] == MINUTE)[1:].any()


def test_many_strange_records_are_grouped_as_if_at_once(whole, monkeypatch) -> None:
    monkeypatch.setattr(singles, "TOGETHER", 2)
    assert plain(run()[1]) == plain(whole[1])

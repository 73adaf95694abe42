"""Logins none of which is strange by itself, one after another: told as one thing, in words."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from amiss.data import MINUTE, SECOND, Array, Floats, Frame, Incident, Reason, Records
from amiss.decide.judged import LEAST
from amiss.memory import dump, load
from amiss.pipeline import Pipeline
from amiss.steps import singles, streaks
from amiss.steps.judge import States
from amiss.steps.strange import Strange
from amiss.steps.whom import Whom
from made import START, Chance

COUNT, AT, LONG = 3000, 2600, 20
PIPELINE = Pipeline.model_validate(
    {
        "name": "logins",
        "source": {"type": "host"},
        "features": {"type": "each", "ignore": ["user"]},
        "detectors": [{"type": "rarity"}],
        "budget": "5/day",
    }
)


def logins(run: bool) -> Records:
    """Of a hundred one is from a tablet, another by a token; in a run each is one of the two."""
    chance, row = Chance(5), np.arange(COUNT)
    tablet, token, coin = chance.uniform(COUNT), chance.uniform(COUNT), chance.uniform(COUNT)
    if run:
        inside = (row >= AT) & (row < AT + LONG)
        tablet = np.where(inside, coin >= 0.5, tablet)
        token = np.where(inside, coin < 0.5, token)
    a, c, home = (chance.uniform(COUNT) < 0.5 for _ in range(3))
    return Records(
        time=((START + np.cumsum(240 * chance.uniform(COUNT))) * SECOND).astype(np.int64),
        name=np.full(COUNT, "login"),
        value=np.full(COUNT, np.nan),
        labels={
            "user": np.array([f"u{k}" for k in (20 * chance.uniform(COUNT)).astype(int)]),
            "device": np.where(tablet < 0.01, "tablet", np.where(a, "phone", "laptop")),
            "method": np.where(token < 0.01, "token", np.where(c, "key", "password")),
            "country": np.where(home, "SE", "DE"),
            "host": np.full(COUNT, "web-1"),
        },
    )


def told(said: Records, *cuts: int) -> tuple[States, list[Incident]]:
    states, found = PIPELINE.init(), list[Incident]()
    for a, b in pairwise((0, *cuts, COUNT)):
        states, outcome = PIPELINE.step(states, said[a:b])
        states = load(dump(states)) if cuts else states
        found += outcome.incidents
    return states, found


@pytest.fixture(scope="module")
def whole() -> tuple[States, list[Incident]]:
    return told(logins(run=True))


def within(found: list[Incident], time: Array) -> list[Incident]:
    return [one for one in found if time[AT] <= one.since <= time[AT + LONG - 1]]


def test_a_run_is_one_incident_in_words_with_the_records_that_it_is_made_of(whole) -> None:
    said = logins(run=True)
    mine = within(whole[1], said.time)
    assert len({one.id for one in mine}) == 1
    last = mine[-1]
    assert last.state == "resolved"
    assert last.members[0].series == 'logins_in_a_row{host="web-1"}'
    assert f"odd logins in a row, {LONG} of the last " in last.sentence
    assert "most of all" in last.sentence
    assert set(last.members[0].blame) >= {"method token", "device tablet"}
    assert len(last.evidence) == 5
    assert all("token" in text or "tablet" in text for text in last.evidence)
    assert last.severity == "high"


def test_such_records_here_and_there_are_none() -> None:
    said = logins(run=False)
    assert not within(told(said)[1], said.time)


@pytest.mark.parametrize("cuts", [(2605,), range(50, COUNT, 50)])
def test_in_pieces_and_after_restarts_it_is_the_same(whole, cuts) -> None:
    states, found = told(logins(run=True), *cuts)
    assert [repr(one) for one in found] == [repr(one) for one in whole[1]]
    for name, column in whole[0]["streaks"].items():
        np.testing.assert_array_equal(states["streaks"][name], column, err_msg=name)


def judged(
    who: Array,
    nats: Floats,
    name: str = "login",
    whom: tuple[str, ...] = ("user",),
    why: Callable[[int], tuple[Reason, ...]] = lambda row: (),
    known: States | None = None,
    after: int = 0,
    ip: Array | None = None,
    parties: tuple[str, ...] = (),
    instead: Array | None = None,
) -> tuple[States, Strange]:
    """Runs among logins of these users, a minute apart; `why` each is odd, by its row."""
    n = len(nats)
    time = START * SECOND + MINUTE * np.arange(after, after + n)
    labels = {"host": np.full(n, "web-1"), "user": who}
    labels |= {} if ip is None else {"ip": ip}
    records = Records(time, np.full(n, name), np.full(n, np.nan), labels)
    frame = Frame(time, ("events",), ("user",), np.zeros((n, 1, 1)), records=records)
    whose, often = (
        Whom(("host",), whom, parties, instead),
        (np.full(n, 60.0), np.full(n, 9.0), np.arange(n)),
    )
    hot = np.flatnonzero(nats >= LEAST).tolist()
    those = singles.strange(frame, nats, [why(t) for t in hot], [None] * len(hot), whose, *often)
    states, both, _ = streaks.judge(known or {}, frame, nats, those, whose, *often)
    assert len(both) > len(those)
    return states, both


def test_one_of_many_users_who_is_odd_each_time_is_named() -> None:
    chance = Chance(2)
    who = np.array([f"u{k}" for k in (20 * chance.uniform(6000)).astype(int)])
    nats = chance.exponential(6000)
    mine = np.flatnonzero(who == "u7")[-15:]
    nats[mine] = 3.0 + chance.uniform(15)
    _, found = judged(who, nats)
    best = int(np.argmax(found.score))
    assert found.key[best] == 'logins_in_a_row{host="web-1",user="u7"}'
    assert found.time[best] == START * SECOND + MINUTE * mine[-1]
    assert (
        found.score[best]
        > 10
        > 2
        + max(
            score
            for key, score in zip(found.key, found.score, strict=True)
            if "in_a_row" in key and '"u7"' not in key
        )
    )
    lines = found.said[best].split("\n")
    assert len(lines) == 5
    assert all(line == "host=web-1, user=u7" for line in lines)


def test_records_about_nobody_make_no_run_of_nobody() -> None:
    nats = Chance(2).exponential(3000)
    nats[2900:2920] = 4.0
    _, found = judged(np.where(np.arange(3000) < 2800, "u1", ""), nats)
    late = found.time >= START * SECOND + MINUTE * 2900
    keys = {key for key, so in zip(found.key, late.tolist(), strict=True) if so and "row" in key}
    assert keys == {'logins_in_a_row{host="web-1"}'}


def test_a_run_that_was_told_is_not_told_again_however_long_it_goes_on() -> None:
    """Seventy records over hours, calm ones among them, so that the incident ends meanwhile."""
    chance = Chance(3)
    said = logins(run=False)
    odd = (np.arange(COUNT) >= AT) & (np.arange(COUNT) < AT + 140) & (chance.uniform(COUNT) < 0.5)
    device = np.where(odd, "tablet", said.labels["device"])
    said = Records(said.time, said.name, said.value, {**said.labels, "device": device})
    begun = [one for one in told(said)[1] if one.revision == 1 and one.since >= said.time[AT]]
    assert sum("logins in a row" in one.sentence for one in begun) == 1


def test_many_that_are_hardly_odd_are_told_as_such_and_one_of_them_is_shown() -> None:
    """Of 100 as odd as one in six to say how few are odder would say the opposite."""
    nats = Chance(2).exponential(3000)
    nats[2900:] = 1.7 + 0.3 * Chance(3).uniform(100)
    _, found = judged(np.full(3000, "u1"), nats)
    rows = [k for k in range(len(found)) if "in_a_row" in found.key[k]]
    finding = found.found[rows[-1]]
    assert finding is not None
    assert finding.why in {f"the last {n} all together" for n in range(90, 130)}
    assert set(found.said[rows[-1]].split("\n")) == {"host=web-1, user=u1"}


def test_what_is_called_by_many_has_one_s() -> None:
    nats = Chance(2).exponential(3000)
    nats[2900:2920] = 4.0
    _, found = judged(np.full(3000, "u1"), nats, "requests")
    assert found.key[int(np.argmax(found.score))] == 'requests_in_a_row{host="web-1"}'


def test_a_run_of_a_system_is_of_whom_most_of_it_have_in_common() -> None:
    who, nats = np.array([f"u{k % 50}" for k in range(3000)]), Chance(2).exponential(3000)
    nats[2960:2980] = 4.0
    inside = (np.arange(3000) >= 2960) & (np.arange(3000) % 9 > 0)
    ip = np.where(inside, "198.51.100.9", np.char.add("192.0.2.", who))
    names = []
    for parties in ((), ("ip",)):
        states, found = judged(who, nats, ip=ip, parties=parties)
        names.append(found.key[int(np.argmax(found.score))])
        [last] = {one.run for one in found.found if one and "u" not in one.run.split("host")[1]}
        assert last == 'logins_in_a_row{host="web-1"}'
    assert names == [
        'logins_in_a_row{host="web-1"}', 'logins_in_a_row{host="web-1",ip="198.51.100.9"}'
    ]  # fmt: skip
    older = {name: column for name, column in states["streaks"].items() if name != "odd.who"}
    _, found = judged(who[:10], np.full(10, 3.9), known={"streaks": older}, after=3000, ip=ip[:10],
                      parties=("ip",))  # fmt: skip
    assert found.key[-1] == 'logins_in_a_row{host="web-1"}'


def test_a_run_of_a_subject_that_is_one_of_many_is_told_as_one_of_who_tries_them() -> None:
    nats = Chance(2).exponential(3000)
    nats[2980:] = 5.0
    who, ip = np.full(3000, "u1"), np.full(3000, "198.51.100.9")
    ip[:2980] = "192.0.2.1"
    instead = np.where(np.arange(3000) >= 2980, "ip", "")
    _, found = judged(who, nats, ip=ip, instead=instead)
    mine = [one for key, one in zip(found.key, found.found, strict=True)
            if one and one.run.endswith('user="u1"}') and "ip=" in key]  # fmt: skip
    assert mine[-1].why == "21 of the last 26 of u1 as odd as one in ten"


def run_of(kind: str, first: int) -> tuple[States, Strange]:
    """After calm ones a run of logins, each odd for a value of this field never seen before."""
    nats = Chance(first).exponential(3000)
    nats[2980:] = 5.0

    def why(row: int) -> tuple[Reason, ...]:
        return (Reason(kind, f"{kind} {first + row}"), Reason(f"f{row}", f"f{row} often"))

    return judged(np.full(3000, "u1"), nats, why=why)


def strangest(those: Strange) -> tuple[str, set[str]]:
    """What its run is about, and for what it is blamed."""
    best = int(np.argmax(those.score))
    finding = those.found[best]
    assert finding is not None
    return finding.about, {reason.words for reason in those.blame[best]}


def test_runs_that_are_odd_in_the_same_field_are_of_one_kind_whatever_it_said() -> None:
    found = [strangest(run_of(*of)[1]) for of in (("port", 1), ("port", 5000), ("state", 3))]
    assert [about for about, _ in found] == ["port", "port", "state"]
    first, second = ({text for text in words if "port" in text} for _, words in found[:2])
    assert len(first) == len(second) == 1
    assert first != second


def test_odd_records_that_an_older_version_remembered_are_shown_and_of_no_kind() -> None:
    """It wrote the words of a reason, and not what it is about."""
    states, _ = run_of("port", 1)
    (state,) = states.values()
    older = ["\t".join(one.rpartition("\x1f")[2] for one in said.split("\t"))
             for said in state["odd.blame"].tolist()]  # fmt: skip
    more, nobody = np.full(10, 3.9), np.full(10, "u1")  # no more is known of why these are odd

    def then(blame: Array) -> tuple[str, set[str]]:
        known = {name: column.copy() for name, column in state.items()} | {"odd.blame": blame}
        return strangest(judged(nobody, more, known={"streaks": known}, after=3000)[1])

    (about, words), (unknown, same) = then(state["odd.blame"]), then(np.array(older))
    assert (about, unknown) == ("port", "")
    written = {text for said in older for text in said.split("\t")}
    assert len(same) == len(words) == 3
    assert same | words <= written


def test_what_an_older_version_remembered_may_hold_anything() -> None:
    """It kept the values of fields as they came, with what parts a reason today."""
    whole = streaks._written([Reason("port", "port 22", 3.5)])
    for text in ("user a\x1fb", "user a\x1fb\x1fc", f"{whole}\x1fd", "\x1f"):
        (one,) = streaks._read(text)
        assert (one.about, one.words) == ("", " ".join(text.split()))
    assert streaks._read(whole) == [Reason("port", "port 22", 3.5)]


def test_who_is_called_like_another_one_s_address_has_runs_of_his_own() -> None:
    records = Records(
        np.arange(3), np.full(3, "login"), np.full(3, np.nan),
        {"user": np.array(["a", "", "b"]), "ip": np.array(["", "a", "b"])},
    )  # fmt: skip
    by_user, by_ip = (streaks._streams(records, (name,)) for name in ("user", "ip"))
    assert len({*by_user[[0, 2]].tolist(), *by_ip[1:].tolist()}) == 4
    both = streaks._streams(records, ("user", "ip"))
    assert len(set(both.tolist())) == 3


def test_whose_run_was_left_for_want_of_room_is_counted_once() -> None:
    said, states = logins(run=False), PIPELINE.init()
    states, _ = PIPELINE.step(states, said[:2000])
    states["streaks"]["gone"][:] = 3
    for n, rows in ((3, slice(2000, 2100)), (0, slice(2100, 2200))):
        states, outcome = PIPELINE.step(states, said[rows])
        assert outcome.skipped.get("subjects that left for others", 0) == n

"""Each record as a tick of its own."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiss.data import DAY, HOUR, SECOND, Frame, Records, State
from amiss.features.each import HEAD, Each
from amiss.memory import dump, load
from amiss.text.names import hashed
from amiss.zones import local
from made import START, Chance


def logins(count: int = 100, seed: int = 1) -> Records:
    chance = Chance(seed)
    who = np.array(["ann", "bob", ""])[(3 * chance.uniform(count)).astype(int)]
    size = np.array([f"{x:.2f}" for x in np.exp(chance.normal(count))])
    size[chance.uniform(count) < 0.03] = "many"
    return Records(
        time=(START + np.cumsum(np.floor(9 * chance.uniform(count)))).astype(np.int64) * SECOND,
        name=np.full(count, "login"),
        value=np.full(count, np.nan),
        labels={
            "user": who,
            "bytes": size,
            "port": np.where(chance.uniform(count) < 0.5, "22", "2222"),
            "empty": np.full(count, ""),
        },
        text=np.full(count, "said"),
    )


def run(features: Each, *batches: Records) -> tuple[State, Frame]:
    state, frames = features.init(), []
    for batch in batches:
        state, frame = features.step(state, batch)
        frames.append(frame)
    kept = [frame for frame in frames if len(frame.time)] or frames[:1]
    assert len({(frame.features, frame.categories) for frame in kept}) == 1
    values = np.concatenate([frame.values for frame in kept])
    time = np.concatenate([frame.time for frame in kept])
    return state, replace(kept[0], time=time, values=values, records=None)


def same(left: Frame, right: Frame) -> None:
    np.testing.assert_array_equal(left.time, right.time)
    np.testing.assert_array_equal(left.values, right.values)
    assert left.features == right.features


def test_fields_are_numbers_or_names_and_a_name_is_its_hash() -> None:
    frame = Each().step(Each().init(), logins())[1]
    assert frame.features == ("bytes", "port", "user")
    assert frame.categories == {"user"}
    named = frame.values[:, 0, 2]
    of = dict(zip(("ann", "bob"), hashed(["ann", "bob"]).tolist(), strict=True)) | {"": 0}
    assert named.tolist() == [of[who] for who in logins().labels["user"].tolist()]
    size = logins().labels["bytes"]
    assert np.isnan(frame.values[size == "many", 0, 0]).all()
    assert (
        frame.values[size != "many", 0, 0].tolist() == size[size != "many"].astype(float).tolist()
    )
    assert frame.records is not None
    assert len(frame.records) == len(frame.time) == 100


def test_what_is_said_to_be_a_name_is_one_and_what_to_ignore_is_not_there() -> None:
    features = Each(names=("port",), ignore=("bytes",))
    frame = features.step(features.init(), logins())[1]
    assert frame.features == ("port", "user")
    assert frame.categories == {"port", "user"}


def test_a_subject_has_habits() -> None:
    features = Each(subject=("user",))
    frame = features.step(features.init(), logins())[1]
    assert frame.features[3:] == (
        "events of user lately", "hour for user", "bytes for user", "port for user",
    )  # fmt: skip
    nobody = logins().labels["user"] == ""
    assert not frame.values[nobody, 0, 3:].any()
    assert frame.values[~nobody, 0, 3].max() > 1.0


def test_the_hours_of_a_subject_are_those_of_its_zone() -> None:
    spring = 1_774_310_400 * SECOND  # 24 March 2026; five days later summer time begins
    time = spring + np.sort(10 * DAY * Chance(2).uniform(400)).astype(np.int64)
    wall = local(time, "Europe/Berlin")
    assert len(set((wall - time).tolist())) == 2
    said, features = replace(logins(400), time=time), Each(subject=("user",))
    here = replace(said, zone="Europe/Berlin")
    frames = [run(features, one)[1] for one in (here, replace(said, time=wall), said)]
    hour = frames[0].features.index("hour for user")
    found, wanted, utc = (frame.values[:, 0, hour] for frame in frames)
    np.testing.assert_array_equal(found, wanted)
    assert (found != utc).any()
    same(run(features, here[:70], here[70:])[1], frames[0])


def test_nothing_is_told_before_the_fields_are_known_and_then_all_of_it() -> None:
    features = Each()
    state, frame = features.step(features.init(), logins()[: HEAD - 1])
    assert not len(frame.time)
    _, frame = features.step(state, logins()[HEAD - 1 :])
    assert len(frame.time) == 100


def test_late_ones_are_judged_when_they_come_and_those_of_the_future_are_left_out() -> None:
    features, said = Each(), logins()
    state, _ = features.step(features.init(), replace(said, watermark=int(said.time[-1])))
    late, ahead = said.time[-1] - HOUR, said.time[-1] + 2 * HOUR
    more = replace(said[:2], time=np.array([late, ahead]), watermark=int(said.time[-1]))
    state, frame = features.step(state, more)
    assert frame.time.tolist() == [said.time[-1]]
    assert state["ahead"].tolist() == [1]


def test_records_without_any_field_are_ticks_without_features() -> None:
    bare = Records(START * SECOND + np.arange(70), np.full(70, "line"), np.full(70, np.nan))
    _, frame = Each().step(Each().init(), bare)
    assert frame.values.shape == (70, 1, 0)


def test_the_form_of_a_text_is_a_field() -> None:
    said = np.array([f"opened {'file' if n % 3 else 'socket'} {n}" for n in range(100)])
    features = Each(templates="text", count_by=("template",))
    frame = features.step(features.init(), replace(logins(), text=said))[1]
    assert "template" in frame.categories
    assert frame.records is not None
    told = frame.records.labels["template"].tolist()
    assert len(set(told)) == 2
    assert told[0] == told[3] == "1 opened socket 0"
    assert told[1] == told[98] == "2 opened file 1"


ROLES = Each(
    roles={
        "user": "user", "address": "port", "outcome": "bytes", "device": "port",
        "source": "user", "host": "port", "port": "bytes", "protocol": "port",
        "latitude": "bytes", "longitude": "port", "privilege": "port", "location": "bytes",
    },
    failed=("many",),
    succeeded=("1.00",),
)  # fmt: skip
KINDS = {
    "plain": Each(),
    "subject": Each(subject=("user",)),
    "templates": Each(templates="text"),
    "roles": ROLES,
}


@pytest.mark.parametrize("features", KINDS.values(), ids=KINDS)
@given(seed=st.integers(0, 99), at=st.integers(0, 100))
def test_split_and_restart(features: Each, seed: int, at: int) -> None:
    said = logins(seed=seed)
    state, frame = run(features, said)
    parted, found = run(features, said[:at], said[at:])
    same(frame, found)
    for name in state:
        np.testing.assert_array_equal(state[name], parted[name], err_msg=name)
    half, _ = features.step(features.init(), said[:at])
    again = load(dump({"it": half}))["it"]
    _, rest = features.step(again, said[at:])
    same(features.step(half, said[at:])[1], rest)


def test_a_field_whose_name_is_a_zero_shifts_no_other() -> None:
    said = logins()
    odd = replace(said, labels={"\0": said.labels["user"], "": said.labels["user"], **said.labels})
    frame = Each().step(Each().init(), odd)[1]
    assert frame.features == ("bytes", "port", "user")
    assert frame.categories == {"user"}


def test_roles_may_come_later_and_change() -> None:
    said, bare, one = logins(200), Each(), Each(roles={"user": "user", "device": "port"})
    two = Each(roles={"user": "user", "device": "port", "location": "port"})
    state, _ = bare.step(bare.init(), said[:100])
    state, frame = one.step(state, said[100:150])
    assert [n for n in frame.features if n.startswith("events of")] == [
        "events of {user} per device before {port}",
        "events of {user} per device before {port} beyond the usual",
    ]
    known = state["conduct.device.events"].sum()
    state, frame = two.step(state, said[150:])
    assert sum(n.startswith("events of") for n in frame.features) == 4
    assert state["conduct.device.events"].sum() > known > 0
    state, _ = one.step(state, said[:0])
    assert "conduct.location.events" not in state

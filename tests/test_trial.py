"""What a back-test counts: rates against the budget, who is noisy, events found and missed."""

from dataclasses import replace
from pathlib import Path

import pytest

from amiss.data import DAY, HOUR, MINUTE, SECOND, Incident
from amiss.errors import ConfigError
from amiss.evaluate import figures
from amiss.evaluate.labels import Label, delay, judge, read
from amiss.evaluate.tables import Table
from amiss.evaluate.trial import Trial
from amiss.settings import default
from servers.incidents import incident, member

MONDAY = 1_772_409_600 * SECOND  # 2 March 2026
PIPELINE = default().pipelines[0]


def at(time: int, of: str = "cpu_percent", **said: object) -> Incident:
    names = said.pop("members", (member(of),))
    return incident(f"i{time}", since=time, seen=time, members=names, **said)


def trial(*found: Incident, start: int = MONDAY, end: int = MONDAY + 14 * DAY) -> Trial:
    series = tuple(sorted({m.series for each in found for m in each.members} | {"cpu_percent"}))
    return Trial(PIPELINE, start, end, 0, series, 0, 1000, found, 0, {}, {})


def test_told_against_asked_in_all_and_by_week() -> None:
    one = trial(at(MONDAY), at(MONDAY + DAY), at(MONDAY + 8 * DAY), at(MONDAY + 14 * DAY))
    rate = figures.rate(one)
    assert (rate.told, rate.asked, figures.ratio(4, 70.0)) == (4, 70.0, "0.057")
    assert figures.ratio(1, 0.2) == "-"
    assert [(w.told, w.asked) for w in figures.weeks(one)] == [(2, 35.0), (2, 35.0)]
    assert [day.told for day in figures.days(one)] == [1, 1, *[0] * 6, 1, *[0] * 4, 1]
    assert figures.headline(one) == "It would have told you 4 times in 14 days (asked: 5 a day)."


def test_a_week_is_counted_as_far_as_it_is_in_the_span() -> None:
    one = trial(at(MONDAY + 7 * DAY), start=MONDAY + 6 * DAY, end=MONDAY + 9 * DAY)
    assert [(w.told, w.asked) for w in figures.weeks(one)] == [(0, 5.0), (1, 10.0)]
    assert figures.headline(one) == "It would have told you once in 3 days (asked: 5 a day)."


def test_long_spans_are_shown_by_week() -> None:
    assert len(figures.days(trial(end=MONDAY + 62 * DAY))) == 62
    assert len(figures.days(trial(end=MONDAY + 63 * DAY))) == 9


@pytest.mark.parametrize(
    ("a_day", "said"),
    [(5.0, "5 a day"), (1 / 7, "1 a week"), (2.5, "2.5 a day"), (1050.0, "1,050 a day")],
)
def test_how_often(a_day: float, said: str) -> None:
    assert figures.often(a_day) == said


def test_a_budget_of_less_than_one_a_day_is_shown_by_week() -> None:
    rare = replace(trial(), pipeline=PIPELINE.model_copy(update={"budget": 1 / 7}))
    assert len(figures.days(rare)) == 14
    assert len(figures.days(replace(rare, end=MONDAY + 21 * DAY))) == 3


def test_what_was_left_out_has_a_reason_each() -> None:
    one = replace(trial(), skipped={"late": 1200}, young=1, open_before=2)
    assert list(one.left_out()) == [
        "late: 1,200",
        "1 series: told of only from 96 samples on",
        "2 incidents: opened before the span",
    ]


def test_who_is_noisy() -> None:
    both = (member("cpu_percent"), member("load1"))
    one = trial(at(MONDAY, members=both), at(MONDAY + DAY, "load1"), at(MONDAY + 2 * DAY, "x"))
    found = [(n.series, n.incidents, n.first) for n in one.noisiest]
    assert found == [("load1", 2, 1), ("cpu_percent", 1, 1), ("x", 1, 1)]


def test_a_whole_is_called_so_and_of_several_systems_it_is_said_whose() -> None:
    one = trial(at(MONDAY, 'x{host="a"}'), at(MONDAY, 'x{host="b"}'))
    assert one.title('x{host="a"}') == "X, a"
    assert trial().title('x{host="a"}') == "X"
    said = "The picture as a whole, by isolation forest"
    assert one.title('isolation_forest{host="a"}') == f"{said}, a"
    assert trial().title('isolation_forest{host="a"}') == said


# labels


def event(start: int, hours: int = 2, of: str = "") -> Label:
    return Label(start, start + hours * HOUR, of)


def test_an_event_is_found_by_what_opens_in_it_and_counts_once() -> None:
    inside = [at(MONDAY + DAY + m * MINUTE) for m in (10, 30)]
    before, far = at(MONDAY + 2 * DAY - MINUTE), at(MONDAY + 9 * DAY)
    found = judge(trial(*inside, before, far), [event(MONDAY + DAY), event(MONDAY + 2 * DAY)])
    assert (found.events, found.found, found.missed, found.recall) == (2, 1, 1, 0.5)
    assert (found.incidents, found.true, found.precision) == (4, 2, 0.5)
    assert found.delay == 600.0
    assert delay(found) == "after 10 minutes"
    assert found.false_a_week == 1.0


def test_a_label_of_a_series_is_told_by_incidents_of_that_series() -> None:
    key = 'load1{host="a"}'
    one = trial(at(MONDAY + HOUR), at(MONDAY + DAY, key))
    assert judge(one, [event(MONDAY, of="load1")]).found == 0
    assert judge(one, [event(MONDAY + DAY, of="load1")]).found == 1
    assert judge(one, [event(MONDAY + DAY, of=key)]).found == 1
    assert judge(one, [event(MONDAY + DAY, of="load15")]).unknown == 1


def test_labels_elsewhere_do_not_count_and_nothing_is_divided_by_nothing() -> None:
    found = judge(trial(), [event(MONDAY - DAY)])
    assert (found.outside, found.events) == (1, 0)
    assert (found.recall, found.precision, found.delay) == (None, None, None)
    assert delay(found) == "-"
    assert judge(replace(trial(), end=MONDAY), []).false_a_week is None


def labels(tmp_path: Path, text: str) -> list[Label]:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return read(Table(str(path)))


def test_stretches_and_moments(tmp_path: Path) -> None:
    assert labels(tmp_path, "start,end,series\n0,60,cpu\n100,100,\n") == [
        Label(0, MINUTE, "cpu"), Label(100 * SECOND, 100 * SECOND),
    ]  # fmt: skip
    (moment,) = labels(tmp_path, "time\n1970-01-02T00:00:00Z\n")
    assert (moment.at, moment.start, moment.end) == (DAY, DAY - 10 * MINUTE, DAY + 10 * MINUTE)
    late = trial(at(DAY + 5 * MINUTE), start=0, end=7 * DAY)
    early = trial(at(DAY - 5 * MINUTE), start=0, end=7 * DAY)
    assert (judge(late, [moment]).delay, judge(early, [moment]).delay) == (300.0, 0.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start,end\n0,5\n9,8\n", "row 2: the event ends before it starts"),
        ("start,stop\n0,5\n", "there is no column 'end'"),
        ("when\n0\n", "there is no column 'time'"),
        ("start,end\n0,5\n1,soon\n", "row 2: the time 'soon'"),
        ("start,end\n0,\n", "row 1: the time is empty"),
    ],
)
def test_a_label_that_makes_no_sense_is_refused_with_its_row(tmp_path, text, said) -> None:
    with pytest.raises(ConfigError, match=said):
        labels(tmp_path, text)

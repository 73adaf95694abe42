"""The page of a back-test: all that was found, by itself, and nothing that a name may do to it."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from amiss.data import MINUTE, Frame, series_key
from amiss.evaluate import axes
from amiss.evaluate.kept import records_of
from amiss.evaluate.labels import Label, judge
from amiss.evaluate.recording import batches
from amiss.evaluate.report import About, page
from amiss.evaluate.trial import Tally, Trial
from amiss.run.replay import replay
from run.rig import EVERY, START, pipeline

HOSTILE = "</style><script>alert('1')</script>\"'&<img src=x onerror=alert(2)>"
ABOUT = About(f"{HOSTILE}.yaml", HOSTILE, "0.1", START, (HOSTILE,))
TICKS = 900
VOID = {"meta", "link", "br"}


class Tags(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tried(quiet: bool = False, ticks: int = TICKS) -> Trial:
    chance = np.random.default_rng(2)
    keys = tuple(series_key(f"x{n}_bytes", {"host": HOSTILE, "disk": HOSTILE}) for n in range(3))
    values = 1e6 * (20 + chance.normal(size=(TICKS, 3, 1)))
    values[:, 2] = np.nan
    values[600:640, :2] += 0 if quiet else 4e8
    frame = Frame(START + EVERY * np.arange(ticks), keys, ("value",), values[:ticks])
    of = pipeline(budget="1/day")
    tally = Tally(of, START + min(10 * MINUTE, ticks * EVERY // 2), int(frame.time[-1]), START)
    for outcome in replay(of, batches(records_of(frame), 500)):
        tally.take(outcome)
    return tally.trial()


@pytest.fixture(scope="module")
def noisy() -> Trial:
    return tried()


def test_all_of_it_is_there(noisy: Trial) -> None:
    labels = [Label(START, START + 3600 * 10**9)]
    text = page([noisy], ABOUT, [judge(noisy, labels)], labels)
    assert "It would have told you once in 65 minutes (asked: 1 a day)." in text
    assert "after 10 minutes of history to learn from" in text
    assert text.count("<article") == 1
    assert text.count("<figure") == 4  # when, how strange, and the two that were amiss
    assert "events found</dt><dd>1 of 1" in text
    assert "Told against labelled" in text and "By severity" in text
    assert "There is no map: it takes three that differ." in text
    assert "budget: 1/day" in text
    for kind in ("line", "band", "expected", "mark", "span", "heat"):
        assert f'class="{kind}"' in text
    assert "nan" not in "".join(re.findall(r' d="([^"]*)"', text))


def test_no_name_gets_out_of_its_place_and_nothing_is_fetched(noisy: Trial) -> None:
    text = page([noisy, noisy], ABOUT, [], [])
    tags = Tags(text)
    assert tags.open == []
    names = {tag for tag, _ in tags.seen}
    assert not names & {"script", "img", "iframe", "object", "embed", "form", "base"}
    said = [(key, value or "") for _, attrs in tags.seen for key, value in attrs.items()]
    assert not [key for key, _ in said if key.startswith("on")]
    outside = [value for key, value in said if key in ("href", "src")]
    assert [value[:19] for value in outside] == ["data:image/svg+xml,"]
    assert not re.search(r"@import|url\(", text)


def test_a_calm_span_says_so_and_that_it_was_watched() -> None:
    calm = tried(quiet=True)
    assert calm.incidents == ()
    text = page([calm], ABOUT, [], [])
    assert "Nothing would have been told." in text
    assert f"{calm.samples:,} samples of 2 series were judged" in text
    assert calm.samples == 2 * 780


def test_what_was_seen_too_little_is_no_calm() -> None:
    young = tried(ticks=90)
    assert young.young == 2
    text = page([young], ABOUT, [], [])
    assert "Nor could it have been: of no series there were more than 96 samples." in text
    assert "2 series: told of only from 96 samples on" in text


def test_many_incidents_are_listed_and_only_the_worst_are_drawn(noisy: Trial, monkeypatch) -> None:
    from amiss.evaluate import around

    monkeypatch.setattr(around, "INCIDENTS", 0)
    found = tried()
    assert found.pictures == {}
    assert page([found], ABOUT, [], []).count("<article") == len(noisy.incidents)


@pytest.mark.parametrize(
    ("low", "high", "name", "said"),
    [
        (0.0, 100.0, "cpu_percent", ["0 %", "50 %", "100 %"]),
        (0.0, 2.2e6, "x_bytes", ["0 B", "1 MB", "2 MB"]),
        (99.991, 99.999, "x_percent", ["99.992 %", "99.994 %", "99.996 %", "99.998 %"]),
        (-3.0, 3.0, "x", ["-2", "0", "2"]),
        (5.0, 5.0, "x", []),
    ],
)
def test_round_values_with_units_on_the_axis(low, high, name, said) -> None:
    assert [text for _, text in axes.of_value(low, high, name)] == said


@pytest.mark.parametrize(
    ("start", "minutes", "said"),
    [
        (START, 60, ["14:00", "14:15", "14:30", "14:45", "15:00"]),
        (START, 1440, ["18:00", "8 Mar", "06:00", "12:00"]),
        (START, 10 * 1440, ["8 Mar", "10 Mar", "12 Mar", "14 Mar", "16 Mar"]),
    ],
)
def test_round_times_on_the_axis(start, minutes, said) -> None:
    assert [text for _, text in axes.of_time(start, start + minutes * MINUTE)] == said

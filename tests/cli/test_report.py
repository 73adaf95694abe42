"""`amiss report`: what was watched and told, as text, as JSON and as a page that prints."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amiss.data import DAY, HOUR, MINUTE, Records
from amiss.store import Block, Checkpoint, Store
from amiss.store.feedback import Said
from cli.calls import amiss
from servers.incidents import START, ended, incident, member

CPU, DISK = 'cpu_percent{host="web-3"}', 'disk_write_bytes_per_second{device="sda",host="web-3"}'
LOGINS = 'events_per_minute{host="gate"}'
FAILED = 'events_per_minute{event="login_failed",host="gate"}'
NOTHING = Records(np.zeros(0, np.int64), np.zeros(0, str), np.zeros(0))
SPAN = ("--from", "2026-03-05", "--to", "2026-03-10")
CHROMIUM = os.environ.get("AMISS_CHROMIUM", "/usr/bin/chromium")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Five days of two hosts: four incidents in them, one before, and history with scores."""
    monkeypatch.chdir(tmp_path)
    chance = np.random.default_rng(0)
    ticks = START - 2 * DAY + MINUTE * np.arange(4 * 1440)
    value = np.abs(chance.normal(10, 3, (len(ticks), 4)))
    value[:, 2:] = (9.0, 1.0)
    score = chance.exponential(size=value.shape)
    score[2900:2918, 1] = 9.0
    value[:100, 0] = np.nan
    nothing = np.full(value.shape, np.nan)
    block = Block((CPU, DISK, LOGINS, FAILED), ticks, value, score, nothing, nothing, nothing)
    guess = member(
        "login", said="Failed password for root",
        blame=("failures of root in 10m: 60 (2 otherwise)",), score=11.0,
    )  # fmt: skip
    disk = incident("a1", members=(member(DISK),))
    first = [
        incident("a0", since=START - 20 * DAY, seen=START - 20 * DAY),
        *(disk, ended(replace(disk, severity="high"))),
        incident("a2", since=START + DAY, seen=START + DAY, members=(member(CPU),)),
    ]
    later = [
        incident(f"b{n}", system='host="gate"', severity="low", since=at, seen=at + 5 * MINUTE,
                 members=(guess,), sentence="gate: an <unusual>\x1b[2J login since then.")
        for n, at in enumerate((START + HOUR, START + 2 * DAY))
    ]  # fmt: skip
    store = Store(tmp_path / "home" / "amiss.db") if (tmp_path / "home").mkdir() is None else None
    assert store is not None
    store.commit("system", {}, NOTHING, first, Checkpoint({}, (block,)))
    store.commit("logins", {}, NOTHING, later)
    store.set_meta("first", START - 30 * DAY)
    store.set_meta("watched", {"pipelines": ["system", "logins"], "budget": 2.0})
    card = {"name": "isolation_forest", "pipeline": "system", "detector": "isolation_forest-1",
            "trained": START, "samples": 720, "seconds": 1.94}  # fmt: skip
    store.save_model(card, {"forest": {"tree": np.zeros(3)}})
    store.close()
    yield tmp_path / "home"


def test_as_text_all_of_it_is_counted(home: Path) -> None:
    said = amiss("report", *SPAN, "--home", home)
    assert said.code == 0, said.err
    assert said.err == "The page is report.html: open it, send it on, or print it.\n"
    lines = said.out.splitlines()
    assert lines[-1] == "It told you 4 times in 5 days (asked: 2 a day)."
    rows = {line[:32].strip(): line[32:].strip() for line in lines if line.startswith("  ")}
    assert (rows["high"], rows["medium"], rows["low"]) == ("1", "1", "2")
    assert (rows["system"], rows["logins"]) == ("2", "2")
    assert (rows["web-3"], rows["gate"]) == ("2", "2")
    assert rows["a single record"] == "2"
    facts = dict(line.rsplit(None, 1) for line in lines[2:8])
    assert facts["incidents"] == "4"
    assert facts["told for one asked"] == "0.4"
    assert facts["samples"] == f"{4 * 4 * 1440 - 100:,}"
    assert facts["single records"] == f"{9 * 4 * 1440:,}", "those of one kind are among all"
    assert "reported as false" not in said.out
    assert "gate: an <unusual> [2J login" in said.out, "no terminal is told what to do"


def test_what_people_called_normal_is_counted_as_false(home: Path) -> None:
    with closing(Store(home / "amiss.db")) as store:
        store.say(Said("a0", "normal", 1, START, "ann"))  # opened before
        store.say(Said("a1", "normal", 1, START, "ann"))
        store.say(Said("a1", "acknowledged", 1, START, "ann"))
        store.say(Said("b0", "normal", 1, START, "ann"))
        store.say(Said("b0", "amiss", 1, START, "bob"))
    said = amiss("report", *SPAN, "--home", home)
    assert "reported as false        1" in said.out
    assert amiss("report", *SPAN, "--home", home, "--json").json["reported_as_false"] == 1


def test_for_programs_and_with_labels(home: Path) -> None:
    Path("labels.csv").write_text(
        "start,end\n2026-03-07T14:00,2026-03-07T14:30\n2026-03-06,2026-03-06\n"
    )
    asked = ("report", *SPAN, "--home", home, "--labels", "labels.csv")
    said = amiss(*asked, "--json", "--no-page").json
    assert not Path("report.html").exists()
    assert (said["told"], said["asked_a_day"], said["series"]) == (4, 2.0, 4)
    assert said["by"]["severity"] == {"high": 1, "medium": 1, "low": 2}
    assert said["by"]["subject"] == {"gate": 2, "web-3": 2}
    assert said["labels"] == {"events": 2, "found": 1}
    assert said["reported_as_false"] is None
    assert sum(said["samples_by_score"]) == said["samples"]
    assert said["samples_by_score"][9] >= 18
    again = amiss(*asked)
    assert "labelled events found    1 of 2" in again.out
    assert "Told against labelled" in Path("report.html").read_text()


def test_the_page_is_whole_and_nothing_gets_out_of_its_place(home: Path) -> None:
    amiss("report", *SPAN, "--home", home, "-o", "page.html")
    text = Path("page.html").read_text()
    assert "It told you 4 times in 5 days (asked: 2 a day)." in text
    for part in ("Told by day", "How many of what", "When", "How strange samples were",
                 "What lies near what", "Incidents", "Models in use"):  # fmt: skip
        assert f"<h2>{part}" in text
    assert text.count('class="at high"') == 1
    assert text.count('class="dot ') == 3, "two incidents of the same are one dot"
    assert "<unusual>" not in text and "&lt;unusual&gt;" in text
    assert "<script" not in text and "nan" not in text.split("</style>")[1]
    assert "of all difference" in text


def test_nothing_told_is_said_and_an_empty_folder_is_a_mistake(home: Path, tmp_path: Path) -> None:
    calm = amiss("report", "--from", "2026-03-05T15:00", "--to", "2026-03-06", "--home", home)
    assert calm.out.splitlines()[-1] == "It told you nothing in 9 hours (asked: 2 a day)."
    assert "Nothing was told." in Path("report.html").read_text()
    assert amiss("report", "--home", tmp_path / "none").code == 2
    wrong = amiss("report", "--from", "1h", "--to", "2h", "--home", home)
    assert (wrong.code, wrong.err) == (2, "--from is not before --to\n")
    wrong = amiss("report", "--home", home, "-o", ".")
    assert wrong.err.startswith("--out: . is a folder")
    wrong = amiss("report", "--home", home, "-o", "report.pdf")
    assert (wrong.code, wrong.err) == (
        2, "report.pdf: a report is a page of HTML; name it report.html, and print that\n"
    )  # fmt: skip


@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium")
def test_it_prints_on_pages_of_a4(home: Path) -> None:
    from playwright.sync_api import sync_playwright

    amiss("report", *SPAN, "--home", home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        page = browser.new_page()
        page.goto(Path("report.html").absolute().as_uri())
        body = page.pdf(prefer_css_page_size=True)
        page.emulate_media(media="print")
        cut = page.evaluate(
            "[...document.querySelectorAll('figure, table')]"
            ".filter(each => each.scrollWidth > each.clientWidth + 1).length"
        )
        browser.close()
    assert body.startswith(b"%PDF-")
    assert b"/MediaBox [0 0 594.95996 841.91998]" in body or b"841.9" in body
    assert cut == 0, "nothing is wider than the page"

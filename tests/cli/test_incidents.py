"""`amiss incidents`, `explain` and `models`: what the store holds, in words."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amiss.data import DAY, HOUR, MINUTE, SECOND, Records
from amiss.home import announce
from amiss.run.lock import hold
from amiss.store import Block, Checkpoint, Store
from cli.calls import amiss
from servers.incidents import START, ended, incident, member

DISK = 'disk_write_bytes_per_second{device="sda"}'
LONG = "CPU at 97.2 % (1 to 12 % expected), memory at 88 %, and " + "much more " * 12
NOTHING = Records(np.zeros(0, np.int64), np.zeros(0, str), np.zeros(0))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with two incidents, the history of a series, and a model."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    opened = incident("a1b2c3", evidence=("backup.sh 92 % of a core",))
    worse = replace(opened, revision=2, severity="high", members=(member(), member("load")))
    later = incident("a1ffff", since=START + DAY, seen=START + DAY, sentence=f"{LONG} since then.")
    ticks = START - HOUR + 5 * SECOND * np.arange(1200)
    value = np.where((ticks >= START) & (ticks < START + 18 * MINUTE), 310e6, 20e6)[:, None]
    store = Store(tmp_path / "amiss.db")
    block = Block((DISK,), ticks, value, *(np.full(value.shape, np.nan) for _ in range(4)))
    revisions = [opened, worse, ended(worse), later]
    store.commit("host", {}, NOTHING, revisions, Checkpoint({}, (block,)))
    store.delivered("chat", "a1b2c3", 1, START + MINUTE, "delivered", "")
    store.delivered("hook", "a1b2c3", 1, START + MINUTE, "refused", "example.org answered 404")
    card = {"name": "isolation_forest", "pipeline": "host", "detector": "isolation_forest-1",
            "trained": START, "samples": 720, "seconds": 1.94}  # fmt: skip
    store.save_model(card, {"forest": {"tree": np.zeros(3)}})
    store.close()
    yield tmp_path
    monkeypatch.undo()
    time.tzset()


def test_a_table_that_fits_a_hundred_columns(home: Path) -> None:
    said = amiss("incidents", "--home", home)
    assert said.code == 0
    head, *rows = said.out.splitlines()
    assert head.split() == ["id", "since", "lasted", "severity", "what"]
    assert max(map(len, said.out.splitlines())) <= 100
    first = [row for row in rows if row.startswith(("a1b2c3", "a1ffff"))]
    assert [row.split()[0] for row in first] == ["a1ffff", "a1b2c3"]
    assert "Sat 7 Mar 14:02" in first[1]
    assert "18 minutes" in first[1]
    assert "so far" in first[0]
    assert "".join(said.out.split()).count("muchmore") == 12


def test_only_some_of_them(home: Path) -> None:
    def ids(*words: object) -> list[str]:
        return [each["id"] for each in amiss("incidents", "--home", home, "--json", *words).json]

    assert ids() == ["a1ffff", "a1b2c3"]
    assert ids("--state", "open") == ["a1ffff"]
    assert ids("--state", "resolved") == ["a1b2c3"]
    assert ids("--since", "2026-03-08") == ["a1ffff"]
    assert ids("--limit", 1) == ["a1ffff"]
    assert ids("--since", "1h") == []
    assert amiss("incidents", "--home", home, "--state", "open", "--since", "1h").out == (
        "There are no open incidents since 1h.\n"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--state", "shut"), "--state: there is no state 'shut'; known: open, resolved"),
        (
            ("--since", "monday"),
            "--since: 'monday' is neither a span such as 24h or 7d nor a time such as 2026-03-07",
        ),
        (
            ("--since", "999999d"),
            "--since: '999999d' is too long; write 36500d at most",
        ),
        (
            ("--home", "~nobody-of-this-name/x"),
            "~nobody-of-this-name/x: there is no such user here, or no home of theirs",
        ),
    ],
)
def test_wrong_choices_get_a_sentence(home: Path, words: tuple[str, str], said: str) -> None:
    found = amiss("incidents", "--home", home, *words)
    assert (found.code, found.err) == (2, f"{said}\n")


def test_a_number_that_no_database_takes_is_refused(home: Path) -> None:
    said = amiss("incidents", "--home", home, "--limit", "9" * 20)
    assert said.code == 2
    assert "--limit" in said.err


def test_an_incident_in_words(home: Path) -> None:
    said = amiss("explain", "a1b", "--home", home)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("web-3: disk write, sda at 310 MB/s (8 times the usual")
    assert "From Sat 7 Mar 14:02 to Sat 7 Mar 14:20, 18 minutes. Severity: high." in lines
    at = lines.index(f"  -ln p 9.0, {DISK}")
    assert "310 MB/s (8 times the usual; " in lines[at - 1]
    bars = lines[at + 1].strip()
    assert len(bars) == 60
    assert set(bars) == {"▁", "█"}
    assert bars[-1] == "█" and bars[0] == "▁"
    assert lines[at + 2].split() == ["Sat", "7", "Mar", "13:26", "Sat", "7", "Mar", "14:20"]
    assert "  backup.sh 92 % of a core" in lines
    assert "  chat: revision 1 delivered Sat 7 Mar 14:03" in lines
    assert "  hook: revision 1 refused Sat 7 Mar 14:03: example.org answered 404" in lines
    assert max(map(len, lines[1:])) <= 100


def test_an_incident_for_programs(home: Path) -> None:
    said = amiss("explain", "a1b2c3", "--json", "--home", home).json
    assert (said["id"], said["state"], said["since"]) == (
        "a1b2c3",
        "resolved",
        "2026-03-07T14:02:10Z",
    )
    assert [each["revision"] for each in said["revisions"]] == [1, 2, 3]
    assert [each["outcome"] for each in said["told"]] == ["delivered", "refused"]


def test_the_page_of_an_incident_while_the_program_runs(home: Path) -> None:
    with hold(home):
        announce(home, "127.0.0.1:1")
        last = amiss("explain", "a1b2c3", "--home", home).out.splitlines()[-1]
    assert last == "http://127.0.0.1:1/dashboard/incident?id=a1b2c3"


def test_an_incident_that_goes_on_and_was_told_to_nobody(home: Path) -> None:
    lines = amiss("explain", "a1ffff", "--home", home).out.splitlines()
    assert "Since Sun 8 Mar 14:02; it goes on. Severity: medium." in lines
    assert lines[-1] == "No sink was told."


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("zz", "there is no incident 'zz'; `amiss incidents` lists them"),
        ("a1", "several incidents begin with 'a1': a1ffff, a1b2c3"),
    ],
)
def test_an_incident_that_is_none(home: Path, id: str, said: str) -> None:
    found = amiss("explain", id, "--home", home)
    assert (found.code, found.err) == (2, f"{said}\n")


def test_models_that_are_kept(home: Path) -> None:
    said = amiss("models", "--home", home)
    assert "isolation_forest" in said.out
    assert "Sat 7 Mar 14:02" in said.out
    assert "in use" in said.out
    [one] = amiss("models", "--json", "--home", home).json
    assert (one["samples"], one["in_use"], one["trained"]) == (720, True, "2026-03-07T14:02:10Z")


def test_what_may_not_be_written_can_be_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "amiss.db").chmod(0o400)
    before = {path: path.stat().st_mtime_ns for path in (home, *home.iterdir())}
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may everything
    assert len(amiss("incidents", "--home", home, "--json").json) == 2
    assert amiss("explain", "a1b2c3", "--home", home).code == 0
    assert len(amiss("models", "--home", home, "--json").json) == 1
    assert {path: path.stat().st_mtime_ns for path in (home, *home.iterdir())} == before


def test_nothing_has_been_watched_yet(tmp_path: Path) -> None:
    for words in (("incidents",), ("explain", "a"), ("models",)):
        said = amiss(*words, "--home", tmp_path / "none")
        assert said.code == 2
        assert said.err.startswith(f"{tmp_path}/none: nothing has been watched in this data folder")
    assert not (tmp_path / "none").exists()
    Store(tmp_path / "amiss.db").close()
    assert amiss("incidents", "--home", tmp_path).out == "There are no incidents.\n"
    assert amiss("incidents", "--home", tmp_path, "--json").json == []
    assert amiss("models", "--home", tmp_path).out.startswith("No model has been trained yet")


def test_a_store_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "amiss.db").write_bytes(b"no database" * 100)
    said = amiss("incidents", "--home", tmp_path)
    assert said.code == 1
    assert said.err.startswith(f"{tmp_path}/amiss.db is not a database of Amiss")


def test_people_say_what_an_incident_was_and_take_it_back(home: Path) -> None:
    assert amiss("feedback", "--home", home).out == (
        "Nobody has said anything of an incident yet.\n"
    )
    said = amiss("acknowledge", "a1b", "--note", "mine", "--home", home)
    assert said.out.startswith("a1b2c3: acknowledged; everybody sees that somebody is at it")
    said = amiss("feedback", "a1b", "normal", "--note", "the backup", "--home", home)
    assert said.out.endswith("`amiss feedback a1b2c3 --undo` takes it back.\n")
    lines = amiss("explain", "a1b2c3", "--home", home).out.splitlines()
    at = lines.index("Said of it:")
    assert lines[at + 1].startswith("  acknowledged by user ") and lines[at + 1].endswith(": mine")
    assert lines[at + 2].startswith("  called normal by user ")
    assert lines[at + 2].endswith(": the backup")
    feedback = amiss("explain", "a1b2c3", "--json", "--home", home).json["feedback"]
    assert [(one["word"], one["revision"]) for one in feedback] == [
        ("acknowledged", 3), ("normal", 3),
    ]  # fmt: skip
    table = amiss("incidents", "--home", home).out.splitlines()
    assert table[0].split() == ["id", "since", "lasted", "severity", "said", "what"]
    assert any(row.startswith("a1b2c3") and " normal " in row for row in table)
    assert max(map(len, table)) <= 100
    found = amiss("incidents", "--json", "--home", home).json
    assert [len(one["feedback"]) for one in found] == [0, 2]
    listed = amiss("feedback", "--json", "--home", home).json
    assert [one["note"] for one in listed["said"]] == ["mine", "the backup"]
    assert "normal" in amiss("feedback", "--home", home).out
    assert amiss("feedback", "a1b", "--undo", "--home", home).code == 0
    assert amiss("acknowledge", "a1b", "--undo", "--home", home).code == 0
    assert amiss("feedback", "--json", "--home", home).json["said"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("feedback", "a1b", "odd"), "say `normal` or `amiss` after the id, or --undo"),
        (("feedback", "a1b"), "say `normal` or `amiss` after the id, or --undo"),
        (("feedback", "a1b", "normal", "--undo"), "say `normal` or `amiss` after the id, or"),
        (("feedback", "a1b", "--undo"), "there is no verdict of incident a1b2c3 to take back"),
        (("acknowledge", "a1"), "several incidents begin with 'a1': a1ffff, a1b2c3"),
        (("acknowledge", ""), "there is no incident ''"),
        (("acknowledge", "zz"), "there is no incident 'zz'; `amiss incidents` lists them"),
    ],
)
def test_what_cannot_be_said_gets_a_sentence(home: Path, words: tuple[str, ...], said: str) -> None:
    found = amiss(*words, "--home", home)
    assert (found.code, found.out) == (2, "")
    assert said in found.err

"""`amiss backtest` as it is called."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from amiss.data import MINUTE
from amiss.store import Store
from cli.calls import amiss
from run.rig import EVERY, START, Rig, pipeline

CONFIG = """\
pipelines:
  - name: made
    source: {type: host}
    features: {type: grid, every: 1m}
    detectors: [{type: level}, {type: surprise}]
  - name: other
    source: {type: host}
    features: {type: grid, every: 1m}
    detectors: [{type: level}]
"""
ROWS = 1500
AMISS = slice(1200, 1220)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration, a table of a day in which something was amiss, and labels for it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "amiss.yaml").write_text(CONFIG)
    x = 20 + np.random.default_rng(1).normal(size=ROWS)
    x[AMISS] += 30
    rows = (f"{START // 10**9 + 60 * n},web,{v:.4f},up\n" for n, v in enumerate(x.tolist()))
    (tmp_path / "a.csv").write_text("time,host,x_percent,note\n" + "".join(rows))
    start = START // 10**9 + 60 * AMISS.start
    (tmp_path / "labels.csv").write_text(f"start,end\n{start},{start + 1200}\n0,60\n")
    return tmp_path


def words(*more: object) -> tuple[object, ...]:
    return ("backtest", "amiss.yaml", "--data", "a.csv", "--by", "host", *more)


def test_a_file_in_words_and_as_a_page(folder: Path) -> None:
    said = amiss(*words("--pipeline", "made", "--labels", "labels.csv", "--from", "6h"))
    assert said.code == 0, said.err
    assert said.err == "a.csv: left out, as they hold no numbers: 'note'\n"
    lines = said.out.splitlines()
    assert lines[:2] == [
        "made: Sun 8 Mar 2026 08:59 UTC to Sun 8 Mar 2026 14:59 UTC, after 19 hours to learn from",
        "1 series, 361 samples",
    ]
    assert "web: x at " in said.out
    assert (
        "1 of 1 labelled event found, at once in the median; 1 of 1 incident opened in one"
        in said.out
    )
    assert lines[-2:] == [
        "The report is in backtest.html.",
        "It would have told you once in 6 hours (asked: 2.5 a day).",
    ]
    assert max(map(len, lines)) <= 100
    text = (folder / "backtest.html").read_text()
    assert "It would have told you once in 6 hours" in text
    assert "left out, as they hold no numbers" in text
    assert not list(folder.glob(".*.part"))


def test_for_programs(folder: Path) -> None:
    said = amiss(*words("--labels", "labels.csv", "--json", "--no-report")).json
    assert said["report"] is None
    assert not (folder / "backtest.html").exists()
    assert list(said["pipelines"]) == ["made", "other"]
    made = said["pipelines"]["made"]
    assert (made["series"], made["samples"]) == (1, ROWS)
    assert (made["from"], made["to"]) == ("2026-03-07T14:00:00Z", "2026-03-08T14:59:00Z")
    assert made["told"] == len(made["incidents"]) == sum(week["told"] for week in made["weeks"])
    assert made["asked_a_day"] == 2.5
    assert made["labels"]["found"] == 1
    assert made["labels"]["outside"] == 1
    assert made["settings"]["budget"] == "2.5/day"


def test_what_comes_later_changes_nothing(folder: Path) -> None:
    """A span that ends sooner tells the same of what it has."""
    whole = amiss(*words("--json", "--no-report")).json["pipelines"]["made"]["incidents"]
    until = "2026-03-08T10:10:00Z"
    part = amiss(*words("--json", "--no-report", "--to", until)).json
    assert [i["id"] for i in part["pipelines"]["made"]["incidents"]] == [
        i["id"] for i in whole if i["since"] <= until
    ]


def test_less_to_learn_from_is_another_past(folder: Path) -> None:
    said = amiss(*words("--from", "6h", "--warm", "1h", "--json", "--no-report")).json
    assert said["pipelines"]["made"]["warm_seconds"] == 3600.0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--pipeline", "web"], "--pipeline: amiss.yaml has no pipeline 'web'; it has made, other"),
        (["--from", "2030-01-01"], "a.csv has nothing from Tue 1 Jan 2030 00:00 UTC on: it goes"),
        (["--from", "1h", "--to", "2h"], "is not before --to"),
        (["--to", "2020-01-01"], "a.csv has nothing up to Wed 1 Jan 2020 00:00 UTC: it goes"),
        (["--from", "2030-01-01", "--to", "2030-01-02"], "a.csv has nothing from Tue 1 Jan 2030"),
        (["--from", "soon"], "--from: 'soon' is neither a span such as 24h"),
        (["--warm", "soon"], "--warm: 'soon' is not a span of time"),
        (["--near", "x"], "--near: 'x' is not a span of time"),
        (["--time", "when"], "a.csv: there is no column 'when'"),
        (["--data", "b.csv"], "b.csv: cannot be read: No such file or directory"),
        (["--data", "-"], "--data -: standard input cannot be read twice"),
        (["--labels", "a.csv"], "a.csv: the report would be written over it"),
        (["--report", "."], "--report: . is a folder"),
        (["--report", "no/page.html"], "--report: nothing can be written in the folder no"),
        (["--report", "amiss.yaml"], "amiss.yaml: the report would be written over it"),
    ],
)
def test_a_mistake_gets_a_sentence(folder: Path, more: list[str], said: str) -> None:
    more = [*more, "--report", "a.csv"] if more[0] == "--labels" else more
    found = amiss(*words(*more))
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert len(found.err.splitlines()) == 1


def test_labels_are_for_files_and_there_must_be_a_history(folder: Path) -> None:
    said = amiss("backtest", "amiss.yaml", "--by", "host")
    assert (said.code, said.err) == (2, "--by: it is for files; name one with --data\n")
    said = amiss("backtest", "amiss.yaml", "--home", folder / "none")
    assert said.code == 2
    assert "nothing has been watched in this data folder yet" in said.err
    Store(folder / "amiss.db").close()
    said = amiss("backtest", "amiss.yaml", "--home", folder)
    assert said.code == 2
    assert "has no series of pipeline 'made' yet" in said.err


@pytest.fixture
def lived(folder: Path) -> Iterator[Rig]:
    """A program that runs, with two checkpoints behind it."""
    made = pipeline()
    rig = Rig(folder, pipeline=made, checkpoint=10 * MINUTE)
    rig.start()
    rig.run(250)
    yield rig
    rig.close()


def test_the_history_of_a_program_that_runs(lived: Rig) -> None:
    before = (lived.folder / "amiss.db").read_bytes()
    said = amiss("backtest", "amiss.yaml", "--home", lived.folder, "--json", "--pipeline", "made")
    made = said.json["pipelines"]["made"]
    assert made["series"] == 3
    points = lived.store.series()[0].points
    assert 100 < points < 250  # up to the last checkpoint
    assert made["to"] == "2026-03-07T14:20:00Z"
    assert (lived.folder / "amiss.db").read_bytes() == before
    lived.run(1)  # goes on
    assert lived.watch.progress.health == "good"
    assert lived.clock.time == START + 251 * EVERY


def test_each_pipeline_has_its_own_series(lived: Rig) -> None:
    said = amiss("backtest", "amiss.yaml", "--home", lived.folder, "--pipeline", "other")
    assert said.code == 2
    assert "has no series of pipeline 'other' yet" in said.err


def test_single_records_have_no_history(folder: Path) -> None:
    (folder / "each.yaml").write_text(
        "pipelines: [{name: made, source: {type: host}, features: {type: each},"
        " detectors: [{type: rarity}]}]"
    )
    said = amiss("backtest", "each.yaml", "--home", folder)
    assert said.code == 2
    assert "pipeline 'made' judges single records, and its source keeps no history" in said.err


def test_files_are_read_again_from_their_beginning(folder: Path) -> None:
    """What a source still has needs no store: single records and their rate, as live has them."""
    lines = [
        f'{{"time": {1_772_000_000 + 30 * n}, "user": "{"ann bob".split()[n % 2]}", '
        f'"country": "{"SE" if n % 2 else "DE"}"}}'
        for n in range(700)
    ]
    lines[600] = lines[600].replace('"DE"', '"KP"')
    (folder / "logins.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "logins.yaml").write_text(
        "pipelines: [{name: logins, source: {type: file, path: logins.jsonl, start: end,"
        " name: login, labels: {host: a}}, features: {type: each, subject: [user]},"
        " detectors: [{type: rarity}]}]"
    )
    said = amiss("backtest", "logins.yaml", "--home", folder, "--json")
    assert said.code == 0, said.err
    trial = json.loads(said.out)["pipelines"]["logins"]
    assert any("country KP" in incident["sentence"] for incident in trial["incidents"])
    assert trial["from"] == "2026-02-25T06:13:20Z"
    page = (folder / "backtest.html").read_text()
    assert "an unusual login of" in page
    assert "like those before" in page
    assert "Events" in page  # the picture beside a record
    assert ">nothing<" not in page
    text = (folder / "logins.yaml").read_text()
    for right, wrong, sentence in (
        ("[user]", "[usr]", "logins: features.subject: no record has a field 'usr'; there are "),
        ("start: end", "time: ts", "logins: source.time: no record has a time in a field 'ts'"),
        ("start: end", "value: n", "logins: source.value: no record has a field 'n'; there are "),
        ("start: end", "format: combined", "logins: source: nothing that was read is a record of"),
    ):
        (folder / "wrong.yaml").write_text(text.replace(right, wrong))
        for command in (["backtest", "--home", str(folder)], ["check"]):
            said = amiss(*command, "wrong.yaml")
            assert said.code == 2
            assert sentence in said.err
            assert len(said.err.splitlines()) == 1
    few = folder / "few.jsonl"
    few.write_text("\n".join(lines[:3]) + "\n")
    (folder / "wrong.yaml").write_text(
        text.replace("logins.jsonl", "few.jsonl").replace("[user]", "[user, usr]")
    )
    said = amiss("check", "wrong.yaml")
    assert said.code == 0, said.err
    warning = "features.subject: no record of the 3 read so far has a field 'usr'; there are "
    assert said.out.count("warning: ") == said.out.count(f"  warning: {warning}") == 1
    [checked] = amiss("check", "wrong.yaml", "--json").json["pipelines"].values()
    assert checked["warnings"][0].startswith(warning)
    said = amiss("backtest", "logins.yaml", "--home", folder, "--data", "x.csv")
    assert said.code == 2
    assert "--data has series" in said.err

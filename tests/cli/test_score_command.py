"""`amiss score` as it is called."""

import subprocess
import sys
from pathlib import Path

import pytest

from cli.calls import amiss

HEADER = "time,series,value,score,p,expected,lower,upper,alert"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_text("time,x,host\n" + "".join(f"{60 * n},{n % 7},web\n" for n in range(200)))
    return path


def test_a_folder_of_scores_and_a_sentence_for_each(table: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = amiss("score", table, "--out", out)
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines() == [
        f"{table}: left out, as they hold no numbers: 'host'",
        f"{table}: 200 rows, 1 series, 0 alerts: {out}/a.csv",
    ]
    assert (out / "a.csv").read_text().startswith(f"{HEADER}\n0,x,0,")


def test_for_programs(table: Path, tmp_path: Path) -> None:
    said = amiss("score", table, "--as", "metrics", "--out", tmp_path / "o.csv", "--json").json
    assert said == {
        "input": str(table), "output": str(tmp_path / "o.csv"), "rows": 200, "series": 1,
        "samples": 200, "alerts": 0, "notes": ["left out, as they hold no numbers: 'host'"],
    }  # fmt: skip


def test_from_the_input_to_the_output(table: Path) -> None:
    command = [sys.executable, "-m", "amiss", "score", "-", "--out", "-", "--by", "host"]
    with table.open("rb") as file:
        found = subprocess.run(command, stdin=file, capture_output=True, text=True, check=True)
    lines = found.stdout.splitlines()
    assert lines[0] == HEADER
    assert lines[1].startswith('0,"x{host=""web""}",0,')
    assert len(lines) == 201
    assert found.stderr == ""


def test_a_reader_that_has_had_enough_is_no_fault(table: Path) -> None:
    table.write_text("time,x\n" + "".join(f"{60 * n},{n % 7}\n" for n in range(20_000)))
    command = [sys.executable, "-m", "amiss", "score", str(table), "--out", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == f"{HEADER}\n".encode()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--budget", "banana"), "--budget: 'banana' is not a rate; write 5/day or 1/week"),
        (("--budget", "0/day"),
         "--budget: '0/day' is not above 0 and below 1,000,000/day; write 1/week"),
        (("--budget", f"{'9' * 400}/day"),
         f"--budget: '{'9' * 60}' is not above 0 and below 1,000,000/day; write 1/week"),
        (("--as", "pictures"), "--as: there is no kind 'pictures'; "
         "known: metrics, joint, events, lines"),
        (("--time", "when"), "{}: there is no column 'when' (there is 'time', 'x', 'host'); "
         "name another one with --time"),
        (("--history", "/no.csv"), "/no.csv: cannot be read: No such file or directory"),
        (("--out", "-", "--json"), "--json: the output is taken by --out -"),
        (("--as", "joint", "--by", "host"), "--by: with --as joint a table is one system"),
        (("--as", "events", "--by", "host"), "--by: with --as events a table is judged row by row"),
        (("--as", "events", "--budget", "1/week"), "--budget: '1/week' is no part of the rows; "
         "events carry no time: write 1/1000, one alert in 1,000 rows, or leave it out"),
        (("--as", "events", "--budget", "5/5"), "--budget: '5/5' is no part of the rows; "
         "events carry no time: write 1/1000, one alert in 1,000 rows, or leave it out"),
    ],
)  # fmt: skip
def test_wrong_calls(table: Path, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    out = () if "--out" in words else ("--out", str(tmp_path / "out"))
    found = amiss("score", table, *words, *out)
    assert (found.code, found.err) == (2, f"{said.format(table)}\n")

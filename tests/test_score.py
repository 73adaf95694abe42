"""`amiss score`: causal, in order, the same every time, whatever form the table has."""

import csv
import gzip
import io
import os
import subprocess
import sys
from collections.abc import Sequence
from math import exp, isclose
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from amiss.data import Frame
from amiss.decide import budget
from amiss.errors import ConfigError
from amiss.evaluate import answer, joint, metrics, tables, text
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.digits import put
from amiss.evaluate.joint import Joint
from amiss.evaluate.metrics import Metrics
from amiss.evaluate.score import Report, outputs, score
from amiss.evaluate.tables import Table
from amiss.steps.judge import WARM, judge
from made import START, Chance

ROWS = 400
HEADER = "time,series,value,score,p,expected,lower,upper,alert"


def curves() -> dict[str, list[str]]:
    """Two curves as text, with an oddity, gaps, and no scale in common."""
    chance = Chance(5)
    cpu = [f"{x:.3f}" for x in 40 + chance.normal(ROWS)]
    cpu[300] = "97.5"
    cpu[7] = cpu[8] = ""
    return {"cpu": cpu, "bytes": [f"{x:.0f}" for x in 1e9 * chance.exponential(ROWS)]}


def write(path: Path, columns: dict[str, list[str]], rows: int = ROWS) -> Path:
    times = [str(START + 60 * n) for n in range(ROWS)]
    table = {"time": times} | columns
    lines = [",".join(table), *(",".join(row) for row in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines[: rows + 1]) + "\n")
    return path


def run(*inputs: Path, a_week: float = 1.0, history: Path | None = None, time: str = "time",
        by: Sequence[str] = ()) -> list[tuple[str, Report]]:  # fmt: skip
    """The text of each output, and what came of it."""
    tables = [Table(str(path)) for path in inputs]
    out = inputs[0].parent / "out"
    outs = outputs(tables, f"{out}/")
    past = Table(str(history)) if history else None
    reports = list(score(tables, outs, Asked(time, tuple(by)), Metrics(a_week), past))
    return [(out_of(path), report) for path, report in zip(outs, reports, strict=True)]


def out_of(path: Path | None) -> str:
    assert path is not None
    return path.read_text(encoding="utf-8")


def of(said: str, series: str) -> list[dict[str, str]]:
    return [row for row in csv.DictReader(io.StringIO(said)) if row["series"] == series]


def refusal(path: Path, **asked: object) -> str:
    with pytest.raises(ConfigError) as caught:
        run(path, **asked)  # type: ignore[arg-type]
    assert not list(path.parent.glob("out/*")), "nothing is left of what failed"
    return str(caught.value).removeprefix(f"{path}: ")


def test_each_row_and_column_comes_back_in_order_with_what_was_read(tmp_path: Path) -> None:
    columns = curves()
    [(said, report)] = run(write(tmp_path / "a.csv", columns))
    lines = said.splitlines()
    assert lines[0] == HEADER
    assert [line.split(",")[1] for line in lines[1:5]] == ["cpu", "bytes", "cpu", "bytes"]
    for name, values in columns.items():
        rows = of(said, name)
        assert [row["time"] for row in rows] == [str(START + 60 * n) for n in range(ROWS)]
        assert [float(r["value"]) for r in rows if r["value"]] == [float(v) for v in values if v]
        assert [row["value"] == "" for row in rows] == [value == "" for value in values]
    assert (report.rows, report.samples, report.series) == (ROWS, 2 * ROWS, {"cpu", "bytes"})


def test_it_is_the_live_step_on_the_whole_table(tmp_path: Path) -> None:
    columns = curves()
    [(said, report)] = run(write(tmp_path / "a.csv", columns))
    time = (START + 60 * np.arange(ROWS)) * 10**9
    value = np.array([[float(v or "nan") for v in row] for row in columns.values()]).T
    frame = Frame(time, tuple(columns), ("value",), value[:, :, None])
    _, opinion = judge(Metrics(1.0).detectors, {}, frame)
    alerts = np.zeros(value.shape, np.bool_)
    for s in range(2):  # what comes before the series is warm counts, but silences nothing
        warm = int(np.argmax(opinion.before[:, s] == WARM))
        state = budget.init(1)
        for part in (slice(0, warm), slice(warm, None)):
            state["last"][:] = budget.init(1)["last"]
            scores, interval = (
                opinion.scores.values[part, s : s + 1],
                opinion.interval[part, s : s + 1],
            )
            state, told = budget.ration(state, time[part], scores, interval, 1.0)
            alerts[part, s] = told[:, 0] & (part.start > 0)
    for s, name in enumerate(columns):
        for t, row in enumerate(of(said, name)):
            nats = opinion.scores.values[t, s]
            assert row["alert"] == str(int(alerts[t, s]))
            if not np.isfinite(nats):
                assert (row["score"], row["p"], row["expected"]) == ("", "", "")
                continue
            assert isclose(float(row["score"]), nats, rel_tol=1e-6, abs_tol=1e-12)
            assert isclose(float(row["p"]), exp(-max(nats, 0.0)), rel_tol=1e-5)
            for band in ("expected", "lower", "upper"):
                wanted = getattr(opinion.scores, band)[t, s, 0]
                said_of_it = float(row[band]) if row[band] else np.nan
                assert np.isclose(said_of_it, wanted, rtol=1e-11, equal_nan=True)
    assert report.alerts == alerts.sum() > 0
    assert of(said, "cpu")[300]["alert"] == "1"


@pytest.mark.parametrize("rows", [1, 96, 301, 399])
def test_a_table_cut_short_gives_the_same_rows(tmp_path: Path, rows: int) -> None:
    [(whole, _)] = run(write(tmp_path / "a.csv", curves()))
    [(part, _)] = run(write(tmp_path / "a.csv", curves(), rows))
    assert whole.startswith(part)
    assert part.count("\n") == 1 + 2 * rows


def test_the_size_of_the_pieces_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.csv", curves())
    [(whole, _)] = run(path)
    [(again, _)] = run(path)
    assert again == whole
    monkeypatch.setattr(text, "BLOCK", 200)
    monkeypatch.setattr(metrics, "BLOCK", 7)
    monkeypatch.setattr(metrics, "LEAST", 1)
    monkeypatch.setattr(answer, "LINES", 5)
    [(pieces, _)] = run(path)
    assert pieces == whole


def test_nor_where_rows_belong_to_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"web-{n % 7}" for n in range(ROWS)]
    path = write(tmp_path / "a.csv", curves() | {"host": names})
    [(whole, report)] = run(path, by=["host"])
    assert len(report.series) == 14
    monkeypatch.setattr(text, "BLOCK", 200)
    monkeypatch.setattr(tables, "GATHERED", 50)
    [(pieces, _)] = run(path, by=["host"])
    assert pieces == whole


def test_a_series_is_the_same_alone_in_another_order_and_beside_other_files(
    tmp_path: Path,
) -> None:
    columns = curves()
    [(both, _)] = run(write(tmp_path / "a.csv", columns))
    turned = write(tmp_path / "b.csv", dict(reversed(columns.items())))
    alone = write(tmp_path / "c.csv", {"bytes": columns["bytes"]})
    (other, _), (single, _) = run(turned, alone)
    assert of(both, "cpu") == of(other, "cpu")
    assert of(both, "bytes") == of(other, "bytes") == of(single, "bytes")


def test_the_form_of_the_table_does_not_matter(tmp_path: Path) -> None:
    columns = curves()
    plain = write(tmp_path / "a.csv", columns)
    [(wanted, _)] = run(plain)
    packed = tmp_path / "b.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    windows = tmp_path / "w.csv"
    windows.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n"))
    tabs = tmp_path / "t.csv"
    tabs.write_bytes(plain.read_bytes().replace(b",", b"\t"))
    rows = list(csv.DictReader(io.StringIO(plain.read_text())))
    lines = tmp_path / "l.jsonl"
    lines.write_text(
        "\n".join(
            "{" + ", ".join(f'"{k}": {v or "null"}' for k, v in row.items()) + ', "x": {}}'
            for row in rows
        )
    )
    table = {"time": pa.array([int(row["time"]) for row in rows])}
    for name in columns:
        table[name] = pa.array([float(row[name]) if row[name] else None for row in rows])
    parquet.write_table(pa.table(table), tmp_path / "p.parquet", row_group_size=50)
    for said, _ in run(packed, windows, tabs, lines, tmp_path / "p.parquet"):
        assert said == wanted


def test_times_may_be_written_in_several_ways(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.csv", {"x": curves()["bytes"]})
    [(wanted, _)] = run(plain)
    moments = np.datetime_as_string((START + 60 * np.arange(ROWS)).astype("datetime64[s]"))
    for form in ("{}Z", "{}", "{}+00:00", "{}.000"):
        lines = plain.read_text().splitlines()[1:]
        said = [f"{form.format(at)},{line.partition(',')[2]}" for at, line in
                zip(moments, lines, strict=True)]  # fmt: skip
        path = tmp_path / "b.csv"
        path.write_text("\n".join(["time,x", *said]))
        [(found, _)] = run(path)
        assert [row["time"] for row in of(found, "x")] == [form.format(at) for at in moments]
        rest = [[line.partition(",")[2] for line in text.splitlines()] for text in (found, wanted)]
        assert rest[0] == rest[1]


def test_parquet_may_hold_timestamps(tmp_path: Path) -> None:
    seconds = pa.array([START], pa.int64()).cast(pa.timestamp("s"))
    for zone in (None, "Europe/Berlin"):
        time = seconds.cast(pa.timestamp("ms", zone))
        parquet.write_table(pa.table({"time": time, "x": [1.0]}), tmp_path / "a.parquet")
        [(found, _)] = run(tmp_path / "a.parquet")
        assert of(found, "x")[0]["time"] == "2023-11-14T22:13:20.000Z"


def test_equal_and_backward_times_are_no_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "time,x\n" + "".join(f"{START + n // 3 - 40 * (n > 50)},{n % 7}\n" for n in range(99))
    )
    [(said, _)] = run(path)
    assert len(of(said, "x")) == 99


def test_after_a_history_it_goes_on_as_if_it_had_gone_on(tmp_path: Path) -> None:
    [(whole, _)] = run(write(tmp_path / "a.csv", curves()))
    lines = (tmp_path / "a.csv").read_text().splitlines(keepends=True)
    (tmp_path / "past.csv").write_text("".join(lines[:201]))
    (tmp_path / "b.csv").write_text("".join([lines[0], *lines[201:]]))
    (tmp_path / "c.csv").write_text("".join([lines[0], *lines[201:]]))
    found = run(tmp_path / "b.csv", tmp_path / "c.csv", history=tmp_path / "past.csv")
    assert [said.splitlines()[1:] for said, _ in found] == [whole.splitlines()[401:]] * 2


def test_a_history_may_have_other_columns(tmp_path: Path) -> None:
    columns = curves()
    past = write(tmp_path / "past.csv", {"gone": columns["bytes"], "cpu": columns["cpu"]})
    both = write(tmp_path / "a.csv", columns)
    alone = write(tmp_path / "b.csv", {"cpu": columns["cpu"]})
    (with_new, _), (without, _) = run(both, alone, history=past)
    assert of(with_new, "cpu") == of(without, "cpu")
    [(fresh, _)] = run(write(tmp_path / "c.csv", {"bytes": columns["bytes"]}))
    assert of(with_new, "bytes") == of(fresh, "bytes")


def test_a_column_may_say_whose_the_numbers_are(tmp_path: Path) -> None:
    columns = curves()
    names = ["web-1", "web-2"]
    lines = ["host,time,load,disk"]
    for n in range(ROWS):  # in turns, but for a stretch
        for s in range(2) if n % 5 else (1, 0):
            lines.append(f"{names[s]},{START + 60 * n},{list(columns.values())[s][n]},{n % 3}")
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    [(said, report)] = run(path, by=["host"])
    assert report.series == {f'{c}{{host="{h}"}}' for c in ("load", "disk") for h in names}
    for name, values in zip(names, columns.values(), strict=True):
        [(alone, _)] = run(write(tmp_path / "b.csv", {"load": values}))
        assert [{**row, "series": "load"} for row in of(said, f'load{{host="{name}"}}')] == of(
            alone, "load"
        )


def test_names_are_quoted_where_need_be(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('time,"größe, 温度","a""b"\n60,1,2\n')
    [(said, _)] = run(path)
    assert [row["series"] for row in csv.DictReader(io.StringIO(said))] == ["größe, 温度", 'a"b']


def test_cells_that_are_no_numbers_are_missing_and_counted(tmp_path: Path) -> None:
    cells = ["1", " 2 ", "oops", "", "nan", "NA", "1e999", "-inf", "null", "n/a?", "+3e0", ".5"]
    path = tmp_path / "a.csv"
    path.write_text("time,x,who\n" + "".join(f"{60 * n},{c},me\n" for n, c in enumerate(cells)))
    [(said, report)] = run(path)
    assert [row["value"] for row in of(said, "x")] == ["1", "2", *[""] * 8, "3", "0.5"]
    assert [row["score"] == "" for row in of(said, "x")] == [False] * 2 + [True] * 8 + [False] * 2
    assert list(report.notes.sentences()) == [
        "left out, as they hold no numbers: 'who'",
        "'x': 3 cells are no number (the first in row 3) and counted as missing",
    ]


def test_more_budget_more_alerts(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", curves())
    counts = [run(path, a_week=a_week)[0][1].alerts for a_week in (0.01, 1.0, 700.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty; a line with the names of the columns is needed"),
        (b"\n\n", "it is empty; a line with the names of the columns is needed"),
        (
            b"when,x\n1,2\n",
            "there is no column 'time' (there is 'when', 'x'); name another one with --time",
        ),
        (b"time,x,x\n1,2,3\n", "two columns are called 'x'"),
        (b"time\n1\n", "there is no numeric column beside 'time'"),
        (b"time,x\n1,a\n2,b\n", "there is no numeric column beside 'time'"),
        (b"time,x\n1,2\n3\n", "row 2 has 1 columns, where the header has 2"),
        (b"time,x\n1,2\n3,4,5\n", "row 2 has 3 columns, where the header has 2"),
        (b"time,x\n1,2\n,3\n", "row 2: the time is empty"),
        (
            b"time,x\n1,2\nyesterday,3\n",
            "row 2: the time 'yesterday' is neither Unix seconds nor ISO 8601, "
            "such as 2026-03-07T14:02:10Z",
        ),
        (
            b"time,x\n1,2\n2026-03-07T14:02:10Z,3\n",
            "row 2: the time '2026-03-07T14:02:10Z' is not written like the ones before it",
        ),
        (
            b"time,x\n1,2\n1700000000000,3\n",
            "row 2: the time 1700000000000 is not between the years 1678 and 2261 "
            "(time is read as Unix seconds)",
        ),
        (b"time,x\n1,\xff\n", "row 1: 'x' is not text in UTF-8"),
        (
            b"time,x\n1,2\n2," + b"x" * 2**21 + b"\n3,4\n",
            "a row is longer than 1,048,576 bytes, or a quotation mark is not closed",
        ),
        (b"\xff\xfet\0i\0", "its first line is not text in UTF-8"),
        (b"time,x\r1,2\r3,4\r", r"its lines end with \r alone; write them with \n"),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert refusal(path) == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[1]\n", "row 1 is not a JSON object"),
        (b'{"time": 1, "x": 2}\n{\n', "row 2 is not JSON: unexpected end of data"),
        (b'{"time": 1, "x": 2}\n{"time": "a", "x": 1}\n',
         "row 2: Column(/time) changed from number to string"),
        (b'{"x": 2}\n', "there is no column 'time' (there is 'x'); name another one with --time"),
    ],
)  # fmt: skip
def test_json_that_makes_no_sense_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    assert refusal(path) == said


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "no.csv") == "cannot be read: No such file or directory"
    (tmp_path / "b.csv.gz").write_bytes(b"time,x\n1,2\n")
    assert refusal(tmp_path / "b.csv.gz") == "cannot be read: not a gzipped file (b'ti')"
    whole = gzip.compress(b"time,x\n" + b"1,2\n" * 999)
    (tmp_path / "c.csv.gz").write_bytes(whole[:-9])
    assert refusal(tmp_path / "c.csv.gz").startswith("it is damaged: ")
    (tmp_path / "c.csv.gz").write_bytes(whole[:20] + b"????" + whole[24:])
    assert refusal(tmp_path / "c.csv.gz").startswith("it is damaged: ")
    (tmp_path / "d.parquet").write_bytes(b"PAR1")
    assert "arquet" in refusal(tmp_path / "d.parquet")
    assert refusal(write(tmp_path / "e.csv", curves()), by=["host"]).startswith(
        "there is no column 'host'"
    )


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.parquet"])
def test_how_far_it_is(tmp_path: Path, name: str) -> None:
    path, heard = tmp_path / name, list[int]()
    rows = [(60 * n, n % 7) for n in range(200_000)]
    if name.endswith("jsonl"):
        path.write_text("".join(f'{{"time":{t},"x":{x}}}\n' for t, x in rows))
    elif name.endswith("parquet"):
        parquet.write_table(
            pa.table({"time": [t for t, _ in rows], "x": [x for _, x in rows]}), path
        )
    else:
        text = "time,x\n" + "".join(f"{t},{x}\n" for t, x in rows)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    for _ in Table(str(path)).pieces(Asked(), Notes(), heard.append):
        pass
    assert len(heard) > 1
    assert 0.9 < sum(heard) / path.stat().st_size < 1.6


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,x")
    (tmp_path / "b.jsonl").write_text("\n")
    assert [said for said, _ in run(tmp_path / "a.csv", tmp_path / "b.jsonl")] == [
        f"{HEADER}\n"
    ] * 2


def test_where_the_scores_go(tmp_path: Path) -> None:
    def where(out: str, *names: str) -> list[Path | None]:
        return outputs([Table(str(tmp_path / name)) for name in names], out)

    folder = tmp_path / "new" / "folder"
    assert where(str(folder), "a.csv", "b.jsonl.gz") == [folder / "a.csv", folder / "b.csv"]
    assert folder.is_dir()
    assert where(str(tmp_path / "x.csv"), "a.csv") == [tmp_path / "x.csv"]
    assert where("-", "a.csv") == [None]
    (tmp_path / "a.csv").touch()
    for out, names, said in (
        ("-", ("a.csv", "b.csv"), "--out -: several inputs need a folder"),
        (str(tmp_path), ("a.csv",), "scores would be written over it"),
        (f"{tmp_path}/o/", ("a.csv", "x/a.csv"), "another input is to be written"),
        (str(tmp_path / "a.csv" / "o"), ("b.csv",), "cannot be made: Not a directory"),
    ):
        with pytest.raises(ConfigError, match=said):
            where(out, *names)


def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    [table] = [Table(str(write(tmp_path / "a.csv", curves())))]
    pipe = tmp_path / "scores"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reading:
        list(score([table], outputs([table], str(pipe)), Asked("time"), Metrics(1.0)))
        said = reading.communicate()[0].decode()
    assert said.count("\n") == 1 + 2 * ROWS
    assert pipe.is_fifo(), "no file took its place"
    assert outputs([table], os.devnull) == [Path(os.devnull)]


def test_names_to_blame_are_quoted_where_need_be(tmp_path: Path) -> None:
    path, _ = system(tmp_path, "a.csv")
    path.write_text(path.read_text().replace("time,a,b,c,d", 'time,a,"b, of all",c,d', 1))
    told = [row for row in together(path) if row["alert"] == "1"]
    assert any(row["blame"].startswith("b, of all;") for row in told)


def test_scores_never_replace_the_history(tmp_path: Path) -> None:
    (tmp_path / "old.csv").touch()
    new, old = Table(str(tmp_path / "new.csv")), Table(str(tmp_path / "old.csv"))
    with pytest.raises(ConfigError, match=r"old\.csv: scores would be written over it"):
        outputs([new], str(tmp_path / "old.csv"), old)


def test_a_group_may_be_called_anything(tmp_path: Path) -> None:
    """NA is North America, and only an empty cell is none."""
    names = ["NA", "null", "NaN", "", "EU"]
    path = tmp_path / "a.csv"
    path.write_text("time,region,x\n" + "".join(f"60,{name},1\n" for name in names))
    [(said, _)] = run(path, by=("region",))
    wanted = {"x", *(f'x{{region="{name}"}}' for name in names if name)}
    assert {row["series"] for row in csv.DictReader(io.StringIO(said))} == wanted


def test_a_field_of_json_may_be_true_or_false(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"time": 1, "x": 1, "canary": true}\n{"time": 2, "x": 1, "canary": false}\n')
    [(said, _)] = run(path, by=("canary",))
    assert {row["series"] for row in csv.DictReader(io.StringIO(said))} == {
        'x{canary="true"}',
        'x{canary="false"}',
    }
    path.write_text('{"time": 1, "x": 1, "canary": {}}\n')
    with pytest.raises(ConfigError, match="there is no column 'canary'"):
        run(path, by=("canary",))


def together(path: Path, **asked: object) -> list[dict[str, str]]:
    """What `--as joint` says of a table."""
    out = path.parent / "joint" / path.name
    out.parent.mkdir(exist_ok=True)
    list(score([Table(str(path))], [out], Asked(), Joint(7.0), **asked))
    return list(csv.DictReader(io.StringIO(out.read_text())))


def system(tmp_path: Path, name: str, rows: int = 3000) -> tuple[Path, np.ndarray]:
    """Four metrics that go together, but for one moment of two of them."""
    rng = np.random.default_rng(5)
    base = np.sin(2 * np.pi * np.arange(rows) / 288)
    x = base[:, None] * [1, 2, -1, 0.5] + 0.1 * rng.normal(size=(rows, 4)) + [0, 10, 100, 1e6]
    x[2500:2504, 1] = 10 + 4.0
    x[100, :2] = np.nan
    cells = [["" if np.isnan(v) else f"{v:.6f}" for v in column] for column in x.T]
    lines = ["time,a,b,c,d"]
    lines += [f"{START + 300 * t}," + ",".join(c[t] for c in cells) for t in range(rows)]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path, x


def test_a_system_is_judged_as_a_whole(tmp_path: Path) -> None:
    path, _ = system(tmp_path, "a.csv")
    rows = together(path)
    assert list(rows[0]) == ["time", "score", "p", "alert", "blame"]
    assert len(rows) == 3000
    scores = np.array([float(row["score"] or "nan") for row in rows])
    assert scores[2500:2510].max() > np.nanquantile(scores, 0.999)
    told = [t for t, row in enumerate(rows) if row["alert"] == "1"]
    [found] = [t for t in told if 2500 <= t < 2504]
    assert rows[found]["blame"].startswith("b")
    assert len(told) <= 12  # days, at one a day
    for row in rows:
        assert (row["score"] == "") == (row["p"] == "")


def test_a_system_is_judged_by_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut short, in other pieces, or with the first half as history: the same rows."""
    path, _ = system(tmp_path, "a.csv")
    whole = together(path)
    lines = path.read_text().splitlines()
    short = tmp_path / "short.csv"
    short.write_text("\n".join(lines[:2601]) + "\n")
    assert together(short) == whole[:2600]
    monkeypatch.setattr(joint, "ROWS", 77)
    assert together(path) == whole
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("\n".join(lines[:1501]) + "\n")
    second.write_text("\n".join([lines[0], *lines[1501:]]) + "\n")
    assert together(second, history=Table(str(first))) == whole[1500:]


def test_the_order_of_columns_does_not_matter_to_a_system(tmp_path: Path) -> None:
    path, _ = system(tmp_path, "a.csv", 1000)
    turned = tmp_path / "turned.csv"
    cells = [line.split(",") for line in path.read_text().splitlines()]
    turned.write_text("\n".join(",".join([c[0], *c[:0:-1]]) for c in cells) + "\n")
    for left, right in zip(together(path), together(turned), strict=True):
        assert (left["score"], left["alert"]) == (right["score"], right["alert"])


def test_a_full_disk_gets_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", curves())
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".a.csv.part").symlink_to("/dev/full")
    with pytest.raises(ConfigError, match=r"a\.csv: cannot be written: No space left on device"):
        run(path)


def test_scoring_imports_no_heavy_library(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from amiss.evaluate.score import *;"
        "from amiss.evaluate.metrics import Metrics;"
        "list(score([Table(sys.argv[1])], [Path(sys.argv[2])], Asked(), Metrics(1.0)));"
        "print(*sorted({'pandas', 'sklearn', 'scipy', 'streamlit', 'sqlalchemy'} & {*sys.modules}))"
    )
    path = write(tmp_path / "a.csv", curves())
    command = [sys.executable, "-c", code, str(path), str(tmp_path / "o.csv")]
    assert subprocess.run(command, check=True, capture_output=True).stdout == b"\n"


def digits(x: float, count: int) -> str:
    out = np.zeros(40, np.uint8)
    end = put(out, 0, x, count)
    return bytes(out[:end]).decode()


def test_numbers_are_short() -> None:
    for x, said in {
        0.0: "0", 97.2: "97.2", -3.0: "-3", 0.1: "0.1", 1e15: "1000000000000000",
        1e16: "1e16", 1.7e-9: "1.7e-09", 0.00012: "0.00012", 1e308: "1e308",
        1700000123456.0: "1700000123456", 9.999999999999999e22: "1e23",
    }.items():  # fmt: skip
        assert digits(x, 15) == said
    assert digits(-0.0, 15) == "0"
    assert digits(float("nan"), 15) == digits(float("-inf"), 15) == ""
    assert (digits(2 / 3, 6), digits(999999.9, 6)) == ("0.666667", "1000000")


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 15))
def test_numbers_are_what_they_were(x: float, count: int) -> None:
    said = float(digits(x, count) or "nan") if abs(x) < 1e308 else x
    assert isclose(said, x, rel_tol=max(0.5 * 10.0 ** (1 - count), 1.1e-14), abs_tol=5e-324)


@given(st.integers(-(10**14) + 1, 10**14 - 1), st.integers(-30, 30))
def test_what_was_written_with_fourteen_digits_is_written_so_again(n: int, power: int) -> None:
    assert float(digits(float(f"{n}e{power}"), 15)) == float(f"{n}e{power}")

"""`amiss score --as events`: causal, in order, explained, the same however the rows come."""

import csv
import gzip
import io
from math import exp, isclose
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pytest
from pyarrow import parquet

from amiss.errors import ConfigError
from amiss.evaluate import text
from amiss.evaluate.columns import Asked
from amiss.evaluate.events import Events
from amiss.evaluate.score import Report, outputs, score
from amiss.evaluate.tables import Table
from made import Chance

ROWS, ODD = 700, 620
Columns = dict[str, list[str]]


def flows(rows: int = ROWS, seed: int = 3) -> Columns:
    """Flows whose bytes go with their packets, and a service for each; one row is odd."""
    chance = Chance(seed)
    packets = np.exp(2.0 + chance.normal(rows))
    size = 500.0 * packets * np.exp(0.1 * chance.normal(rows))
    service = np.array(["http", "dns", "ssh"])[np.minimum(chance.uniform(rows) * 4, 2).astype(int)]
    columns = {
        "packets": [f"{x:.2f}" for x in packets],
        "bytes": [f"{x:.0f}" for x in size],
        "service": service.tolist(),
    }
    if rows > ODD:
        columns["service"][ODD], columns["bytes"][ODD] = "telnet", "7"
    return columns


def write(path: Path, columns: Columns, rows: int | None = None) -> Path:
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines if rows is None else lines[: rows + 1]) + "\n")
    return path


def run(*inputs: Path, history: Path | None = None, a_row: float | None = None) -> list[str]:
    """The text of each output."""
    return [said for said, _ in reports(*inputs, history=history, a_row=a_row)]


def reports(
    *inputs: Path, history: Path | None = None, a_row: float | None = None
) -> list[tuple[str, Report]]:
    tables = [Table(str(path)) for path in inputs]
    past = Table(str(history)) if history else None
    outs = outputs(tables, f"{inputs[0].parent / 'out'}/", past)
    found = list(score(tables, outs, Asked(None), Events(a_row), past))
    return [(out.read_text(), one) for out, one in zip(outs, found, strict=True) if out is not None]


def table(said: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(said)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    [said] = run(write(tmp_path_factory.mktemp("whole") / "a.csv", flows()))
    return said


def test_each_row_comes_back_with_its_number_and_an_honest_p(whole: str) -> None:
    rows = table(whole)
    assert whole.startswith("row,score,p,alert,blame\n")
    assert [row["row"] for row in rows] == [str(n + 1) for n in range(ROWS)]
    assert all(row["score"] == row["p"] == "" and row["alert"] == "0" for row in rows[:64])
    for row in rows[64:]:
        assert isclose(float(row["p"]), exp(-float(row["score"])), rel_tol=1e-6)
        assert row["alert"] in "01"
        assert bool(row["blame"]) == (row["alert"] == "1")


def test_what_is_odd_alerts_and_its_columns_are_to_blame(whole: str) -> None:
    rows = table(whole)
    odd = rows.pop(ODD)
    assert odd["alert"] == "1"
    assert set(odd["blame"].split(";")[:2]) == {"service", "bytes"}
    assert float(odd["score"]) >= max(float(row["score"]) for row in rows[300:])
    assert sum(row["alert"] == "1" for row in rows[300:]) <= 12


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 256, 300, 511, 512, 513, 699])
def test_a_table_cut_short_gives_the_same_rows(tmp_path: Path, whole: str, rows: int) -> None:
    [part] = run(write(tmp_path / "a.csv", flows(), rows))
    assert whole.startswith(part)
    assert part.count("\n") == 1 + rows


def test_the_size_of_the_pieces_does_not_matter(
    tmp_path: Path, whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text, "BLOCK", 1 << 7)
    [said] = run(write(tmp_path / "a.csv", flows()))
    assert said == whole


def test_the_order_of_the_columns_does_not_matter(tmp_path: Path, whole: str) -> None:
    [said] = run(write(tmp_path / "a.csv", dict(reversed(flows().items()))))
    assert said == whole


def test_inputs_are_independent_and_each_starts_after_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    past, a = write(tmp_path / "past.csv", flows(400, 8)), write(tmp_path / "a.csv", flows())
    b = write(tmp_path / "b.csv", flows(300, 9))
    both = run(a, b, history=past)
    assert both == [*run(a, history=past), *run(b, history=past)]
    assert table(both[0])[0]["score"] != ""
    monkeypatch.setattr(text, "BLOCK", 1 << 9)
    assert both == run(a, b, history=past), "nor does it matter how the history comes in pieces"


def test_a_short_history_is_a_beginning(tmp_path: Path) -> None:
    past, a = write(tmp_path / "past.csv", flows(20, 8)), write(tmp_path / "a.csv", flows())
    rows = table(run(a, history=past)[0])
    assert [row["score"] != "" for row in rows[43:45]] == [False, True]


def test_other_forms_of_the_same_table(tmp_path: Path, whole: str) -> None:
    columns = flows()
    packed, lines, file = (tmp_path / name for name in ("a.csv.gz", "b.jsonl", "c.parquet"))
    packed.write_bytes(gzip.compress(write(tmp_path / "a.csv", columns).read_bytes()))
    typed = {k: v if k == "service" else [float(x) for x in v] for k, v in columns.items()}
    rows = [dict(zip(typed, row, strict=True)) for row in zip(*typed.values(), strict=True)]
    lines.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    parquet.write_table(pa.table(typed), file)
    assert run(packed, lines, file) == [whole] * 3


def test_with_a_budget_alerts_are_rationed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", flows(3000))
    [(said, report)] = reports(path, a_row=0.01)
    assert 10 <= report.alerts <= 40
    assert table(said)[ODD]["alert"] == "1"
    assert all(bool(row["blame"]) == (row["alert"] == "1") for row in table(said))


def test_odd_cells_are_no_errors(tmp_path: Path) -> None:
    columns = flows()
    for row, value in enumerate(["", "inf", "-inf", "nan", "1e308", "-1e308", "lots", "1e-320"]):
        columns["bytes"][400 + 10 * row] = value
    columns["service"][450], columns["service"][460] = "", "😀" * 99
    columns["nothing"] = [""] * ROWS
    columns["one"] = ["1"] * ROWS
    columns["own"] = [f"u{n}" for n in range(ROWS)]
    [(said, report)] = reports(write(tmp_path / "a.csv", columns))
    rows = table(said)
    assert len(rows) == ROWS
    assert all(np.isfinite(float(row["score"])) for row in rows[64:])
    assert max(rows[500:], key=lambda row: float(row["score"])) == rows[ODD]
    silent, cells = report.notes.sentences()
    assert silent == "not judged, as they only grow, or are hardly ever the same twice: 'own'"
    assert cells.startswith("'bytes': 3 cells are no number")


def test_columns_that_say_which_row_it_is_change_no_opinion(tmp_path: Path) -> None:
    """A number and a clock of rows, and names that never come twice: all new rows are beyond."""
    columns, past = flows(), flows(1000, 8)
    plain = run(write(tmp_path / "a.csv", columns), history=write(tmp_path / "p.csv", past))
    for which, first in ((past, 0), (columns, 1000)):
        rows = range(first, first + len(which["bytes"]))
        which["id"] = [str(n) for n in rows]
        which["time"] = [f"{1.7e9 + 0.7 * n:.1f}" for n in rows]
        which["session"] = [f"s{n}" for n in rows]
    said = run(write(tmp_path / "b.csv", columns), history=write(tmp_path / "q.csv", past))
    before, after = (
        np.array([float(row["score"]) for row in table(each[0])]) for each in (plain, said)
    )
    assert after[ODD] == after.max()
    assert np.corrcoef(before, after)[0, 1] > 0.9
    assert np.quantile(after, 0.9) < np.quantile(before, 0.9) + 0.5


@pytest.mark.parametrize("kept", ["service", "bytes"])
def test_one_column_alone(tmp_path: Path, kept: str) -> None:
    [said] = run(write(tmp_path / "a.csv", {kept: flows()[kept]}))
    rows = table(said)
    best = max(float(row["score"]) for row in rows[300:])
    assert float(rows[ODD]["score"]) == best


def test_a_header_alone_gives_a_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("bytes,client\n")
    assert run(path) == ["row,score,p,alert,blame\n"]


def test_an_empty_line_of_one_column_is_a_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("bytes\n1\n\n2\n")
    assert [row["row"] for row in table(run(path)[0])] == ["1", "2", "3"]


def test_a_column_of_lists_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"x": [1.0], "l": [[1]]}), path)
    with pytest.raises(ConfigError, match=r"'l' is of type list<.*>, which cannot be read as text"):
        run(path)


def test_what_cannot_be_scored_is_refused(tmp_path: Path) -> None:
    past = write(tmp_path / "past.csv", flows())
    other = write(tmp_path / "b.csv", {"bytes": ["1"], "what": ["x"]})
    with pytest.raises(ConfigError) as caught:
        run(other, history=past)
    assert str(caught.value) == (
        f"{other}: there is no column 'packets', as there is in the history "
        "(there is 'bytes', 'what')"
    )
    wide = write(tmp_path / "c.csv", {f"x{n}": ["1"] for n in range(501)})
    with pytest.raises(ConfigError) as caught:
        run(wide)
    assert str(caught.value) == f"{wide}: it has 501 columns; events have between 1 and 500"


def test_columns_that_the_history_does_not_have_are_left_out(tmp_path: Path) -> None:
    past, a = write(tmp_path / "past.csv", flows(400, 8)), write(tmp_path / "a.csv", flows())
    more = write(tmp_path / "more.csv", flows() | {"new": ["x"] * ROWS})
    (plain, _), (said, report) = reports(a, more, history=past)
    assert said == plain
    assert list(report.notes.sentences()) == ["left out, as the history does not have them: 'new'"]

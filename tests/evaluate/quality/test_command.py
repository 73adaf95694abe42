"""`amiss benchmark quality` on a folder of sets in miniature."""

from pathlib import Path

import numpy as np
import pytest

from amiss.evaluate.quality import features, inputs, labelled
from amiss.evaluate.quality.baselines import BASELINES
from amiss.evaluate.quality.goals import GOALS, written
from amiss.evaluate.quality.run import MEASURES, chosen
from cli.calls import amiss
from evaluate.quality import sets

LAYER = " + layer"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sets.folder(tmp_path_factory.mktemp("data"))


def test_every_set_that_is_there_is_measured_and_the_others_are_named(data: Path) -> None:
    asked = ",".join(name for name in MEASURES if name != "speed")
    said = amiss("benchmark", "quality", "--data", data, "--only", asked, "--json").json
    figures = {figure["name"]: figure for figure in said["figures"]}
    assert sorted(said["left_out"]) == ["dirty.nslkdd", "kpi", "nslkdd", "smd"]
    assert said["left_out"]["kpi"] == "kpi is not there"

    found = figures["nab.theta6.standard"]
    assert found["floor"] == "68.5"
    assert found["value"] > 80.0  # a spike in each of two windows
    beside = {name + way for name in BASELINES for way in ("", LAYER)}
    assert set(found["beside"]) == beside
    assert found["value"] > found["beside"]["random"]

    assert figures["wsd.recall"]["value"] == 1.0
    assert 0.9 <= figures["wsd.band"]["value"] <= 1.0
    assert figures["asd.recall"]["value"] == 1.0
    assert figures["asd.blame"]["note"].startswith("of 1 explained events found")
    assert figures["templates.ga"]["value"] == 1.0
    assert figures["hdfs.ap"]["beside"]["flag-all"] == pytest.approx(3 / 60)
    assert figures["csic.roc"]["value"] > 0.9
    assert figures["unsw.ap"]["value"] > figures["unsw.ap"]["beside"]["random"]
    assert set(GOALS) - set(figures) == {
        name for name in GOALS if name.startswith(("kpi", "smd", "nslkdd", "dirty.nslkdd", "speed"))
    }

    costs = {(cost["set"], cost["method"]): cost for cost in said["costs"]}
    assert costs["nab", "Amiss"]["rows"] == 2 * sets.ROWS
    assert 1500 < costs["nab", "Amiss"]["state_bytes"] < 10_000  # of a series
    assert costs["asd", "Amiss"]["peak_mb"] > 1.0
    assert said["below_floor"] == [
        n for n, f in figures.items() if f.get("reached") == "below floor"
    ]


def test_a_person_gets_tables(data: Path) -> None:
    said = amiss("benchmark", "quality", "--data", data, "--only", "wsd,kpi")
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].split() == ["figure", "Amiss", "floor/target/stretch", "reached"]
    assert lines[1].split() == ["wsd.recall", "1.000", "0.85/0.91/0.95", "stretch"]
    beside = lines.index("beside it")
    assert lines[beside + 1].split()[:5] == ["figure", "Amiss", "random", "flag-all", "|diff|"]
    assert "with the calibration of Amiss around them" in lines
    assert "kpi: left out: kpi is not there" in lines
    assert max(map(len, lines)) < 80
    assert said.err.splitlines()[:2] == ["wsd: Amiss", "wsd: random"]


def test_what_is_quick_is_not_judged(data: Path) -> None:
    said = amiss("benchmark", "quality", "--data", data, "--only", "asd", "--quick", "--json").json
    assert {figure.get("reached", "") for figure in said["figures"]} == {"not judged", ""}


def test_strict_ends_with_1_below_a_floor(tmp_path: Path) -> None:
    sets.nab(tmp_path / "nab")
    labels = tmp_path / "nab" / "labels" / "combined_windows.json"
    text = labels.read_text()
    for good, bad in ((" 01:", " 02:"), ("01-03 ", "01-02 ")):  # windows where nothing is
        text = text.replace(good, bad)
    labels.write_text(text)
    words = ("benchmark", "quality", "--data", tmp_path, "--only", "nab")
    assert amiss(*words).code == 0
    assert amiss(*words, "--strict").code == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--only", "nab,cats"),
         f"--only: there is no measure 'cats'; known: {', '.join(MEASURES)}"),
        (("--data", "/no"), "--data: there is no folder /no"),
        ((), "{}: nothing was measured: it holds none of the data sets asked for"),
    ],
)  # fmt: skip
def test_wrong_calls(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    asked = () if "--only" in words else ("--only", "nab,hdfs")
    found = amiss("benchmark", "quality", "--data", tmp_path, *asked, *words)
    assert (found.code, found.err.splitlines()[-1]) == (2, said.format(tmp_path))


def test_a_set_that_is_laid_out_otherwise_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "wsd").mkdir()
    np.savez(tmp_path / "wsd" / "a.npz", time=np.arange(3))
    found = amiss("benchmark", "quality", "--data", tmp_path, "--only", "wsd")
    assert found.code == 2
    assert "it is not laid out as it should be" in found.err


def test_measures_come_in_their_own_order() -> None:
    assert chosen("kpi, nab") == ["nab", "kpi"]
    assert chosen("") == list(MEASURES)


def test_a_dirty_history_hides_attacks_that_no_test_has(data: Path) -> None:
    attack = labelled.flows(data).attack
    clean, dirty = labelled.parted(attack), labelled.parted(attack, dirt=labelled.DIRT)
    assert not attack[clean.history].any()
    assert attack[dirty.history].sum() == 3  # of 273
    for parted in (clean, dirty):
        assert len(parted.draws) == labelled.DRAWS
        for draw in parted.draws:
            assert attack[draw.rows].tolist() == draw.label.tolist()
            assert draw.label.mean() == pytest.approx(0.05, abs=0.005)
            assert not set(draw.rows) & set(parted.history)
        assert parted.draws[0].rows.tolist() != parted.draws[1].rows.tolist()


def test_half_of_the_blocks_are_history_and_stay_whole(data: Path) -> None:
    past, now, label = labelled.blocks(data)
    assert len(past) == len(now) == 123
    assert sum(label.values()) == 6
    counts = features.of_sessions([["a", "a", "b"]], [["a", "new", "new"]])
    assert np.expm1(counts) == pytest.approx(np.array([[2, 1, 0], [1, 0, 2]]))


def test_goals_are_written_as_ranges() -> None:
    assert written(GOALS["asd.ratio"].floor) == "<= 1.3"
    assert written(GOALS["nab.band"].floor) == "0.98-0.998"
    assert GOALS["asd.ratio"].reached(1.2) == "floor"
    assert GOALS["nab.band"].reached(0.9995) == "below floor"


def test_a_curve_without_events_is_read(tmp_path: Path) -> None:
    sets.nab(tmp_path / "nab")
    labels = tmp_path / "nab" / "labels" / "combined_windows.json"
    labels.write_text('{"other/b.csv": []}')
    [curve] = inputs.curves(tmp_path, "nab")
    assert (curve.events, curve.start, len(curve.time)) == ((), 135, sets.ROWS)

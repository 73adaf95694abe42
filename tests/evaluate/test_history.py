"""A labelled table becomes a model: read, fitted in a worker process, and asked about new rows."""

from pathlib import Path

import numpy as np
import pytest

from amiss.data import MINUTE, Frame
from amiss.detectors.classifier import Classifier
from amiss.errors import ConfigError, StateError
from amiss.evaluate.columns import Asked, Notes
from amiss.evaluate.history import history, systems
from amiss.evaluate.tables import Table
from amiss.run.fit import fit_apart
from amiss.steps.judge import name_of
from made import Chance

BEGIN = 28_333_333  # minutes since 1970


def written(path: Path, rows: int, suspicious: bool = True) -> Path:
    """Logins of a minute, failed ones, and whether somebody called it suspicious."""
    chance = Chance(1)
    lines = ["time,logins,failed,who,suspicious"]
    for k, (some, bad) in enumerate(zip(chance.normal(rows), chance.uniform(rows), strict=True)):
        called = suspicious and bad < 0.1
        failed = 5 + some + (10 if called else 0)
        lines.append(f"{60 * (BEGIN + k)},{100 + 5 * some:.2f},{failed:.2f},ann,{int(called)}")
    path.write_text("\n".join([lines[0], *lines[:0:-1]]) + "\n")  # the latest first
    return path


def test_columns_that_name_systems_make_several(tmp_path: Path) -> None:
    lines = ["time,load,host", "60,1,a", "0,2,b", "60,3,b", "120,4,a", "120,5,a"]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    found = systems(Table(str(tmp_path / "a.csv")), Asked("time", ("host",)), Notes())
    assert found.keys == ('host="a"', 'host="b"')
    assert found.time.tolist() == [0, MINUTE, 2 * MINUTE]
    rows = [[np.nan, 2.0], [1.0, 3.0], [5.0, np.nan]]  # the later of two at one time
    np.testing.assert_array_equal(found.column("load"), rows)


def test_the_columns_of_a_table_are_the_metrics_of_one_system(tmp_path: Path) -> None:
    notes = Notes()
    found = history(Table(str(written(tmp_path / "a.csv", 300))), Asked(), notes)
    assert found.features == ("logins", "failed", "suspicious")
    assert found.time.tolist() == [(BEGIN + k) * MINUTE for k in range(300)]
    assert set(found.values[:, 0, 2].tolist()) == {0.0, 1.0}
    assert notes.left_out == ("who",)


def test_a_classifier_learns_from_it_and_knows_the_next_ones(tmp_path: Path) -> None:
    past = history(Table(str(written(tmp_path / "a.csv", 600))), Asked(), Notes())
    detector = Classifier(label="suspicious")
    state = fit_apart(detector, {}, past).states[name_of(detector)]
    new = Frame(
        past.time[:2], ("system",), ("logins", "failed"), np.array([[[100.0, 5.0]], [[100, 15.0]]])
    )
    sure = detector.confidence(detector.step(state, new)[1].values[:, 0])
    assert sure[0] < 0.1 < 0.8 < sure[1]


def test_a_table_in_which_all_is_normal_is_refused(tmp_path: Path) -> None:
    past = history(Table(str(written(tmp_path / "a.csv", 50, False))), Asked(), Notes())
    with pytest.raises(StateError, match="of 50 samples with a label 0 are suspicious and 50"):
        fit_apart(Classifier(label="suspicious"), {}, past)


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        history(Table(str(tmp_path / "none.csv")), Asked(), Notes())

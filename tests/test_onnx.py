"""A network of another program: checked against the configuration, run alike everywhere."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto
from pydantic import ValidationError

from amiss.data import Floats, Frame, Records, State
from amiss.detectors.onnx import Onnx
from amiss.dropped import UNSAID
from amiss.fitting import fit
from amiss.pipeline import Pipeline
from amiss.run.fit import fit_apart
from cli.calls import amiss
from onnx_made import made_up, network, partial

METRICS = ("cpu", "memory")
CONFIG = """
pipelines:
  - name: made
    source: {{type: host, every: 5s}}
    features: {{type: grid, every: 5s}}
    detectors: [{{type: level}}, {{type: onnx, file: {}, metrics: [cpu, memory]{}}}]
"""


def frame(x: Floats, start: int = 0) -> Frame:
    time = (start + np.arange(len(x))) * 5 * 10**9
    return Frame(time, ('host="a"',), ("memory", "cpu"), x[:, None, ::-1].copy())


def fitted(detector: Onnx, history: Floats) -> State:
    return detector.fit(detector.init(1, 2), frame(history))


def said(detector: Onnx, history: Floats, x: Floats) -> tuple[Floats, Floats | None]:
    _, scores = detector.step(fitted(detector, history), frame(x, 1000))
    return scores.values[:, 0], scores.blame


@pytest.fixture
def x() -> Floats:
    return np.random.default_rng(0).normal(size=(40, 2)) * [1.0, 7.0] + [30.0, 50.0]


def test_its_own_score_is_taken_as_it_is(x: Floats) -> None:
    found, _ = said(Onnx(file=str(made_up("output", 2, 1)), metrics=METRICS), x, x)
    np.testing.assert_allclose(found, x.sum(axis=1), rtol=1e-6)


def test_the_error_of_a_forecast_is_the_score(x: Floats) -> None:
    detector = Onnx(
        file=str(made_up("forecast", 2, 3)), metrics=METRICS, window=3, score="forecast"
    )
    found, blame = said(detector, x, x)
    square = (x[3:] - x[2:-1]) ** 2
    assert np.isnan(found[:3]).all()
    np.testing.assert_allclose(found[3:], square.mean(axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(blame[3:, 0, ::-1], square / 2, rtol=1e-4, atol=1e-4)


def test_what_is_not_given_back_is_the_score_in_deviations_of_the_history(x: Floats) -> None:
    file = str(made_up("reconstruction", 2, 4))
    detector = Onnx(file=file, metrics=METRICS, window=4, score="reconstruction", standardise=True)
    history = np.random.default_rng(1).normal(size=(90, 2)) * [2.0, 5.0] + [30.0, 50.0]
    found, _ = said(detector, history, x)
    away = (x - history.mean(axis=0)) / history.std(axis=0)
    wanted = [(away[t - 3 : t + 1] ** 2).mean() / 4 for t in range(3, len(x))]
    np.testing.assert_allclose(found[3:], wanted, rtol=1e-5)


def test_what_is_missing_counts_as_its_mean_and_is_not_scored(x: Floats) -> None:
    detector = Onnx(
        file=str(made_up("forecast", 2, 1)), metrics=METRICS, window=1, score="forecast"
    )
    holes = x.copy()
    holes[7, 0] = np.nan
    found, blame = said(detector, x, holes)
    assert found[7] == pytest.approx((x[7, 1] - x[6, 1]) ** 2, rel=1e-3)
    assert np.isnan(blame[7, 0, 1])
    wanted = ((x[8, 0] - x[:, 0].mean()) ** 2 + (x[8, 1] - x[7, 1]) ** 2) / 2
    assert found[8] == pytest.approx(wanted, rel=1e-3)


def test_a_worker_takes_it_in_and_the_file_is_needed_no_more(x: Floats, tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(made_up("output", 2, 1).read_bytes())
    detector = Onnx(file=str(file), metrics=METRICS)
    assert detector.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    states = fit_apart(detector, {}, frame(x)).states
    file.unlink()
    state = next(state for name, state in states.items() if "." not in name)
    _, scores = detector.step(state, frame(x, 1000))
    np.testing.assert_allclose(scores.values[:, 0], x.sum(axis=1), rtol=1e-6)


def test_another_file_is_refused_or_another_detector(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(made_up("output", 2, 1).read_bytes())
    first = Onnx(file=str(file), metrics=METRICS)
    network(file, np.full((2, 1), 3.0), ("N", 2), (1, 1), TensorProto.DOUBLE)
    other = Onnx(file=str(file), metrics=METRICS)
    assert other.fingerprint != first.fingerprint
    with pytest.raises(ValidationError, match=r"net.onnx was changed: its SHA-256 is now"):
        Onnx(file=str(file), metrics=METRICS, sha256=first.sha256)


@pytest.mark.parametrize(
    ("made", "options", "complaint"),
    [
        ((2, 1), ", window: 3", "its input 'rows' has the shape (N, 1, 2); windows of 3 rows "),
        ((2, 1), ", score: reconstruction", "its output 'said' is of 1 numbers; with score: "),
        ((3, 1), "", "its input 'rows' has the shape (N, 1, 3); windows of 1 rows of 2 metrics"),
        ((2, 1), ", input: x", "it has no input 'x': rows"),
        (b"no network", "", "it is no network that can be run: "),
        (None, "", "detectors.1.file: {0} cannot be read: No such file or directory"),
        (None, f", sha256: '{'a' * 64}'", "detectors.1.file: {0} cannot be read: "),
        ("whole numbers", "", "its input 'rows' is tensor(int64); float or double is needed"),
    ],
)
def test_a_network_that_does_not_fit_is_one_sentence(tmp_path, made, options, complaint) -> None:
    file = tmp_path / "net.onnx"
    if isinstance(made, tuple):
        file.write_bytes(made_up("output", *made).read_bytes())
    elif isinstance(made, bytes):
        file.write_bytes(made)
    elif made:
        import onnx

        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("Identity", ["rows"], ["said"])], "made",
            [onnx.helper.make_tensor_value_info("rows", TensorProto.INT64, (1, 2))],
            [onnx.helper.make_tensor_value_info("said", TensorProto.INT64, (1, 2))],
        )  # fmt: skip
        opset = [onnx.helper.make_opsetid("", 17)]
        body = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
        file.write_bytes(body.SerializeToString())
    (tmp_path / "made.yaml").write_text(CONFIG.format(file, options))
    found = amiss("check", tmp_path / "made.yaml")
    assert (found.code, found.err.count("\n")) == (2, 1), found.err
    assert complaint.replace("{0}", str(file)) in found.err


def test_without_the_extra_there_is_one_sentence(tmp_path, monkeypatch) -> None:
    (tmp_path / "made.yaml").write_text(CONFIG.format(made_up("output", 2, 1), ""))
    monkeypatch.setattr("amiss.detecting.inference._ready", {})
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = amiss("check", tmp_path / "made.yaml")
    assert found.code == 2
    assert "onnxruntime is not installed; install amiss[onnx]" in found.err


def test_windows_that_it_fails_on_are_counted_with_a_reason_each_once(tmp_path: Path) -> None:
    """A lookup among three: 7 is none of them, so nothing is said of it."""
    file = str(partial(tmp_path / "lookup.onnx", "lookup"))
    made = Pipeline.model_validate(
        {
            "name": "made",
            "source": {"type": "host", "every": "5s"},
            "features": {"type": "grid", "every": "5s"},
            "detectors": [
                {"type": "level"},
                {"type": "onnx", "file": file, "metrics": ["load"]},
            ],
        }
    )
    detector = made.detectors[1]
    time = np.arange(8) * 5 * 10**9
    history = Frame(time, ('host="a"',), ("load",), np.ones((8, 1, 1)))
    states = made.init() | fit(detector, {}, history)
    counted = []
    for at, number in enumerate((1.0, 7.0, 7.0, 2.0, 7.0, 1.0)):
        when = np.array([10**12 + at * 5 * 10**9])
        labels = {"host": np.array(["a"])}
        one = Records(when, np.array(["load"]), np.array([number]), labels, watermark=int(when[0]))
        states, outcome = made.step(states, one)
        counted.append(outcome.skipped.get(UNSAID, 0))
    assert sum(counted) == 3 and max(counted) == 1

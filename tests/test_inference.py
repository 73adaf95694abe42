"""Networks on values that they were not made for, other bytes than were named, and the cache."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from amiss.data import Frame
from amiss.detecting import inference
from amiss.detectors.onnx import Onnx
from amiss.errors import StateError
from amiss.run.fit import fit_apart
from onnx_made import made_up, partial


def frame(x: list[list[float]]) -> Frame:
    time = np.arange(len(x)) * 5 * 10**9
    return Frame(time, ('host="a"',), ("cpu", "memory")[: len(x[0])], np.array(x)[:, None])


@pytest.mark.parametrize(
    ("what", "wanted"),
    [("lookup", [10.0, np.nan, 12.0, np.nan]), ("few", [0.0, np.nan, np.nan, np.nan])],
)
def test_a_window_that_it_cannot_be_run_on_has_no_score_and_the_others_have(
    tmp_path: Path, what: str, wanted: list[float]
) -> None:
    detector = Onnx(file=str(partial(tmp_path / "net.onnx", what)), metrics=("cpu",))
    x = frame([[0.0], [7.0], [2.0], [1e9]])
    _, scores = detector.step(detector.fit(detector.init(1, 1), x), x)
    np.testing.assert_array_equal(scores.values[:, 0], wanted)


@pytest.mark.parametrize("history", [1.0, 1e39])
def test_numbers_beyond_float32_are_the_largest_of_it(history: float) -> None:
    file = str(made_up("forecast", 2, 1))
    detector = Onnx(file=file, metrics=("cpu", "memory"), score="forecast")
    state = detector.fit(detector.init(1, 2), frame([[history, 2.0]] * 5))
    x = frame([[1.0, 2.0], [1e39, 2.0], [np.nan, 2.0], [1.0, 2.0]])
    _, scores = detector.step(state, x)
    assert scores.values[1, 0] == pytest.approx(9e76 / 2, rel=1e-6)
    assert np.isfinite(scores.values[1:, 0]).all()


def test_other_bytes_than_those_of_the_checksum_are_refused() -> None:
    body, _ = inference.read(str(made_up("output", 2, 1)))
    other = hashlib.sha256(b"another").hexdigest()
    with pytest.raises(ValueError, match=f"it is not the network of the SHA-256 {other}"):
        inference.network(body, other, 1, 2, ("", ""))


def test_what_was_asked_for_last_stays_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amiss.detecting.inference._ready", {})
    monkeypatch.setattr("amiss.detecting.inference.HELD", 2)

    def ready(metrics: int) -> inference.Network:
        body, digest = inference.read(str(made_up("output", metrics, 1)))
        return inference.network(body, digest, 1, metrics, ("", ""))

    first, second = ready(1), ready(2)
    assert ready(1) is first
    ready(3)
    assert ready(1) is first
    assert ready(2) is not second


def test_fitting_without_the_file_or_with_another_is_one_clear_sentence(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(made_up("output", 2, 1).read_bytes())
    detector = Onnx(file=str(file), metrics=("cpu", "memory"))
    x = frame([[1.0, 2.0], [3.0, 4.0]] * 9)
    body = made_up("output", 2, 2).read_bytes()
    file.write_bytes(body)
    digest = hashlib.sha256(body).hexdigest()
    with pytest.raises(StateError) as told:
        fit_apart(detector, {}, x)
    changed = f"nothing to fit: {file} was changed: its SHA-256 is now {digest}"
    assert str(told.value) == f"fitting failed: {changed}"
    file.unlink()
    with pytest.raises(StateError) as told:
        fit_apart(detector, {}, x)
    missing = f"nothing to fit: {file} cannot be read: No such file or directory"
    assert str(told.value) == f"fitting failed: {missing}"

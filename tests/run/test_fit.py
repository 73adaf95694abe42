"""Models are fitted in a process of their own, which ends."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from amiss.data import Frame
from amiss.detectors.aer import Aer
from amiss.detectors.autoencoder import Autoencoder
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.linear_regression import LinearRegression
from amiss.detectors.lstm import Lstm
from amiss.errors import StateError
from amiss.run import fit
from amiss.run.fit import fit_apart, fit_here
from amiss.steps.judge import judge_jointly, name_of

FOREST = IsolationForest(trees=10)


def history(ticks: int = 120) -> Frame:
    chance = np.random.default_rng(3)
    values = chance.normal(size=(ticks, 1, 3))
    return Frame(np.arange(ticks) * 5, ('host="a"',), ("x", "y", "z"), values)


def test_a_worker_says_what_this_process_would() -> None:
    apart, here = fit_apart(FOREST, {}, history()).states, fit_here(FOREST, {}, history()).states
    assert (
        apart.keys() == here.keys() == {name_of(FOREST) + part for part in ("", ".rank", ".count")}
    )
    for name in here:
        for column in here[name]:
            assert np.array_equal(apart[name][column], here[name][column]), (name, column)
    _, raw, _, before = judge_jointly(FOREST, apart, history())
    assert np.isfinite(raw.values).all()
    assert before[0, 0] == 120


@pytest.mark.parametrize(
    "network",
    [
        Lstm(units=(3,), window=8, steps=10),
        Autoencoder(window=8, steps=10),
        Aer(window=8, steps=10),
        Aer(kind="linear", window=8),
    ],
    ids=["lstm", "autoencoder", "aer", "aer, linear"],
)
def test_networks_are_the_same_to_the_bit_wherever_they_are_trained(
    network: Lstm | Autoencoder | Aer,
) -> None:
    apart = fit_apart(network, {}, history()).states
    here = fit_here(network, {}, history()).states
    for column, array in here[name_of(network)].items():
        assert array.tobytes() == apart[name_of(network)][column].tobytes(), column
    _, raw, nats, _ = judge_jointly(network, apart, history())
    assert np.isfinite(raw.values[network.window :]).all()
    assert np.isfinite(nats.values[network.window :]).all()


def test_serving_never_imports_what_fitting_needs() -> None:
    """Live is started, a model is fitted and put to use, and scored with."""
    code = """
import sys, tempfile, threading
from pathlib import Path
import numpy as np
from amiss.run.live import Live
from amiss.settings import default
from amiss.world import World
from amiss.run.fit import fit_apart
from amiss.data import Frame
from amiss.steps.judge import judge_jointly
live = Live(default(), Path(tempfile.mkdtemp()), World())
live.start()
now = live.now()
while not now.series:
    now = live.wait(now.version, 10)
forest = next(t.detector for t in live.trainees if t.type == "isolation_forest")
history = Frame(np.arange(60), ("a",), ("x", "y"), np.random.default_rng(1).normal(size=(60, 1, 2)))
judge_jointly(forest, fit_apart(forest, {}, history).states, history)
live.predict()
live.stop()
heavy = [m for m in sys.modules if m.split(".")[0] in ("sklearn", "joblib") or m == "scipy.stats"]
assert not heavy, heavy
"""
    said = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_a_worker_runs_no_code_of_the_folder_that_one_stands_in(tmp_path, monkeypatch) -> None:
    for module in ("random", "numpy", "amiss"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('not ours')\n")
    monkeypatch.chdir(tmp_path)
    assert fit_apart(FOREST, {}, history())


def test_who_joined_late_keeps_nobody_from_learning() -> None:
    """The time before a system was there says nothing of how often its metrics are seen."""
    one = history(200)
    values = np.full((200, 3, 3), np.nan)
    values[:, :1], values[180:, 1:] = one.values, one.values[180:]
    fleet = Frame(one.time, ('host="a"', 'host="b"', 'host="c"'), one.features, values)
    for detector in (FOREST, LinearRegression(targets=("x",))):
        fitted = fit_here(detector, {}, fleet).states
        assert fitted[name_of(detector)]["names"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("fitting", [fit_here, fit_apart])
def test_a_fit_that_learns_nothing_is_no_model(fitting) -> None:
    """As of a target that was misspelt."""
    with pytest.raises(
        StateError, match="nothing to learn from: in 120 samples too few of the"
    ) as found:
        fitting(LinearRegression(targets=("cpu_precent",)), {}, history())
    assert "there is no cpu_precent, but x, y, z" in str(found.value)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise MemoryError('no room')", "fitting failed: MemoryError: no room"),
        ("import os; os.kill(os.getpid(), 9)", "fitting failed: its process was ended by SIGKILL"),
        ("import sys; sys.exit(3)", "fitting failed: exit code 3"),
        ("print('hello')", "a stored state is damaged"),
    ],
)
def test_a_worker_that_fails_says_why(monkeypatch, code, reason) -> None:
    monkeypatch.setattr(fit, "COMMAND", (sys.executable, "-c", code))
    with pytest.raises(StateError, match=reason):
        fit_apart(FOREST, {}, history())


def test_a_worker_that_cannot_be_started(monkeypatch) -> None:
    monkeypatch.setattr(fit, "COMMAND", ("/nowhere/python",))
    with pytest.raises(StateError, match="fitting failed: no process for it: No such file"):
        fit_apart(FOREST, {}, history())


def test_a_worker_ends_with_the_program(monkeypatch) -> None:
    monkeypatch.setattr(fit, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    stop = threading.Event()
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(StateError, match="given up"):
        fit_apart(FOREST, {}, history(20_000), stop)


def test_a_worker_that_takes_too_long_is_stopped(monkeypatch) -> None:
    monkeypatch.setattr(fit, "COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(fit, "LONGEST", 0.3)
    with pytest.raises(StateError, match="took longer"):
        fit_apart(FOREST, {}, history())


def test_a_worker_is_handed_more_than_a_pipe_holds() -> None:
    apart = fit_apart(FOREST, {}, history(20_000)).states
    assert apart[f"{name_of(FOREST)}.count"]["scored"].tolist() == [20_000]

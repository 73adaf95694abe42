"""A training that is ended midway leaves nothing behind, and the model before stays in use."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from amiss.cli.progress import left
from cli.calls import amiss

QUICK, ENDLESS = "{type: isolation_forest, trees: 10}", "{type: lstm, steps: 100000}"
CONFIG = """
pipelines:
  - name: made
    source: {{type: host, every: 5s}}
    features: {{type: grid, every: 5s}}
    detectors: [{{type: level}}, {}, {}]
"""
PATIENCE = 240.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with a model in use, and a training that would take for ever."""
    rows = [f"{1_760_000_000 + 5 * t},{t % 7},{t % 11}" for t in range(6000)]
    (tmp_path / "data.csv").write_text("time,cpu,memory\n" + "\n".join(rows) + "\n")
    (tmp_path / "made.yaml").write_text(CONFIG.format(QUICK, ENDLESS))
    (tmp_path / "temporary").mkdir()
    assert amiss(*command(tmp_path, "isolation_forest")).code == 0
    return tmp_path


def command(folder: Path, model: str) -> list[str]:
    given = ["--data", folder / "data.csv", "--home", folder / "home", "--model", model]
    return [str(word) for word in ("train", folder / "made.yaml", *given)]


@contextmanager
def begun(folder: Path, model: str, **options: object) -> "Iterator[subprocess.Popen[str]]":
    with subprocess.Popen(
        [sys.executable, "-m", "amiss", *command(folder, model)],
        env=os.environ | {"TMPDIR": str(folder / "temporary")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def worker_of(pid: int) -> psutil.Process:
    """The process that fits, once it has done some work."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        for child in psutil.Process(pid).children():
            if "amiss.run.fit" in child.cmdline() and child.cpu_times().user > 1.0:
                return child
        time.sleep(0.02)
    raise AssertionError("no worker began to fit")


def ended(process: psutil.Process) -> bool:
    """Whether it is over, though nobody may have asked how."""
    last = time.monotonic() + PATIENCE
    while time.monotonic() < last:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def kept(folder: Path) -> list[tuple[str, bool]]:
    listed = amiss("models", "--json", "--home", folder / "home")
    return [(one["id"], one["in_use"]) for one in listed.json]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=str)
def test_who_is_ended_leaves_no_file_no_process_and_no_half_model(
    folder: Path, how: signal.Signals
) -> None:
    before, there = kept(folder), files(folder)
    with begun(folder, "lstm") as training:
        worker = worker_of(training.pid)
        training.send_signal(how)
        _, complaint = training.communicate(timeout=PATIENCE)
    assert training.returncode != 0
    assert "Traceback" not in complaint
    assert how != signal.SIGINT or "interrupted: nothing is kept of a model that" in complaint
    assert ended(worker)
    assert kept(folder) == before
    assert files(folder) - there <= {"home/amiss.db-shm", "home/amiss.db-wal"}
    assert amiss("models", "show", before[0][0], "--home", folder / "home").code == 0


def test_how_long_a_stage_still_takes_is_counted_down() -> None:
    assert [left(70.0, now) for now in (40.0, 69.0, 69.5, 80.0)] == [
        "about 30 s left", "about 1 s left", "any moment", "any moment"
    ]  # fmt: skip
    assert left(None, 40.0) == ""


def test_a_worker_that_is_killed_is_a_sentence(folder: Path) -> None:
    before = kept(folder)
    with begun(folder, "lstm") as training:
        worker_of(training.pid).kill()
        _, complaint = training.communicate(timeout=PATIENCE)
    assert training.returncode == 1
    assert "fitting failed: its process was ended by SIGKILL" in complaint
    assert kept(folder) == before


@pytest.mark.parametrize(
    ("room", "why"),
    [
        (100_000, "fitting failed: no room for its history in "),
        (200_000, "fitting failed: no room for its answer in "),
    ],
)
def test_no_room_on_the_disk_is_a_sentence(folder: Path, room: int, why: str) -> None:
    """No file may grow beyond so many bytes, which is what a full disk is to who writes it."""
    config = (folder / "made.yaml").read_text().replace("trees: 10", "trees: 300")
    (folder / "made.yaml").write_text(config)
    before, there = kept(folder), files(folder)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    with begun(folder, "isolation_forest", preexec_fn=limited) as training:
        _, complaint = training.communicate(timeout=PATIENCE)
    assert (training.returncode, complaint.count("\n")) == (1, 1), complaint
    assert why in complaint
    assert kept(folder) == before
    assert files(folder) - there <= {"home/amiss.db-shm", "home/amiss.db-wal"}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (["1,1,0"] * 3, "3 samples are too few to train on; 50 are needed"),
        (["1,nan,0"] * 60, ""),
    ],
    ids=["3 rows", "never there, and never another"],
)
@pytest.mark.parametrize("model", ["isolation_forest", "lstm", "autoencoder"])
def test_what_a_table_is_like_is_no_fault(
    tmp_path: Path, rows: list[str], why: str, model: str
) -> None:
    named = (f"{1_760_000_000 + 5 * t},{row}" for t, row in enumerate(rows))
    (tmp_path / "data.csv").write_text("time,cpu,memory,bad\n" + "\n".join(named) + "\n")
    options = {"isolation_forest": "trees: 5"}
    detector = f"{{type: {model}, {options.get(model, 'steps: 9, window: 5')}}}"
    (tmp_path / "made.yaml").write_text(CONFIG.format(detector, "{type: step}"))
    said = amiss(*command(tmp_path, model))
    assert (said.code != 0) == bool(why), said.err
    assert why in said.err
    assert "Traceback" not in said.err
    if not why:
        assert "in use" in said.out


def test_one_class_is_a_sentence(tmp_path: Path) -> None:
    rows = (f"{1_760_000_000 + 5 * t},{t % 7},0" for t in range(200))
    (tmp_path / "data.csv").write_text("time,cpu,bad\n" + "\n".join(rows) + "\n")
    config = CONFIG.format("{type: classifier, label: bad}", "{type: step}")
    (tmp_path / "made.yaml").write_text(config)
    said = amiss(*command(tmp_path, "classifier"))
    assert said.code == 1
    assert "of 200 samples with a label 0 are suspicious and 200 normal" in said.err

"""`amiss train` asks the program that runs in the same data folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from amiss.errors import Unreachable
from amiss.home import RUNNING
from amiss.run.lock import hold
from cli.calls import amiss
from servers.ports import free_port
from servers.receivers import Receiver
from web.fake import FOREST, FakeLive
from web.serving import serving


@contextmanager
def runs(home: Path, address: str) -> Iterator[None]:
    with hold(home):
        _says(home, address)
        yield


def _says(home: Path, address: str) -> None:
    (home / RUNNING).write_bytes(orjson.dumps({"address": address, "pid": os.getpid()}))


@pytest.fixture
def live(tmp_path: Path) -> Iterator[FakeLive]:
    """The real server with a program behind it that does as it is told."""
    made = FakeLive(tmp_path)
    with serving(made) as address, runs(tmp_path, address.removeprefix("http://")):
        yield made
    made.close()


def test_a_model_is_trained(live: FakeLive, tmp_path: Path) -> None:
    said = amiss("train", FOREST, "--samples", 200, "--home", tmp_path)
    assert (said.code, said.out) == (0, "Isolation Forest model retrained with 200 samples.\n")
    assert live.trained == [(FOREST, 200)]
    assert amiss("train", FOREST, "--home", tmp_path, "--json").json["samples"] == 100


def test_what_the_program_refuses_is_said_in_its_words(live: FakeLive, tmp_path: Path) -> None:
    said = amiss("train", FOREST, "--samples", 5, "--home", tmp_path)
    assert (said.code, said.err) == (2, "n_samples: 5 is not between 50 and 20000\n")
    said = amiss("train", "no/such", "--home", tmp_path)
    assert said.code == 2
    assert "no" in said.err
    live.fault = Unreachable("being trained just now")
    said = amiss("train", FOREST, "--home", tmp_path)
    assert said.code == 1
    assert "being trained just now" in said.err


def test_nobody_runs(tmp_path: Path) -> None:
    said = amiss("train", FOREST, "--home", tmp_path)
    assert (said.code, said.err) == (
        2,
        f"no Amiss runs in {tmp_path}; start one with `amiss run`, or name another with --home\n",
    )
    address = f"127.0.0.1:{free_port()}"
    with runs(tmp_path, address):
        said = amiss("train", FOREST, "--home", tmp_path)
    assert (said.code, said.err) == (1, f"{address} does not answer: ConnectError\n")


def test_after_a_kill_nobody_else_is_asked_or_shown_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMISS_TOKEN", "T0KEN")
    with Receiver() as other:
        _says(tmp_path, other.place)  # left there by a program that was killed
        said = amiss("train", FOREST, "--home", tmp_path)
        assert (said.code, other.all()) == (2, [])
        assert said.err.startswith(f"no Amiss runs in {tmp_path}")


def test_what_answers_is_no_amiss(tmp_path: Path) -> None:
    with Receiver() as other, runs(tmp_path, other.place):
        said = amiss("train", FOREST, "--home", tmp_path)
    assert (said.code, said.err) == (1, f"what answers at {other.place} is no Amiss\n")

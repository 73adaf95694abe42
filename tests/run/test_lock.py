"""One program in one folder."""

import fcntl
import os
import subprocess
import sys
import time

import pytest

from amiss.errors import ConfigError
from amiss.home import LOCK
from amiss.run.live import Live
from amiss.run.lock import hold
from amiss.settings import default
from amiss.world import World


def test_a_second_program_is_told_of_the_first(tmp_path) -> None:
    first = hold(tmp_path)
    with pytest.raises(ConfigError) as said:
        hold(tmp_path)
    assert str(said.value) == (
        f"{tmp_path}: another Amiss (process {os.getpid()}) works in this data folder; "
        "stop it, or choose another with --home"
    )
    first.close()
    hold(tmp_path).close()


def test_the_claim_ends_with_the_program_however_it_ends(tmp_path) -> None:
    code = (
        "import sys, pathlib; from amiss.run.lock import hold; c = hold(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", f"{code}; print('held', flush=True); sys.stdin.read()"]
    with subprocess.Popen(
        [*command, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ConfigError, match=f"process {other.pid}"):
            hold(tmp_path)
        other.kill()
    hold(tmp_path).close()


def test_who_looks_whether_there_is_a_program_keeps_none_from_starting(
    tmp_path, monkeypatch
) -> None:
    hold(tmp_path).close()
    with (tmp_path / LOCK).open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(time, "sleep", lambda seconds: looking.close())
        hold(tmp_path).close()


def test_a_longer_number_of_before_leaves_nothing(tmp_path) -> None:
    (tmp_path / "amiss.lock").write_text("1234567890123")
    hold(tmp_path).close()
    assert (tmp_path / "amiss.lock").read_text() == str(os.getpid())


def test_a_folder_that_cannot_be_one(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="the data folder cannot be written"):
        hold(tmp_path / "file" / "home")


def test_two_installations_on_one_folder_are_refused(tmp_path) -> None:
    live = Live(default(), tmp_path, World())
    with pytest.raises(ConfigError, match="another Amiss"):
        Live(default(), tmp_path, World())
    live.stop()
    Live(default(), tmp_path, World()).stop()

"""`amiss doctor`: what is right, what is wrong, and why."""

import socket
from pathlib import Path

import pytest

from amiss.cli import doctor
from amiss.settings import Settings, default
from amiss.store import Store
from cli.calls import amiss
from servers.ports import free_port

LOOKS = ["python", "packages", "data folder", "database", "disk", "clock", "port", "kernels",
         "sensors"]  # fmt: skip


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Listen where nobody does, whatever else runs on this machine."""
    number = free_port()
    kept = default().model_copy(update={"listen": f"127.0.0.1:{number}"})
    monkeypatch.setattr("amiss.settings.default", lambda: Settings.model_construct(**dict(kept)))
    return number


def test_all_is_well(tmp_path: Path) -> None:
    found = amiss("doctor", "--home", tmp_path / "new", "--json")
    assert [one["what"] for one in found.json] == LOOKS
    assert [one for one in found.json if not one["ok"]] == []
    assert found.code == 0
    said = {one["what"]: one["said"] for one in found.json}
    assert said["data folder"] == str(tmp_path / "new")
    assert said["database"].endswith("none yet")
    assert said["sensors"].endswith(" series") or "left out" in said["sensors"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == []


def test_for_people(tmp_path: Path) -> None:
    Store(tmp_path / "amiss.db").close()
    lines = amiss("doctor", "--home", tmp_path).out.splitlines()
    assert all(line.startswith("ok      ") for line in lines)
    assert [line[8:20].strip() for line in lines] == LOOKS


def test_what_is_wrong_is_said_and_ends_with_1(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "amiss.db").write_bytes(b"no database" * 100)
    monkeypatch.setattr(doctor, "ROOM", 2**70)
    monkeypatch.setattr(doctor, "EARLIEST", 2**40)
    monkeypatch.setattr(doctor, "PACKAGES", ("numpy", "no-such-package"))
    with socket.create_server(("127.0.0.1", port)):
        found = amiss("doctor", "--home", tmp_path, "--json")
    assert found.code == 1
    said = {one["what"]: one["said"] for one in found.json if not one["ok"]}
    assert sorted(said) == ["clock", "database", "disk", "packages", "port"]
    assert said["packages"] == "not installed: no-such-package; install Amiss again"
    assert "is not a database of Amiss" in said["database"]
    assert said["disk"].endswith("free; history needs about 1 GB")
    assert said["clock"].startswith("the clock says ")
    assert "the port is in use by another program" in said["port"]


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = amiss("doctor", "--home", tmp_path / "file", "--json")
    said = {one["what"]: one["said"] for one in found.json if not one["ok"]}
    assert said["data folder"] == (
        f"{tmp_path}/file cannot be written: File exists; choose another with --home"
    )

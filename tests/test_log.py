"""What the program says of itself, and where its data folder is."""

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import orjson
import platformdirs
import pytest

from amiss import log
from amiss.errors import ConfigError
from amiss.home import RUNNING, Running, home, running
from amiss.run.lock import hold

Said: TypeAlias = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def afterwards(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("amiss")
    before, levels = list(root.handlers), (root.level, ours.level)
    for name in ("LOG_LEVEL", "LOG_FORMAT"):
        monkeypatch.delenv(name, raising=False)
    yield
    root.handlers = before
    root.setLevel(levels[0])
    ours.setLevel(levels[1])
    logging.captureWarnings(False)


def of(line: str) -> dict[str, str]:
    """A line of key=value as a program would read it."""
    found, rest = {}, line
    while rest:
        key, _, rest = rest.partition("=")
        if rest.startswith('"'):
            end = next(i for i in range(1, len(rest)) if rest[i] == '"' and rest[i - 1] != "\\")
            found[key], rest = orjson.loads(rest[: end + 1]), rest[end + 2 :]
        else:
            found[key], _, rest = rest.partition(" ")
    return found


def test_a_line_of_key_and_value_for_each_event(capsys: Said) -> None:
    log.start()
    extra = {"reason": 'it said "no"\nand left', "tries": 3, "where": ""}
    logging.getLogger("amiss.x").warning("sink %s waits", "chat", extra=extra)
    [line] = capsys.readouterr().err.splitlines()
    found = of(line)
    assert found.pop("time").endswith("Z")
    assert found == {
        "level": "warning", "from": "amiss.x", "message": "sink chat waits",
        "reason": 'it said "no"\nand left', "tries": "3", "where": "",
    }  # fmt: skip


def test_or_of_json(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "JSON")
    log.start()
    try:
        raise ValueError("odd")
    except ValueError:
        logging.getLogger("amiss.x").exception("fault", extra={"at": Path("/x")})
    found = orjson.loads(capsys.readouterr().err)
    assert (found["level"], found["message"], found["at"]) == ("error", "fault", "/x")
    assert found["fault"].endswith("ValueError: odd")


def test_on_a_terminal_only_what_went_wrong(capsys: Said) -> None:
    log.start("terminal")
    logging.getLogger("amiss").info("fine")
    logging.getLogger("amiss").warning("not fine")
    assert capsys.readouterr().err[8:] == " warning: not fine\n"
    logging.getLogger("amiss").warning("a server says: \x1b[2J\rall is well")
    said = capsys.readouterr().err[8:]
    assert said == " warning: a server says:  [2J all is well\n", "no terminal is told what to do"


def test_how_much_is_said(capsys: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "debug")
    log.start()
    logging.getLogger("amiss.x").debug("much")
    logging.getLogger("library").info("of a library, which may hold addresses")
    logging.getLogger("library").warning("but this")
    assert [of(line)["message"] for line in capsys.readouterr().err.splitlines()] == [
        "much",
        "but this",
    ]


def test_starting_twice_says_nothing_twice(capsys: Said) -> None:
    log.start()
    log.start()
    logging.getLogger("amiss").info("once")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("of Python", stacklevel=1)
    assert [of(line)["from"] for line in capsys.readouterr().err.splitlines()] == [
        "amiss",
        "py.warnings",
    ]


@pytest.mark.parametrize("form", ["json", "logfmt"])
def test_halves_of_characters_are_written_out(
    form: str, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_FORMAT", form)
    log.start()
    extra = {"mount": "/media/\udce9", "folder": Path("/home/\udce9")}
    try:
        raise ValueError("h\udce9")
    except ValueError:
        logging.getLogger("amiss").exception("of \udce9", extra=extra)
    [line] = capsys.readouterr().err.splitlines()
    found = orjson.loads(line) if form == "json" else of(line)
    assert (found["message"], found["mount"]) == (r"of \udce9", r"/media/\udce9")
    assert found["folder"] == r"/home/\udce9"
    assert r"ValueError: h\udce9" in found["fault"]


def test_who_takes_standard_error_over_gets_what_is_logged(
    capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.start()
    other = io.StringIO()
    monkeypatch.setattr(sys, "stderr", other)
    logging.getLogger("amiss").info("here")
    assert "here" in other.getvalue()
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("LOG_LEVEL", "there is no level 'LOUD'; known: DEBUG, INFO, WARNING, ERROR"),
        ("LOG_FORMAT", "there is no form 'loud'; known: logfmt, json"),
    ],
)
def test_wrong_wishes_are_refused(
    name: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "loud")
    with pytest.raises(ConfigError, match=f"^{name}: {sentence}$"):
        log.start()


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AMISS_HOME", raising=False)
    assert home() == platformdirs.user_data_path("amiss")
    monkeypatch.setenv("AMISS_HOME", "~/there")
    assert home() == Path("~/there").expanduser()
    assert home(Path("/here")) == Path("/here")


def test_who_runs_in_it(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    path = tmp_path / RUNNING
    said = orjson.dumps({"address": "127.0.0.1:1", "pid": os.getpid()})
    path.write_bytes(said)
    assert running(tmp_path) is None  # left there by one that was killed
    with hold(tmp_path):
        assert running(tmp_path) is None
        path.write_bytes(said)
        assert running(tmp_path) == Running("127.0.0.1:1", os.getpid())
        for content in (b"", b"[]", b'{"pid": 1}', b'{"address": "x", "pid": "y"}'):
            path.write_bytes(content)
            assert running(tmp_path) is None

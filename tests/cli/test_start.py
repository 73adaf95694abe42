"""What every command shares: a quick start, and mistakes that end with 2."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from amiss import __version__
from amiss.errors import ConfigError, StateError, Unreachable
from amiss.linear_algebra import ONE_THREAD
from cli.calls import amiss

COMMANDS = {
    "run", "init", "check", "score", "incidents", "explain", "models", "train", "doctor",
    "schema", "version",
}  # fmt: skip
LIGHT = {"typer", "amiss"}
HEAVY = {
    "numpy", "pydantic", "numba", "rich", "yaml", "orjson", "httpx", "sqlalchemy", "fastapi",
    "streamlit", "pandas", "pyarrow", "sklearn", "scipy", "psutil", "platformdirs", "asyncio",
}  # fmt: skip


def run(code: str) -> str:
    """What it says, in a process of its own."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['amiss', '--help']\n"
        "from amiss.cli import entry\n"
        "try: entry()\n"
        "finally: print(*sys.modules)"
    )
    out = run(code)
    help, modules = out.rstrip("\n").rsplit("\n", 1)
    assert {line.split()[0] for line in help.split("Commands:")[1].splitlines() if line} >= COMMANDS
    assert not HEAVY & set(modules.split())


@pytest.mark.parametrize(("asked", "taken"), [(None, "{1}"), ("2", "{2}")])
def test_linear_algebra_has_one_thread_unless_told_otherwise(
    asked: str | None, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ONE_THREAD:
        monkeypatch.delenv(name, raising=False)
    if asked:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", asked)
    code = (
        "import sys; sys.argv = ['amiss', 'version']\n"
        "from amiss.cli import entry\n"
        "try: entry()\n"
        "finally:\n"
        "    import numpy, threadpoolctl\n"
        "    print({one['num_threads'] for one in threadpoolctl.threadpool_info()})"
    )
    assert run(code).splitlines()[-1] == taken


def test_python_m_amiss_is_amiss() -> None:
    command = [sys.executable, "-m", "amiss", "version", "--json"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f'"amiss": "{__version__}"' in said


def test_each_command_has_help_of_its_own() -> None:
    for command in COMMANDS:
        said = amiss(command, "--help")
        assert said.code == 0
        assert said.out.startswith(f"Usage: amiss {command}")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), "Usage"),
        (("nonsense",), "nonsense"),
        (("incidents", "--nonsense"), "--nonsense"),
        (("train",), "CONFIG|MODEL"),
        (("check",), "file"),
    ],
)
def test_a_wrong_call_ends_with_2_and_names_what_is_wrong(
    words: tuple[str, ...], names: str
) -> None:
    said = amiss(*words)
    assert said.code == 2
    assert names in said.out + said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConfigError("mend it"), 2), (StateError("damaged"), 1), (Unreachable("silent"), 1)],
)
def test_what_goes_wrong_is_one_sentence(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> Path:
        raise error

    monkeypatch.setattr("amiss.home.home", fail)
    said = amiss("models")
    assert (said.code, said.out, said.err) == (code, "", f"{error}\n")


def test_schema_describes_what_a_file_may_hold() -> None:
    said = amiss("schema").json
    assert said["title"] == "Amiss"
    assert said["properties"]["budget"]["description"]
    assert said["additionalProperties"] is False
    assert amiss("schema", "--json").json == said


def test_each_default_of_the_schema_may_stand_in_a_file() -> None:
    said = amiss("schema").json
    defaults = list(with_default(said))
    assert {"5m", "5/day", "14d"} <= {
        one["default"] for one in defaults if isinstance(one["default"], str)
    }
    for one in defaults:
        Draft202012Validator(one | {"$defs": said["$defs"]}).validate(one["default"])


def with_default(part: Any) -> Iterator[dict[str, Any]]:
    """Every setting in a schema that says what it is without."""
    if isinstance(part, dict) and "default" in part:
        yield part
    for inner in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    ):
        yield from with_default(inner)

"""`amiss init` and `amiss check`: from nothing to a configuration that can run."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from amiss import config
from amiss.component import Sink, find
from amiss.settings import default
from cli.calls import amiss

ROOT = Path(__file__).parents[2]
PIPELINE = """\
pipelines:
  - name: host
    source: {type: host}
    features: {type: grid}
    detectors: [{type: level}]
"""


def test_init_writes_what_check_finds_fit_to_run(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    said = amiss("init", "-o", path)
    assert said.code == 0
    assert said.out.startswith(f"{path} is written; `amiss check {path}` looks it over")
    assert config.read(path) == default()
    checked = amiss("check", path)
    assert checked.code == 0
    first, *_, needs, budget, last = checked.out.splitlines()
    assert first.startswith("host: source host answers, ")
    assert needs.startswith("needs about ")
    assert budget == "budget: 5/day; listens on 127.0.0.1:8600"
    assert last == f"{path} can run"


def test_init_leaves_alone_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    path.write_text("mine")
    said = amiss("init", "-o", path)
    assert (said.code, said.err) == (
        2,
        f"{path} is there already; --force writes over it, -o names another\n",
    )
    assert path.read_text() == "mine"
    assert amiss("init", "-o", path, "--force", "--json").json["written"] == str(path)
    assert config.read(path) == default()


def test_init_on_the_output() -> None:
    assert config.parse(amiss("init", "this-host", "-o", "-").out, "x") == default()
    assert amiss("init", "-o", "-", "--json").json["listen"] == "127.0.0.1:8600"


@pytest.mark.parametrize("name", ["app-logs", "security"])
def test_init_of_a_blueprint_that_is_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.yaml"
    said = amiss("init", name, "-o", path)
    assert said.code == 0, said.err
    kept = ROOT / "blueprints" / f"{name}.yaml"
    assert config.read(path) == config.parse(kept.read_text(), "x")
    assert f" {name}.yaml" not in path.read_text()


def test_init_of_security_on_the_output() -> None:
    listed = amiss("init", "security", "-o", "-", "--json").json
    assert [one["name"] for one in listed["pipelines"]][:2] == ["flows", "users"]


def test_init_knows_its_blueprints(tmp_path: Path) -> None:
    assert amiss("init", "this-hots").err == (
        f"there is no blueprint 'this-hots'; known: {', '.join(config.known())}\n"
    )
    said = amiss("init", "-o", tmp_path / "no" / "amiss.yaml")
    assert (said.code, said.err.partition(": ")[2]) == (
        2,
        "cannot be written: No such file or directory\n",
    )


def test_check_says_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    path.write_text(f"{PIPELINE}budgte: 5\nsinks: {{a: {{type: stdot}}}}\n")
    said = amiss("check", path)
    assert said.code == 2
    assert said.err.splitlines() == [
        f"{path}:6: budgte: unknown setting; did you mean 'budget'?",
        f"{path}:7: sinks.a.type: unknown type 'stdot'; did you mean 'stdout'? "
        f"known: {', '.join(find('amiss.sinks', Sink))}",
    ]


def test_check_looks_up_secrets_and_tells_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kept = tmp_path / "amiss.yaml", tmp_path / "secret"
    path.write_text(
        f"{PIPELINE}token: env:AMISS_TEST_TOKEN\nsinks:\n"
        f"  hook: {{type: webhook, url: 'env:AMISS_TEST_URL', headers: {{X: 'file:{kept}'}}}}\n"
        "  chat: {type: apprise, urls: ['env:AMISS_TEST_CHAT', 'ntfy://ntfy.example/topic']}\n"
    )
    monkeypatch.setenv("AMISS_TEST_CHAT", " ")
    said = amiss("check", path)
    assert said.code == 2
    assert said.err.splitlines() == [
        f"{path}: token: no secret: the environment variable AMISS_TEST_TOKEN is not set",
        f"{path}: sinks.hook.url: no secret: the environment variable AMISS_TEST_URL is not set",
        f"{path}: sinks.hook.headers.X: no secret: {kept}: No such file or directory",
        f"{path}: sinks.chat.urls.0: env:AMISS_TEST_CHAT is empty",
    ]
    kept.write_bytes(b"hidden \xff")
    assert f"{path}: sinks.hook.headers.X: no secret: {kept} is not a text in UTF-8\n" in (
        amiss("check", path).err
    )
    kept.write_text("hidden-3\n")
    for name in ("TOKEN", "URL", "CHAT"):
        monkeypatch.setenv(f"AMISS_TEST_{name}", f"hidden-{name}")
    for words in (("check", path), ("check", path, "--json")):
        said = amiss(*words)
        assert said.code == 0, said.err
        assert "hidden" not in said.out + said.err
        assert "topic" not in said.out + said.err


def test_check_counts_series_and_predicts_what_they_need(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    path.write_text(PIPELINE)
    said = amiss("check", path, "--json").json
    host = said["pipelines"]["host"]
    assert host["failure"] is None
    assert host["series"] > 10
    assert 1000 < host["memory_bytes"] / host["series"] < 20_000
    assert host["disk_bytes"] == int(30 * 86400 / 5 * host["series"] * 3.2)


def test_check_asks_again_a_tick_later_however_long_that_is(tmp_path: Path) -> None:
    path = tmp_path / "amiss.yaml"
    path.write_text(PIPELINE.replace("{type: grid}", "{type: grid, every: 10m}"))
    assert " series every 10m\n" in amiss("check", path).out
    assert amiss("check", path, "--json").json["pipelines"]["host"]["series"] > 10


def test_check_ends_with_1_if_a_source_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from amiss.errors import Unreachable
    from amiss.sources.host import Host

    def silent(*_: object) -> None:
        raise Unreachable("nobody there")

    monkeypatch.setattr(Host, "poll", silent)
    path = tmp_path / "amiss.yaml"
    path.write_text(PIPELINE)
    said = amiss("check", path)
    assert said.code == 1
    assert "host: source host fails: nobody there" in said.out
    assert said.out.endswith(f"{path} has no mistake, but not all answer\n")
    assert amiss("check", path, "--json").json["pipelines"]["host"]["failure"] == "nobody there"


def test_check_says_so_if_nothing_came_from_a_source_that_answers(tmp_path: Path) -> None:
    base, path = tmp_path / "shop.db", tmp_path / "amiss.yaml"
    with closing(sqlite3.connect(base)) as connection:
        connection.execute("CREATE TABLE hits (ts INTEGER, n INTEGER)")
    path.write_text(
        "pipelines:\n  - name: shop\n    features: {type: grid}\n    detectors: [{type: level}]\n"
        f"    source: {{type: sql, url: 'sqlite:///{base}', table: hits, time: ts}}\n"
    )
    said = amiss("check", path)
    assert said.out.startswith(
        "shop: source sql answers, 0 series every 5s\n"
        "  nothing to judge came: is anything written there, and are all names right?\n"
    )

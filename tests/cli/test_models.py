"""Train on a file, look, compare, promote, roll back, carry elsewhere: as an operator would."""

import math
import random
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from amiss.data import Records
from amiss.store import Checkpoint, Store
from cli.calls import amiss

NOTHING = Records(np.zeros(0, np.int64), np.zeros(0, np.str_), np.zeros(0))

CONFIG = """
pipelines:
  - name: made
    source: {type: host, every: 5s}
    features: {type: grid, every: 5s}
    detectors: [{type: level}, {type: isolation_forest, trees: 10}]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    chance, folder = random.Random(4), tmp_path_factory.mktemp("models")
    rows = ["time,cpu,memory"]
    for t in range(600):
        rhythm = math.sin(t / 60)
        rows.append(f"{1_760_000_000 + 5 * t},{30 + 9 * rhythm + chance.gauss(0, 1)},{50 + rhythm}")
    (folder / "data.csv").write_text("\n".join(rows) + "\n")
    (folder / "made.yaml").write_text(CONFIG)
    other = ["time,cpu,disk"] + [row for row in rows[1:]]
    (folder / "other.csv").write_text("\n".join(other) + "\n")
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path) -> Path:
    """A data folder with two models, the later one kept beside the first."""
    assert train(folder, folder / "home", "--to", "10m") == 0
    assert train(folder, folder / "home", "--keep") == 0
    return folder / "home"


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    """A copy of that."""
    return shutil.copytree(trained, tmp_path / "home")


def train(folder: Path, home: Path, *words: object, data: str = "data.csv") -> int:
    said = amiss("train", folder / "made.yaml", "--data", folder / data, "--home", home, *words)
    return said.code


def ids(home: Path) -> list[str]:
    return [one["id"] for one in amiss("models", "list", "--json", "--home", home).json]


def in_use(home: Path) -> list[str]:
    return [m["id"] for m in amiss("models", "--json", "--home", home).json if m["in_use"]]


def test_what_is_kept_of_a_training(home: Path) -> None:
    later, first = ids(home)
    assert in_use(home) == [first]
    said = amiss("models", "show", later, "--json", "--home", home).json
    assert (said["samples"], said["features"]) == (600, ["cpu", "memory"])
    figures = said["figures"]
    assert figures["validation"]["samples"] == 120
    assert figures["seed"] == 0
    assert figures["versions"].keys() == {"amiss", "numpy"}
    shown = amiss("models", "show", later[:6], "--home", home).out
    for words in ("600 samples", "2: cpu, memory", "on 120 samples that came after the rest"):
        assert words in shown


def test_what_is_trained_in_epochs_says_how_that_went(folder: Path, tmp_path: Path) -> None:
    networks = (
        "{type: lstm, units: [4], window: 10, steps: 40}",
        "{type: autoencoder, layers: [4], window: 5, steps: 40}",
        "{type: aer, window: 6, steps: 40}",
        "{type: aer, window: 6, kind: linear}",
    )
    file, home = tmp_path / "made.yaml", tmp_path / "home"
    file.write_text(CONFIG.replace("{type: isolation_forest, trees: 10}", ", ".join(networks)))
    assert amiss("train", file, "--data", folder / "data.csv", "--home", home).code == 0
    for one in amiss("models", "--json", "--home", home).json:
        shown = amiss("models", "show", one["id"], "--home", home).out
        if "aer" in one["name"] and one["figures"]["settings"]["kind"] == "linear":
            assert "loss" not in one["figures"]
            assert "epoch" not in shown
            continue
        loss = one["figures"]["loss"]
        assert loss.keys() == {"epochs", "training", "validation"}
        assert {len(row) for row in loss.values()} == {10}
        assert sorted(loss["epochs"]) == loss["epochs"]
        assert all(0.0 < error < 100.0 for row in loss.values() for error in row)
        best = loss["epochs"][loss["validation"].index(min(loss["validation"]))]
        assert f"of epoch {best:.1f} of {loss['epochs'][-1]:.1f}" in shown
        assert f"error {loss['training'][0]:.3g} to {loss['training'][-1]:.3g}" in shown


def test_there_and_back(home: Path) -> None:
    later, first = ids(home)
    assert amiss("models", "promote", later, "--home", home).code == 0
    assert in_use(home) == [later]
    said = amiss("models", "rollback", "isolation_forest", "--home", home)
    assert said.out == f"isolation_forest {first} of made is in use again.\n"
    assert in_use(home) == [first]
    said = amiss("models", "rollback", "isolation_forest", "--home", home)
    assert (said.code, said.err) == (
        2,
        f"no isolation_forest of made served before {first}; `amiss models promote` puts another "
        "one to use\n",
    )
    assert amiss("models", "delete", first, "--home", home).code == 2
    assert amiss("models", "delete", later, "--home", home).code == 0
    assert ids(home) == [first]


def test_back_goes_to_what_served_and_not_to_what_was_kept(folder: Path, home: Path) -> None:
    kept, first = ids(home)
    assert train(folder, home, "--from", "20m") == 0
    newest = ids(home)[0]
    amiss("models", "rollback", "isolation_forest", "--home", home)
    assert in_use(home) == [first]
    for model in (newest, kept):
        amiss("models", "promote", model, "--home", home)
    amiss("models", "delete", newest, "--home", home)
    amiss("models", "rollback", "isolation_forest", "--home", home)
    assert in_use(home) == [first]


def test_elsewhere(home: Path, tmp_path: Path) -> None:
    later, _ = ids(home)
    file = tmp_path / "forest.npz"
    assert amiss("models", "export", later, file, "--home", home).code == 0
    new = tmp_path / "new"
    assert amiss("models", "import", file, "--home", new).code == 0
    assert (ids(new), in_use(new)) == ([later], [])
    amiss("models", "delete", later, "--home", home)
    said = amiss("models", "import", file, "--home", f"{file}/home")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "cannot be made" in said.err
    assert amiss("models", "import", file, "--home", home, "--use").code == 0
    assert in_use(home) == [later]
    file.write_bytes(file.read_bytes()[:-100])
    said = amiss("models", "import", file, "--home", home)
    torn = f"{file}: a stored state is damaged: its end is missing\n"
    assert (said.code, said.err) == (2, torn)
    np.savez(tmp_path / "foreign.npz", weights=np.ones(3))
    arrays = (tmp_path / "foreign.npz").read_bytes()
    for foreign in (b"", b"a letter" * 100, b"\x93NUMPY", arrays):
        file.write_bytes(foreign)
        said = amiss("models", "import", file, "--home", home)
        wanted = f"{file}: this is no model that `amiss models export` wrote\n"
        assert (said.code, said.err) == (2, wanted)
    assert in_use(home) == [later]


def test_a_model_of_other_metrics_is_refused_with_the_difference(folder: Path, home: Path) -> None:
    words = (
        "train",
        folder / "made.yaml",
        "--data",
        folder / "other.csv",
        "--keep",
        "--home",
        home,
    )
    assert amiss(*words).code == 0
    other = ids(home)[0]
    said = amiss("models", "promote", other, "--home", home)
    assert said.code == 2
    assert "it knows disk; it does not know memory" in said.err
    assert amiss("models", "promote", other, "--anyway", "--home", home).code == 0


def test_a_model_of_other_settings_is_not_said_to_serve(home: Path, tmp_path: Path) -> None:
    later, first = ids(home)
    store = Store(home / "amiss.db")
    ran = Checkpoint({"series": {}, "isolation_forest-0123456789ab": {"trees": np.zeros(1)}})
    store.commit("made", {}, NOTHING, [], ran)
    store.close()
    wrong = amiss("models", "promote", later, "--home", home)
    assert wrong.code == 2 and in_use(home) == [first]
    assert "has no isolation_forest with the settings that it was fitted with" in wrong.err
    assert amiss("models", "export", later, tmp_path / "m.npz", "--home", home).code == 0
    wrong = amiss("models", "import", tmp_path / "m.npz", "--use", "--home", home)
    assert wrong.code == 2 and in_use(home) == [first]
    assert amiss("models", "import", tmp_path / "m.npz", "--home", home).code == 0
    assert amiss("models", "promote", later, "--anyway", "--home", home).code == 0
    assert in_use(home) == [later]


def test_where_none_serves_a_model_is_held_against_the_metrics_of_its_pipeline(
    home: Path, tmp_path: Path
) -> None:
    later, _ = ids(home)
    file, other = tmp_path / "m.npz", tmp_path / "other"
    assert amiss("models", "export", later, file, "--home", home).code == 0
    with closing(Store(home / "amiss.db")) as kept:
        detector = kept.models("made")[0].detector
    other.mkdir()
    with closing(Store(other / "amiss.db")) as store:
        table = {"keys": np.array(["cpu", "disk"]), "last": np.zeros(2, np.int64)}
        by = {"names": np.array(["host"])}
        ran = Checkpoint({"series": table, "by": by, detector: {"trees": np.zeros(1)}})
        store.commit("made", {}, NOTHING, [], ran)
    wrong = amiss("models", "import", file, "--use", "--home", other)
    assert wrong.code == 2 and in_use(other) == []
    assert "than pipeline made has as it ran last: it knows memory; say --anyway" in wrong.err
    assert amiss("models", "import", file, "--anyway", "--home", other).code == 0
    assert amiss("models", "promote", later, "--home", other).code == 2
    assert amiss("models", "promote", later, "--anyway", "--home", other).code == 0
    assert in_use(other) == [later]


def test_the_same_data_gives_the_same_model(folder: Path, home: Path) -> None:
    before = ids(home)
    assert train(folder, home, "--keep") == 0
    assert sorted(ids(home)) == sorted(before)


def test_what_is_excluded_is_not_learned(folder: Path, home: Path) -> None:
    start, end = "2025-10-09T08:55", "2025-10-09T09:00"
    assert amiss("exclude", start, end, "--why", "load test", "--home", home).code == 0
    assert (
        amiss("train", folder / "made.yaml", "--data", folder / "data.csv", "--home", home).code
        == 0
    )
    shown = amiss("models", "show", in_use(home)[0], "--home", home).out
    assert "61 samples excluded by a person" in shown
    assert [one["why"] for one in amiss("exclude", "--json", "--home", home).json] == ["load test"]
    assert amiss("exclude", "--undo", 1, "--home", home).out == "Nothing is excluded.\n"
    assert amiss("exclude", "--undo", 1, "--home", home).code == 2


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("models", "show", "zz"), "there is no model 'zz'; `amiss models` lists them"),
        (("models", "show", ""), "2 models begin with ''; write more of the id"),
        (("models", "rollback", "lstm"), "no model 'lstm' is in use; see `amiss models`"),
        (("train", "lstm", "--data", "x.csv"), "--data is for a configuration"),
        (("exclude", "3h"), "say from when until when"),
        (("exclude", "2h", "3h"), "what is excluded ends before it begins"),
    ],
)
def test_mistakes_get_a_sentence(home: Path, words: tuple[str, ...], reason: str) -> None:
    said = amiss(*words, "--home", home)
    assert (said.code, said.out) == (2, "")
    assert reason in said.err


def test_a_configuration_without_models(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "plain.yaml"
    file.write_text(CONFIG.replace(", {type: isolation_forest, trees: 10}", ""))
    said = amiss("train", file, "--data", folder / "data.csv", "--home", tmp_path)
    assert (said.code, said.err) == (
        2, f"{file}: no detector of it is fitted; all that it has learn as they go\n"
    )  # fmt: skip
    said = amiss("train", folder / "made.yaml", "--model", "lstm", "--home", tmp_path)
    assert "has no model 'lstm'; it has isolation_forest" in said.err


def test_a_file_without_a_number(folder: Path, tmp_path: Path) -> None:
    rows = [f"{1_760_000_000 + 5 * t},," for t in range(200)]
    file = tmp_path / "empty.csv"
    file.write_text("\n".join(["time,cpu,memory", *rows]) + "\n")
    said = amiss("train", folder / "made.yaml", "--data", file, "--home", tmp_path)
    assert said.code == 2
    assert said.err.endswith("0 samples are too few to train on; 50 are needed\n")


def test_two_models_are_compared_on_a_file(home: Path, tmp_path: Path) -> None:
    later, first = ids(home)
    rows = ["time,cpu,memory,bad"]
    for t in range(300):
        bad, rhythm = 250 <= t < 262, math.sin(t / 60)
        cpu = 90 if bad else 30 + 9 * rhythm
        rows.append(f"{1_770_000_000 + 5 * t},{cpu},{50 + rhythm},{int(bad)}")
    file = tmp_path / "new.csv"
    file.write_text("\n".join(rows) + "\n")
    words = ("models", "compare", later, "--data", file, "--label", "bad", "--home", home)
    found = amiss(*words, "--json").json
    assert [one["id"] for one in found["models"]] == [later, first]
    assert (found["samples"], found["labelled"]) == (300, 12)
    assert [side["known"] for side in found["sides"]] == [0, 0]
    assert min(side["area"] for side in found["sides"]) > 0.7
    shown = amiss(*words)
    assert shown.code == 0 and shown.err == ""
    lines = shown.out.splitlines()
    assert lines[0] == f"300 moments, 25 minutes, of {file}."
    assert lines[2].split() == ["isolation_forest", later, "isolation_forest", first]
    assert any(line.startswith("area under ROC  ") for line in lines)
    assert max(map(len, lines[1:])) <= 100


def test_what_a_model_was_fitted_on_is_said_of_a_comparison(folder: Path, home: Path) -> None:
    later, first = ids(home)
    words = ("models", "compare", later, first, "--data", folder / "data.csv", "--home", home)
    assert [side["known"] for side in amiss(*words, "--json").json["sides"]] == [600, 480]
    assert "What a model was fitted on it knows" in amiss(*words).out


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--data", "none.csv"), "none.csv"),
        (("--label", "bad"), "--by and --label are columns of a file; name it with --data"),
        (("--data", "data.csv", "--label", "bad"), "has no numeric column 'bad'"),
        (("--data", "odd.csv"), "was fitted on other metrics: it knows cpu, memory"),
        (("--data", "data.csv", "--time", "when"), "there is no column 'when'"),
        (("--data", "named.csv", "--by", "host"), "was fitted on other systems"),
        ((), "there is no moment that both"),
    ],
)
def test_models_that_cannot_be_compared(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...], reason: str
) -> None:
    (folder / "odd.csv").write_text("time,load\n1760000000,1\n1760000005,2\n")
    (folder / "named.csv").write_text("time,cpu,host\n1760000000,1,a\n1760000005,2,b\n")
    monkeypatch.chdir(folder)
    said = amiss("models", "compare", ids(home)[0], *more, "--home", home)
    assert (said.code, said.out) == (2, "")
    assert reason in said.err

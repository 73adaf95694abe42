"""Sigma rules: what the specification says of values and conditions, and what is refused."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from amiss.data import HOUR, MINUTE, SECOND, Records
from amiss.detectors.sigma import Sigma
from amiss.pipeline import Pipeline
from amiss.sigma.column import Column
from amiss.sigma.rules import Table, read
from amiss.sigma.values import match
from cli.calls import amiss
from test_rule import MONDAY

ROWS: list[dict[str, str]] = [
    {"Image": r"C:\Windows\cmd.exe", "Line": "cmd /c whoami", "Port": "443", "Ip": "10.1.2.3"},
    {"Image": "/bin/sh", "Line": "sh -c id", "Port": "8080", "Ip": "192.0.2.9"},
    {"Image": "/usr/bin/CURL", "Line": "curl http://x/a?b*c", "Port": "-", "User": "root"},
    {"Line": "powershell -enc " + base64.b64encode(b"xx Invoke-Expression y").decode()},
]


def records(rows: list[dict[str, str]] = ROWS) -> Records:
    names = sorted({name for row in rows for name in row})
    labels = {name: np.array([row.get(name, "") for row in rows]) for name in names}
    n = len(rows)
    return Records(np.arange(n) * SECOND, np.full(n, "event"), np.full(n, np.nan), labels)


def rule(detection: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "made", "logsource": {"product": "any"}, "detection": detection, **more}


def held(tmp_path: Path, detection: dict[str, Any], rows: list[dict[str, str]] = ROWS) -> list[int]:
    file = tmp_path / "rule.yml"
    file.write_text(yaml.safe_dump(rule(detection)))
    rules, refused = read(str(file), {})
    assert not refused, refused
    return np.flatnonzero(Table(records(rows)).held(rules[0])).tolist()


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ({"Image": "/BIN/SH"}, [1]),
        ({"Image|cased": "/BIN/SH"}, []),
        ({"Image": "*curl"}, [2]),
        ({"Image": "/bin/s?"}, [1]),
        ({"Line|contains": r"a\?b\*c"}, [2]),
        ({"Line|contains": "a?b*c"}, [2]),
        ({"Image|startswith": "c:\\"}, [0]),
        ({"Image|endswith": ["\\CMD.exe", "/sh"]}, [0, 1]),
        ({"Line|contains|all": ["sh", "id"]}, [1]),
        ({"Line|contains": ["sh", "id"]}, [1, 3]),
        ({"Line|re": r"^sh\s-c"}, [1]),
        ({"Line|re": r"^SH"}, []),
        ({"Line|re|i": r"^SH"}, [1]),
        ({"Ip|cidr": "10.0.0.0/8"}, [0]),
        ({"Ip|cidr": ["192.0.2.0/24", "10.0.0.0/8"]}, [0, 1]),
        ({"Port": 443}, [0]),
        ({"Port|gt": 443}, [1]),
        ({"Port|gte": 443, "Port|lt": 8080}, [0]),
        ({"Port|lte": 8080}, [0, 1]),
        ({"User|exists": True}, [2]),
        ({"User|exists": False}, [0, 1, 3]),
        ({"User|exists": "false"}, [0, 1, 3]),
        ({"User": None}, [0, 1, 3]),
        ({"Nobody": None}, [0, 1, 2, 3]),
        ({"Nobody": "x"}, []),
        ({"Line|windash|contains": " -c "}, [0, 1]),
        ({"Line|base64offset|contains": "Invoke-Expression"}, [3]),
        ({"Image": r"C:\\Windows\\cmd.exe"}, [0]),
        ([{"Image": "/bin/sh"}, {"User": "root"}], [1, 2]),
        (["WHOAMI", "root"], [0, 2]),
        ({"Image": "/bin/sh", "Port": 443}, []),
    ],
)
def test_a_selection_holds_as_the_specification_says(tmp_path, selection, wanted) -> None:
    assert held(tmp_path, {"selection": selection, "condition": "selection"}) == wanted


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ({"User": ""}, True),
        ({"User": None}, True),
        ({"User": [None, "x"]}, True),
        ({"User|exists": False}, True),
        ({"User": "*"}, False),
        ({"User": "**"}, False),
        ({"User|re": ".*"}, False),
        ({"User|startswith": "*"}, False),
        ({"User|all": [None, "*"]}, False),
        (["*"], True),  # in whichever field there is
    ],
)
def test_a_field_that_a_record_does_not_have_is_absent_in_any_company(
    tmp_path: Path, selection: Any, wanted: bool
) -> None:
    detection = {"s": selection, "condition": "s"}
    alone, other = {"Port": "1"}, {"Port": "2", "User": "root"}
    assert held(tmp_path, detection, [alone]) == [0] * wanted
    assert (0 in held(tmp_path, detection, [alone, other])) == wanted
    assert held(tmp_path, {"s": "*", "condition": "s"}, [{"Port": ""}]) == []


@pytest.mark.parametrize("begin", ["", "a", "ab"])
def test_base64_is_found_wherever_the_text_stands_in_it(tmp_path: Path, begin: str) -> None:
    coded = base64.b64encode(f"{begin}secret word!".encode()).decode()
    detection = {"s": {"Line|base64offset|contains": "secret word"}, "condition": "s"}
    assert held(tmp_path, detection, [{"Line": "sh"}, {"Line": f"sh {coded}"}]) == [1]


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("one and two", []),
        ("one or two", [0, 1]),
        ("not one", [1, 2, 3]),
        ("not (one or two)", [2, 3]),
        ("one or two and not one", [0, 1]),  # and binds closer
        ("1 of sel_*", [1, 2]),
        ("all of sel_*", []),
        ("any of sel_* and not sel_a", [2]),
        ("1 of them", [0, 1, 2]),
        ("all of them", []),
        ("1 OF them AND NOT one", [1, 2]),
        (["one", "two"], [0, 1]),
    ],
)
def test_a_condition_puts_selections_together(tmp_path, said, wanted) -> None:
    detection = {
        "one": {"Port": 443},
        "two": {"Port": 8080},
        "sel_a": {"Image": "/bin/sh"},
        "sel_b": {"User": "root"},
        "_hidden": {"Line|startswith": "powershell"},
        "condition": said,
    }
    assert held(tmp_path, detection) == wanted


def test_searching_all_texts_at_once_finds_what_searching_each_does() -> None:
    chance = np.random.default_rng(0)
    texts = ["".join(chance.choice(list("abA\n"), 6)) for _ in range(300)] + ["", "a"]
    column = Column(np.array(texts))
    every = np.arange(len(column.texts))
    for wanted in ("", "a", "AB", "ba\na", "\n", "aaa", "z"):
        found = column.holds(match(wanted, ["contains"]), every)
        assert found.tolist() == [wanted.lower() in text.lower() for text in column.texts]


REFUSED = [
    ({"s": {"a|expand": "%x%"}, "condition": "s"}, "modifier 'expand' is not supported"),
    ({"s": {"a": 1}, "condition": "s | count() > 5"}, "aggregation (what follows |) is not"),
    ({"s": {"a": 1}, "condition": "s", "timeframe": "5m"}, "a timeframe is not supported"),
    ({"s": {"a": 1}, "condition": "t"}, "its condition has no selection 't'"),
    ({"s": {"a": 1}, "condition": "s and"}, "its condition ends too soon"),
    ({"s": {"a": 1}, "condition": "(s"}, "a bracket of its condition is not closed"),
    ({"s": {"a": 1}, "condition": "s s"}, "its condition goes on with 's'"),
    ({"s": {"a": 1}, "condition": "1 of x*"}, "its condition has no selection 'x*'"),
    ({"s": {"a": 1}}, "it has no condition"),
    ({"s": {"a|re": "("}, "condition": "s"}, "its regular expression cannot be read: "),
    ({"s": {"a|cidr": "x"}, "condition": "s"}, "'x' is no network"),
    ({"s": {"a|gt": "x"}, "condition": "s"}, "'x' is no number to compare with"),
    ({"s": {"a": [["x"]]}, "condition": "s"}, "a: a value is a list or a map"),
    ({"s": {"a": {"x": 1}}, "condition": "s"}, "a: a value is a list or a map"),
    ({"s": {"a|exists": "perhaps"}, "condition": "s"}, "a|exists: it is neither true nor false"),
    ({"s": [], "condition": "s"}, "a selection holds neither fields nor words"),
]


@pytest.mark.parametrize(("detection", "why"), REFUSED)
def test_what_is_not_supported_is_refused_with_its_place_and_the_rest_goes_on(
    tmp_path: Path, detection: dict[str, Any], why: str
) -> None:
    good = yaml.safe_dump(rule({"s": {"a": 1}, "condition": "s"}))
    file = tmp_path / "rules.yml"
    file.write_text(f"{good}---\n{yaml.safe_dump(rule(detection))}---\n{good}")
    rules, refused = read(str(tmp_path), {})
    assert len(rules) == 2
    (one,) = refused
    assert str(one).startswith(f"{file}:{good.count(chr(10)) + 2}: {why}")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("date: 2024-02-30\n", "it is no YAML: day is out of range for month"),
        ("a: &a [x]\nb: *a\n", "aliases of YAML (*name) are not supported"),
    ],
)
def test_a_document_that_cannot_be_read_leaves_those_before_and_after_it(
    tmp_path: Path, body: str, why: str
) -> None:
    good = yaml.safe_dump(rule({"s": {"a": 1}, "condition": "s"}))
    (tmp_path / "rules.yml").write_text(f"{good}---\n{body}---\n{good}")
    rules, refused = read(str(tmp_path), {})
    assert len(rules) == 2
    assert [one.why for one in refused] == [why]


@pytest.mark.parametrize("word", ["or", "and"])
def test_a_condition_may_be_as_long_as_it_likes(tmp_path: Path, word: str) -> None:
    said = f" {word} ".join(["one"] * 3000)
    assert held(tmp_path, {"one": {"Port": 443}, "condition": said}) == [0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("correlation: {type: event_count}\n", "correlation is not supported"),
        ("- a list\n", "it is no Sigma rule: it has no detection"),
        ("a: [\n", "it is no YAML"),
        ("title: x\nlevel: awful\ndetection: {s: {a: 1}, condition: s}\n", "there is no level"),
    ],
)
def test_what_is_no_rule_is_said(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "x.yml").write_text(text)
    with pytest.raises(ValidationError, match=why):
        Sigma(rules=str(tmp_path))
    with pytest.raises(ValidationError, match="is neither a file nor a folder"):
        Sigma(rules=str(tmp_path / "nowhere"))


CONFIG = """
pipelines:
  - name: made
    source: {{type: file, path: {folder}/none.log}}
    features: {{type: each}}
    detectors:
      - {{type: rarity}}
      - {{type: sigma, rules: {folder}/rules, fields: {{CommandLine: command}}}}
"""


def test_a_record_that_a_rule_holds_for_is_told_with_its_title_and_level(tmp_path: Path) -> None:
    found = rule({"s": {"CommandLine|contains": "mimi"}, "condition": "s"}, level="critical")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yml").write_text(yaml.safe_dump(found | {"title": "Credentials dumped"}))
    (rules / "b.yml").write_text("correlation: {type: event_count}\n")
    (tmp_path / "amiss.yaml").write_text(CONFIG.format(folder=tmp_path))
    said = amiss("check", tmp_path / "amiss.yaml").out
    assert f"sigma: 1 rules of {rules}, 1 refused" in said
    assert f"{rules / 'b.yml'}:1: correlation is not supported" in said
    pipeline = Pipeline.model_validate(
        {
            "name": "made",
            "source": {"type": "host"},
            "features": {"type": "each"},
            "detectors": [
                {"type": "sigma", "rules": str(rules), "fields": {"CommandLine": "command"}}
            ],
        }
    )
    many = 300
    time = MONDAY + np.arange(many) * MINUTE
    command = np.array([f"ls {i % 5}" for i in range(many)])
    command[250] = "MimiKatz"
    made = Records(time, np.full(many, "event"), np.full(many, np.nan), {"command": command})
    _, outcome = pipeline.step(pipeline.init(), made)
    opened = [one for one in outcome.incidents if one.state == "open"]
    assert [one.severity for one in opened[:1]] == ["high"]
    assert "Credentials dumped" in str(opened[0])
    assert int(time[250]) - HOUR < opened[0].since < int(time[250]) + HOUR

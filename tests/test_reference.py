"""What is not documented does not get in."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
import yaml

from amiss import config
from amiss.component import Component
from amiss.exports import RemoteWrite
from amiss.pipeline import Pipeline
from amiss.reference import stale
from amiss.reference.components import FAMILIES, example, own, page
from amiss.reference.equations import CHAIN
from amiss.reference.words import accepts
from amiss.settings import Keep, Settings
from cli.calls import amiss
from web.fake import FakeLive, incident
from web.serving import serving

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
KINDS = [
    pytest.param(family, name, kind, id=f"{family}/{name}")
    for family in FAMILIES
    for name, kind in own(family).items()
]


@pytest.mark.parametrize(("family", "name", "kind"), KINDS)
def test_a_component_is_one_file_with_its_name(
    family: str, name: str, kind: type[Component]
) -> None:
    assert kind.__module__ == f"amiss.{family}.{name}"
    assert kind.__name__.lower() == name.replace("_", "")


@pytest.mark.parametrize(("family", "name", "kind"), KINDS)
def test_every_setting_is_explained(family: str, name: str, kind: type[Component]) -> None:
    assert kind.__doc__
    for field, info in kind.model_fields.items():
        assert field == "type" or info.description, f"{family}/{name}: what is `{field}`?"


@pytest.mark.parametrize(("family", "name", "kind"), KINDS)
def test_what_the_page_shows_can_be_used_as_it_stands(
    family: str, name: str, kind: type[Component]
) -> None:
    shown = yaml.safe_load(page(name, kind).split("```yaml\n")[1].split("```")[0])
    assert shown["type"] == name
    said = {"without_files": True}
    assert kind.model_validate(shown, context=said) == kind.model_validate(
        example(kind), context=said
    )


@pytest.mark.parametrize("name", ["sigma", "patterns", "lines", "rarity"])
def test_the_page_of_what_judges_single_records_says_so(name: str) -> None:
    assert "\nJudges single records; its scores" in page(name, own("detectors")[name])


def test_the_reference_is_as_the_code_says() -> None:
    assert not stale(REFERENCE), "run: make docs"


def test_the_reference_is_the_same_whatever_was_imported_first() -> None:
    code = "import amiss.detectors.onnx; from amiss.reference.components import own, page; "
    code += "print(page('ensemble', own('detectors')['ensemble']), end='')"
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said == (REFERENCE / "detectors" / "ensemble.md").read_text()


def test_every_setting_is_on_the_page_of_settings() -> None:
    rows = [line.split("`")[1] for line in (REFERENCE / "settings.md").read_text().splitlines()
            if line.startswith("| `")]  # fmt: skip
    parts = (Settings, Keep, Pipeline, RemoteWrite)
    wanted = [name for part in parts for name in part.model_fields if name != "type"]
    assert rows == wanted


def test_every_command_and_option_that_help_names_is_on_the_page_of_commands() -> None:
    said = (REFERENCE / "commands.md").read_text()
    parts = {part.split("\n")[0]: part for part in said.split("\n## amiss ")[1:]}
    assert set(parts) == set(listed())
    for name, part in parts.items():
        help_ = amiss(*name.split(), "--help").out
        options = set(re.findall(r"^  .*?(--[a-z-]+)", help_, re.MULTILINE))
        assert options - {"--help"} <= set(re.findall(r"`(--[a-z-]+)`", part)), name


def listed(*words: str) -> Iterator[str]:
    """Each command that help names, and those within it."""
    for line in amiss(*words, "--help").out.partition("Commands:\n")[2].splitlines():
        if line[:3].strip():
            name = line.split()[0]
            yield " ".join((*words, name))
            yield from listed(*words, name)


def test_all_that_a_server_offers_and_tells_is_on_the_page_of_the_api(tmp_path: Path) -> None:
    said = (REFERENCE / "api.md").read_text()
    live = FakeLive(tmp_path)
    live.publish(open=(incident(),))
    with serving(live) as address, httpx.Client(base_url=address, timeout=30) as client:
        operations = client.get("/openapi.json").json()["paths"].items()
        told = set(re.findall(r"^(amiss_\w+)", client.get("/metrics").text, re.MULTILINE))
    live.close()
    for path, item in operations:
        for method, operation in item.items():
            part = said.partition(f"\n## {method.upper()} {path}\n")[2].partition("\n## ")[0]
            assert operation["summary"] in part, path
            for parameter in operation.get("parameters", ()):
                assert f"| `{parameter['name']}` |" in part
    assert len(told) > 25
    assert told == set(re.findall(r"^\| `(amiss_\w+)`", said, re.MULTILINE))


SOURCE = Path(config.__file__).parents[1]
PLAIN = {module: test for parts in CHAIN.values() for module, test in parts.items()}


def has_equation(text: str) -> bool:
    """Whether a docstring has one: in a line that stands apart from the words."""
    return bool(re.search(r"^    .*( = | <- )", text, re.MULTILINE))


def forgotten(plain: Mapping[str, str]) -> list[str]:
    """The modules that decide by an equation and are not among these."""
    files = sorted((SOURCE / "decide").glob("*.py"))
    said = {f"decide.{file.stem}": ast.get_docstring(ast.parse(file.read_text())) for file in files}
    return [name for name, text in said.items() if has_equation(text or "") and name not in plain]


def test_no_equation_of_what_decides_is_missing_on_the_page() -> None:
    assert not forgotten(PLAIN)
    assert forgotten({name: test for name, test in PLAIN.items() if name != "decide.rank"}) == [
        "decide.rank"
    ]
    assert len(forgotten({})) > 15
    assert has_equation("A rank.\n\n    p <- 1\n")
    assert not has_equation("A rank: p = 1 there.\n\n    in words\n")


@pytest.mark.parametrize("module", PLAIN)
def test_each_equation_has_a_plain_version_in_the_test_that_is_named(module: str) -> None:
    test = Path(__file__).parent / f"test_{PLAIN[module]}.py"
    name = module.rpartition(".")[2]
    assert re.search(rf"\b{name}\b", test.read_text()), f"{test.name} says nothing of {name}"
    kind = own("detectors").get(name) if module.startswith("detectors.") else None
    text = kind.__doc__ if kind else import_module(f"amiss.{module}").__doc__
    assert has_equation(cleandoc(text or ""))
    told = (REFERENCE / "equations.md").read_text().partition(f"\n### {name}\n")[2]
    assert f"(../../tests/{test.name})" in told.partition("\n###")[0]


@pytest.mark.parametrize("name", ["equations.md", *(f"detectors/{n}.md" for n in own("detectors"))])
def test_an_equation_is_shown_as_it_is_written(name: str) -> None:
    """In Markdown what is indented is a part of the paragraph that it follows without a gap."""
    lines = (REFERENCE / name).read_text().partition("```")[0].splitlines()
    for before, line in pairwise(lines):
        assert not line.startswith("    ") or not before or before.startswith("    "), line


def test_a_page_is_missed_changed_and_left_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("old")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "gone.md").write_text("of a source that was removed")
    found = stale(tmp_path)
    assert found["README.md"] == "is out of date"
    assert found["sources/gone.md"] == "belongs to nothing"
    assert set(found.values()) <= {"is out of date", "belongs to nothing", "is missing"}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "number, at least 0, below 1"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text or nothing"),
        ({"enum": ["low", "high"]}, "`low` or `high`"),
        ({"type": "array", "items": {"type": "integer"}}, "list of whole number"),
        ({"type": "string", "pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$"}, "span of time"),
        ({"$ref": "#/$defs/Group"}, "Group"),
    ],
)
def test_values_are_said_in_words(schema: dict[str, object], words: str) -> None:
    assert accepts(schema, {"Group": {"type": "object"}}) == words

"""What is not documented does not get in."""

from pathlib import Path

import pytest
import yaml

from amiss.component import Component
from amiss.reference import FAMILIES, accepts, example, own, page, stale

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
    assert kind.model_validate(shown) == kind.model_validate(example(kind))


def test_the_reference_is_as_the_code_says() -> None:
    assert not stale(Path(__file__).parent.parent / "docs" / "reference"), "run: make docs"


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

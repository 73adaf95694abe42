"""What pydantic finds wrong, in sentences that say where and what would be right."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from amiss.config.document import Document, Mistake, Place
from amiss.config.outline import Spot, bare_spans, find, top
from amiss.spans import SPAN, write_span

WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "names and values",
    "mapping_type": "names and values",
    "model_type": "names and values",
    "model_attributes_type": "names and values",
    "path_type": "the path of a file",
}
BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
PATTERNS = {r"^[a-z][a-z0-9_-]*$": "small letters, digits, - and _, the first a letter"}


def explain(error: ValidationError, document: Document) -> list[Mistake]:
    """One mistake for each thing that is wrong."""
    errors = error.errors(include_url=False, include_input=False)
    return [_mistake(each, document) for each in errors if not _follows(each, errors)]


def spans(document: Document) -> Iterator[Mistake]:
    """Numbers without a unit where a span of time is wanted."""
    for spot in bare_spans(top(document.data)):
        such = "90" if isinstance(spot.data, bool) else str(spot.data)[:60]
        sentence = f"a span of time needs its unit: write {such}s, 15m, 6h or 1d"
        yield Mistake(document.line(spot.place), spot.place, sentence)


def _mistake(error: ErrorDetails, document: Document) -> Mistake:
    kind, loc = error["type"], error["loc"]
    context: dict[str, Any] = error.get("ctx", {})
    spot = find(document.data, loc)
    place, sentence = spot.place, error["msg"].removeprefix("Value error, ")
    if kind in ("extra_forbidden", "missing"):
        around = find(document.data, loc[:-1])
        place, name = around.place, str(loc[-1])
        if kind == "missing":
            sentence = f"{name!r} is missing{_meaning(around, name)}"
        else:
            place = (*place, name)
            sentence = f"unknown setting{_meant(name, around.names)}"
    elif kind in ("union_tag_invalid", "union_tag_not_found", "literal_error"):
        place, sentence = _type(spot, kind, context)
    elif kind in WANTED:
        sentence = f"{WANTED[kind]} is expected here"
        sentence = sentence.replace("values is", "values are")
    elif kind in BOUNDS:
        key, words = BOUNDS[kind]
        sentence = f"must be {words} {_limit(context[key], spot)}"
    elif kind == "too_short":
        sentence = f"at least {context['min_length']} is needed"
    elif kind == "too_long":
        sentence = f"at most {context['max_length']} are possible"
    elif kind == "string_pattern_mismatch":
        sentence = f"write {PATTERNS.get(context['pattern'], context['pattern'])}"
    return Mistake(document.line(place), place, sentence)


def _type(spot: Spot, kind: str, context: dict[str, Any]) -> tuple[Place, str]:
    """What is wrong with a `type`, or with another word out of a few."""
    if kind == "union_tag_not_found":
        return spot.place, f"'type' is missing; known: {', '.join(spot.types)}"
    if kind == "union_tag_invalid":
        said = str(spot.data.get("type")) if isinstance(spot.data, dict) else ""
        return (*spot.place, "type"), f"unknown type {said!r}{_meant(said, spot.types, True)}"
    known = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
    what = "unknown type" if spot.place[-1:] == ("type",) else "unknown word"
    return spot.place, f"{what} {spot.data!r}{_meant(str(spot.data), known, True)}"


def _follows(error: ErrorDetails, errors: Sequence[ErrorDetails]) -> bool:
    """Whether it only says that what has mistakes in it is not there."""
    loc = error["loc"]
    return error["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in errors
    )


def _meant(said: str, known: Sequence[str], all_of_them: bool = False) -> str:
    close = get_close_matches(said, known, 1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    if known and (all_of_them or not close):
        return f"{hint}{'' if hint else ';'} known: {', '.join(known)}"
    return hint


def _meaning(around: Spot, name: str) -> str:
    """What a setting is for, and how it may look."""
    schema = around.inner(name).schema | around.schema.get("properties", {}).get(name, {})
    words = " ".join(schema.get("description", "").split()).partition(". ")[0].rstrip(".")
    examples = schema.get("examples", [])
    such = f", such as {examples[0]}" if examples else ""
    return f"; {words[:1].lower()}{words[1:]}{such}" if words else such


def _limit(value: Any, spot: Spot) -> str:
    """A bound as it is written: nanoseconds as a span."""
    return write_span(value) if spot.schema.get("pattern") == SPAN and value else f"{value:g}"

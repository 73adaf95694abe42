"""Sinks: one file each. They share the type of a setting, and how an answer in JSON is read."""

from typing import Annotated, Any

import orjson
from pydantic import AfterValidator

from amiss.errors import ConfigError
from amiss.words.template import check_template
from amiss.world import reveal


def _template(text: str) -> str:
    """A file is read when the configuration is: what is wrong with it is found then."""
    if text.startswith("file:"):
        try:
            text = reveal(text)
        except ConfigError as exc:
            raise ValueError(str(exc).replace("no secret", "no template")) from None
    check_template(text)
    return text


Template = Annotated[str, AfterValidator(_template)]
"""Text with $fields (see amiss.words.template), inline or as `file:/path`."""


def answered(body: bytes) -> dict[str, Any]:
    """The object that an answer is; empty if it is none, as of a proxy that answers instead."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}

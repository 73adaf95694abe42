"""Sinks: one file each. What they share is the type of a setting, `Template`."""

from typing import Annotated

from pydantic import AfterValidator

from amiss.errors import ConfigError
from amiss.template import check_template
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
"""Text with $fields (see amiss.template), inline or as `file:/path`."""

"""What all answers have in common, and the one for when there is none."""

from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


def _known(said: Any) -> Any:
    return None if isinstance(said, float) and not isfinite(said) else said


Number = Annotated[float | None, BeforeValidator(_known)]
"""A number; null where there is none."""


def plain(text: str) -> str:
    """The same, but for halves of characters, from names that were no UTF-8, written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _plain(said: Any) -> Any:
    return plain(said) if isinstance(said, str) else said


Text = Annotated[str, BeforeValidator(_plain)]
"""Text that came from the outside: names of devices, processes, log lines."""


class Said(BaseModel):
    """Anything that is answered; made from dataclasses by the names of their fields."""

    model_config = ConfigDict(from_attributes=True)


class Mistake(Said):
    """One thing that is wrong with a request."""

    field: str
    message: str


class Problem(Said):
    """Why there is no answer (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "detail": "n_samples: 10 is not between 50 and 20000",
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Mistake] | None = None

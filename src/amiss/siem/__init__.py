"""Incidents as the documents that security systems read: ECS, OCSF, CEF. Pure."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from amiss.siem.cef import cef
from amiss.siem.ecs import ecs
from amiss.siem.ocsf import ocsf

__all__ = ["DOCUMENTS", "DocumentFormat", "Word", "cef", "ecs", "ocsf"]

DocumentFormat = Literal["ecs", "ocsf"]
DOCUMENTS = {"ecs": ecs, "ocsf": ocsf}
"""By format: (incident, event told as, address of this Amiss) -> an object that JSON can hold."""


def _word(text: str) -> str:
    if not text or set(text) & set('/\\?#"*<>|, ') or not text.isprintable():
        raise ValueError(
            f"{text!r} cannot be part of an address; write a name without / ? # and spaces"
        )
    return text


Word = Annotated[str, AfterValidator(_word)]
"""A name that becomes part of an address as it is."""

"""Who asks over HTTP, and how each side knows the other: one set of settings for all sources."""

import re
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from amiss.doors.transport import Trust
from amiss.errors import ConfigError
from amiss.masked import Reference
from amiss.world import World

SERVER = re.compile(r"https?://[^/\s?#@]+(/[^\s?#@]*)?")


def _server(url: str) -> str:
    if not SERVER.fullmatch(url):
        raise ValueError(
            "write an address such as https://loki.example.org; a password or token goes to access"
        )
    return url.rstrip("/")


ServerUrl = Annotated[str, AfterValidator(_server)]
"""Where a server is that is asked: no secret, which is what `access` is for."""


class Access(BaseModel):
    """What a server asks of those that ask it: a password, a token, a certificate, a tenant."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    user: str | None = None
    """Of basic authentication."""
    password: Reference | None = Field(None, examples=["env:AMISS_PROMETHEUS_PASSWORD"])
    """`env:NAME` or `file:/path` of the password of `user`."""
    token: Reference | None = Field(None, examples=["env:AMISS_LOKI_TOKEN"])
    """`env:NAME` or `file:/path` of a bearer token."""
    headers: dict[str, str] = Field({}, examples=[{"X-Scope-OrgID": "team-a"}])
    """More headers, such as the one that names a tenant; no secrets."""
    authority: Path | None = None
    """A PEM file with the certificates to trust; else those that this machine trusts."""
    certificate: Path | None = None
    """A PEM file with the certificate to show, if the server asks for one."""
    key: Path | None = None
    """A PEM file with the key of `certificate`, unless it is in the same file."""

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if self.user is not None and self.token:
            raise ValueError("a password and a token: write one of them")
        if self.key and not self.certificate:
            raise ValueError("key belongs to a certificate, and there is none")
        wrong = [name for name, text in self.headers.items() if not _sendable(name, text)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} cannot be sent as a header")
        return self

    def asking(self, world: World) -> dict[str, Any]:
        """What World.ask is to be told beside the address. ConfigError if a secret is not there."""
        told: dict[str, Any] = {"headers": {"User-Agent": "amiss", **self.headers}}
        if self.token:
            token = self.token.read(world)
            if not (token.isascii() and token.isprintable()):
                raise ConfigError("access.token: it holds what cannot be sent, as a line break is")
            told["headers"]["Authorization"] = f"Bearer {token}"
        if self.user is not None and self.password:
            told["auth"] = (self.user, self.password.read(world))
        if self.authority or self.certificate:
            told["trust"] = Trust(self.authority, self.certificate, self.key)
        return told


def _sendable(name: str, text: str) -> bool:
    return (
        name.isascii()
        and name.replace("-", "").replace("_", "").isalnum()
        and text.isascii()
        and text.isprintable()
    )

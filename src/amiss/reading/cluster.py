"""Which Kafka, and how each side knows the other: settings that source and sink share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from amiss.masked import Reference
from amiss.world import World


class Cluster(BaseModel):
    """Addresses of brokers, and what they ask of those that come."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    servers: str = Field(min_length=1, examples=["kafka-1:9092,kafka-2:9092"])
    """Brokers to begin with, host:port, with commas between them."""
    user: str | None = None
    """For SASL."""
    password: Reference | None = None
    """`env:NAME` or `file:/path` of the password of `user`."""
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    """How the password is told."""
    tls: bool = False
    """Whether connections are encrypted."""
    authority: Path | None = None
    """A PEM file with the certificates to trust; else those that this machine trusts."""
    certificate: Path | None = None
    """A PEM file with the certificate to show, if brokers ask for one."""
    key: Path | None = None
    """A PEM file with the key of `certificate`."""

    @model_validator(mode="after")
    def _secured(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        if not self.tls and (self.authority or self.certificate or self.key):
            raise ValueError("certificates are of TLS: write `tls: true`")
        if self.key and not self.certificate:
            raise ValueError("key belongs to a certificate, and there is none")
        return self

    def joining(self, world: World) -> Mapping[str, str]:
        """What librdkafka is told. Raises ConfigError if a secret is not there."""
        said = {"bootstrap.servers": self.servers}
        sasl = self.user is not None and self.password is not None
        said["security.protocol"] = ("SASL_" if sasl else "") + ("SSL" if self.tls else "PLAINTEXT")
        if self.user is not None and self.password is not None:
            said["sasl.mechanism"] = self.mechanism
            said["sasl.username"] = self.user
            said["sasl.password"] = self.password.read(world)
        paths = {
            "ssl.ca.location": self.authority,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
        }
        return said | {name: str(path.expanduser()) for name, path in paths.items() if path}

"""All that a user may set: one file, one model."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from amiss.component import AnyOf, Component, Rate, Sink, Span
from amiss.data import MINUTE
from amiss.pipeline import Pipeline


class Keep(Component):
    """How much history is kept: values, scores and bands, for charts and for training."""

    days: int = Field(30, ge=1, le=36_500)
    """Older points are dropped."""
    megabytes: int = Field(1024, ge=10, le=10**9)
    """The oldest points are dropped when all together take more."""
    incident_days: int = Field(400, ge=1, le=36_500)
    """Incidents and what was told of them are kept so long."""


class Settings(Component):
    """One installation."""

    listen: str = "127.0.0.1:8600"
    """Address and port of dashboard, API and /metrics. Loopback unless a token is set."""
    token: str | None = None
    """What callers must show, as env:NAME or file:/path. Needed where `listen` is not loopback."""
    hosts: tuple[str, ...] = ()
    """Further names under which the program may be called, such as amiss.example.org."""
    budget: Rate = 5.0
    """Incidents to put up with, in all: shared out over the pipelines."""
    checkpoint: Span = Field(5 * MINUTE, gt=0)
    """Time between two snapshots of the memory; what comes between is kept as records."""
    keep: Keep = Keep()
    """How much history is kept."""
    retrain_every: Span | None = Field(None, gt=0)
    """Fit models anew on schedule; they are always fitted once, as soon as there is enough."""
    pipelines: tuple[Pipeline, ...] = Field(min_length=1)
    """What is watched."""
    sinks: Annotated[dict[str, Annotated[Sink, AnyOf("amiss.sinks")]], Field(default_factory=dict)]
    """Who is told, by a name of your choice."""

    @field_validator("listen")
    @classmethod
    def _address(cls, listen: str) -> str:
        host, colon, port = listen.rpartition(":")
        if not (host and colon and port.isdigit() and int(port) < 65536):
            raise ValueError(f"{listen!r} is not an address; write 127.0.0.1:8600")
        return listen

    @field_validator("token")
    @classmethod
    def _reference(cls, token: str | None) -> str | None:
        if token is not None and not token.startswith(("env:", "file:")):
            raise ValueError("a secret is written env:NAME or file:/path, never in the file itself")
        return token

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [pipeline.name for pipeline in self.pipelines]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two pipelines are called {twice!r}")
        if not self.loopback and self.token is None:
            raise ValueError(
                f"listen: {self.listen} can be reached from elsewhere, so a token is needed: "
                "token: env:AMISS_TOKEN, or listen on 127.0.0.1"
            )
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the program."""
        host = self.address[0]
        return host in ("localhost", "::1") or host.startswith("127.")


HOST = {
    "name": "host",
    "source": {"type": "host", "every": "5s"},
    "features": {"type": "grid", "every": "5s"},
    "detectors": [
        {"type": "level"},
        {"type": "step"},
        {"type": "drift", "span": 24},
        {"type": "drift", "span": 144},
        {"type": "surprise"},
        {"type": "isolation_forest"},
        {"type": "linear_regression"},
    ],
}


def default() -> Settings:
    """What runs without a file: this machine is watched, and incidents go to the log."""
    return Settings.model_validate({"pipelines": [HOST], "sinks": {}})

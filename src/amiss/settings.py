"""All that a user may set: one file, one model."""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from amiss.addresses import is_address, is_loopback
from amiss.component import AnyOf, Component, Sink
from amiss.data import MINUTE
from amiss.exports import RemoteWrite
from amiss.pipeline import Pipeline
from amiss.spans import Rate, Span


class Keep(Component):
    """How much history is kept: values, scores and bands, for charts and for training."""

    days: int = Field(30, ge=1, le=36_500)
    """Older points are dropped."""
    megabytes: int = Field(1024, ge=10, le=10**9)
    """The oldest points are dropped when all together take more."""
    incident_days: int = Field(400, ge=1, le=36_500)
    """Incidents and what was told of them are kept so long."""


class Retrain(Component):
    """When a challenger is fitted beside the model in use: never, unless it is asked for.

    It is kept, and said in the log and on the page Models; a person compares it and puts it to use.
    """

    every: Span | None = Field(None, gt=0)
    """So long after the newest model."""
    drift: bool = False
    """When scores of the model in use are higher of late than ever before, over days."""

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.every is None and not self.drift:
            raise ValueError("retrain: write every: 7d, drift: true or both; or leave it out")
        return self


class Settings(Component):
    """One installation."""

    listen: str = "127.0.0.1:8600"
    """Address and port of dashboard, API and /metrics. Loopback unless a token is set."""
    token: str | None = None
    """What callers must show, as env:NAME or file:/path: 16 characters at least.
    Needed where `listen` is not loopback, where there are `hosts`, and behind a proxy."""
    hosts: tuple[str, ...] = ()
    """Further names under which the program may be called, such as amiss.example.org."""
    budget: Rate = 5.0
    """Incidents to put up with, in all: shared out over the pipelines."""
    checkpoint: Span = Field(5 * MINUTE, gt=0)
    """Time between two snapshots of the memory; what comes between is kept as records."""
    keep: Keep = Keep()
    """How much history is kept."""
    retrain_every: Span | None = Field(None, gt=0)
    """Fit models anew on schedule and put them to use; they are always fitted once, as soon as
    there is enough. `retrain` puts nothing to use."""
    retrain: Retrain | None = None
    """Fit challengers, on schedule or when scores drift; a person puts them to use."""
    pipelines: tuple[Pipeline, ...] = Field(min_length=1)
    """What is watched."""
    exports: dict[str, RemoteWrite] = Field({})
    """Where scores and bands are written, by a name of your choice."""
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

    @field_validator("hosts")
    @classmethod
    def _names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if is_address(host):
                continue
            if not host or any(sign in host for sign in ":/@[] "):
                raise ValueError(
                    f"{host!r} is not a name; write it without scheme and port, such as "
                    "amiss.example.org"
                )
        return hosts

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [pipeline.name for pipeline in self.pipelines]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two pipelines are called {twice!r}")
        both = next((name for name in self.exports if name in self.sinks), None)
        if both:
            raise ValueError(f"a sink and an export are both called {both!r}")
        if not self.loopback and self.token is None:
            raise ValueError(
                f"listen: {self.listen} can be reached from elsewhere, so a token is needed: "
                "token: env:AMISS_TOKEN, or listen on 127.0.0.1"
            )
        elsewhere = next((host for host in self.hosts if not is_loopback(host)), None)
        if elsewhere and self.token is None:
            raise ValueError(
                f"hosts: as {elsewhere} it can be reached from elsewhere, so a token is needed: "
                "token: env:AMISS_TOKEN"
            )
        return self

    def shared_out(self) -> dict[str, Pipeline]:
        """The pipelines by name, each with its share of the budget."""
        share = self.budget / len(self.pipelines)
        return {p.name: p.model_copy(update={"budget": share}) for p in self.pipelines}

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def link(self) -> str:
        """Where a person finds the pages, as far as can be known: by the first name of `hosts`
        where there is one, through TLS where only a proxy can be meant by it.
        """
        host, port = self.address
        named = next((name for name in self.hosts if not is_loopback(name)), None)
        if self.loopback and named:
            return f"https://[{named}]" if ":" in named else f"https://{named}"
        if host in ("0.0.0.0", "::"):  # noqa: S104
            host = named or "127.0.0.1"
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the program."""
        return is_loopback(self.address[0])


def put_off(settings: Settings, first: Settings) -> str:
    """What differs from the `first` settings and cannot change while the program runs: there is
    a socket, and there are people who have signed in. "" if nothing does.
    """
    late = [name for name in ("listen", "token") if getattr(settings, name) != getattr(first, name)]
    verb = "is" if len(late) == 1 else "are"
    return f"{' and '.join(late)} {verb} used from the next start on" if late else ""


HOST = {
    "name": "host",
    "source": {"type": "host", "every": "5s"},
    "features": {"type": "grid", "every": "5s"},
    "detectors": [
        {"type": "level"},
        {"type": "step"},
        {"type": "drift"},
        {"type": "surprise"},
        {"type": "isolation_forest"},
        {"type": "linear_regression"},
    ],
}


def default() -> Settings:
    """What runs without a file: this machine is watched, and incidents go to the log."""
    return Settings.model_validate({"pipelines": [HOST], "sinks": {}})

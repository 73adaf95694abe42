"""`anomaly_config.json`: what may be set, its defaults, and the detectors that it stands for."""

import os
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amiss.component import Detector
from amiss.detectors.dbscan import Dbscan
from amiss.detectors.isolation_forest import IsolationForest
from amiss.detectors.lstm import Lstm
from amiss.errors import ConfigError
from amiss.masked import Hidden, HttpAddress

KINDS: dict[str, type[Detector]] = {
    "isolation_forest": IsolationForest,
    "lstm": Lstm,
    "dbscan": Dbscan,
}
Severity = Literal["low", "medium", "high"]
Units = Annotated[int, Field(ge=1, le=256)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class Part(BaseModel):
    """Unknown names are refused: a parameter that does nothing would be a lie."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Forest(Part):
    """Isolation forest."""

    contamination: float = Field(0.1, gt=0, le=0.5)
    n_estimators: int = Field(100, ge=1, le=5000)
    random_state: int = Field(42, ge=0)


class Sequences(Part):
    """LSTM. `steps` are steps of training; `units` may be a list, one number a layer."""

    sequence_length: int = Field(50, ge=2, le=1000)
    units: Units | Annotated[list[Units], Field(min_length=1, max_length=4)] = 64
    dropout: float = Field(0.2, ge=0.0, lt=1.0)
    steps: int = Field(500, ge=1, le=100_000)
    random_state: int = Field(42, ge=0)


class Clusters(Part):
    """DBSCAN. `eps` is in standard deviations; null finds it from the data."""

    eps: float | None = Field(0.5, gt=0, le=1e6)
    min_samples: int = Field(5, ge=1, le=1000)


class Models(Part):
    """The three."""

    isolation_forest: Forest = Forest()
    lstm: Sequences = Sequences()
    dbscan: Clusters = Clusters()


class Detection(Part):
    """From which confidence on a sample is an anomaly, and of which severity."""

    threshold: Share = 0.5
    medium: Share = 0.7
    high: Share = 0.9


class Email(Part):
    """SMTP. `password` may be env:NAME or file:/path; `tls` is STARTTLS."""

    enabled: bool = False
    smtp_server: str = "smtp.example.com"
    smtp_port: int = Field(587, ge=1, le=65535)
    tls: bool = True
    sender: str = "security@example.com"
    recipients: list[str] = Field(["admin@example.com"], min_length=1)
    password: Hidden = Hidden("env:AMISS_MAIL_PASSWORD")


class Hook(Part):
    """A webhook. `url` may be env:NAME or file:/path."""

    enabled: bool = False
    url: HttpAddress = Hidden("env:AMISS_WEBHOOK_URL")


class Alerts(Part):
    """Who is told of anomalies of this severity and above."""

    email: Email = Email()
    webhook: Hook = Hook()
    min_severity: Severity = "medium"


class Monitoring(Part):
    """Seconds between two looks."""

    interval: float = Field(5.0, gt=0, le=86_400)


class Config(Part):
    """All of it."""

    models: Models = Models()
    detection: Detection = Detection()
    alerts: Alerts = Alerts()
    monitoring: Monitoring = Monitoring()
    max_historical_records: int = Field(10_000, ge=1, le=10_000_000)
    model_path: str = "models"
    log_file: str = "anomaly_detection.log"


def detector(config: Config, name: str) -> Detector:
    """The detector that a model's parameters stand for."""
    m = config.models
    if name == "isolation_forest":
        forest = m.isolation_forest
        return IsolationForest(trees=forest.n_estimators, seed=forest.random_state)
    if name == "lstm":
        units = m.lstm.units if isinstance(m.lstm.units, list) else [m.lstm.units]
        return Lstm(
            units=tuple(units),
            window=m.lstm.sequence_length,
            dropout=m.lstm.dropout,
            steps=m.lstm.steps,
            seed=m.lstm.random_state,
            rows=1,  # a sample is an event: the one after it is not stranger for it
        )
    return Dbscan(eps=m.dbscan.eps, min_samples=m.dbscan.min_samples)


def checked(said: Any, where: str) -> Config:
    """What was said, with the defaults of what was not; ConfigError in one sentence."""
    try:
        return Config.model_validate(said)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in ("int", "list[int]"))
        if first["type"] != "extra_forbidden":
            said_of = f"{where}: {place}" if place else where
            why = first["msg"].removeprefix("Value error, ")
            raise ConfigError(f"{said_of}: {why}") from None
        known = _known(first["loc"][:-1])
        close = get_close_matches(str(first["loc"][-1]), known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise ConfigError(
            f"{where}: {place} is no setting that could have an effect; {hint}"
        ) from None


def read(path: Path) -> dict[str, Any]:
    """The file, checked, with every default. ConfigError if it cannot be used."""
    try:
        said = orjson.loads(path.read_bytes())
    except OSError as exc:
        raise ConfigError(f"{path} cannot be read: {exc.strerror}") from None
    except orjson.JSONDecodeError as exc:
        raise ConfigError(f"{path} is no JSON: {exc}") from None
    return plain(checked(said, str(path)))


def plain(config: Config) -> dict[str, Any]:
    """As names and values that can be changed, what is hidden among them."""
    written = config.model_dump(mode="json")
    alerts = config.alerts
    written["alerts"]["email"]["password"] = alerts.email.password.get_secret_value()
    written["alerts"]["webhook"]["url"] = alerts.webhook.url.get_secret_value()
    return written


def write(said: dict[str, Any], path: Path) -> None:
    """The file, with every default; only its owner may read it, as there may be a password."""
    text = orjson.dumps(plain(checked(said, str(path))), option=orjson.OPT_INDENT_2)
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(text + b"\n")
        part.replace(path)
    except OSError as exc:
        raise ConfigError(f"{path} cannot be written: {exc.strerror}") from None


def _known(place: tuple[int | str, ...]) -> list[str]:
    model: Any = Config
    for part in place:
        model = model.model_fields[part].annotation
    return list(model.model_fields)

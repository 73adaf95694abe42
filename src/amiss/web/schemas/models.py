"""Models that are in use, kept, or being trained."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from amiss.web.schemas.common import Number, Said, Text
from amiss.web.times import Ever, Moment

IN_USE: dict[str, Any] = {
    "name": "isolation_forest",
    "pipeline": "host",
    "state": "in use",
    "reason": "",
    "id": "0f1e2d3c4b5a6978",
    "trained": "2026-03-07T14:02:10.000Z",
    "samples": 720,
    "seconds": 1.9,
}
STORED: dict[str, Any] = {
    "id": "0f1e2d3c4b5a6978",
    "pipeline": "host",
    "detector": "isolation_forest-3fa2",
    "trained": "2026-03-07T14:02:10.000Z",
    "in_use": True,
    "bytes": 412345,
    "samples": 720,
    "seconds": 1.9,
}
TRAINED: dict[str, Any] = {
    "message": "Isolation Forest model retrained with 720 samples.",
    "id": "0f1e2d3c4b5a6978",
    "name": "isolation_forest",
    "pipeline": "host",
    "samples": 720,
    "trained": "2026-03-07T14:02:10.000Z",
    "seconds": 1.9,
    "first": "2026-03-07T13:02:10.000Z",
    "last": "2026-03-07T14:02:05.000Z",
    "features": ["cpu_percent", "memory_percent"],
}


class ModelInUse(Said):
    """A model that is in use, or that waits for data."""

    name: str
    pipeline: str
    state: Literal["waiting", "training", "in use", "failed"]
    reason: Text
    id: str
    trained: Ever
    samples: int
    seconds: Number


class StoredModel(Said):
    """A model that was fitted once and is kept."""

    id: str
    pipeline: str
    detector: str = Field(description="With a fingerprint of its settings.")
    trained: Ever
    in_use: bool
    bytes: int
    samples: int
    seconds: Number


class ModelList(Said):
    """The models that serve, and those that are kept."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"models": [IN_USE], "stored": [STORED]}]}
    )

    models: list[ModelInUse]
    stored: list[StoredModel] = Field(description="The newest first.")


class TrainingAsk(BaseModel):
    """How much to train on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"samples": 720}]})

    samples: Annotated[int, Strict()] = Field(description="So many of the last ticks.")
    pipeline: Annotated[str, Strict()] | None = Field(
        None, description="Whose model; the first that has one of this name if not said."
    )


class Trained(Said):
    """It is done, and the new model serves."""

    model_config = ConfigDict(json_schema_extra={"examples": [TRAINED]})

    message: str
    id: str
    name: str
    pipeline: str
    samples: int
    trained: Moment
    seconds: Number
    first: Moment = Field(description="Where the history begins that it was fitted on.")
    last: Moment
    features: list[Text]

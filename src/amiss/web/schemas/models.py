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

CARD: dict[str, Any] = STORED | {
    "name": "isolation_forest",
    "first": "2026-03-07T13:02:10.000Z",
    "last": "2026-03-07T14:02:05.000Z",
    "features": ["cpu_percent", "memory_percent"],
    "systems": ['host="web-3"'],
    "figures": {
        "validation": {"samples": 144, "told": {"0.01": 0.014, "0.001": 0.0}},
        "left_out": {"during incidents": 12},
        "loss": {"epochs": [4.1, 8.2], "training": [0.61, 0.4], "validation": [0.55, 0.47]},
        "seed": 0,
        "versions": {"amiss": "0.1.0", "numpy": "2.4.6"},
        "memory_mb": 121.5,
    },
}
PUT: dict[str, Any] = {
    "message": "isolation_forest 0f1e2d3c4b5a6978 of host is in use.",
    "id": "0f1e2d3c4b5a6978",
    "name": "isolation_forest",
    "pipeline": "host",
}
COMPARED: dict[str, Any] = {
    "models": ["0f1e2d3c4b5a6978", "78695a4b3c2d1e0f"],
    "samples": 17280,
    "first": "2026-03-07T14:02:10.000Z",
    "last": "2026-03-08T14:02:05.000Z",
    "told": [21, 34],
    "both": 19,
    "agreement": 0.91,
    "apart": [{"at": "2026-03-08T03:00:00.000Z", "scores": [2.1, 9.4]}],
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


class ModelCard(StoredModel):
    """All that is known of a kept model."""

    model_config = ConfigDict(json_schema_extra={"examples": [CARD]})

    name: str
    first: Ever = Field(description="Where the history begins that it was fitted on.")
    last: Ever
    features: list[Text]
    systems: list[Text]
    figures: dict[str, Any] = Field(
        description="How it did on the last fifth of its history, which it had not seen then; "
        "what was left out, how training in epochs went, seed, versions, memory."
    )


class ModelPut(Said):
    """Another model serves."""

    model_config = ConfigDict(json_schema_extra={"examples": [PUT]})

    message: str
    id: str
    name: str
    pipeline: str


class Apart(Said):
    """A moment on which two models differ."""

    at: Moment
    scores: list[Number] = Field(description="Nats, of each.")


class ModelComparison(Said):
    """What two models said of everything recorded since both were fitted."""

    model_config = ConfigDict(json_schema_extra={"examples": [COMPARED]})

    models: list[str] = Field(description="Their ids.")
    samples: int
    first: Moment
    last: Moment
    told: list[int] = Field(description="Moments with p <= .001, by each.")
    both: int = Field(description="By both of them.")
    agreement: Number = Field(description="Rank correlation of their scores.")
    apart: list[Apart] = Field(description="Where they differ most.")


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

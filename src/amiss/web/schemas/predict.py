"""Predictions, and training on request."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict

from amiss.web.schemas.common import Said
from amiss.web.times import Moment

PREDICTION: dict[str, Any] = {
    "status": "success",
    "timestamp": "2026-03-07T14:02:10.000Z",
    "anomaly": True,
    "anomaly_flag": -1,
    "regression_prediction": 62.3,
    "source_metrics": {"cpu_percent": 75.5, "memory_percent": 68.2},
}


class Prediction(Said):
    """What isolation forest and regression say of the latest snapshot of this machine."""

    model_config = ConfigDict(json_schema_extra={"examples": [PREDICTION]})

    status: Literal["success", "warming_up"]
    timestamp: Moment
    anomaly: bool = Field(description="Whether the isolation forest finds the snapshot anomalous.")
    anomaly_flag: Literal[-1, 1] = Field(description="-1 if it is anomalous, 1 if it is not.")
    regression_prediction: float | None = Field(description="The forecast; of CPU by default.")
    source_metrics: dict[str, float | None] = Field(description="The snapshot.")
    reason: str | None = Field(None, description="What is waited for, only while warming up.")


class RetrainAsk(BaseModel):
    """Which model to train, and on how much."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"n_samples": 100, "model_name": "isolation_forest"}]},
    )

    n_samples: Annotated[int, Strict()] = Field(100, description="So many of the last ticks.")
    model_name: Annotated[str, Strict()] = Field(
        description="isolation_forest, linear_regression, or another model that can be trained."
    )


class Retrained(Said):
    """It is done, and the new model serves."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"message": "Isolation Forest model retrained with 100 samples."}]
        }
    )

    message: str

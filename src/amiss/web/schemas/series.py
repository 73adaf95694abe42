"""Series: as they are now, over time, and how strange."""

from typing import Any

from pydantic import ConfigDict, Field

from amiss.run.now import SeriesState
from amiss.web.schemas.common import Number, Said, Text
from amiss.web.times import Ever, Moment

KEY = 'disk_write_bytes_per_second{device="sda",host="web-3"}'
AT = "2026-03-07T14:02:10.000Z"
NOW: dict[str, Any] = {"value": 3.1e8, "score": 9.0, "expected": 3.8e7, "lower": 2e6, "upper": 4e7}
SERIES: dict[str, Any] = {
    "key": KEY,
    "name": "disk_write_bytes_per_second",
    "labels": {"device": "sda", "host": "web-3"},
    "words": "disk write, sda",
    "unit": "B/s",
    "pipeline": "host",
    "system": 'host="web-3"',
    "state": "judged",
    "reason": "",
    "seen": 51840,
    "every": 5.0,
    "time": AT,
    "p": 0.000123,
    "amiss": True,
} | NOW
HISTORY: dict[str, Any] = {
    "key": KEY,
    "words": "disk write, sda",
    "unit": "B/s",
    "start": "2026-03-07T13:02:10.000Z",
    "end": AT,
    "time": ["2026-03-07T14:02:05.000Z", AT],
} | {name: [None, value] for name, value in NOW.items()}
SCORES: dict[str, Any] = {
    "at": AT,
    "bar": 8.1,
    "series": [{name: SERIES[name] for name in ("key", "system", "time", "score", "p", "amiss")}],
    "joint": [
        {
            "detector": "linear_regression",
            "pipeline": "host",
            "system": 'host="web-3"',
            "raw": 2.2,
            "score": 1.4,
            "p": 0.25,
            "amiss": False,
            "forecast": {"cpu_percent": 62.3},
        }
    ],
}


class Series(Said):
    """A series at its last tick."""

    key: Text
    name: Text
    labels: dict[str, Text]
    words: Text
    unit: str
    pipeline: str
    system: Text
    state: SeriesState
    reason: Text
    seen: int = Field(description="Samples so far.")
    every: float = Field(description="Seconds between two of them, as they came.")
    time: Ever
    value: Number
    score: Number = Field(description="-ln p, in nats.")
    p: Number
    expected: Number
    lower: Number
    upper: Number
    amiss: bool = Field(description="Whether it is a member of an open incident.")


class SeriesList(Said):
    """Series that are watched."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"at": AT, "total": 1, "series": [SERIES]}]}
    )

    at: Moment
    total: int = Field(description="How many fit the filter.")
    series: list[Series]


class History(Said):
    """A series over time, as columns of equal length."""

    model_config = ConfigDict(json_schema_extra={"examples": [HISTORY]})

    key: Text
    words: Text
    unit: str
    start: Moment
    end: Moment
    time: list[Moment]
    value: list[Number]
    score: list[Number]
    expected: list[Number]
    lower: list[Number]
    upper: list[Number]


class Score(Said):
    """How strange a series is."""

    key: Text
    system: Text
    time: Ever
    score: Number
    p: Number
    amiss: bool


class Joint(Said):
    """How strange a system is as a whole, and what is forecast for it."""

    detector: str
    pipeline: str
    system: Text
    raw: Number = Field(description="The detector's own score.")
    score: Number
    p: Number
    amiss: bool
    forecast: dict[Text, Number]


class Scores(Said):
    """All scores as of the last tick."""

    model_config = ConfigDict(json_schema_extra={"examples": [SCORES]})

    at: Moment
    bar: Number = Field(description="Nats at which an incident opens.")
    series: list[Score]
    joint: list[Joint]

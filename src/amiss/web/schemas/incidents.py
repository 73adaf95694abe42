"""Incidents, their revisions, and what came of telling them."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from amiss.data import Severity
from amiss.web.schemas.common import Number, Said, Text
from amiss.web.schemas.feedback import FEEDBACK, Feedback
from amiss.web.schemas.series import KEY
from amiss.web.times import Moment

MEMBER: dict[str, Any] = {
    "series": KEY,
    "words": "disk write, sda",
    "since": "2026-03-07T14:02:10.000Z",
    "at": "2026-03-07T14:03:10.000Z",
    "score": 9.0,
    "observed": 3.1e8,
    "expected": 3.8e7,
    "lower": 2e6,
    "upper": 4e7,
    "blame": [],
    "blamed": [],
    "said": "",
    "why": "",
    "rules": [],
    "among": 0,
    "votes": [],
}
INCIDENT: dict[str, Any] = {
    "id": "a1b2c3d4e5f60718",
    "revision": 1,
    "state": "open",
    "system": 'host="web-3"',
    "since": "2026-03-07T14:02:10.000Z",
    "seen": "2026-03-07T14:03:10.000Z",
    "until": None,
    "severity": "medium",
    "score": 9.0,
    "p": 0.000123,
    "rarity": 91.0,
    "watched": 120.0,
    "breadth": 1,
    "members": [MEMBER],
    "title": "web-3: disk write, sda at 310 MB/s (2 to 40 MB/s expected)",
    "sentence": "web-3: disk write, sda at 310 MB/s (2 to 40 MB/s expected) since 14:02 UTC.",
    "evidence": ["backup.sh 92 % of a core"],
}
DELIVERY: dict[str, Any] = {
    "sink": "team-chat",
    "revision": 1,
    "at": "2026-03-07T14:03:11.000Z",
    "outcome": "delivered",
    "message": "",
    "times": 1,
}


class Blamed(Said):
    """A metric of a system that is strange as a whole."""

    series: Text
    observed: Number
    expected: Number = Field(description="What the other metrics let expect.")
    lower: Number
    upper: Number


class Member(Said):
    """A series of an incident, at its strangest moment."""

    series: Text
    words: Text
    since: Moment
    at: Moment
    score: Number = Field(description="-ln p, in nats.")
    observed: Number
    expected: Number
    lower: Number
    upper: Number
    blame: list[Text] = Field(description="Of a joint detector: the series that added most.")
    blamed: list[Blamed] = Field(
        description="Of a system as a whole: the same, against what the others let expect."
    )
    said: Text = Field(description="Of a single record: what it said.")
    why: Text = Field(
        description="Of a detector that tells by itself: what follows the name of the series."
    )
    rules: list[Text] = Field(description="The rules of a person that held.")
    among: int = Field(description="Of a single record: how many had been seen.")
    votes: list[Text] = Field(
        description="Of an ensemble: its confidence, that of each model, and if they disagree."
    )


class Incident(Said):
    """A revision of an incident."""

    model_config = ConfigDict(json_schema_extra={"examples": [INCIDENT]})

    id: str
    revision: int
    state: Literal["open", "resolved"]
    system: Text
    since: Moment
    seen: Moment = Field(description="The last tick at which it was strange.")
    until: Moment | None
    severity: Severity
    score: Number = Field(description="Of its strangest member, in nats.")
    p: Number
    rarity: Number = Field(
        description="Days between two such moments; null if a rule says that it is strange."
    )
    watched: Number = Field(description="Days of history that `rarity` rests on.")
    breadth: int = Field(description="How many series have been strange in it.")
    members: list[Member]
    title: Text
    sentence: Text
    evidence: list[Text]


class IncidentList(Said):
    """The newest revision of each incident, the last that opened first."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"incidents": [INCIDENT], "next": None}]}
    )

    incidents: list[Incident]
    next: str | None = Field(description="`cursor` of the next page; null on the last one.")


class Delivery(Said):
    """What came of telling one sink one revision; of several tries, the last."""

    sink: str
    revision: int
    at: Moment
    outcome: str
    message: Text
    times: int = Field(description="How often it was tried.")


class FinalScore(Said):
    """What became of the score that a model with hindsight gave at once."""

    series: Text
    model: str
    missing: int = Field(description="Samples until it is known; 0 if it is.")
    below: int = Field(description="Samples before it whose final score is lower.")
    among: int = Field(description="Samples before it.")
    words: Text


class IncidentPage(Said):
    """An incident as it is now, all its revisions, whom they were told to, and what they said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "incident": INCIDENT,
                    "revisions": [INCIDENT],
                    "deliveries": [DELIVERY],
                    "feedback": [FEEDBACK],
                    "final": [],
                    "like": None,
                }
            ]
        }
    )

    incident: Incident
    revisions: list[Incident] = Field(description="The first one first.")
    deliveries: list[Delivery]
    feedback: list[Feedback]
    final: list[FinalScore] = Field(description="Of members that such a model judged.")
    like: str | None = Field(
        description="An other incident that was called normal and that this one is like: it is not "
        "told; null if there is none."
    )

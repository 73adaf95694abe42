"""Incidents, the newest first, and all that is known of one."""

from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query

from amiss import data
from amiss.errors import ConfigError
from amiss.run.feedback import alike
from amiss.run.final import final
from amiss.web.problems import documented
from amiss.web.running import Running
from amiss.web.schemas.feedback import Feedback
from amiss.web.schemas.incidents import (
    Delivery,
    FinalScore,
    Incident,
    IncidentList,
    IncidentPage,
    Member,
)
from amiss.web.times import When
from amiss.words.units import words

router = APIRouter(tags=["incidents"])


def told(one: data.Incident) -> Incident:
    """As the API says it."""
    members = [
        Member(**{name: getattr(m, name) for name in m.__slots__}, words=words(m.series))
        for m in one.members
    ]
    said = {name: getattr(one, name) for name in one.__slots__ if name != "members"}
    return Incident(**said, members=members, title=one.title)


@router.get("/incidents", summary="Incidents", responses=documented(422))
def incidents(
    live: Running,
    state: Annotated[
        Literal["open", "resolved"] | None, Query(description="Only those in this state.")
    ] = None,
    since: Annotated[
        When | None, Query(description="Only those that were strange at this time or later.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[str | None, Query(description="`next` of the page before.")] = None,
) -> IncidentList:
    """The newest revision of each incident, the last that opened first."""
    if cursor is not None and not live.store.incident(cursor):
        raise ConfigError(f"cursor: there is no incident {cursor!r} to go on from")
    found = live.store.incidents(since, state, limit + 1, cursor)
    page = found[:limit]
    return IncidentList(
        incidents=[told(one) for one in page],
        next=page[-1].id if len(found) > limit else None,
    )


@router.get("/incidents/{id}", summary="An incident", responses=documented(404, 422))
def incident(live: Running, id: str) -> IncidentPage:
    """As it is now, all its revisions, whom it was told to with what result, what people said."""
    revisions = live.store.incident(id)
    if not revisions:
        raise HTTPException(404, f"there is no incident {id!r}; see /api/v1/incidents")
    return IncidentPage(
        incident=told(revisions[-1]),
        revisions=[told(one) for one in revisions],
        deliveries=[Delivery.model_validate(one) for one in live.store.deliveries(id)],
        feedback=[Feedback.model_validate(one) for one in live.store.said(id)],
        final=[FinalScore.model_validate(one) for one in final(live.store, revisions[-1])],
        like=like.incident.id if (like := alike(live.store, revisions[-1])) else None,
    )

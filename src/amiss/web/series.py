"""Series as they are now, over time, and how strange."""

from dataclasses import fields
from functools import lru_cache
from math import isfinite
from typing import Annotated, Any, Literal

import numpy as np
import orjson
from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from amiss.data import HOUR, Times, parse_key
from amiss.errors import ConfigError
from amiss.run.live import Live
from amiss.run.now import SeriesNow, SeriesState
from amiss.web.problems import documented
from amiss.web.running import Running
from amiss.web.schemas.series import History, Joint, Score, Scores, Series, SeriesList
from amiss.web.times import When, iso
from amiss.words.units import unit_of, words

router = APIRouter(tags=["series"])

COLUMNS = ("value", "score", "expected", "lower", "upper")
START = Query(description="From when: ISO 8601 or seconds since 1970. An hour before `end`.")
END = Query(description="Until when. Now, if not said.")
POINTS = Query(ge=10, le=20_000, description="About how many; extremes are kept.")
Start = Annotated[When | None, START]
End = Annotated[When | None, END]


@lru_cache(maxsize=20_000)
def _told(key: str) -> dict[str, Any]:
    """What follows from a key."""
    name, labels = parse_key(key)
    return {"name": name, "labels": labels, "words": words(key), "unit": unit_of(name)}


def _series(one: SeriesNow) -> Series:
    said = {field.name: getattr(one, field.name) for field in fields(one)}
    return Series(**said, **_told(one.key))


@router.get("/series", summary="The series that are watched", responses=documented(422))
def series(
    live: Running,
    q: Annotated[str, Query(description="All of these words are in the key or its words.")] = "",
    state: Annotated[SeriesState | None, Query(description="Only those in this state.")] = None,
    system: Annotated[str | None, Query(description='Such as `host="web-3"`, or `web-3`.')] = None,
    sort: Annotated[
        Literal["key", "score"], Query(description="By key, or the strangest first.")
    ] = "key",
    limit: Annotated[int, Query(ge=1, le=100_000)] = 1000,
) -> SeriesList:
    """Each with its last value, what was expected, and how strange it is; or why not yet."""
    now = live.now()
    asked = q.lower().split()
    found = [
        one
        for one in now.series
        if (state is None or one.state == state)
        and (system is None or _is_system(one.system, system))
        and (not asked or _fits(one.key, asked))
    ]
    if sort == "score":
        found.sort(key=lambda one: -one.score if isfinite(one.score) else np.inf)
    else:
        found.sort(key=lambda one: one.key)
    return SeriesList(at=now.at, total=len(found), series=[_series(one) for one in found[:limit]])


@router.get(
    "/series/history",
    summary="A series over time, its key as a parameter",
    response_model=History,
    responses=documented(404, 422),
)
def history_of(
    live: Running,
    key: Annotated[str, Query(description="As the list of series gives it.")],
    start: Start = None,
    end: End = None,
    points: Annotated[int, POINTS] = 600,
) -> Response:
    """The same as `/series/{key}/history`, for keys that an address cannot hold."""
    return history(live, key, start, end, points)


@router.get(
    "/series/{key:path}/history",
    summary="A series over time",
    response_model=History,
    responses=documented(404, 422),
)
def history(
    live: Running,
    key: str,
    start: Start = None,
    end: End = None,
    points: Annotated[int, POINTS] = 600,
) -> Response:
    """Value, score, expected value and band, as columns. Thinned, extremes are kept."""
    end = live.world.now() if end is None else end
    start = max(end - HOUR, 0) if start is None else start
    if start > end:
        raise ConfigError(f"start: {iso(start)} is after the end, {iso(end)}")
    found = live.history(key, start, end, points)
    if not len(found.time) and not _known(live, key):
        raise HTTPException(404, f"there is no series {key!r}; see /api/v1/series")
    said = {
        "key": key,
        "words": words(key),
        "unit": unit_of(parse_key(key)[0]),
        "start": iso(start),
        "end": iso(end),
        "time": _written(found.time),
    }
    columns = {name: np.ascontiguousarray(getattr(found, name), float) for name in COLUMNS}
    body = orjson.dumps(said | columns, option=orjson.OPT_SERIALIZE_NUMPY)  # NaN becomes null
    return Response(body, media_type="application/json")


@router.get("/scores", summary="How strange everything is now", responses=documented())
def scores(live: Running) -> Scores:
    """The score of each series, and of each system as a whole, as of the last tick."""
    now = live.now()
    return Scores(
        at=now.at,
        bar=now.budget.bar,
        series=[Score.model_validate(one) for one in now.series],
        joint=[Joint.model_validate(one) for one in now.joint],
    )


def _fits(key: str, asked: list[str]) -> bool:
    text = f"{key} {_told(key)['words']}".lower()
    return all(word in text for word in asked)


def _is_system(one: str, asked: str) -> bool:
    return one == asked or asked in parse_key(f"x{{{one}}}")[1].values()


def _known(live: Live, key: str) -> bool:
    if any(one.key == key for one in live.now().series):
        return True
    return any(one.key == key for one in live.store.series())


def _written(time: Times) -> list[str]:
    """As `iso` writes them."""
    if not len(time):
        return []
    text = np.datetime_as_string(time.astype("datetime64[ns]").astype("datetime64[ms]"), unit="ms")
    return [f"{one}Z" for one in text.tolist()]

from math import isnan
from urllib.parse import quote

import httpx
import numpy as np
import pytest

from amiss.model import Card
from amiss.web.times import parse_time
from amiss.words.units import words
from web.fake import CPU, DISK, HOME, SYSTEM, FakeLive, series

START = 1_772_892_130


def keys(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["key"] for one in answer.json()["series"]]


def test_series_say_what_they_are_and_how_they_do(same_site: httpx.Client) -> None:
    said = same_site.get("/api/v1/series").json()
    assert said["at"] == "2026-03-07T14:02:10.000Z"
    assert said["total"] == 3
    disk = next(one for one in said["series"] if one["key"] == DISK)
    assert disk["name"] == "disk_write_bytes_per_second"
    assert disk["labels"] == {"device": "sda", "host": "web-3"}
    assert (disk["words"], disk["unit"], disk["amiss"]) == (words(DISK), "B/s", True)
    assert (disk["value"], disk["expected"], disk["lower"], disk["upper"]) == (
        310e6, 38e6, 2e6, 40e6
    )  # fmt: skip
    home = next(one for one in said["series"] if one["key"] == HOME)
    assert home["state"] == "warming up"
    assert home["reason"].startswith("24 of 96 samples")
    assert home["time"] is None
    assert {home[name] for name in ("value", "score", "p", "expected", "lower", "upper")} == {None}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [CPU, HOME, DISK]),
        ({"q": "disk"}, [HOME, DISK]),
        ({"q": "SDA write"}, [DISK]),
        ({"q": "nothing like it"}, []),
        ({"state": "warming up"}, [HOME]),
        ({"state": "silent"}, []),
        ({"system": SYSTEM}, [CPU, HOME, DISK]),
        ({"system": "web-3"}, [CPU, HOME, DISK]),
        ({"system": "web-4"}, []),
        ({"sort": "score"}, [DISK, CPU, HOME]),
        ({"sort": "score", "limit": 1}, [DISK]),
    ],
)
def test_series_are_filtered_and_sorted(same_site: httpx.Client, asked: dict, found: list) -> None:
    assert keys(same_site.get("/api/v1/series", params=asked)) == found


@pytest.mark.parametrize(
    "asked", [{"state": "asleep"}, {"sort": "size"}, {"limit": 0}, {"limit": "all"}]
)
def test_a_filter_that_cannot_be_names_its_field(same_site: httpx.Client, asked: dict) -> None:
    answer = same_site.get("/api/v1/series", params=asked)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == list(asked)


def test_history_is_columns_with_gaps_as_null_and_extremes_kept(same_site: httpx.Client) -> None:
    said = same_site.get("/api/v1/series/history", params={"key": DISK, "points": 60}).json()
    assert (said["key"], said["unit"], said["words"]) == (DISK, "B/s", words(DISK))
    assert said["end"] == "2026-03-07T14:02:11.000Z"
    assert said["start"] == "2026-03-07T13:02:11.000Z"
    columns = [said[name] for name in ("time", "value", "score", "expected", "lower", "upper")]
    assert {len(column) for column in columns} == {len(said["time"])}
    assert 20 <= len(said["time"]) <= 61
    assert 77.0 in said["value"]
    times = [parse_time(one) for one in said["time"]]
    assert times == sorted(times)


def test_an_unthinned_history_is_what_was_recorded(
    same_site: httpx.Client, same_live: FakeLive
) -> None:
    asked = {"key": DISK, "start": "1772888530", "end": "2026-03-07T14:02:10Z", "points": 1000}
    said = same_site.get("/api/v1/series/history", params=asked).json()
    want = same_live.history(DISK, (START - 3600) * 10**9, START * 10**9, 1000)
    assert [parse_time(one) for one in said["time"]] == want.time.tolist()
    value = [np.nan if x is None else x for x in said["value"]]
    np.testing.assert_array_equal(value, want.value)
    assert sum(map(isnan, value)) == 1


@pytest.mark.parametrize("key", [DISK, CPU, HOME])
def test_a_key_with_quotes_braces_and_slashes_fits_into_an_address(
    same_site: httpx.Client, key: str
) -> None:
    path = same_site.get(f"/api/v1/series/{quote(key, safe='')}/history")
    parameter = same_site.get("/api/v1/series/history", params={"key": key})
    assert path.status_code == parameter.status_code == 200
    assert path.content == parameter.content
    assert path.json()["key"] == key


def test_a_series_nobody_knows_is_404(same_site: httpx.Client) -> None:
    answer = same_site.get("/api/v1/series/history", params={"key": "nosuch"})
    assert answer.status_code == 404
    assert "there is no series 'nosuch'" in answer.json()["detail"]
    assert same_site.get("/api/v1/series/nosuch/history").status_code == 404


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"start": "yesterday"}, "start"),
        ({"end": "soon"}, "end"),
        ({"points": 3}, "points"),
        ({"points": 10**9}, "points"),
    ],
)
def test_a_span_that_cannot_be_names_its_field(
    same_site: httpx.Client, asked: dict, field: str
) -> None:
    answer = same_site.get("/api/v1/series/history", params={"key": DISK} | asked)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]


def test_a_span_that_ends_before_it_begins_is_refused(same_site: httpx.Client) -> None:
    asked = {"key": DISK, "start": 2000, "end": 1000}
    answer = same_site.get("/api/v1/series/history", params=asked)
    assert answer.status_code == 422
    assert "is after the end" in answer.json()["detail"]
    assert (
        same_site.get("/api/v1/series/history", params={"key": DISK, "end": 1000}).json()["time"]
        == []
    )


def test_scores_of_series_and_systems(same_site: httpx.Client) -> None:
    said = same_site.get("/api/v1/scores").json()
    assert said["bar"] == 8.1
    assert {one["key"]: one["score"] for one in said["series"]} == {CPU: 1.5, DISK: 9.0, HOME: None}
    forest, line = said["joint"]
    assert (forest["detector"], forest["score"], forest["amiss"]) == ("isolation_forest", 9.5, True)
    assert line["forecast"] == {"cpu_percent": 62.3}


def test_names_that_are_no_utf8_do_no_harm(site: httpx.Client, live: FakeLive) -> None:
    live.publish(series=(series('disk_percent{mount="/media/\udce9t\udce9"}'),))
    for path in ("/api/v1/series", "/api/v1/scores", "/metrics", "/predict", "/api/v1/health"):
        assert site.get(path).status_code == 200, path


def test_models_are_listed_and_trained(site: httpx.Client, live: FakeLive) -> None:
    card = {
        "name": "isolation_forest", "pipeline": "host", "detector": "isolation_forest-1",
        "samples": 100, "trained": START * 10**9, "seconds": 1.9,
    }  # fmt: skip
    id = live.store.save_model(card, {"forest": {"trees": np.zeros(3)}})
    said = site.get("/api/v1/models").json()
    assert [(one["name"], one["state"]) for one in said["models"]] == [
        ("isolation_forest", "in use"), ("linear_regression", "waiting"),
    ]  # fmt: skip
    assert said["models"][1]["trained"] is None
    (stored,) = said["stored"]
    assert (stored["id"], stored["in_use"], stored["samples"]) == (id, True, 100)
    answer = site.post("/api/v1/models/isolation_forest/retrain", json={"samples": 120})
    assert answer.json()["message"] == "Isolation Forest model retrained with 120 samples."
    assert set(Card.__slots__) < {*answer.json(), "detector", "systems", "figures"}
    answer = site.post("/api/v1/models/oracle/retrain", json={"samples": 120})
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("known: isolation_forest, linear_regression")
    answer = site.post("/api/v1/models/isolation_forest/retrain", json={"samples": 4})
    assert answer.status_code == 422

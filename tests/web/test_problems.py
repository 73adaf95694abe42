import logging

import httpx
import pytest

from web.fake import FOREST, FakeLive

JSON = {"content-type": "application/json"}


def is_problem(answer: httpx.Response, status: int) -> dict:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["type"] == "about:blank"
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    return said


def test_nothing_there(same_site: httpx.Client) -> None:
    said = is_problem(same_site.get("/nosuch"), 404)
    assert said["detail"] == "there is nothing at /nosuch; see /docs"
    is_problem(same_site.get("/api/v1/nosuch"), 404)


def test_not_in_this_way(same_site: httpx.Client) -> None:
    answer = same_site.delete("/predict")
    assert is_problem(answer, 405)["detail"] == "/predict does not take DELETE; see Allow"
    assert answer.headers["allow"] == "GET"


@pytest.mark.parametrize("body", [b"", b"{", b'{"n_samples": ', b"\xff\xfe", b"not json"])
def test_what_is_no_json(same_site: httpx.Client, body: bytes) -> None:
    answer = same_site.post("/retrain", content=body, headers=JSON)
    said = is_problem(answer, 422 if not body else 400)
    assert "body" in said["detail"]


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
@pytest.mark.parametrize("path", ["/retrain", f"/api/v1/models/{FOREST}/retrain"])
def test_what_is_not_said_to_be_json(
    same_site: httpx.Client, same_live: FakeLive, kind: str | None, path: str
) -> None:
    before = list(same_live.trained)
    body = b'{"model_name": "isolation_forest", "samples": 100}'
    answer = same_site.post(path, content=body, headers={"content-type": kind} if kind else {})
    assert "application/json" in is_problem(answer, 415)["detail"]
    assert same_live.trained == before


def test_json_by_another_name_is_json(same_site: httpx.Client) -> None:
    for kind in ("application/json; charset=utf-8", "application/vnd.api+json"):
        body = b'{"model_name": "isolation_forest"}'
        answer = same_site.post("/retrain", content=body, headers={"content-type": kind})
        assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/predict", "/metrics", "/readyz", "/api/v1/series"])
def test_a_fault_is_logged_and_not_shown(
    site: httpx.Client, live: FakeLive, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    live.fault = KeyError("a secret inside")
    with caplog.at_level(logging.ERROR):
        answer = site.get(path)
    said = is_problem(answer, 500)
    assert "secret" not in answer.text
    assert said["detail"] == "A fault of Amiss; it is in its log. Nothing is lost by it."
    (record,) = [one for one in caplog.records if one.name == "amiss.web.problems"]
    assert record.getMessage() == f"fault in GET {path}"
    assert "a secret inside" in str(record.exc_info)
    live.fault = None
    assert site.get(path).status_code == 200


def test_deep_json_is_no_fault_of_ours(same_site: httpx.Client) -> None:
    answer = same_site.post("/retrain", content=b"[" * 100_000, headers=JSON)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"

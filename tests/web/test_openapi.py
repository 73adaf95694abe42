import re
from html import unescape
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from amiss.formats.pushed import PATHS
from servers.incidents import ended
from web.fake import DISK, FOREST, FakeLive, incident

JSON = {"content-type": "application/json"}
PROBLEM = "application/problem+json"


def check(description: dict, schema: dict, said: Any) -> None:
    """Raises unless what is said fits the schema."""
    whole = schema | {"components": description["components"]}
    Draft202012Validator.check_schema(whole)
    Draft202012Validator(whole).validate(said)


def operations(description: dict) -> list[tuple[str, str, dict]]:
    return [
        (method, path, operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
    ]


@pytest.fixture(scope="module")
def description(same_site: httpx.Client) -> dict:
    answer = same_site.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_every_operation_says_what_it_is_for(description: dict) -> None:
    tags = {tag["name"] for tag in description["tags"]}
    found = operations(description)
    assert {path for _, path, _ in found} == {
        "/predict", "/retrain", "/healthz", "/readyz", "/metrics",
        "/api/v1/series", "/api/v1/series/history", "/api/v1/series/{key}/history",
        "/api/v1/scores", "/api/v1/incidents", "/api/v1/incidents/{id}",
        "/api/v1/incidents/{id}/acknowledge", "/api/v1/incidents/{id}/feedback",
        "/api/v1/feedback", "/api/v1/models",
        "/api/v1/models/{name}/retrain", "/api/v1/models/{name}/rollback",
        "/api/v1/models/{id}", "/api/v1/models/{id}/compare", "/api/v1/models/{id}/promote",
        "/api/v1/health", "/api/v1/report", "/api/v1/stream",
        *(f"/inbox/{{inbox}}/{path}" for path in PATHS),
    }  # fmt: skip
    for method, path, operation in found:
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        assert set(operation["tags"]) <= tags, where
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(set(ids)) == len(ids)


def test_every_answer_has_a_schema_and_an_example_that_fits_it(description: dict) -> None:
    for method, path, operation in operations(description):
        # senders of OpenTelemetry are told in their own form
        otlp = path.startswith("/inbox/") and path.endswith(("v1/metrics", "v1/logs"))
        told = {"application/json", "application/x-protobuf"} if otlp else {PROBLEM}
        for status, answer in operation["responses"].items():
            assert answer["description"]
            for kind, media in answer.get("content", {}).items():
                where = f"{method} {path} {status} {kind}"
                assert media["schema"], where
                assert media["example"], where
                check(description, media["schema"], media["example"])
                assert (kind in told) == (status != "200"), where
        if "requestBody" in operation:
            media = operation["requestBody"]["content"]["application/json"]
            check(description, media["schema"], media["example"])
            assert {"400", "413", "415", "422"} <= set(operation["responses"])


@pytest.mark.parametrize(
    ("method", "path", "template", "asked"),
    [
        ("get", "/predict", None, {}),
        ("post", "/retrain", None, {"json": {"n_samples": 100, "model_name": FOREST}}),
        ("post", "/retrain", None, {"json": {"n_samples": 1, "model_name": FOREST}}),
        ("post", "/retrain", None, {"json": {}}),
        ("post", "/retrain", None, {"content": b"{", "headers": JSON}),
        ("post", "/retrain", None, {"content": b"{}"}),
        ("get", "/healthz", None, {}),
        ("get", "/readyz", None, {}),
        ("get", "/api/v1/series", None, {}),
        ("get", "/api/v1/series", None, {"params": {"limit": "x"}}),
        ("get", "/api/v1/series/history", None, {"params": {"key": DISK}}),
        ("get", "/api/v1/series/no/history", "/api/v1/series/{key}/history", {}),
        ("get", "/api/v1/scores", None, {}),
        ("get", "/api/v1/incidents", None, {}),
        ("get", "/api/v1/incidents/a1", "/api/v1/incidents/{id}", {}),
        ("get", "/api/v1/incidents/a2", "/api/v1/incidents/{id}", {}),
        ("get", "/api/v1/models", None, {}),
        ("post", f"/api/v1/models/{FOREST}/retrain", "/api/v1/models/{name}/retrain",
         {"json": {"samples": 100}}),
        ("get", "/api/v1/health", None, {}),
    ],
)  # fmt: skip
def test_what_is_answered_is_what_is_described(
    same_site: httpx.Client, same_live: FakeLive, description: dict, method: str, path: str,
    template: str | None, asked: dict,
) -> None:  # fmt: skip
    same_live.commit(incident("a1"))
    same_live.commit(ended(incident("a1")))
    same_live.store.delivered("chat", "a1", 1, 10**18, "delivered", "")
    answer = same_site.request(method, path, **asked)
    described = description["paths"][template or path][method]["responses"][str(answer.status_code)]
    kind = answer.headers["content-type"].partition(";")[0]
    check(description, described["content"][kind]["schema"], answer.json())


def test_there_is_a_page_for_people_that_loads_nothing(same_site: httpx.Client) -> None:
    page = same_site.get("/docs")
    assert page.status_code == 200
    text = unescape(page.text)
    assert "`" not in text
    for path in ("/predict", "/retrain", "/api/v1/series/{key}/history", "/openapi.json"):
        assert path in text
    assert "Isolation Forest model retrained with 100 samples." in text
    assert not re.search(r"<(script|img|link|iframe)|https?://", page.text)
    assert same_site.get("/redoc").status_code == 404

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import nan
from pathlib import Path

import httpx
import orjson
import pytest

from amiss import predictions
from amiss.errors import StateError
from amiss.web.app import build
from web.fake import FOREST, JOINT, STARTING, FakeLive


def lines(live: FakeLive) -> list[dict]:
    found = sorted(live.home.glob("predictions.jsonl*"))
    return [orjson.loads(line) for path in found for line in path.read_bytes().splitlines()]


def test_a_prediction_is_what_system_2_documents(site: httpx.Client, live: FakeLive) -> None:
    answer = site.get("/predict")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "status": "success",
        "timestamp": "2026-03-07T14:02:10.000Z",
        "anomaly": True,
        "anomaly_flag": -1,
        "regression_prediction": 62.3,
        "source_metrics": {
            "cpu_percent": 6.5,
            'disk_write_bytes_per_second{device="sda"}': 310e6,
            'disk_percent{mount="/home/a b"}': None,
        },
    }
    (line,) = lines(live)
    assert line["score"] == 9.5
    assert line["target"] == "cpu_percent"
    assert answer.json().items() <= line.items()


def test_what_is_usual_is_flagged_1(site: httpx.Client, live: FakeLive) -> None:
    live.publish(joint=(replace(JOINT[0], score=0.2), replace(JOINT[1], forecast={})))
    said = site.get("/predict").json()
    assert (said["anomaly"], said["anomaly_flag"]) == (False, 1)
    assert said["regression_prediction"] is None


@pytest.mark.parametrize(
    "changes", [{}, {"phase": "warming up", "reason": "First opinions: 24 of 96 samples"}]
)
def test_before_there_are_models_it_says_what_it_waits_for(
    site: httpx.Client, live: FakeLive, changes: dict
) -> None:
    live.publish(**({"joint": (), "reason": STARTING.reason} | changes))
    said = site.get("/predict").json()
    assert said["status"] == "warming_up"
    assert (said["anomaly"], said["anomaly_flag"]) == (False, 1)
    assert said["regression_prediction"] is None
    assert said["reason"].endswith(live.picture.reason)
    live.publish(series=())
    assert site.get("/predict").json()["timestamp"] == "2026-03-07T14:02:11.000Z"
    assert [line["status"] for line in lines(live)] == ["warming_up", "warming_up"]


@pytest.mark.slow
def test_ten_thousand_requests_are_ten_thousand_lines(
    live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predictions, "MAX_BYTES", 200_000)
    app = build(live)
    scope = {
        "type": "http", "method": "GET", "path": "/predict", "raw_path": b"/predict",
        "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
        "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 9), "server": ("x", 80),
    }  # fmt: skip

    async def ask() -> int:
        status = 0

        async def receive() -> dict:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict) -> None:
            nonlocal status
            status = message.get("status", status)

        await app(dict(scope), receive, send)
        return status

    async def all_of_them() -> list[int]:
        found = []
        for _ in range(200):
            found += await asyncio.gather(*(ask() for _ in range(50)))
        return found

    assert asyncio.run(all_of_them()) == [200] * 10_000
    assert app.state.predictions.logged == 10_000
    assert len(lines(live)) < 10_000  # the oldest have been rotated away
    assert all(line["anomaly"] for line in lines(live))
    kept = list(live.home.glob("predictions.jsonl*"))
    assert len(kept) == 1 + predictions.KEEP
    assert all(path.stat().st_size <= 200_000 for path in kept)


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/dev/full").exists(), reason="no full disk")
def test_a_full_disk_costs_the_line_and_not_the_answer(site: httpx.Client, live: FakeLive) -> None:
    (live.home / predictions.NAME).symlink_to("/dev/full")
    assert site.get("/predict").json()["status"] == "success"
    said = site.get("/api/v1/health").json()["predictions"]
    assert (said["logged"], said["unlogged"]) == (0, 1)
    assert "predictions.jsonl cannot be written" in said["reason"]
    (live.home / predictions.NAME).unlink()
    site.get("/predict")
    said = site.get("/api/v1/health").json()["predictions"]
    assert said == {"logged": 1, "unlogged": 1, "reason": ""}


def test_a_retrained_model_is_told_in_a_sentence(site: httpx.Client, live: FakeLive) -> None:
    ask = {"n_samples": 100, "model_name": FOREST}
    answer = site.post("/retrain", json=ask)
    assert answer.status_code == 200
    assert answer.json() == {"message": "Isolation Forest model retrained with 100 samples."}
    assert site.post("/retrain", json={"model_name": "linear_regression"}).json() == {
        "message": "Linear Regression model retrained with 100 samples."
    }
    assert live.trained == [(FOREST, 100), ("linear_regression", 100)]


@pytest.mark.parametrize(
    ("ask", "status", "said"),
    [
        ({"n_samples": 100, "model_name": "oracle"}, 422, "there is no model 'oracle'"),
        ({"n_samples": 10, "model_name": FOREST}, 422, "n_samples: 10 is not between"),
        ({"n_samples": "100", "model_name": FOREST}, 422, "n_samples: input should be a valid int"),
        ({"n_samples": True, "model_name": FOREST}, 422, "n_samples: input should be a valid int"),
        ({"n_samples": 100}, 422, "model_name: field required"),
        ({"model_name": FOREST, "samples": 3}, 422, "samples: extra inputs are not permitted"),
        ([], 422, "input should be"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence(
    same_site: httpx.Client, same_live: FakeLive, ask: object, status: int, said: str
) -> None:
    answer = same_site.post("/retrain", json=ask)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert not same_live.trained


def test_a_failed_training_says_why(site: httpx.Client, live: FakeLive) -> None:
    live.fault = StateError("fitting failed: there is no memory left")
    answer = site.post("/retrain", json={"model_name": FOREST})
    assert answer.status_code == 500
    assert answer.json()["detail"] == "fitting failed: there is no memory left"


def test_a_hundred_at_once_share_one_training_and_starve_nobody(
    site: httpx.Client, live: FakeLive
) -> None:
    live.gate.clear()
    limits = httpx.Limits(max_connections=200)
    with (
        httpx.Client(base_url=site.base_url, limits=limits, timeout=120) as client,
        ThreadPoolExecutor(100) as pool,
    ):
        ask = {"n_samples": 100, "model_name": FOREST}
        asked = [pool.submit(client.post, "/retrain", json=ask) for _ in range(60)]
        assert live.begun.acquire(timeout=120)
        other = [
            pool.submit(client.post, "/retrain", json=ask | {"n_samples": 200 + i})
            for i in range(40)
        ]
        refused = [one.result() for one in other]
        # all that wait keep none of these waiting
        for path in ("/healthz", "/readyz", "/predict", "/metrics", "/api/v1/series"):
            assert site.get(path).status_code == 200
        assert not any(one.done() for one in asked)
        live.gate.set()
        answers = [one.result() for one in asked]
    assert {answer.status_code for answer in refused} == {503}
    assert {answer.headers["retry-after"] for answer in refused} == {"5"}
    assert {answer.status_code for answer in answers} == {200}
    assert live.trained.count((FOREST, 100)) <= 2  # some may have come after the first had ended


def test_a_number_that_is_none_is_null() -> None:
    found = predictions.answer(
        predictions.Prediction(0, False, "", True, nan, nan, "", nan, {"x": nan}), 10**18
    )
    assert found["source_metrics"] == {"x": None}
    assert found["regression_prediction"] is None

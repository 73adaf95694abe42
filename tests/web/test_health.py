from dataclasses import replace

import httpx

from amiss.errors import Unreachable
from web.fake import STARTING, WATCHING, FakeLive, incident


def test_alive_is_told_whatever_else_is_wrong(site: httpx.Client, live: FakeLive) -> None:
    live.fault = RuntimeError("all is lost")
    assert site.get("/healthz").json() == {"status": "alive"}
    assert site.head("/healthz").status_code == 200


def test_ready_after_the_first_tick_and_not_while_stopping(
    site: httpx.Client, live: FakeLive
) -> None:
    assert site.get("/readyz").json() == {
        "status": "ready", "phase": "watching", "reason": WATCHING.reason,
    }  # fmt: skip
    live.publish(phase="stopping")
    assert site.get("/readyz").status_code == 503
    live.picture = STARTING
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Waiting for the first samples"
    assert answer.headers["content-type"] == "application/problem+json"


def test_health_of_every_part(site: httpx.Client, live: FakeLive) -> None:
    said = site.get("/api/v1/health").json()
    assert said["headline"] == "All quiet: 2 series watched, 2 of 5 incidents used today"
    assert said["series"] == {"judged": 2, "warming up": 1, "silent": 0}
    (source,) = said["sources"]
    assert (source["health"], source["ticks"], source["failures"]) == ("good", 12, 1)
    (sink,) = said["sinks"]
    assert (sink["health"], sink["reason"]) == ("failing", "HTTP 500; tried again in 32 s")
    detectors = {one["type"]: one for one in said["detectors"]}
    assert detectors["level"] == {
        "pipeline": "host", "type": "level", "joint": False, "state": "in use", "reason": "",
    }  # fmt: skip
    assert detectors["linear_regression"]["state"] == "waiting"
    assert detectors["linear_regression"]["reason"] == "24 of 100 samples"
    assert said["budget"]["asked"] == 5.0
    assert said["budget"]["achieved"] == 1.3
    assert said["skipped"] == {"temperatures: PermissionError": 2}


def test_the_headline_says_what_matters_most(site: httpx.Client, live: FakeLive) -> None:
    live.publish(open=(incident(),))
    assert site.get("/api/v1/health").json()["headline"] == "1 thing is amiss"
    live.publish(open=(incident(), incident("b")))
    assert site.get("/api/v1/health").json()["headline"] == "2 things are amiss"
    lost = replace(WATCHING.pipelines[0], health="failing", reason="no answer since 14:02")
    live.publish(pipelines=(lost,))
    said = site.get("/api/v1/health").json()["headline"]
    assert said == "Amiss cannot see host: no answer since 14:02"
    live.publish(pipelines=WATCHING.pipelines)
    live.publish(open=(), phase="warming up", reason="First opinions: 24 of 96 samples")
    assert site.get("/api/v1/health").json()["headline"] == "First opinions: 24 of 96 samples"


def test_a_source_that_waits_for_its_file_is_no_fault(site: httpx.Client, live: FakeLive) -> None:
    said = "/opt/zeek/logs: there is no such folder"
    waits = replace(WATCHING.pipelines[0], name="flows", health="waiting", reason=said, ticks=0)
    live.publish(pipelines=(*WATCHING.pipelines, waits))
    told = site.get("/api/v1/health").json()
    assert told["headline"].startswith("All quiet")
    assert (told["sources"][1]["health"], told["sources"][1]["reason"]) == ("waiting", said)
    assert site.get("/readyz").status_code == 200
    assert 'amiss_source_up{pipeline="flows",source="host"} 1.0' in site.get("/metrics").text


def test_a_source_that_is_not_seen_is_told_everywhere(site: httpx.Client, live: FakeLive) -> None:
    lost = replace(WATCHING.pipelines[0], health="failing", reason="no answer since 14:02")
    live.publish(pipelines=(*WATCHING.pipelines, replace(lost, name="other")))
    said = "Amiss cannot see other: no answer since 14:02"
    assert site.get("/api/v1/health").json()["headline"] == said
    assert site.get("/readyz").status_code == 200
    live.publish(pipelines=(lost,))
    answer = site.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "Amiss cannot see host: no answer since 14:02"
    metrics = site.get("/metrics").text
    assert "amiss_ready 0.0" in metrics
    assert 'amiss_source_up{pipeline="host",source="host"} 0.0' in metrics
    with site.stream("GET", "/api/v1/stream") as stream:
        first = next(line for line in stream.iter_lines() if line.startswith("data:"))
    assert "Amiss cannot see host" in first


def test_a_store_that_does_not_answer_is_503(site: httpx.Client, live: FakeLive) -> None:
    live.fault = Unreachable("amiss.db is locked by another program")
    answer = site.get("/api/v1/health")
    assert answer.status_code == 503
    assert answer.json()["detail"] == "amiss.db is locked by another program"
    assert answer.headers["retry-after"] == "5"

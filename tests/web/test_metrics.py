from dataclasses import replace
from math import nan

import httpx
import pytest
from prometheus_client import parser as prometheus
from prometheus_client.openmetrics import parser as openmetrics

from amiss.web.exposition import labels_of
from web.fake import CPU, HOME, WATCHING, FakeLive, incident, series

OPEN = {"accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.3"}


def samples(text: str, parser=prometheus) -> dict[str, list[tuple[dict, float]]]:
    found: dict[str, list[tuple[dict, float]]] = {}
    for family in parser.text_string_to_metric_families(text):
        for one in family.samples:
            found.setdefault(one.name, []).append((one.labels, one.value))
    return found


def value(found: dict, name: str, **labels: str) -> float:
    (only,) = [x for said, x in found[name] if labels.items() <= said.items()]
    return only


@pytest.mark.parametrize(
    ("accept", "media", "parser"),
    [
        ({}, "text/plain", prometheus),
        ({"accept": "text/plain"}, "text/plain", prometheus),
        (OPEN, "application/openmetrics-text", openmetrics),
    ],
)
def test_prometheus_reads_every_series(
    site: httpx.Client, live: FakeLive, accept: dict, media: str, parser
) -> None:
    live.publish(open=(incident(),))
    answer = site.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith(media)
    found = samples(answer.text, parser)
    disk = {"series": "disk_write_bytes_per_second", "device": "sda", "host": "web-3"}
    assert value(found, "amiss_value", **disk) == 310e6
    assert value(found, "amiss_expected", **disk) == 38e6
    assert value(found, "amiss_lower", **disk) == 2e6
    assert value(found, "amiss_upper", **disk) == 40e6
    assert value(found, "amiss_score", **disk) == 9.0
    assert value(found, "amiss_anomaly", **disk) == 1
    assert value(found, "amiss_anomaly", series="cpu_percent") == 0
    # what is not known is not there
    assert [said["series"] for said, _ in found["amiss_score"]] == [
        "cpu_percent", "disk_write_bytes_per_second",
    ]  # fmt: skip
    assert value(found, "amiss_joint_score", detector="isolation_forest", host="web-3") == 9.5
    assert value(found, "amiss_joint_anomaly", detector="isolation_forest") == 1
    assert value(found, "amiss_forecast", metric="cpu_percent") == 62.3


def test_amiss_says_how_it_does_itself(site: httpx.Client, live: FakeLive) -> None:
    live.publish(open=(incident(), incident("b", severity="high")))
    site.get("/predict")
    found = samples(site.get("/metrics").text)
    assert value(found, "amiss_ticks_total", pipeline="host", source="host") == 12
    assert value(found, "amiss_records_total", pipeline="host", source="host") == 480
    assert value(found, "amiss_poll_failures_total") == 1
    assert value(found, "amiss_source_up") == 1
    assert value(found, "amiss_lag_seconds") == 0.02
    assert value(found, "amiss_step_seconds") == 0.004
    assert value(found, "amiss_state_bytes") == 4800
    assert value(found, "amiss_series", state="judged") == 2
    assert value(found, "amiss_series", state="warming up") == 1
    assert value(found, "amiss_skipped_total", reason="temperatures: PermissionError") == 2
    assert value(found, "amiss_sink_up", sink="chat", type="webhook") == 0
    assert value(found, "amiss_deliveries_total", outcome="delivered") == 3
    assert value(found, "amiss_deliveries_total", outcome="retried") == 2
    assert value(found, "amiss_deliveries_total", outcome="refused") == 1
    assert value(found, "amiss_budget_incidents_per_day") == 5
    assert value(found, "amiss_achieved_incidents_per_day") == 1.3
    assert value(found, "amiss_opened_incidents", days="1") == 2
    assert value(found, "amiss_open_incidents", severity="medium") == 1
    assert value(found, "amiss_open_incidents", severity="low") == 0
    assert value(found, "amiss_model_age_seconds", model="isolation_forest") == 90
    assert value(found, "amiss_predictions_total", outcome="logged") == 1
    assert value(found, "amiss_ready") == 1
    assert value(found, "amiss_build_info") == 1
    assert found["process_resident_memory_bytes"][0][1] > 1e6


def test_it_reads_the_picture_of_the_moment(site: httpx.Client, live: FakeLive) -> None:
    live.publish(series=(series(CPU, score=4.0),), budget=replace(WATCHING.budget, bar=nan))
    found = samples(site.get("/metrics").text)
    assert [x for _, x in found["amiss_score"]] == [4.0]
    assert "amiss_bar_nats" not in found


def test_two_pipelines_may_watch_the_same_series(site: httpx.Client, live: FakeLive) -> None:
    live.publish(series=(series(CPU, score=1.0), series(CPU, pipeline="other", score=2.0)))
    found = samples(site.get("/metrics", headers=OPEN).text, openmetrics)
    assert value(found, "amiss_score", pipeline="host") == 1.0
    assert value(found, "amiss_score", pipeline="other") == 2.0


@pytest.mark.parametrize(
    ("key", "labels"),
    [
        (CPU, {"series": "cpu_percent", "host": "web-3"}),
        (HOME, {"series": "disk_percent", "host": "web-3", "mount": "/home/a b"}),
        ("plain", {"series": "plain"}),
        ('x{a-b="1",a.b="2"}', {"series": "x", "a_b": "1", "exported_a_b": "2"}),
        ('x{9lives="1",__name__="2"}', {"series": "x", "label_9lives": "1", "label_name__": "2"}),
        ('x{series="1",pipeline="2"}', {"series": "x", "exported_series": "1",
                                        "exported_pipeline": "2"}),
        ('x{a="quo\\"te\\\\ \\n"}', {"series": "x", "a": 'quo"te\\ \n'}),
    ],
)  # fmt: skip
def test_any_key_makes_labels_that_prometheus_reads(
    site: httpx.Client, live: FakeLive, key: str, labels: dict
) -> None:
    assert labels_of(key, "host") == labels | {"pipeline": "host"}
    live.publish(series=(series(key, score=7.0),))
    for accept, parser in (({}, prometheus), (OPEN, openmetrics)):
        found = samples(site.get("/metrics", headers=accept).text, parser)
        assert value(found, "amiss_score", **labels) == 7.0


def test_a_hundred_and_fifty_series(site: httpx.Client, live: FakeLive) -> None:
    live.publish(
        series=tuple(series(f'net_bytes{{host="web-3",interface="eth{i}"}}') for i in range(150))
    )
    found = samples(site.get("/metrics").text)
    for name in ("value", "expected", "lower", "upper", "score", "anomaly"):
        assert len(found[f"amiss_{name}"]) == 150

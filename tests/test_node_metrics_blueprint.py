"""The blueprint of host metrics and its compose file, for shape. Run whole: tests/servers."""

import re
from pathlib import Path

import pytest
import yaml

from amiss import config

BLUEPRINTS = Path(__file__).parents[1] / "blueprints"
COMPOSE = yaml.safe_load((BLUEPRINTS / "node-metrics.compose.yaml").read_text())
SERVICES = COMPOSE["services"]
SERVERS = {name: one for name, one in SERVICES.items() if name != "owner"}


def test_the_blueprint_is_what_the_system_asks_for() -> None:
    settings = config.read(BLUEPRINTS / "node-metrics.yaml")
    (pipeline,) = settings.pipelines
    assert pipeline.source.type == "prometheus" and pipeline.source.again() == pipeline.source
    assert pipeline.source.pace == pipeline.features.grid
    assert "lstm" in {detector.type for detector in pipeline.detectors}
    assert settings.exports["scores"].url.startswith(pipeline.source.url)
    assert settings.sinks["alertmanager"].type == "alertmanager"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_bounded_and_nobody_s_root(name: str) -> None:
    service = SERVICES[name]
    if name == "amiss":  # built here, whose image names its user and its check
        dockerfile = (BLUEPRINTS.parent / "Dockerfile").read_text()
        assert "\nUSER amiss" in dockerfile and "\nHEALTHCHECK" in dockerfile
        assert service["build"] == {"context": ".."}
        return
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", service["image"])
    if name == "owner":  # gives the volume away, and ends
        assert service["network_mode"] == "none"
        return
    assert service["user"] in ("65534:65534", "472:0") and service["cap_drop"] == ["ALL"]
    assert service["mem_limit"] and service["healthcheck"]["test"][0] == "CMD"


def test_every_file_that_is_mounted_is_there_and_every_volume_named() -> None:
    for service in SERVICES.values():
        for volume in service["volumes"]:
            if isinstance(volume, str):
                source = volume.split(":")[0]
                if source.startswith("."):
                    assert (BLUEPRINTS / source).exists() and volume.endswith(":ro")
                else:
                    assert source in COMPOSE["volumes"]
        for other in service.get("depends_on", {}):
            assert other in SERVICES


def test_all_listen_on_this_machine_alone_where_the_others_look_for_them() -> None:
    said = "".join(
        (BLUEPRINTS / path).read_text()
        for path in (
            "node-metrics.yaml",
            "node-metrics/scrape.yaml",
            "node-metrics/prometheus.yaml",
        )
    )
    asked = set(re.findall(r"127\.0\.0\.1:(\d+)", re.sub(r"#.*", "", said)))
    listening = {"8600"}
    for service in SERVERS.values():
        for part in service.get("command", ()):
            if "isten" in part and "cluster" not in part:
                assert "=127.0.0.1:" in part
                listening.add(part.rpartition(":")[2])
    assert asked <= listening

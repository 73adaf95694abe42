"""The blueprint of application logs by itself; on real servers: tests/servers/test_app_logs.py."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from amiss import config
from amiss.sources.loki import Loki
from amiss.world import World
from fake_loki import FakeLoki
from servers.shop import module

ROOT = Path(__file__).parents[1]
BLUEPRINTS = ROOT / "blueprints"
COMPOSE: dict[str, Any] = yaml.safe_load((BLUEPRINTS / "app-logs.compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
load = module("load")


def test_each_kind_of_finding_has_a_pipeline_with_its_detectors() -> None:
    found = {
        pipeline.name: [one.model_dump(by_alias=True)["type"] for one in pipeline.detectors]
        for pipeline in config.read(BLUEPRINTS / "app-logs.yaml").pipelines
    }
    assert "one_class_svm" in found["response-time"]
    assert {"one_class_svm", "rule"} <= set(found["status-codes"])
    assert "isolation_forest" in found["behaviour"]
    assert "patterns" in found["suspicious"]


def test_an_attack_among_lines_of_the_shop_is_told() -> None:
    pipeline = config.read(BLUEPRINTS / "app-logs.yaml").pipelines[-1]
    assert isinstance(pipeline.source, Loki)
    chance, server, begin = load.random.Random(1), FakeLoki(), 1_700_000_000
    for n, line in enumerate(load.history(begin, 3600, 0.3, chance)):
        server.push(begin * 10**9 - 3600 * 10**9 + n * 10**9, line.decode().strip(), app="shop")
    attack = load.line(begin, load.attack("injection", chance), chance).decode().strip()
    server.push((begin - 60) * 10**9, attack, app="shop")
    world = World(http=server.client, now=lambda: begin * 10**9)
    _, records = pipeline.source.poll({}, world)
    assert not records.skipped
    _, outcome = pipeline.step(pipeline.init(), records)
    rules = {rule for one in outcome.incidents for m in one.members for rule in m.rules}
    assert rules == {"suspicious activity"}
    assert any("SQL" in one.sentence or "sql" in one.sentence for one in outcome.incidents)


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_is_pinned_nobody_and_asked_how_it_is(name: str) -> None:
    service = SERVICES[name]
    image = service["image"]
    assert image == "amiss" or re.search(r":v?\d+\.\d+", image), "an image without a version"
    if name == "folders":  # ends when it has given away the folders
        assert service["cap_add"] == ["CHOWN"] and service["network_mode"] == "none"
        return
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if "build" not in service:  # the image of Amiss is nobody's by itself, and is asked by itself
        assert not str(service["user"]).startswith(("0", "root"))
        assert "healthcheck" in service


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (BLUEPRINTS / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]


def test_promtail_and_alloy_ship_the_same() -> None:
    promtail = yaml.safe_load((BLUEPRINTS / "app-logs" / "promtail.yaml").read_text())
    [job] = promtail["scrape_configs"]
    labels = job["static_configs"][0]["labels"]
    alloy = (BLUEPRINTS / "app-logs" / "config.alloy").read_text()
    assert f'"app" = "{labels["app"]}"' in alloy
    assert '"__path__" = "/logs/shop.log"' in alloy and "/logs/shop.log" in labels["__path__"]
    stages = {name: said for stage in job["pipeline_stages"] for name, said in stage.items()}
    assert f'format = "{stages["timestamp"]["format"]}"' in alloy
    assert alloy.count("{") == alloy.count("}")

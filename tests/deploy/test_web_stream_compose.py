"""The compose file of web-stream, as far as its shape tells; no container is started."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from amiss.cli.pump import _chosen

ROOT = Path(__file__).parents[2]
FILE = ROOT / "blueprints" / "web-stream.compose.yaml"
SERVICES: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"]
OURS = {name for name, one in SERVICES.items() if one["image"].startswith("amiss")}


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_pinned_nobody_s_root_and_waits_for_health(name: str) -> None:
    one = SERVICES[name]
    if name not in OURS:
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", one["image"])
        assert one["user"] not in ("root", "0", "0:0")
        assert one["healthcheck"]["test"][0] == "CMD"
    for other, wanted in one.get("depends_on", {}).items():
        healthy = wanted["condition"] == "service_healthy"
        assert healthy == ("test" in SERVICES[other].get("healthcheck", {}))
    assert all(port.startswith("127.0.0.1:") for port in one.get("ports", ()))


def test_what_is_named_is_there() -> None:
    volumes = yaml.safe_load(FILE.read_text(encoding="utf-8"))["volumes"]
    for one in SERVICES.values():
        for said in one.get("volumes", ()):
            there = said.split(":")[0]
            assert there in volumes or (FILE.parent / there).exists(), said
        for word in one.get("entrypoint", ()):
            if word.startswith("/examples/"):
                assert (ROOT / "examples" / "web-stream" / word.split("/")[-1]).is_file()
    dockerfile = ROOT / SERVICES["amiss"]["build"]["dockerfile"]
    locked = (ROOT / "requirements" / "dev.txt").read_text()
    for pinned in re.findall(r"[\w-]+==[\d.]+", dockerfile.read_text()):
        assert pinned in locked, "another version than that which is tested"
    assert (FILE.parent / "web-stream.yaml").is_file()


def test_the_pump_is_asked_for_what_it_can() -> None:
    word, database, brokers, topic, *options = SERVICES["pump"]["command"]
    said = dict(zip(options[::2], options[1::2], strict=True))
    assert word == "pump" and set(said) == {"--table", "--time", "--cursor", "--key"}
    source = {"url": database, "table": said["--table"], "time": said["--time"]}
    _chosen(source, {"servers": brokers}, {"topic": topic, "name": "x", "key": said["--key"]})

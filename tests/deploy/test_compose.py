"""What is true of the compose files of all blueprints that name servers."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "blueprints" / f"{name}.compose.yaml" for name in
         ("node-metrics", "web-stream", "app-logs")]  # fmt: skip
WITHOUT = {"amiss", "traffic", "load", "pump", "set-up", "folders", "owner"}
"""Ours, whose images have a check or need none, and those that end."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_servers_are_asked_how_they_are_and_grafana_is_provisioned(file: Path) -> None:
    services: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    for name, one in services.items():
        if name not in WITHOUT:
            assert one["healthcheck"]["test"][0] == "CMD", name
    there = [said.split(":")[:2] for said in services["grafana"]["volumes"]]
    assert there == [
        ["../deploy/grafana/provisioning", "/etc/grafana/provisioning"],
        ["../deploy/grafana/dashboards", "/var/lib/grafana/dashboards"],
    ]
    assert all((file.parent / source).is_dir() for source, _ in there)
    said = (ROOT / "deploy/grafana/provisioning/dashboards/amiss.yaml").read_text(encoding="utf-8")
    assert there[1][1] in said
    assert "prometheus" in services

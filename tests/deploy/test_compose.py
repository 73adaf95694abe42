"""What is true of the compose files of all blueprints that name servers."""

import json
from pathlib import Path, PurePosixPath
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
    assert "prometheus" in services
    there = mounted(file, services["grafana"])
    asked = {
        one["type"]
        for name, text in there.items()
        if name.startswith("/etc/grafana/provisioning/datasources/")
        for one in yaml.safe_load(text)["datasources"]
    }
    assert asked <= services.keys(), "a data source that does not run"
    [provider] = yaml.safe_load(there["/etc/grafana/provisioning/dashboards/amiss.yaml"])[
        "providers"
    ]
    folder = provider["options"]["path"]
    pages = [json.loads(text) for name, text in there.items() if name.startswith(f"{folder}/")]
    assert {"amiss-incidents", "amiss-itself"} <= {page["uid"] for page in pages}
    for page in pages:
        assert {panel["datasource"]["type"] for panel in page["panels"]} <= asked, page["title"]


def mounted(file: Path, service: dict[str, Any]) -> dict[str, str]:
    """What a service finds where, by its volumes: texts by their paths."""
    found = {}
    for said in service["volumes"]:
        here, where = said.split(":")[:2]
        source = (file.parent / here).resolve(strict=True)
        for one in source.rglob("*") if source.is_dir() else [source]:
            if one.is_file():
                path = PurePosixPath(where, *one.relative_to(source).parts)
                found[str(path)] = one.read_text(encoding="utf-8")
    return found

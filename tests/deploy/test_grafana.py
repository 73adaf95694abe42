"""Dashboards and rules by themselves; against real servers: tests/servers/test_app_logs.py."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
PAGES = sorted((GRAFANA / "dashboards").glob("*.json"))
RULES = ROOT / "deploy" / "prometheus" / "amiss.rules.yml"
FOUND = ("exposition.py", "own_metrics.py")
SERIES = ("value", "expected", "lower", "upper", "score", "anomaly")


def said() -> set[str]:
    """The names of all that stands on /metrics, without what a counter has behind it."""
    text = "".join((ROOT / "src" / "amiss" / "web" / name).read_text() for name in FOUND)
    return set(re.findall(r'"(amiss_[a-z_]+)"', text)) | {f"amiss_{name}" for name in SERIES}


def used(text: str) -> set[str]:
    names = re.findall(r"\bamiss_[a-z_]+", text)
    return {name.removesuffix("_total") for name in names}


def test_dashboards_are_as_the_code_says() -> None:
    command = [sys.executable, str(ROOT / "tools" / "dashboards.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_page_is_another_and_asks_sources_that_are_provisioned() -> None:
    pages = [json.loads(page.read_text()) for page in PAGES]
    assert len({page["uid"] for page in pages}) == len(pages) == 5
    files = (GRAFANA / "provisioning" / "datasources").glob("*.yaml")
    given = [one for file in files for one in yaml.safe_load(file.read_text())["datasources"]]
    known = {(one["type"], one["uid"]) for one in given}
    for page in pages:
        titles = [panel["title"] for panel in page["panels"]]
        assert len(set(titles)) == len(titles)
        for panel in page["panels"]:
            assert (panel["datasource"]["type"], panel["datasource"]["uid"]) in known
            assert all(target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("file", [*PAGES, RULES], ids=lambda file: file.name)
def test_only_what_stands_on_metrics_is_asked_for(file: Path) -> None:
    assert used("\n".join(asked(file))) <= said()


def asked(file: Path) -> list[str]:
    if file == RULES:
        groups: list[dict[str, Any]] = yaml.safe_load(file.read_text())["groups"]
        return [rule["expr"] for group in groups for rule in group["rules"]]
    panels = json.loads(file.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_every_rule_says_how_bad_it_is_and_is_tested() -> None:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    tests = RULES.with_name("amiss.rules.test.yml").read_text()
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in ("low", "medium", "high")
        assert rule["annotations"]["summary"]
        assert f"alertname: {rule['alert']}\n" in tests

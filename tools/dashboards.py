"""Writes deploy/grafana/dashboards: `make dashboards`. With --check only says what is old."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    dashboard,
    logs,
    loki,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from pages import PAGES, SMALL, Page, Panel

FOLDER = Path(__file__).parent.parent / "deploy" / "grafana" / "dashboards"
SOURCES = {
    "prometheus": DataSourceRef(type_val="prometheus", uid="prometheus"),
    "loki": DataSourceRef(type_val="loki", uid="loki"),
}
KINDS: dict[str, Any] = {
    "time": timeseries.Panel,
    "stat": stat.Panel,
    "bars": bargauge.Panel,
    "table": table.Panel,
    "logs": logs.Panel,
}


def built(page: Page) -> dict[str, Any]:
    """As Grafana reads it."""
    made = dashboard.Dashboard(page.title).uid(page.name).tags(["amiss"])
    made = made.readonly().time("now-6h", "now").refresh("30s").timezone("browser")
    for panel in page.panels:
        made = made.with_panel(drawn(panel))
    found: dict[str, Any] = filled(json.loads(json.dumps(made.build(), cls=JSONEncoder)))
    return found


def filled(value: Any) -> Any:
    """Without settings that say nothing, which Grafana takes for its defaults."""
    if isinstance(value, dict):
        return {name: filled(each) for name, each in value.items() if each is not None}
    return [filled(each) for each in value] if isinstance(value, list) else value


def drawn(panel: Panel) -> Any:
    """One picture."""
    made = KINDS[panel.kind]().title(panel.title).datasource(SOURCES[panel.source])
    made = made.span(panel.span).height(4 if panel.span == SMALL else 8)
    if panel.kind != "logs":
        made = made.unit(panel.unit)
    for place, (expr, legend) in enumerate(panel.queries):
        made = made.with_target(asked(panel, expr, legend).ref_id("ABCDEF"[place]))
    return made


def asked(panel: Panel, expr: str, legend: str) -> Any:
    """One query."""
    if panel.source == "loki":
        lines = loki.Dataquery().expr(expr)
        lines = lines.query_type("instant" if panel.instant else "range")
        return lines.legend_format(legend) if legend else lines
    said = prometheus.Dataquery().expr(expr)
    said = said.instant() if panel.instant else said.range()
    if panel.kind == "table":
        said = said.format(PromQueryFormat.TABLE)
    return said.legend_format(legend) if legend else said


def files() -> Iterator[tuple[Path, str]]:
    """Each dashboard, as it is to be written."""
    for page in PAGES:
        text = json.dumps(built(page), indent=1, sort_keys=True)
        yield FOLDER / f"{page.name}.json", f"{text}\n"


def main(check: bool) -> int:
    """0 if all dashboards are, or now are, as the code says."""
    wanted = dict(files())
    old = [p for p, text in wanted.items() if not p.exists() or p.read_text("utf-8") != text]
    old += [path for path in sorted(FOLDER.glob("*.json")) if path not in wanted]
    for path in old:
        if check:
            print(f"{path.name} is not as tools/dashboards.py says; run: make dashboards")
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path], encoding="utf-8")
        else:
            path.unlink()
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))

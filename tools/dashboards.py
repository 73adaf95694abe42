"""Writes deploy/grafana/dashboards: `make dashboards`. With --check only says what is old."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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
WIDE, HALF, SMALL = 24, 12, 6  # of the 24 columns of a page

FOUND = '{job="amiss", event="opened"}'
SHOP = '{app="shop"}'


@dataclass(frozen=True)
class Panel:
    """A picture: what it is called, of what kind, who is asked what."""

    title: str
    kind: Literal["time", "stat", "bars", "table", "logs"]
    source: Literal["prometheus", "loki"]
    queries: tuple[tuple[str, str], ...]  # query, legend
    unit: str = "short"
    span: int = HALF

    @property
    def instant(self) -> bool:
        """Whether one moment is asked for, and not a span of time."""
        return self.kind in ("stat", "bars", "table")


@dataclass(frozen=True)
class Page:
    """A dashboard."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def of(expr: str, legend: str = "") -> tuple[tuple[str, str], ...]:
    """One query."""
    return ((expr, legend),)


INCIDENTS = Page(
    "amiss-incidents",
    "Amiss: incidents",
    (
        Panel("Open", "stat", "prometheus", of("sum(amiss_open_incidents)"), span=SMALL),
        Panel(
            "Opened in a day", "stat", "prometheus", of('amiss_opened_incidents{days="1"}'),
            span=SMALL,
        ),
        Panel(
            "Budget for a day", "stat", "prometheus", of("amiss_budget_incidents_per_day"),
            span=SMALL,
        ),
        Panel(
            "Series that are members of one", "stat", "prometheus", of("sum(amiss_anomaly)"),
            span=SMALL,
        ),
        Panel(
            "Kinds", "bars", "loki",
            of(
                f'sum by (series) (count_over_time({FOUND}'
                ' | json series="members[0].series" [$__range]))',
                "{{series}}",
            ),
        ),
        Panel(
            "Timeline", "time", "loki",
            of(f"sum by (severity) (count_over_time({FOUND} [$__interval]))", "{{severity}}"),
        ),
        Panel(
            "What was told", "logs", "loki",
            of('{job="amiss"} | json | line_format "{{.event}} {{.severity}}: {{.sentence}}"'),
            span=WIDE,
        ),
        Panel(
            "The strangest series now", "table", "prometheus", of("topk(20, amiss_score)"),
            span=WIDE,
        ),
    ),
)  # fmt: skip

REQUESTS = Page(
    "amiss-requests",
    "Amiss: requests of an application",
    (
        Panel(
            "Response time", "time", "loki",
            tuple(
                (
                    f"{ask}{SHOP} | json duration_ms=\"duration_ms\" | unwrap duration_ms"
                    " [$__interval]) by (app)",
                    legend,
                )
                for ask, legend in (
                    ("quantile_over_time(0.5, ", "half"),
                    ("quantile_over_time(0.95, ", "95 %"),
                    ("max_over_time(", "slowest"),
                )
            ),
            "ms",
        ),
        Panel(
            "Status codes", "time", "loki",
            of(
                f'sum by (status) (count_over_time({SHOP} | json status="status" [$__interval]))',
                "{{status}}",
            ),
        ),
        Panel(
            "Routes", "bars", "loki",
            of(
                f'topk(10, sum by (route) (count_over_time({SHOP}'
                ' | json route="route" [$__range])))',
                "{{route}}",
            ),
        ),
        Panel(
            "Clients", "bars", "loki",
            of(
                f'topk(10, sum by (ip) (count_over_time({SHOP} | json ip="ip" [$__range])))',
                "{{ip}}",
            ),
        ),
        Panel(
            "How strange its numbers are", "time", "prometheus",
            of('amiss_score{pipeline=~"response-time|status-codes|behaviour"}', "{{series}}"),
        ),
        Panel(
            "How strange it is as a whole", "time", "prometheus",
            of("amiss_joint_score", "{{detector}} {{pipeline}}"),
        ),
        Panel("Requests", "logs", "loki", of(SHOP), span=WIDE),
    ),
)  # fmt: skip

HOST = Page(
    "amiss-host",
    "Amiss: a host and what is expected of it",
    (
        *(
            Panel(
                title, "time", "prometheus",
                tuple(
                    (f'{name}{{series="{series}"}}', legend)
                    for name, legend in (
                        ("amiss_value", "{{host}}"),
                        ("amiss_lower", "{{host}} lower"),
                        ("amiss_upper", "{{host}} upper"),
                    )
                ),
                unit,
            )
            for title, series, unit in (
                ("Processor", "cpu_percent", "percent"),
                ("Memory", "memory_percent", "percent"),
                ("Load", "load1", "short"),
                ("Processes", "processes", "short"),
            )
        ),
        Panel(
            "How strange", "time", "prometheus",
            of('topk(10, amiss_score{host!=""})', "{{host}} {{series}}"), span=WIDE,
        ),
    ),
)  # fmt: skip

ITSELF = Page(
    "amiss-itself",
    "Amiss: itself",
    (
        Panel("Ready", "stat", "prometheus", of("amiss_ready"), span=SMALL),
        Panel("Version", "table", "prometheus", of("amiss_build_info"), span=SMALL),
        Panel("Sources up", "stat", "prometheus", of("sum(amiss_source_up)"), span=SMALL),
        Panel(
            "Memory", "stat", "prometheus", of("process_resident_memory_bytes{job=\"amiss\"}"),
            "bytes", SMALL,
        ),
        Panel("Lag", "time", "prometheus", of("amiss_lag_seconds", "{{pipeline}}"), "s"),
        Panel(
            "To judge and to write down", "time", "prometheus",
            (
                ("amiss_step_seconds", "judge {{pipeline}}"),
                ("amiss_commit_seconds", "write {{pipeline}}"),
            ),
            "s",
        ),
        Panel(
            "Ticks a second", "time", "prometheus",
            of("rate(amiss_ticks_total[$__rate_interval])", "{{pipeline}}"),
        ),
        Panel(
            "Polls that failed", "time", "prometheus",
            of("increase(amiss_poll_failures_total[$__rate_interval])", "{{pipeline}}"),
        ),
        Panel("Series", "time", "prometheus", of("amiss_series", "{{pipeline}} {{state}}")),
        Panel(
            "Bar and price", "time", "prometheus",
            (("amiss_bar_nats", "bar"), ("amiss_price_nats", "price")),
        ),
        Panel(
            "State", "time", "prometheus", of("amiss_state_bytes", "{{pipeline}}"), "bytes",
        ),
        Panel(
            "Incidents asked for and told", "time", "prometheus",
            (
                ("amiss_budget_incidents_per_day", "budget"),
                ("amiss_achieved_incidents_per_day", "told"),
            ),
        ),
    ),
)  # fmt: skip

PAGES = (INCIDENTS, REQUESTS, HOST, ITSELF)


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
        said = loki.Dataquery().expr(expr)
        said = said.query_type("instant" if panel.instant else "range")
    else:
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

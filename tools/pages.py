"""What dashboards show: pages of panels, each a query or some to Prometheus or Loki."""

from dataclasses import dataclass
from typing import Literal

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
            "The strangest series now", "table", "prometheus", of("topk(20, amiss_score)"),
            span=WIDE,
        ),
    ),
)  # fmt: skip

TOLD = Page(
    "amiss-told",
    "Amiss: what was told",
    (
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

PAGES = (INCIDENTS, TOLD, REQUESTS, HOST, ITSELF)

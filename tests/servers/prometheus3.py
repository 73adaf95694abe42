"""Prometheus 3, built from its Go module, in the version that Loki's module names: Debian has 2."""

from pathlib import Path

from servers import prometheus
from servers.compiled import compiled, path
from servers.prometheus import CONFIG
from servers.running import Running

MODULE = "github.com/prometheus/prometheus"
BARE = "remove_all_sd"  # it scrapes what its configuration names, and asks no cloud for more


def install() -> None:
    """Once, for minutes; quick when it is there."""
    compiled("prometheus", f"{MODULE}/cmd/prometheus", MODULE, BARE)


def server(folder: Path, config: str = CONFIG, at: int | None = None) -> Running:
    """One of `folder`, that takes remote write too."""
    return prometheus.server(folder, config, at, built=str(path("prometheus", MODULE)))

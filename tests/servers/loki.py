"""Grafana Loki as one process, built from its Go module."""

from pathlib import Path

from servers.compiled import compiled, path
from servers.ports import free_port
from servers.running import Running, answers, port

MODULE = "github.com/grafana/loki/v3"
CONFIG = """
auth_enabled: {tenants}
analytics: {{reporting_enabled: false}}
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {port}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc}
  log_level: warn
common:
  instance_addr: 127.0.0.1
  path_prefix: {folder}/data
  replication_factor: 1
  ring: {{kvstore: {{store: inmemory}}}}
  storage:
    filesystem:
      chunks_directory: {folder}/data/chunks
      rules_directory: {folder}/data/rules
schema_config:
  configs:
    - from: "2020-01-01"
      store: tsdb
      object_store: filesystem
      schema: v13
      index: {{prefix: index_, period: 24h}}
ingester:
  # else lines of long ago, which are not yet on the disk, are not found for hours
  query_store_max_look_back_period: -1ns
  lifecycler: {{min_ready_duration: 0s}}
frontend_worker: {{frontend_address: "127.0.0.1:{grpc}", dns_lookup_duration: 200ms}}
limits_config:
  reject_old_samples: false
  split_queries_by_interval: 24h
  ingestion_rate_mb: 64
  ingestion_burst_size_mb: 128
  per_stream_rate_limit: 64MB
  per_stream_rate_limit_burst: 128MB
"""


def install() -> None:
    """Once, for minutes; quick when it is there."""
    compiled("loki", f"{MODULE}/cmd/loki", MODULE)


def server(folder: Path, at: int | None = None, tenants: bool = False) -> Running:
    """One of `folder`; with `tenants` it asks for X-Scope-OrgID."""
    where = port(at)
    file = folder / "loki.yml"
    settings = {"folder": folder, "port": where, "grpc": free_port()}
    file.write_text(CONFIG.format(**settings, tenants=str(tenants).lower()))
    command = [str(path("loki", MODULE)), f"-config.file={file}"]
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/ready"))

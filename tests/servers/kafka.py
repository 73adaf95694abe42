"""Apache Kafka, by Maven: one broker that is its own controller."""

import base64
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

from servers.installed import CACHE
from servers.jars import LOGGED, QUICK, fetch, java
from servers.running import Running, port, takes

ONE = """process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=2
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=8388608
"""
"""Of a single broker: nothing is kept twice."""


def install() -> None:
    """Once; quick when it is there."""
    fetch("kafka")


def server(folder: Path, more: Sequence[str] = (), at: int | None = None) -> Running:
    """One of `folder`; `more` are further lines of its settings, and `{port}` its own port."""
    where, control, data = port(at), port(None), folder / "data"
    listeners = f"PLAINTEXT://127.0.0.1:{where},CONTROLLER://127.0.0.1:{control}"
    settings = folder / "server.properties"
    settings.write_text(
        f"{ONE}log.dirs={data}\nlisteners={listeners}\n"
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{where}\n"
        f"controller.quorum.voters=1@127.0.0.1:{control}\n"
        + "".join(f"{line}\n" for line in more).replace("{port}", str(where))
    )
    (folder / "log4j2.properties").write_text(LOGGED)
    run = [java(), "-Xmx384m", *QUICK, f"-Dlog4j2.configurationFile={folder}/log4j2.properties"]
    run += ["-cp", f"{CACHE / 'kafka'}/*"]
    if not data.exists():
        name = base64.urlsafe_b64encode(b"a" + secrets.token_bytes(15)).decode().rstrip("=")
        made = [*run, "kafka.tools.StorageTool", "format", "-t", name, "-c", str(settings)]
        subprocess.run(made, check=True, capture_output=True)
    return Running([*run, "kafka.Kafka", str(settings)], folder, where, takes(where))


def address(running: Running) -> str:
    """As clients are told."""
    return f"127.0.0.1:{running.port}"

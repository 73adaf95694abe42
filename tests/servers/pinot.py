"""Apache Pinot and its ZooKeeper, by Maven: controller, broker and server in one process."""

from dataclasses import dataclass, field
from pathlib import Path

import httpx

from servers.installed import CACHE
from servers.jars import LOGGED, QUICK, fetch, java, loopback
from servers.running import Running, answers, port, takes

CLUSTER = "amiss"
SESSION = 10_000  # ms until ZooKeeper gives up one that was killed, or that has no turn for so long


def install() -> None:
    """Once; quick when it is there."""
    fetch("pinot")
    loopback()


@dataclass
class Pinot(Running):
    """`kill` ends Pinot alone; ZooKeeper is stopped with it by `stop`."""

    zookeeper: Running = field(kw_only=True)
    control: int = field(kw_only=True)

    def start(self) -> None:
        """ZooKeeper first, unless it runs."""
        if not hasattr(self.zookeeper, "process"):
            self.zookeeper.start()
        super().start()

    def stop(self) -> None:
        """Both."""
        super().stop()
        self.zookeeper.stop()

    @property
    def controller(self) -> str:
        """Where tables are made."""
        return f"http://127.0.0.1:{self.control}"


def server(folder: Path) -> Pinot:
    """One of `folder`; `url` is that of the broker, which takes queries."""
    zk, control, broker, query, admin = (port(None) for _ in range(5))
    (folder / "zookeeper").mkdir(exist_ok=True)
    common = f"pinot.cluster.name={CLUSTER}\npinot.zk.server=127.0.0.1:{zk}\n"
    common += "pinot.set.instance.id.to.hostname=true\n"
    files = {
        "log4j2.properties": LOGGED,
        "zoo.cfg": f"tickTime=2000\ndataDir={folder}/zookeeper/data\nclientPort={zk}\n"
        "clientPortAddress=127.0.0.1\nadmin.enableServer=false\n",
        "controller.conf": f"pinot.service.role=CONTROLLER\n{common}"
        f"controller.helix.cluster.name={CLUSTER}\ncontroller.zk.str=127.0.0.1:{zk}\n"
        f"controller.host=127.0.0.1\ncontroller.vip.host=127.0.0.1\ncontroller.vip.port={control}\n"
        + _http("controller", control)
        + f"controller.data.dir={folder}/controller\n"
        f"controller.local.temp.dir={folder}/temporary\n",
        "broker.conf": f"pinot.service.role=BROKER\n{common}pinot.broker.hostname=127.0.0.1\n"
        + _http("pinot.broker.client", broker)
        + "pinot.broker.delayShutdownTimeMs=0\n",
        "server.conf": f"pinot.service.role=SERVER\n{common}pinot.server.netty.host=127.0.0.1\n"
        f"pinot.server.netty.port={query}\n"
        + _http("pinot.server.adminapi", admin)
        + "pinot.server.grpc.enable=false\n"
        f"pinot.server.instance.dataDir={folder}/index\n"
        f"pinot.server.instance.segmentTarDir={folder}/packed\n"
        "pinot.server.shutdown.enableQueryCheck=false\n"
        "pinot.server.startup.serviceStatusCheckIntervalMs=250\n",
    }
    for name, said in files.items():
        (folder / name).write_text(said)
    jars = f"{CACHE / 'pinot-loopback'}:{CACHE / 'pinot'}/*"
    run = [*QUICK, f"-Dlog4j2.configurationFile={folder}/log4j2.properties"]
    run += [f"-Djava.io.tmpdir={folder}", f"-Dzk.session.timeout={SESSION}", "-cp", jars]
    keeper = [java(), "-Xmx128m", "-Dzookeeper.forceSync=no", *run]  # it is not killed
    keeper += ["org.apache.zookeeper.server.ZooKeeperServerMain"]
    zookeeper = Running([*keeper, f"{folder}/zoo.cfg"], folder / "zookeeper", zk, takes(zk))
    command = [java(), "-Xms256m", "-Xmx768m", "-XX:MaxDirectMemorySize=512m", *run]
    command += ["org.apache.pinot.tools.admin.PinotAdministrator", "StartServiceManager"]
    command += ["-clusterName", CLUSTER, "-zkAddress", f"127.0.0.1:{zk}", "-port", "-1"]
    command += ["-bootstrapConfigPaths"]
    command += [f"{folder}/{role}.conf" for role in ("controller", "broker", "server")]
    alive = [answers(f"http://127.0.0.1:{one}/health") for one in (control, broker, admin)]

    def ready() -> bool:
        there = httpx.get(f"http://127.0.0.1:{control}/instances", timeout=5).text
        both = all(f"{role}_127.0.0.1_" in there for role in ("Broker", "Server"))
        return both and all(one() for one in alive) and takes(query)()

    return Pinot(command, folder, broker, ready, zookeeper=zookeeper, control=control)


def _http(role: str, at: int) -> str:
    """An address of its own for a role: with a port alone it would listen everywhere."""
    of = f"{role}.access.protocols"
    return f"{of}=http\n{of}.http.host=127.0.0.1\n{of}.http.port={at}\n"

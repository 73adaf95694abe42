"""Kafka and Pinot with the topic and the table of examples/web-stream, and the files of that."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from servers import kafka, pinot
from servers.pinot import Pinot
from servers.running import Running

ROOT = Path(__file__).parents[2]


def example(name: str) -> ModuleType:
    """A file of the example."""
    spec = spec_from_file_location(name, ROOT / "examples" / "web-stream" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Streaming:
    """Both, running."""

    kafka: Running
    pinot: Pinot

    @property
    def brokers(self) -> str:
        """As clients of Kafka are told."""
        return kafka.address(self.kafka)


@contextmanager
def streaming(folder: Path) -> Iterator[Streaming]:
    """Both start at once, and run inside."""
    for name in ("kafka", "pinot"):
        (folder / name).mkdir()
    both = Streaming(kafka.server(folder / "kafka"), pinot.server(folder / "pinot"))
    with ExitStack() as stack, ThreadPoolExecutor() as threads:
        starts = [threads.submit(one.start) for one in (both.kafka, both.pinot)]
        for one in (both.kafka, both.pinot):
            stack.callback(one.stop)
        for start in starts:
            start.result()
        yield both

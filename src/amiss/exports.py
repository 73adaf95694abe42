"""Where scores go, beside the page and /metrics: any receiver of Prometheus remote write."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from amiss.component import Component
from amiss.data import SECOND
from amiss.errors import Rejected
from amiss.formats.promql import complaint
from amiss.formats.remote_write import Row, encode, headers
from amiss.masked import hush
from amiss.reading.access import Access, ServerUrl
from amiss.spans import Span
from amiss.world import World

if TYPE_CHECKING:
    import httpx

TAKEN = "X-Prometheus-Remote-Write-Samples-Written"
Metric = Literal["value", "score", "expected", "lower", "upper"]


class RemoteWrite(Component):
    """Writes score, expected value and band of every series and tick by Prometheus remote write.

    The metrics are `amiss_score`, `amiss_expected`, `amiss_lower` and `amiss_upper`, with the
    labels that they have on /metrics, at the time of the tick. Ticks are written once they are
    committed, in order, after a mark of its own; what is not known is left out. The first start
    begins with the present: a past that is read to learn from is not written. Prometheus takes it
    with --web.enable-remote-write-receiver, and nothing that is older than an hour; VictoriaMetrics
    as it is.
    """

    type: Literal["remote_write"] = "remote_write"
    url: ServerUrl = Field(examples=["http://127.0.0.1:8428/api/v1/write"])
    """Where to write to, with the path."""
    version: Literal[1, 2] = 1
    """Of remote write; 2 is for receivers that know it, such as Prometheus from 3.0 on. One that
    does not is found out, and counted as refusing: older ones answer that all is well."""
    metrics: tuple[Metric, ...] = ("score", "expected", "lower", "upper")
    """What is written."""
    labels: dict[str, str] = Field({}, examples=[{"cluster": "north"}])
    """Labels of all that is written; they go before labels of that name."""
    every: Span = Field(15 * SECOND, gt=0)
    """Time between two looks at what is new."""
    most: int = Field(10_000, gt=0)
    """Most samples of one request."""
    timeout: Span = Field(30 * SECOND, gt=0)
    """How long to wait for an answer."""
    access: Access = Access()
    """Password, token, tenant, certificates."""

    def write(self, rows: Sequence[Row], world: World) -> None:
        """One request. Raises as World.ask; the same samples may be written again.

        Raises Rejected as well where version 2 was not understood: older receivers acknowledge it
        and keep nothing, and do not say how many samples they took, as that version asks of them.
        """
        hush()
        asking = self.access.asking(world)
        asking["headers"] |= headers(self.version)
        reply = world.ask(
            "POST",
            self.url,
            content=encode(rows, self.version),
            timeout=self.timeout / SECOND,
            told=_told,
            **asking,
        )
        if self.version == 2 and TAKEN not in reply.headers:
            host = reply.url.host
            raise Rejected(f"{host} does not know version 2 of remote write: set version: 1")


def _told(reply: "httpx.Response") -> str:
    said = complaint(reply.content)
    return f": {said}" if said else ""

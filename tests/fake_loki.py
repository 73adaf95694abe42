"""What Loki answers, as far as it is asked here: a list of lines, and the parts of LogQL used."""

import re
from dataclasses import dataclass, field

import httpx
import orjson

from amiss.data import SECOND

COUNT = re.compile(r"sum\(count_over_time\((.*) \[(\d+)s\]\)\)", re.DOTALL)
FILTER = re.compile(r"(\|~|!~) `([^`]*)`")


@dataclass
class FakeLoki:
    """Lines as (ns, text, labels, structured metadata), kept once each; at most `most` a query."""

    lines: list[tuple[int, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    most: int = 5000
    status: int = 200
    body: bytes = b""
    countless: bool = False  # too much for it
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[httpx.Request] = field(default_factory=list)

    def push(self, at: int, text: str, metadata: dict[str, str] | None = None, **labels: str):
        new = (at, text, labels, metadata or {})
        if new not in self.lines:
            self.lines.append(new)

    def client(self, *_) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.status != 200 or self.body:
            return httpx.Response(self.status, content=self.body, headers=self.headers)
        asked = request.url.params
        start, end = int(asked["start"]), int(asked["end"])
        if self.countless and COUNT.fullmatch(asked["query"]):
            return httpx.Response(400, text="the query would read too many bytes\n")
        if counted := COUNT.fullmatch(asked["query"]):
            return self.counted(start, end, int(counted[2]) * SECOND, counted[1])
        limit = int(asked["limit"])
        if limit > self.most:
            said = f"limit > max_entries_limit ({limit} > {self.most})"
            return httpx.Response(400, text=f"max entries limit per query exceeded, {said}\n")
        rows = [row for row in self.lines if start <= row[0] < end and fits(row[1], asked["query"])]
        rows = sorted(rows, key=lambda row: row[0])[:limit]
        streams: dict[bytes, dict] = {}
        for at, text, labels, metadata in rows:
            one = streams.setdefault(orjson.dumps(labels), {"stream": labels, "values": []})
            beside = {"structuredMetadata": metadata} if metadata else {}
            one["values"].append([str(at), text, beside])
        data = {"resultType": "streams", "result": list(streams.values()), "stats": {}}
        return httpx.Response(200, content=orjson.dumps({"status": "success", "data": data}))

    def counted(self, start: int, end: int, step: int, query: str) -> httpx.Response:
        """Each of a range (t - step, t]."""
        held = [at for at, text, *_ in self.lines if fits(text, query)]
        values = [
            [t // SECOND, str(n)]
            for t in range(start, end + 1, step)
            if (n := sum(t - step < at <= t for at in held))
        ]
        result = [{"metric": {}, "values": values}] if values else []
        data = {"resultType": "matrix", "result": result}
        return httpx.Response(200, content=orjson.dumps({"status": "success", "data": data}))


def fits(text: str, query: str) -> bool:
    """Whether a line passes the line filters; Go writes \\x{41} where Python writes \\x41."""
    for kind, pattern in FILTER.findall(query):
        plain = re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", pattern)
        if bool(re.search(plain, text)) != (kind == "|~"):
            return False
    return True

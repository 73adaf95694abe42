"""What Loki answers, as far as it is asked here: a list of lines, and the parts of LogQL used."""

import re
from dataclasses import dataclass, field

import httpx
import orjson

FILTER = re.compile(r"(\|~|!~) `([^`]*)`")


@dataclass
class FakeLoki:
    """Lines as (ns, text, labels, structured metadata), kept once each; at most `most` a query."""

    lines: list[tuple[int, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    most: int = 5000
    status: int = 200
    body: bytes = b""
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
        start, end, limit = (int(asked[name]) for name in ("start", "end", "limit"))
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


def fits(text: str, query: str) -> bool:
    """Whether a line passes the line filters; Go writes \\x{41} where Python writes \\x41."""
    for kind, pattern in FILTER.findall(query):
        plain = re.sub(r"\\x\{([0-9a-f]+)\}", lambda m: f"\\U{int(m[1], 16):08x}", pattern)
        if bool(re.search(plain, text)) != (kind == "|~"):
            return False
    return True

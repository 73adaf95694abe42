"""Which messages may be pushed, by address and headers, and what each says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from amiss.data import Records
from amiss.formats import loki_push, otlp, remote_write
from amiss.formats.told import Line, Number, bounded
from amiss.formats.unpacked import snappy_size, unpacked

JSON = ("application/json",)
PROTOBUF = ("application/x-protobuf", "application/protobuf")
LINES = ("application/x-ndjson", "application/jsonl", "application/json", "text/plain", "")
PATHS = {
    "api/v1/write": "remote_write",
    "loki/api/v1/push": "loki",
    "v1/metrics": "metrics",
    "v1/logs": "logs",
    "lines": "lines",
}
"""What follows the address of an inbox: the paths that senders have built in."""


class Unfit(ValueError):
    """A message of a kind that is not taken there."""


@dataclass(slots=True)
class Pushed:
    """What one message says."""

    numbers: Records | None = None
    lines: list[Line] = field(default_factory=list)  # with times of their own
    raw: list[str] = field(default_factory=list)  # lines whose times are still in them
    skipped: Counter[str] = field(default_factory=Counter)
    unpacked: int = 0  # bytes of the message

    def __len__(self) -> int:
        return len(self.numbers or ()) + len(self.lines) + len(self.raw)

    @property
    def left(self) -> Mapping[str, int]:
        """What was left out, by reason."""
        return (
            self.skipped if self.numbers is None else self.skipped + Counter(self.numbers.skipped)
        )


def kind_of(path: str, content_type: str, encoding: str) -> str:
    """What a body is written in, as `read` wants it. Raises Unfit if that is not known."""
    what, media = PATHS[path], content_type.partition(";")[0].strip().lower()
    encoding = encoding.strip().lower()
    if what == "remote_write":
        try:
            return f"{what} {remote_write.version_of(content_type, encoding)}"
        except ValueError as exc:
            raise Unfit(str(exc)) from None
    if what == "lines":
        if media not in LINES:
            raise Unfit(f"{media} is no type of lines; application/x-ndjson and text/plain are")
        return f"{what} {encoding}".rstrip()
    if is_protobuf(content_type):
        packing = "snappy" if what == "loki" else encoding
        return f"{what} protobuf {packing}".rstrip()
    if media in JSON:
        return f"{what} json {encoding}".rstrip()
    raise Unfit(f"{media or 'no type'} is not taken here; {JSON[0]} and {PROTOBUF[0]} are")


def is_protobuf(content_type: str) -> bool:
    """Whether a message is said to be protobuf."""
    return content_type.partition(";")[0].strip().lower() in PROTOBUF


def otlp_type(json: bool) -> str:
    """The type of an answer to a sender of OpenTelemetry: that of what it sent."""
    return (JSON if json else PROTOBUF)[0]


def read(kind: str, body: bytes) -> Pushed:
    """Raises ValueError, with what is wrong, if it is no such message; OverflowError if it is
    larger than any may be.
    """
    what, *how = kind.split(" ")
    if what == "remote_write":
        samples = remote_write.decode(body, 2 if how == ["2"] else 1).records()
        return Pushed(samples, unpacked=snappy_size(body))
    packing = "".join(how) if what == "lines" else "".join(how[1:])
    data = unpacked(body, packing)
    said = _lines(data) if what == "lines" else _said(what, data, how[0] == "json")
    return replace(said, unpacked=len(data))


def written(said: Pushed) -> dict[str, str]:
    """What a sender of remote write 2 is told was taken: Prometheus 3 counts the rest as failed.

    The mark that a series has ended is taken as such.
    """
    samples = len(said) + said.left.get(remote_write.ENDED, 0)
    taken = {"Samples": samples, "Histograms": 0, "Exemplars": 0}
    return {f"X-Prometheus-Remote-Write-{what}-Written": str(n) for what, n in taken.items()}


def answer(kind: str, said: Pushed) -> tuple[bytes, str] | None:
    """What senders of OpenTelemetry want to read, and its type; of others there is nothing."""
    what, *how = kind.split(" ")
    if what not in ("metrics", "logs"):
        return None
    json = how[0] == "json"
    return otlp.answer(what, json, said.left), otlp_type(json)


def _said(what: str, data: bytes, json: bool) -> Pushed:
    if what == "metrics":
        numbers, skipped = otlp.metrics(data, json)
        return Pushed(_records(numbers), skipped=skipped)
    if what == "logs":
        lines, skipped = otlp.logs(data, json)
    else:
        lines, skipped = (loki_push.from_json if json else loki_push.from_protobuf)(data)
    return Pushed(lines=lines, skipped=skipped)


def _lines(data: bytes) -> Pushed:
    # JSON may hold other line breaks within a text, such as U+2028
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    return Pushed(raw=[line for line in text if line.strip()])


def _records(numbers: Sequence[Number]) -> Records:
    names: dict[str, int] = {}
    for number in numbers:
        for name, text in number.labels.items():
            names[name] = max(names.get(name, 1), len(text))
    bounded(len(numbers), names.values())
    value = np.array([number.value for number in numbers], np.float64)
    return Records(
        np.array([number.time for number in numbers], np.int64),
        np.array([number.name for number in numbers], str),
        np.where(np.isfinite(value), value, np.nan),
        {name: np.array([n.labels.get(name, "") for n in numbers], str) for name in names},
    )

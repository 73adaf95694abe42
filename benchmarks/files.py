"""Lines a second that the source `file` reads, by format.

    python benchmarks/files.py [--json]

Made-up logs of 100,000 lines are read from the first poll to the last, cursors through JSON as
in the store. CPU seconds of this thread; the best of several rounds, as the machine may be shared.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import orjson

from amiss.component import Cursor
from amiss.sources.file import File
from amiss.world import World

LINES = 100_000
ROUNDS = 5
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0"


def logs(rng: np.random.Generator) -> dict[str, list[str]]:
    """Lines of each format, forty a second."""
    seconds, part = np.divmod(np.arange(LINES) * 25, 1000)
    clock = [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in seconds.tolist()]
    user, item = rng.integers(0, 500, LINES), rng.integers(0, 10**5, LINES)
    took, status = rng.lognormal(3, 1, LINES).round(3), rng.choice([200, 200, 304, 404], LINES)
    rows = list(zip(clock, *(c.tolist() for c in (part, user, item, took, status)), strict=True))
    return {
        "text": [
            f"worker {u} finished job {i} in {t} ms, all is well" for _, _, u, i, t, _ in rows
        ],
        "json": [
            f'{{"timestamp":"2025-10-02T{c}.{p:03}Z","level":"INFO","method":"GET",'
            f'"path":"/items/{i}","status":{s},"took_ms":{t},"user":"u{u}"}}'
            for c, p, u, i, t, s in rows
        ],
        "combined": [
            f'10.0.{u % 7}.{u % 251} - - [02/Oct/2025:{c} +0000] "GET /items/{i}?page=2 HTTP/1.1" '
            f'{s} {i} "https://shop.example.org/list" "{AGENT}"'
            for c, _, u, i, _, s in rows
        ],
        "logfmt": [
            f'ts=2025-10-02T{c}.{p:03}Z level=info msg="job done" user=u{u} item={i} took={t}'
            for c, p, u, i, t, _ in rows
        ],
        "syslog": [
            f"Oct  2 {c} web-{u % 9} sshd[{i}]: Accepted publickey for u{u} from 10.0.0.{u % 251}"
            for c, _, u, i, _, _ in rows
        ],
        "csv": ["time,user,item,took,status"]
        + [f"2025-10-02T{c}.{p:03}Z,u{u},{i},{t},{s}" for c, p, u, i, t, s in rows],
    }


def read(path: Path, kind: str) -> float:
    """CPU seconds for the whole of a file."""
    source, world = File(path=str(path)), World()
    cursor: Cursor = {}
    count, more, began = 0, True, time.thread_time()
    while more:
        cursor, records = source.poll(orjson.loads(orjson.dumps(cursor)), world)
        more, count = records.more, count + len(records)
    spent = time.thread_time() - began
    found = cursor["files"][0]["form"]["kind"]
    if (count, found) != (LINES, kind):
        raise RuntimeError(f"{count} records of {found}, where {kind} was written")
    return spent


def main() -> None:
    """Lines a second by format."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    as_json = parser.parse_args().json
    figures: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind, lines in logs(np.random.default_rng(1)).items():
            path = Path(folder, f"{kind}.log")
            path.write_text("\n".join(lines) + "\n")
            figures[kind] = round(LINES / min(read(path, kind) for _ in range(ROUNDS)))
    if as_json:
        print(json.dumps(figures))
        return
    for kind, speed in figures.items():
        print(f"{kind:9} {speed:10,} lines/s")


if __name__ == "__main__":
    main()

"""Lines a second on one core, from raw text to what is written, for made-up logs.

    python benchmarks/lines.py [--lines 200000] [--json]

By the processor time of this process, which reads and writes as `amiss score` does; start-up is
not in it. Requests have eight long values, log lines three short ones.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from amiss.evaluate.lines import score_lines
from amiss.evaluate.log import Log
from amiss.evaluate.sessions import pattern, score_sessions
from amiss.evaluate.templates import write_templates
from amiss.warm import warm

SESSION = r"(blk_\d+)"


def blocks(count: int) -> list[str]:
    """Lines of sessions, four at a time."""
    rng = np.random.default_rng(0)
    forms = (
        "Receiving block {} src: /10.250.{}.{}:54106",
        "PacketResponder {1} for block {0} ended",
        "Verification succeeded for {}",
        "Served block {} to /10.250.{}.{}",
    )
    out = []
    for n, (a, b, c) in enumerate(rng.integers(0, 250, (count, 3)).tolist()):
        said = forms[a % 4].format(f"blk_{10**15 + 97 * (n // 80 * 4 + n % 4)}", b, c)
        out.append(f"0811{n % 28:02} {n % 86400:06} {a} INFO dfs.DataNode: {said}")
    return out


def system(count: int) -> list[str]:
    """Lines as of a syslog."""
    rng = np.random.default_rng(1)
    forms = (
        "sshd[{}]: Accepted publickey for {} from 10.0.{}.{} port {}",
        "CRON[{}]: session opened for user {}",
        "kernel: [{}.{}] eth0: link up, {} Mbps",
        "systemd[1]: Started Session {} of user {}.",
    )
    out = []
    for n, (a, b, *rest) in enumerate(rng.integers(1, 250, (count, 5)).tolist()):
        when = f"Mar {n % 28 + 1} 10:{a % 60:02}:{b % 60:02}"
        out.append(f"{when} host-{rest[0] % 9} {forms[a % 4].format(a, b, *rest)}")
    return out


def requests(count: int) -> list[str]:
    """Requests with eight values."""
    rng = np.random.default_rng(2)
    letters = rng.integers(97, 123, (count, 8, 12)).astype(np.uint8)
    keys = ("modo", "login", "password", "nombre", "apellidos", "email", "direccion", "ciudad")
    texts = (b"".join(one.tobytes() for one in row).decode() for row in letters)
    return [
        "get http://localhost:8080/shop/members/edit.jsp?"
        + "&".join(f"{key}={text[12 * k : 12 * k + 12]}" for k, key in enumerate(keys))
        for text in texts
    ]


def measure(work: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Measure all, and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--lines", type=int, default=200_000)
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    warm()
    found: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.csv"
        for made in (blocks, system, requests):
            path = Path(folder) / "some.log"
            path.write_text("".join(f"{line}\n" for line in made(given.lines)))
            log = Log(str(path))
            ways: dict[str, Callable[[], object]] = {
                "lines": lambda log=log: list(score_lines([log], [out])),
                "templates": lambda log=log: write_templates(log, out),
            }
            if made is blocks:
                ways["sessions"] = lambda log=log: list(
                    score_sessions([log], [out], pattern(SESSION))
                )
            for name, work in ways.items():
                found[f"{made.__name__}, {name}"] = round(given.lines / measure(work))
    if given.json:
        print(json.dumps({"lines_per_second": found}))
        return
    for name, speed in found.items():
        print(f"{name:<22}{speed:>10,} lines/s")


if __name__ == "__main__":
    main()

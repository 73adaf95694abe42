"""What watching this machine costs it: processor time and memory, dashboard closed and open.

    python benchmarks/idle.py [--after 30] [--seconds 60] [--json]

`amiss run` as it comes, every 5 s. Processor time is that of the process and of its workers, in
percent of one core. Memory is the resident set, before the dashboard is first opened and after a
reader has had one page of it open for 20 s.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from _program import running
from _session import Seen, read

OPEN = 20.0  # seconds that the page is open
GOALS = {"cpu_percent": 2.0, "closed_mb": 200.0, "open_mb": 380.0}
SAID = {
    "cpu_percent": "processor, % of a core",
    "closed_mb": "memory before the dashboard, MB",
    "open_mb": "memory after one page of it, MB",
}


def measure(after: float, seconds: float) -> dict[str, float]:
    """Start, wait, measure so many seconds, then open a page."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder, "home")) as program:
        time.sleep(after)
        before, began = program.cpu(), time.perf_counter()
        time.sleep(seconds)
        used, lasted = program.cpu() - before, time.perf_counter() - began
        closed = program.rss()
        seen = Seen()
        asyncio.run(read(program.url, OPEN, seen))
        if seen.faults or not seen.renewals:
            raise SystemExit(f"the page is not as it should be: {seen.faults or 'it stood still'}")
        return {
            "cpu_percent": round(100 * used / lasted, 2),
            "closed_mb": round(closed, 1),
            "open_mb": round(program.rss(), 1),
        }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--after", type=float, default=30.0, help="seconds before it counts")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = measure(asked.after, asked.seconds)
    if asked.json:
        print(json.dumps(found))
        return
    print(f"{'':<32}  {'measured':>8}   {'goal':>6}")
    for name, value in found.items():
        print(f"{SAID[name]:<32}  {value:>8.1f}   {GOALS[name]:>6.0f}")


if __name__ == "__main__":
    main()

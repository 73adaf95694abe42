"""What readers cost: twenty who have the dashboard open, and the API meanwhile.

    python benchmarks/dashboard.py [--sessions 20] [--seconds 30] [--json]

Each session opens the first page and has it renewed every two seconds, as a browser would.
Processor time is that of the program, in percent of one core, once all pages are there; what the
readers themselves cost is not in it. The API is asked four times a second, one at a time.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from _program import Program, running
from _session import Seen, read

PATIENCE = 120.0  # seconds until all pages must be there
SETTLING = 5.0
PATHS = ("/healthz", "/api/v1/series")
GOALS = {"cpu_percent": 20.0, "api_median_ms": 20.0}


async def ask(url: str, path: str, seconds: float) -> list[float]:
    """Milliseconds of each answer."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        while time.perf_counter() < until:
            began = time.perf_counter()
            (await client.get(path)).raise_for_status()
            took.append(1e3 * (time.perf_counter() - began))
            await asyncio.sleep(0.5)
    return took


async def watch(program: Program, sessions: int, seconds: float) -> dict[str, object]:
    """Open all, wait, measure."""
    seen = Seen()
    longest = PATIENCE + SETTLING + 2 * seconds
    readers = [asyncio.create_task(read(program.url, longest, seen)) for _ in range(sessions)]
    began = time.perf_counter()
    while len(seen.pages) < sessions and time.perf_counter() < began + PATIENCE:
        await asyncio.sleep(0.1)
    opened = time.perf_counter() - began
    if len(seen.pages) < sessions:
        raise SystemExit(f"{len(seen.pages)} of {sessions} pages were there after {opened:.0f} s")
    await asyncio.sleep(SETTLING)
    renewed = len(seen.renewals)
    before, began = program.cpu(), time.perf_counter()
    answers = await asyncio.gather(*(ask(program.url, path, seconds) for path in PATHS))
    lasted = time.perf_counter() - began
    used, renewals = program.cpu() - before, seen.renewals[renewed:]
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)
    if seen.faults:
        raise SystemExit(f"a page showed a fault: {seen.faults[0]}")
    said: dict[str, object] = {
        "sessions": sessions,
        "opened_s": round(opened, 1),
        "cpu_percent": round(100 * used / lasted, 1),
        "renewals_per_second": round(len(renewals) / lasted, 1),
        "renewal_median_ms": round(1e3 * statistics.median(renewals), 1),
        "memory_mb": round(program.rss(), 1),
    }
    for path, took in zip(PATHS, answers, strict=True):
        p95 = statistics.quantiles(took, n=20)[-1]
        said[path] = {"median_ms": round(statistics.median(took), 1), "p95_ms": round(p95, 1)}
    return said


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--after", type=float, default=20.0, help="seconds before they come")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder, "home")) as program:
        time.sleep(asked.after)
        found = asyncio.run(watch(program, asked.sessions, asked.seconds))
    if asked.json:
        print(json.dumps(found))
        return
    print(f"sessions                   {found['sessions']:>8}")
    print(f"all pages there after, s   {found['opened_s']:>8}")
    print(f"processor, % of a core     {found['cpu_percent']:>8}   goal {GOALS['cpu_percent']:.0f}")
    print(f"renewals a second          {found['renewals_per_second']:>8}")
    print(f"a renewal, median ms       {found['renewal_median_ms']:>8}")
    print(f"memory, MB                 {found['memory_mb']:>8}")
    for path in PATHS:
        took = found[path]
        print(
            f"{path:<15} median ms  {took['median_ms']:>8}   goal {GOALS['api_median_ms']:.0f}"
            f"   p95 {took['p95_ms']}"
        )


if __name__ == "__main__":
    main()

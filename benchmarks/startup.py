"""Seconds from the start of `amiss run` to its first answer at /healthz.

    python benchmarks/startup.py [--rounds 5] [--json]

Once in an empty folder, where the database has to be made, and once in the folder that this left.
The goal is 3 s. On a shared machine the best is the nearest to what the program itself costs, and
processor time until then to what it would be on one that does nothing else.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from _program import running

GOAL = 3.0


def measure(rounds: int) -> list[dict[str, object]]:
    """Best and median of first and of later starts; the least processor time that one took."""
    took: dict[str, list[tuple[float, float]]] = {"first": [], "later": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for start in took.values():
                with running(Path(folder, "home")) as program:
                    start.append((program.seconds, program.cpu()))
    return [
        {
            "start": name,
            "best": round(min(wall for wall, _ in start), 2),
            "median": round(statistics.median(wall for wall, _ in start), 2),
            "cpu": round(min(cpu for _, cpu in start), 2),
        }
        for name, start in took.items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = measure(asked.rounds)
    if asked.json:
        print(json.dumps(rows))
        return
    print("start   best s   median s   goal s   least CPU s")
    for row in rows:
        print(
            f"{row['start']:<5}   {row['best']:>6.2f}   {row['median']:>8.2f}   {GOAL:>6.2f}"
            f"   {row['cpu']:>11.2f}"
        )


if __name__ == "__main__":
    main()

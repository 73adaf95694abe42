"""All figures of quality, beside baselines and peers, and the page that shows them.

    python benchmarks/quality.py [--data DIR] [--env DIR] [--no-peers]

DIR holds data sets as for `amiss benchmark quality` ($AMISS_DATA if it is not given). Runs that
command and peers.py, keeps what they say in benchmarks/results/, and writes docs/benchmarks.md
and its plots anew (page.py). About twenty minutes on one core that is free.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def kept(name: str, command: list[str]) -> None:
    """Run a program and keep its output, once it is complete."""
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    (RESULTS / name).write_bytes(done.stdout)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("AMISS_DATA"))
    parser.add_argument("--env", type=Path, default=None, help="where peers are installed")
    parser.add_argument("--no-peers", action="store_true", help="leave those as they are")
    asked = parser.parse_args()
    if asked.data is None:
        print("no data sets: name their folder with --data or AMISS_DATA")
        return
    RESULTS.mkdir(exist_ok=True)
    data = ["--data", str(asked.data), "--json"]
    kept("quality.json", [sys.executable, "-m", "amiss", "benchmark", "quality", *data])
    if not asked.no_peers:
        place = ["--env", str(asked.env)] if asked.env else []
        kept("peers.jsonl", [sys.executable, str(HERE / "peers.py"), *data, *place])
    subprocess.run([sys.executable, str(HERE / "page.py")], check=True)


if __name__ == "__main__":
    main()

"""How much the constants matter that runs of records are judged by, on public security data.

    python benchmarks/runs.py --data DIR [--draws 1] [--only WORD]

Each constant of decide/cusum.py in benchmarks/_variants.py is halved and doubled, in a copy of the
package, and `benchmarks/security.py --exchanged` run on it: of episodes how many were found, and
how many incidents a week were told and false. Some minutes of a core a variant.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from _variants import OF_RUNS, Variant

import amiss

HERE = Path(__file__).parent
PACKAGE = Path(amiss.__file__).parent
LOGS = ("unsw", "nslkdd", "csic")


def measured(copy: Path, variant: Variant, data: Path, draws: int) -> dict[str, dict[str, float]]:
    """What was told of each log. Raises ValueError where a text is not there exactly once."""
    for file, old, new in variant.edits:
        source = (PACKAGE / file).read_text("utf8")
        if source.count(old) != 1:
            raise ValueError(f"{file}: {old!r} is there {source.count(old)} times")
        (copy / file).write_text(source.replace(old, new), "utf8")
    out = copy.parent / "told.json"
    # what is compiled of all other files stays good
    environment = os.environ | {"PYTHONPATH": str(copy.parent), "NUMBA_CACHE_DIR": str(copy.parent)}
    asked = ("--data", data, "--draws", str(draws), "--quick", "--exchanged", "--json", out)
    command = [sys.executable, HERE / "security.py", *asked]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    for file, *_ in variant.edits:
        shutil.copy2(PACKAGE / file, copy / file)
    rows = json.loads(out.read_text("utf8"))["logs"]
    return {row["log"].partition(",")[0]: row for row in rows}


def row(name: str, found: dict[str, dict[str, float]]) -> str:
    """A variant as a row of the table: found of all episodes, told a week, false a week."""
    cells = []
    for log in LOGS:
        one = found[log]
        cells.append(f"{one['found']} of {one['episodes']}")
        cells += [f"{one[name]:.1f}" for name in ("told_a_week", "false_a_week")]
    return f"| {name} | {' | '.join(cells)} |"


def rows(asked: argparse.Namespace) -> Iterator[str]:
    """The rows of the table, as they come."""
    wanted = [variant for variant in OF_RUNS if asked.only in variant.name]
    with TemporaryDirectory() as folder:
        copy = Path(folder, "amiss")
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for variant in [Variant("as it is", ()), *wanted]:
            yield row(variant.name, measured(copy, variant, asked.data, asked.draws))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    if asked.data is None:
        print("not measured: --data names the folder of the public sets")
        return
    print("|" + "".join(f" | {log} found | told | false" for log in LOGS) + " |")
    print("|-" * (1 + 3 * len(LOGS)) + "|")
    for line in rows(asked):
        print(line, flush=True)


if __name__ == "__main__":
    main()

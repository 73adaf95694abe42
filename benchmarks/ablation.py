"""What each part of the default stack is worth, and how much its defaults matter, on public data.

    python benchmarks/ablation.py --data DIR [--records] [--defaults] [--only WORD] [--out FILE]

Every variant is a copy of the package in which a line is another one, run in a process of its own
on all sets of the folder (amiss/evaluate/quality says how it is laid out) that it can change
anything on: curves and hosts, or with `--records` rows, requests, lines and sessions. Without
`--defaults` each part is taken away in turn; with it, each default is halved and doubled. `--out`
keeps what was measured, and what stands there already is not measured again. Some 40 s of a core a
variant.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from _record_variants import RECORD_PARTS, RECORD_SCALED
from _records import RECORDS
from _variants import CURVES, HOSTS, PARTS, SCALED, Edits, Variant

import amiss

HERE = Path(__file__).parent
PACKAGE = Path(amiss.__file__).parent
Figures = dict[str, dict[str, float]]
SHOWN = (
    ("nab", "theta6", ".1f"), ("nab", "thetas", ".1f"),
    ("nab", "ratio", ".2f"), ("nab", "within", ".2f"), ("nab", "recall", ".3f"),
    ("wsd", "recall", ".3f"), ("kpi", "recall", ".3f"),
    ("asd", "vus_pr", ".3f"), ("asd", "recall", ".2f"), ("asd", "ratio", ".2f"),
    ("smd", "vus_pr", ".3f"), ("smd", "recall", ".2f"), ("smd", "ratio", ".2f"),
)  # fmt: skip
SHOWN_OF_RECORDS = (
    ("unsw", "ap", ".3f"), ("unsw", "roc", ".3f"), ("unsw", "dirty_ap", ".3f"),
    ("nslkdd", "ap", ".3f"), ("nslkdd", "dirty_ap", ".3f"),
    ("csic", "ap", ".3f"), ("csic", "roc", ".4f"), ("loghub", "replaced", ".3f"),
    ("loghub", "swapped", ".3f"), ("loghub", "joined", ".3f"), ("loghub", "long", ".3f"),
    ("loghub", "mixed", ".3f"), ("loghub", "digits", ".3f"),
    ("hdfs", "ap", ".4f"), ("hdfs", "f1", ".3f"), ("logins", "new user", ".3f"),
    ("logins", "no bytes", ".3f"), ("logins", "other place", ".3f"),
)  # fmt: skip
HEADER = (
    "| | NAB at 6 | 5.6 to 6.6 | told | within | recall | WSD | KPI | ASD VUS | recall | told "
    "| SMD VUS | recall | told |\n|-|-|-|-|-|-|-|-|-|-|-|-|-|-|"
)
HEADER_OF_RECORDS = (
    "| | UNSW AP | ROC | dirty AP | NSL-KDD AP | dirty AP | CSIC AP | ROC | a word replaced "
    "| two swapped | two lines joined | a value long | mixed up | other digits | HDFS AP | F1 "
    f"| new user | no bytes | other place |\n{'|-' * 19}|"
)


def measured(data: Path, sets: list[str], edits: Edits) -> Figures:
    """The figures of a variant. Raises ValueError where a text is not there exactly once."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "amiss")
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for file, old, new in edits:
            source = (copy / file).read_text("utf8")
            if source.count(old) != 1:
                raise ValueError(f"{file}: {old!r} is there {source.count(old)} times")
            (copy / file).write_text(source.replace(old, new), "utf8")
        # compiled kernels belong to the copy, and go with it
        environment = os.environ | {"PYTHONPATH": folder, "NUMBA_CACHE_DIR": folder}
        command = [sys.executable, HERE / "_judged.py", data, "--sets", ",".join(sets)]
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)
    found: Figures = json.loads(done.stdout)
    return found


def row(name: str, found: Figures, shown: tuple[tuple[str, str, str], ...]) -> str:
    """A variant as a row of the table; where it changes nothing there is nothing."""
    cells = (
        format(found[kind][figure], form) if kind in found else "" for kind, figure, form in shown
    )
    return f"| {name} | {' | '.join(cells)} |"


def rows(asked: argparse.Namespace, wanted: list[Variant]) -> Iterator[str]:
    """The rows of the table, as they come."""
    every = RECORDS if asked.records else (*CURVES, *HOSTS)
    sets = [name for name in every if name == "logins" or (asked.data / name).is_dir()]
    known: dict[str, Figures] = {}
    if asked.out and asked.out.exists():
        known = json.loads(asked.out.read_text("utf8"))
    shown = SHOWN_OF_RECORDS if asked.records else SHOWN
    for variant in [Variant("as it is", (), tuple(every)), *wanted]:
        here = [name for name in sets if name in variant.sets]
        if not here:
            continue
        if variant.name not in known:
            known[variant.name] = measured(asked.data, here, variant.edits)
            if asked.out:
                asked.out.write_text(json.dumps(known, indent=1), "utf8")
        yield row(variant.name, known[variant.name], shown)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path)
    parser.add_argument("--records", action="store_true")
    parser.add_argument("--defaults", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.data is None:
        print("not measured: --data names the folder of the labelled sets")
        return
    parts, scaled = (RECORD_PARTS, RECORD_SCALED) if asked.records else (PARTS, SCALED)
    wanted = [v for v in (scaled if asked.defaults else parts) if asked.only in v.name]
    print(HEADER_OF_RECORDS if asked.records else HEADER)
    for line in rows(asked, wanted):
        print(line, flush=True)


if __name__ == "__main__":
    main()

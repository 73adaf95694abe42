"""A detector is one file: the one in CONTRIBUTING.md is dropped into the folder and used."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r'^```python title="(?P<path>src/[^"]+)"\n(?P<code>.*?)^```', re.M | re.S)
USE = """
import numpy as np
from pathlib import Path
from amiss.config import parse
from amiss.data import Frame
from amiss.steps.judge import judge
from amiss.reference import pages

settings = parse(Path("amiss.yaml").read_text(), "amiss.yaml")
detectors = settings.pipelines[0].detectors
noise = np.random.default_rng(0).normal(size=(200, 1, 1))
noise[150] = 99.0
frame = Frame(np.arange(200) * 5 * 10**9, ("a",), ("value",), noise)
_, opinion = judge(detectors, {}, frame)
scores = opinion.scores.values[:, 0]
assert np.nanargmax(scores) == 150, scores
assert any(path.endswith("NAME.md") for path, _ in pages())
print("used", detectors[0].type)
"""
CONFIG = """
pipelines:
  - name: host
    source: {type: host}
    features: {type: grid}
    detectors: [{type: NAME}]
"""


def test_the_example_is_found_configured_documented_and_lawful(tmp_path: Path) -> None:
    example = EXAMPLE.search((ROOT / "CONTRIBUTING.md").read_text())
    assert example is not None
    name = Path(example["path"]).stem
    # a copy: the folder itself is what other tests look at
    shutil.copytree(ROOT / "src", tmp_path / "src")
    shutil.copytree(ROOT / "tests", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / example["path"]).write_text(example["code"])
    (tmp_path / "amiss.yaml").write_text(CONFIG.replace("NAME", name))
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "src")}

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        said = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    assert run("-c", USE.replace("NAME", name)) == f"used {name}\n"
    laws = ["tests/laws/test_detectors.py", "-k", name, "-p", "no:xdist"]
    assert " passed" in run("-m", "pytest", *laws, "-o", "addopts=--import-mode=importlib")

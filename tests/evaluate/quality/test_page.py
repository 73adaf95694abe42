"""The tables and plots of docs/benchmarks.md are those of the results that are kept beside them."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[3]


def test_the_page_is_as_the_results_say() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "page.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["quality.svg", "cost.svg", "speed.svg"])
def test_plots_are_small_pictures_with_a_title(name: str) -> None:
    plot = ROOT / "docs" / name
    assert plot.stat().st_size < 50_000
    root = ElementTree.parse(plot).getroot()
    assert root[0].tag.endswith("title")
    assert root[0].text

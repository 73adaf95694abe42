"""The service of systemd, as systemd itself reads it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "amiss.service"
EXPOSED = 25  # tenths of what systemd calls exposure: 2.5 of 10
needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="there is no systemd here"
)


def analyzed(unit: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", *asked, str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_systemd
def test_the_unit_is_one(tmp_path: Path) -> None:
    here = tmp_path / "amiss.service"
    program = Path(sys.executable).with_name("amiss")
    here.write_text(UNIT.read_text().replace("/opt/amiss/bin/amiss", str(program)))
    said = analyzed(here, "verify", "--man=no")
    # what else is wrong on this machine is said as well, of other units
    assert "amiss.service" not in said.stderr
    here.write_text(here.read_text().replace("Restart=on-failure", "Restart=sometimes"))
    assert "amiss.service" in analyzed(here, "verify", "--man=no").stderr


@needs_systemd
def test_little_is_open_to_it() -> None:
    said = analyzed(UNIT, "security", "--offline=true", f"--threshold={EXPOSED}")
    assert said.returncode == 0, said.stdout


def test_folders_are_those_that_it_may_write_to() -> None:
    unit = UNIT.read_text()
    assert "StateDirectory=amiss\n" in unit
    assert "CacheDirectory=amiss\n" in unit
    settings = re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
    assert settings == [
        "AMISS_HOME=%S/amiss NUMBA_CACHE_DIR=%C/amiss PYTHONUNBUFFERED=1",
    ]

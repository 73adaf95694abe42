"""The machines in clouds: what can be said of them without an account."""

import base64
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from amiss import config

DEPLOY = Path(__file__).parents[2] / "deploy"
CLOUDS = ("aws", "gcp", "azure")
FOLDERS = [DEPLOY / "terraform" / cloud for cloud in CLOUDS]
needs_terraform = pytest.mark.skipif(
    not shutil.which("terraform"), reason="there is no terraform here"
)


@needs_terraform
def test_files_are_in_their_form() -> None:
    command = ["terraform", "fmt", "-check", "-recursive", "-diff", str(DEPLOY / "terraform")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("folder", FOLDERS, ids=CLOUDS)
def test_what_is_asked_for_is_used_and_the_other_way_round(folder: Path) -> None:
    text = "".join(file.read_text() for file in sorted(folder.glob("*.tf")))
    asked = set(re.findall(r'^variable "(\w+)"', text, re.MULTILINE))
    assert asked == set(re.findall(r"\bvar\.(\w+)", text))
    made = set(re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE))
    found = set(re.findall(r'^data "(\w+)" "(\w+)"', text, re.MULTILINE))
    used = set(re.findall(r"(?<![\w./])(data\.)?((?:aws|google|azurerm)_\w+)\.(\w+)", text))
    assert {(kind, name) for data, kind, name in used if not data} <= made
    assert {(kind, name) for data, kind, name in used if data} == found
    assert "password" not in text
    assert "token" not in text.replace("http_tokens", "")


@needs_terraform
@pytest.mark.parametrize("folder", FOLDERS, ids=CLOUDS)
def test_the_machine_is_set_up_by_a_script_that_a_shell_reads(folder: Path, tmp_path: Path) -> None:
    main = (folder / "main.tf").read_text()
    call = re.search(r"templatefile\((.*?)\n  \}\)", main, re.DOTALL)
    assert call
    asked = call[0].replace("${path.module}", str(folder))
    asked = asked.replace("var.config", "null").replace("var.package", '"amiss.whl"')
    (tmp_path / "main.tf").write_text(f"locals {{\n  script = base64encode({asked})\n}}\n")
    said = subprocess.run(
        ["terraform", "console"],
        cwd=tmp_path, input="local.script\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    script = base64.b64decode(said.stdout.strip().strip('"')).decode()
    shell = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
    assert shell.returncode == 0, shell.stderr
    unit, yaml = (base64.b64decode(text) for text in re.findall(r"echo '([\w+/=]+)' \|", script))
    assert unit == (DEPLOY / "systemd" / "amiss.service").read_bytes()
    file = tmp_path / "amiss.yaml"
    file.write_bytes(yaml)
    assert config.read(file).pipelines[0].name == "host"

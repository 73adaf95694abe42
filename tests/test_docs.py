"""What the documents say is true: commands run as a newcomer runs them, links lead somewhere."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from amiss import config
from amiss.settings import Settings, default
from servers.ports import free_port

ROOT = Path(__file__).parents[1]
PROGRAM = ROOT / "tests" / "servers" / "accelerated.py"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMPONENTS = re.compile(r"docs/reference/\w+/")  # their pages are looked at in test_reference.py
FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAMS = re.compile(r"^```python\n(import amiss\n.*?)^```", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
OTHERS = {"scrape_configs", "livenessProbe", "readinessProbe"}
"""Settings of other programs that the documents show."""
ADDRESS = "127.0.0.1:8600"
SPEED = 30  # a model is fitted again after an hour, and is then busy
PATIENCE = 240.0  # seconds


def shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


def commands(page: Path) -> list[str]:
    """The lines that start with a prompt, in order."""
    lines = (line for fence in FENCE.findall(page.read_text()) for line in fence.splitlines())
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def settings(page: Path) -> list[str]:
    """The blocks that show a part of a configuration."""
    return [] if COMPONENTS.match(shown(page)) else YAML.findall(page.read_text())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The program after some minutes, its models fitted, and its data folder."""
    folder = tmp_path_factory.mktemp("running")
    listen, home = f"127.0.0.1:{free_port()}", folder / "home"
    written = config.write(default()).replace(f"listen: {ADDRESS}", f"listen: {listen}")
    (folder / "amiss.yaml").write_text(written)
    command = [sys.executable, str(PROGRAM), "amiss.yaml", "home", "--serve", "--made"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--speed", str(SPEED)], cwd=folder, stderr=log)
    try:
        last = time.monotonic() + PATIENCE
        while predicts(listen) != "success":
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < last, f"no models: {(folder / 'log').read_text()}"
            time.sleep(0.2)
        yield listen, home
    finally:
        process.terminate()
        assert process.wait(120) == 0, (folder / "log").read_text()


def predicts(listen: str) -> str:
    try:
        return str(httpx.get(f"http://{listen}/predict", timeout=30).json()["status"])
    except httpx.TransportError:
        return "starting"


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if commands(p)], ids=shown)
def test_every_command_runs_for_a_newcomer(
    page: Path, running: tuple[str, Path], tmp_path: Path
) -> None:
    """In a shell that knows nothing of Amiss, in a folder where `make run` was said."""
    listen, home = running
    (tmp_path / ".venv").symlink_to(sys.prefix)
    path = [
        part for part in os.environ["PATH"].split(os.pathsep) if not Path(part, "amiss").exists()
    ]
    before = ""
    for command in commands(page):
        said = subprocess.run(
            # without -f curl ends with 0 whatever it is answered
            before + command.replace(ADDRESS, listen).replace("curl ", "curl -fsS --retry 5 "),
            shell=True,
            cwd=tmp_path,
            env=os.environ | {"PATH": os.pathsep.join(path), "AMISS_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if command.startswith(". "):
            before += f"{command} && "
        # doctor says 1 where it finds something, as on a machine with little disk
        fine = (0, 1) if command.startswith("amiss doctor") else (0,)
        assert said.returncode in fine, f"{command}\n{said.stdout}\n{said.stderr}"
        assert "Traceback" not in said.stderr


@pytest.mark.parametrize(
    ("page", "block"),
    [
        pytest.param(p, block, id=f"{shown(p)}-{i}")
        for p in PAGES
        for i, block in enumerate(settings(p))
    ],
)
def test_every_part_of_a_configuration_that_is_shown_can_be_used(page: Path, block: str) -> None:
    data = yaml.safe_load(block)
    if OTHERS >= data.keys():
        return
    rest = {"pipelines": default().model_dump(mode="json")["pipelines"]}
    rest = {name: value for name, value in rest.items() if name not in data}
    whole = block + (yaml.safe_dump(rest) if rest else "")
    assert isinstance(config.parse(whole, shown(page)), Settings)


@pytest.mark.parametrize("page", [p for p in PAGES if PROGRAMS.search(p.read_text())], ids=shown)
def test_every_program_runs(page: Path, tmp_path: Path) -> None:
    """Those that use Amiss as a library; a component to be written is tested elsewhere."""
    (tmp_path / "measurements.csv").write_text("time,requests\n0,10\n60,12\n120,11\n")
    for program in PROGRAMS.findall(page.read_text()):
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        found = page.parent / target if target else page
        assert found.exists(), f"{shown(page)} links to {target}"
        if anchor:
            assert anchor in anchors(found), f"{shown(page)} links to {target}#{anchor}"


def anchors(page: Path) -> set[str]:
    """What can be linked to on a page: its headings, as GitHub names them."""
    headings = HEADING.findall(CODE.sub("", page.read_text()))
    return {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}


def test_anchors_are_named_as_they_are_on_the_web() -> None:
    assert {"what-it-costs", "where-to-go-next"} <= anchors(ROOT / "README.md")
    assert LINK.findall("[a](b.md#c-d) [e](#f) [g](h/) [i](https://j/#k)") == [
        ("b.md", "c-d"),
        ("", "f"),
        ("h/", ""),
    ]

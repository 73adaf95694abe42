"""`pip install .`, and then `amiss` from any folder: all that it needs is in the package."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from amiss import config
from amiss.home import running
from amiss.settings import default

ROOT = Path(__file__).parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is, and nothing of what it depends on."""
    folder = tmp_path_factory.mktemp("site")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--no-compile"]
    command = [*PIP, "install", "-q", *offline, "--target", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_all_files_of_the_source_are_in_the_package(site: Path) -> None:
    made = {"__pycache__"}
    for source, there in ((ROOT / "src", site), (ROOT / "blueprints", site / "amiss/blueprints")):
        files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
        wanted = {path for path in files if not made & set(path.parts)}
        assert wanted
        assert not {path for path in wanted if not (there / path).is_file()}


@pytest.mark.slow
def test_an_installed_amiss_works_from_another_folder(site: Path, tmp_path: Path) -> None:
    with_it = os.environ | {"PYTHONPATH": str(site), "AMISS_HOME": str(tmp_path / "home")}
    amiss = [str(site / "bin" / "amiss")]

    def said(*words: str) -> str:
        command = [*amiss, *words]
        return subprocess.run(
            command, cwd=tmp_path, env=with_it, check=True, capture_output=True, text=True
        ).stdout

    where = [sys.executable, "-c", "import amiss; print(amiss.__file__)"]
    found = subprocess.run(
        where, cwd=tmp_path, env=with_it, check=True, capture_output=True, text=True
    )
    assert found.stdout.startswith(str(site)), "the package was not what was run"
    said("init")
    assert config.read(tmp_path / "amiss.yaml") == default()
    said("init", "security", "-o", "security.yaml")
    assert len(config.read(tmp_path / "security.yaml").pipelines) == 5
    with program([*amiss, "run", "amiss.yaml", "--listen", "127.0.0.1:0"], tmp_path, with_it):
        home = running(tmp_path / "home")
        assert home is not None
        page = httpx.get(f"http://{home.address}/dashboard/", timeout=60)
        assert page.status_code == 200
        assert httpx.get(f"http://{home.address}/metrics", timeout=60).status_code == 200
    assert said("incidents") == "There are no incidents.\n"


@contextmanager
def program(command: list[str], folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """It runs, and has said so; then it is ended."""
    environment = {k: v for k, v in environment.items() if not k.startswith("LOG_")}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        said = next((line for line in process.stderr if "message=watching" in line), "")
        try:
            assert said
            yield
        finally:
            process.terminate()
            process.communicate(timeout=120)
    assert process.returncode == 0

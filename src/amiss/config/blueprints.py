"""Configurations to start from: one that is written from the defaults, others that are files.

The files are those of the folder `blueprints`: beside the package where it was installed, at the
root of a checkout where it is run from one.
"""

from pathlib import Path

from amiss.config.write import BLUEPRINTS, write

COMPOSE = ".compose"
HERE = Path(__file__).parents[1]
FOLDERS = (HERE / "blueprints", HERE.parents[1] / "blueprints")


def known() -> list[str]:
    """The names of all that there are."""
    return sorted({*BLUEPRINTS, *_files()})


def blueprint(name: str, called: str = "amiss.yaml") -> str:
    """Its text, in which the file is `called` so. KeyError if there is none of this name."""
    if name in BLUEPRINTS:
        return write(BLUEPRINTS[name](), called)
    file = _files()[name]
    return file.read_text(encoding="utf-8").replace(f" {file.name}", f" {called}")


def _files() -> dict[str, Path]:
    folder = next((one for one in FOLDERS if one.is_dir()), None)
    files = sorted(folder.glob("*.yaml")) if folder else []
    return {file.stem: file for file in files if not file.stem.endswith(COMPOSE)}

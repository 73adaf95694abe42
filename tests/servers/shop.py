"""The shop of the examples as a server, and all of blueprint app-logs around it, made quicker."""

import sys
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from servers.compiled import path
from servers.loki import MODULE
from servers.ports import free_port
from servers.running import Running, answers

ROOT = Path(__file__).parents[2]
BLUEPRINTS = ROOT / "blueprints"
SHOP = ROOT / "examples" / "shop"


def module(name: str) -> ModuleType:
    """A file of the example."""
    spec = util.spec_from_file_location(f"shop_{name}", SHOP / f"{name}.py")
    assert spec and spec.loader
    found = util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def shop(folder: Path, log: Path) -> Running:
    """Its lines go to `log`."""
    where = free_port()
    command = ["env", f"SHOP_LISTEN=127.0.0.1:{where}", f"SHOP_LOG={log}"]
    command += [sys.executable, str(SHOP / "shop.py")]
    return Running(command, made(folder), where, answers(f"http://127.0.0.1:{where}/"))


def loki(folder: Path) -> Running:
    """With the configuration of the blueprint."""
    where, folder = free_port(), made(folder)
    said = {"LISTEN": "127.0.0.1", "PORT": where, "GRPC_PORT": free_port(), "DATA": folder / "data"}
    command = ["env", *(f"LOKI_{name}={value}" for name, value in said.items())]
    command += [str(path("loki", MODULE)), "-config.expand-env=true"]
    command += [f"-config.file={BLUEPRINTS / 'app-logs' / 'loki.yaml'}"]
    return Running(command, folder, where, answers(f"http://127.0.0.1:{where}/ready"))


def quicker(url: str, budget: str, sinks: dict[str, Any]) -> dict[str, Any]:
    """The blueprint with 5 s for a minute and half an hour for a day, this machine beside it."""
    text = (BLUEPRINTS / "app-logs.yaml").read_text()
    for before, after in (
        ("every: 60s", "every: 5s"), ("step: 60s", "step: 5s"), ("delay: 10s", "delay: 3s"),
        ("history: 1d", "history: 30m"), ("[1m]", "[5s]"), ("http://127.0.0.1:3100", url),
        ("budget: 5/day", f"budget: {budget}"),
    ):  # fmt: skip
        assert before in text
        text = text.replace(before, after)
    said: dict[str, Any] = yaml.safe_load(text)
    for one in said["pipelines"]:
        if one["name"] == "suspicious":  # what a server that was killed holds up is not late yet
            one["source"]["delay"] = "30s"
    said["pipelines"].append(
        {
            "name": "host",
            "source": {"type": "host", "every": "1s"},  # a band takes 96 samples
            "features": {"type": "grid", "every": "1s"},
            "detectors": [{"type": "level"}, {"type": "surprise"}],
        }
    )
    said["sinks"] |= sinks
    return said

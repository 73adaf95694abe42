"""Servers that are built from Go modules, whose versions and hashes go/go.mod and go.sum say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from servers.installed import CACHE, Missing

GO = Path(__file__).parents[2] / "requirements" / "go.txt"
MODULE = Path(__file__).parent / "go"
BUILT = CACHE / "built"
SIZE = ("-s", "-w")  # without what a debugger needs: a third less


def compiled(name: str, package: str, of: str, *tags: str) -> Path:
    """Build a command unless it is there; it is called after the version of the module it is of.

    `tags` are those of its build, by which modules let parts be left out.
    A build that was broken off goes on where it was: Go keeps what it has compiled. The first
    takes minutes, gigabytes of Go's caches and of memory.
    """
    there = path(name, of)
    if there.exists():
        return there
    go = _found() or _fetched()
    BUILT.mkdir(parents=True, exist_ok=True)
    fresh = there.with_suffix(".new")
    # without what git says: it says nothing to root of a checkout of somebody else
    command = [go, "build", "-mod=readonly", "-buildvcs=false", "-trimpath"]
    command += ["-tags", ",".join(("netgo", *tags)), "-ldflags", " ".join(SIZE)]
    command += ["-o", str(fresh), package]
    print(f"{name} is being built; the first time that takes some ten minutes", flush=True)
    done = subprocess.run(command, cwd=MODULE, env=os.environ | {"CGO_ENABLED": "0"}, check=False)
    if done.returncode:
        raise Missing(f"{name} could not be built")
    fresh.rename(there)
    return there


def _found() -> str | None:
    """A Go that is there, if it is as new as the module asks for."""
    go = shutil.which("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        return None
    said = subprocess.run([go, "version"], cwd="/", capture_output=True, text=True, check=False)
    asked = re.search(r"^go ([\d.]+)$", (MODULE / "go.mod").read_text(), re.MULTILINE)
    there = re.search(r"\bgo(\d[\d.]*)", said.stdout)
    return go if asked and there and _numbers(there[1]) >= _numbers(asked[1]) else None


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part]


def _fetched() -> str:
    """The Go that is packed for Python, in the cache; Missing if it cannot be had."""
    there = CACHE / "go"
    if not (there / "bin" / "go").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        for asked in (
            ["venv", "-q", "--clear", str(there)],
            ["pip", "install", "-q", "--require-hashes", "-r", str(GO), "--python", str(there)],
        ):
            if subprocess.run([uv, *asked], check=False).returncode:
                raise Missing("servers are built from source: install Go, https://go.dev/dl")
    return str(there / "bin" / "go")


def path(name: str, of: str) -> Path:
    """Where it is, or will be."""
    found = re.search(rf"{re.escape(of)} v(\S+)", (MODULE / "go.mod").read_text())
    return BUILT / f"{name}-{found[1] if found else 'unknown'}"

"""Where real servers come from: Debian's packages, the rest in a cache outside the checkout."""

import os
import shutil
import subprocess
from pathlib import Path

CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("AMISS_SERVERS") or CACHES / "amiss-servers")
POLICY = Path("/usr/sbin/policy-rc.d")
"""Debian asks this program before it starts a service that was just installed."""


class Missing(RuntimeError):
    """A server is not there and cannot be had; says what to do."""


def debian(*packages: str, needs: str) -> None:
    """Install packages of Debian, without starting what is in them, unless `needs` is there.

    Raises Missing where that takes another user or another system.
    """
    if program(needs):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise Missing(f"{needs} is not there: as root, apt-get install {' '.join(packages)}")
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        for asked in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            command = ["apt-get", "-qq", *asked]
            subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=True)
    finally:
        if ours:
            POLICY.unlink()
    if not program(needs):
        raise Missing(f"{' '.join(packages)} brought no {needs}")


def program(name: str) -> str | None:
    """The path of a program that is there; `sbin` and PostgreSQL's folder are looked into too."""
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    places += map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))
    return shutil.which(name, path=os.pathsep.join(places))

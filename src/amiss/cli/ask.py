"""Ask the program that runs in a data folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

PATIENCE = 1900.0  # seconds; the program itself gives a training up before


def post(folder: Path, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What the program that runs answers. Raises ConfigError or Unreachable if it does not."""
    from amiss.errors import ConfigError, Unreachable
    from amiss.home import running

    program = running(folder)
    if program is None:
        raise ConfigError(
            f"no Amiss runs in {folder}; start one with `amiss run`, or name another with --home"
        )
    import httpx

    headers = {}
    if token := os.environ.get("AMISS_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    try:
        with httpx.Client(timeout=PATIENCE, trust_env=False) as client:
            reply = client.post(_reach(program.address, path), json=asked, headers=headers)
    except httpx.HTTPError as exc:
        raise Unreachable(f"{program.address} does not answer: {type(exc).__name__}") from None
    if reply.is_success:
        if "message" in (found := _json(reply)):
            return found
        raise Unreachable(f"what answers at {program.address} is no Amiss")
    raise (ConfigError if reply.is_client_error else Unreachable)(_problem(reply))


def _reach(address: str, path: str) -> str:
    """Where to ask a program that listens there; any address of this machine means this one."""
    host, _, port = address.rpartition(":")
    host = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104
    return f"http://{host}:{port}{path}"


def _problem(reply: "httpx.Response") -> str:
    """What problem details say, in one sentence."""
    said = _json(reply)
    if reply.status_code in (401, 403):
        return "the program asks for its token: set AMISS_TOKEN"
    return str(said.get("detail") or said.get("title") or f"it answered {reply.status_code}")


def _json(reply: "httpx.Response") -> dict[str, Any]:
    """What it says if that is an object of JSON, else nothing."""
    try:
        said = reply.json()
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {}

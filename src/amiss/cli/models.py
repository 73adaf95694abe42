"""`amiss models` and `amiss train`: what was learned by fitting."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from amiss.cli.options import AsJson, Home

if TYPE_CHECKING:
    import httpx

PATIENCE = 1900.0  # seconds; the program itself gives a training up before


def models(json: AsJson = False, home: Home = None) -> None:
    """List the models that are kept, the newest first."""
    from amiss.cli.output import moment, print_json, print_table
    from amiss.cli.stored import stored
    from amiss.message import write_time

    with stored(home) as store:
        found = store.models()
    if json:
        print_json(
            [
                {"id": m.id, "in_use": m.in_use, "bytes": m.bytes, **m.card}
                | {"trained": write_time(m.trained)}
                for m in found
            ]
        )
    elif found:
        rows = [
            (
                str(m.card.get("name", m.detector)),
                m.pipeline,
                moment(m.trained),
                f"{m.card.get('samples', 0):,}",
                f"{m.card.get('seconds', 0.0):.1f} s",
                "in use" if m.in_use else "",
                m.id,
            )
            for m in found
        ]
        columns = ("model", "pipeline", "trained", "samples", "took", "", "id")
        print_table(columns, rows, wide="model")
    else:
        print("No model has been trained yet; the first ones are as soon as there are 100 samples.")


def train(
    model: Annotated[str, typer.Argument(help="Its type, such as isolation_forest.")],
    samples: Annotated[int, typer.Option(help="On how many of the last samples.", min=1)] = 100,
    pipeline: Annotated[str | None, typer.Option(help="Of which pipeline, if several.")] = None,
    json: AsJson = False,
    home: Home = None,
) -> None:
    """Train a model anew.

    In the program that runs, which goes on serving meanwhile.
    Where that asks for a token, it is taken from $AMISS_TOKEN.
    """
    from amiss.cli.output import print_json
    from amiss.home import home as folder_of

    asked: dict[str, Any] = {"samples": samples}
    if pipeline is not None:
        asked["pipeline"] = pipeline
    said = _post(folder_of(home), f"/api/v1/models/{quote(model, safe='')}/retrain", asked)
    if json:
        print_json(said)
    else:
        print(said["message"])


def _post(folder: Path, path: str, asked: dict[str, Any]) -> dict[str, Any]:
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

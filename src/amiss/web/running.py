"""What each request is about: the running installation, and what else lives as long as it."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from amiss.run.live import Live
from amiss.web.guard import caller


async def _the_live(request: Request) -> Live:
    live: Live = request.app.state.live
    return live


Running = Annotated[Live, Depends(_the_live)]


async def _the_asker(request: Request) -> str:
    with_token = "" if request.app.state.token is None else " with the token"
    return f"API{with_token} from {caller(request.scope)}"


Asker = Annotated[str, Depends(_the_asker)]
"""Who asks, as the audit trail has it."""


async def json_only(request: Request) -> None:
    """Refuse a body that is not said to be JSON: forms of other sites are never that."""
    said = request.headers.get("content-type", "")
    kind = said.partition(";")[0].strip().lower()
    if kind != "application/json" and not (
        kind.startswith("application/") and kind.endswith("+json")
    ):
        given = f"not {kind}" if kind else "which is missing"
        raise HTTPException(415, f"the Content-Type must be application/json, {given}")

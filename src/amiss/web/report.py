"""The page of `amiss report`, for those who have a browser and no shell there."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from amiss.errors import Unreachable
from amiss.web.problems import documented
from amiss.web.running import Running

router = APIRouter(tags=["incidents"])

LONGEST = 300.0  # seconds


@router.get(
    "/report",
    summary="A report, as a page",
    response_class=HTMLResponse,
    responses=documented(422, 503)
    | {
        200: {
            "description": "The page.",
            "content": {
                "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>..."}
            },
        }
    },
)
async def report(
    live: Running,
    request: Request,
    days: Annotated[int, Query(ge=1, le=3660, description="How many days back it looks.")] = 7,
) -> HTMLResponse:
    """What was watched and told in the last days, as `amiss report` writes it: one page that
    needs nothing else, to send on or to print. It is made in a process of its own."""
    made = await request.app.state.trainings.run(("report", days), lambda: written(live.home, days))
    return HTMLResponse(made)


def written(home: Path, days: int) -> bytes:
    """The page. Raises Unreachable if it takes too long or cannot be made."""
    with TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        command = [sys.executable, "-m", "amiss", "report", "--home", str(home)]
        command += ["--from", f"{days}d", "--out", str(page)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unreachable(
                f"it takes longer than {LONGEST:.0f} s; ask for fewer days, or say `amiss report`"
            ) from None
        if done.returncode:
            raise Unreachable(f"no report could be made: {done.stderr.strip()[-300:]}")
        return page.read_bytes()

"""The page of `amiss report`, for those who have a browser and no shell there."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from amiss.errors import Unreachable
from amiss.web.apart import Shared
from amiss.web.problems import documented
from amiss.web.running import Running

router = APIRouter(tags=["incidents"])

LONGEST = 300.0  # seconds
AT_ONCE = 2
COMMAND = (sys.executable, "-P", "-m", "amiss", "report")  # no code of the folder one stands in
Worker: TypeAlias = "subprocess.Popen[str]"


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
    reports: Reports = request.app.state.reports
    return HTMLResponse(await reports.page(live.home, days))


class Reports:
    """Makes them, few at a time, as any page may have a link that asks for one."""

    def __init__(self) -> None:
        self._shared, self._workers, self._over = Shared(AT_ONCE), set[Worker](), False

    async def page(self, home: Path, days: int) -> bytes:
        """The page. Raises Unreachable if it takes too long or cannot be made."""
        return await self._shared.run(days, lambda: self.written(home, days))

    def written(self, home: Path, days: int) -> bytes:
        """The same, while the caller waits."""
        try:
            with TemporaryDirectory() as folder:
                page = Path(folder) / "report.html"
                asked = ("--home", str(home), "--from", f"{days}d", "--out", str(page))
                self._run((*COMMAND, *asked))
                return page.read_bytes()
        except OSError as exc:
            raise Unreachable(f"no report could be made: {exc.strerror}") from exc

    def close(self) -> None:
        """End those that are being made: nobody would read them, or take their files away."""
        self._over = True
        for worker in tuple(self._workers):
            worker.kill()

    def _run(self, command: tuple[str, ...]) -> None:
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
        ) as worker:
            self._workers.add(worker)
            try:
                if self._over:
                    worker.kill()
                _, complaint = worker.communicate(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                raise Unreachable(
                    f"it takes longer than {LONGEST:.0f} s; ask for fewer days, or say "
                    "`amiss report`"
                ) from None
            finally:
                worker.kill()
                self._workers.discard(worker)
        if self._over:
            raise Unreachable("no report could be made: the program ends")
        if worker.returncode:
            raise Unreachable(f"no report could be made: {complaint.strip()[-300:]}")

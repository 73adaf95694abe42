"""The dashboard at /dashboard: Streamlit in this process, imported when somebody first looks."""

import asyncio
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from amiss.web.dashboard import theme

log = logging.getLogger(__name__)

SCRIPT = Path(__file__).with_name("dashboard") / "main.py"
OPTIONS: dict[str, Any] = {
    # a collection of all garbage after each refresh holds up everything for 0.1 s
    "runner.postScriptGC": False,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "global.developmentMode": False,
    "logger.level": "error",
    "server.baseUrlPath": "",
    # the guard has looked at Origin and Host; Streamlit would ask an outside service for our IP
    "server.enableCORS": False,
    "server.enableXsrfProtection": False,
    "server.enableAgentApi": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 1,
}
LOGGERS = ("uvicorn", "uvicorn.access", "uvicorn.asgi", "uvicorn.error", "websockets")
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class Dashboard:
    """ASGI: imports Streamlit at the first request, and lives until it is closed."""

    def __init__(self, script: Path = SCRIPT, load: "Callable[[Path], Any] | None" = None) -> None:
        self.script, self.load = script, load or streamlit_app
        self.task: asyncio.Task[None] | None = None
        self._app: asyncio.Future[ASGIApp] | None = None
        self._closing = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on to Streamlit, as soon as it is there."""
        if self._app is None:
            self._app = asyncio.get_running_loop().create_future()
            self.task = asyncio.create_task(self._live(self._app))
        app = await asyncio.shield(self._app)
        await app(scope, receive, send)

    async def close(self) -> None:
        """End all sessions."""
        self._closing.set()
        if self.task is not None:
            await self.task

    async def _live(self, ready: "asyncio.Future[ASGIApp]") -> None:
        """Streamlit's lifespan is entered and left in one task, whoever asked first."""
        try:
            app = await asyncio.to_thread(self.load, self.script)
            async with app.lifespan()(app):
                ready.set_result(app)
                await self._closing.wait()
        except Exception as exc:
            if ready.done():
                raise
            self._app = None  # the next one who asks tries again
            ready.set_exception(exc)
            ready.exception()  # seen, even if the one who asked has gone


def streamlit_app(script: Path) -> Any:
    """Streamlit's application for this script, in our colours. One in a process."""
    with _loggers_kept():
        import streamlit as st
        from streamlit import config

        for name, value in (OPTIONS | dict(theme.OPTIONS)).items():
            config.set_option(name, value)
        return st.App(str(script), on_script_error=_report)


def content_policy() -> str:
    """What the dashboard's pages may load: what comes from here, and no inline script but one."""
    return (
        "default-src 'self'; "
        f"script-src 'self' 'wasm-unsafe-eval' {' '.join(_inline_scripts())}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
    )


def _inline_scripts() -> Iterator[str]:
    """The hashes of the scripts inside Streamlit's page, which is read without importing it."""
    spec = find_spec("streamlit")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        page = Path(folder) / "static" / "index.html"
        for script in INLINE.findall(page.read_text("utf-8")) if page.is_file() else ():
            yield f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


def _report(exc: Exception) -> None:
    log.error("fault in the dashboard", exc_info=exc)


@contextmanager
def _loggers_kept() -> Iterator[None]:
    """Importing Streamlit puts handlers and levels of its own on the server's loggers."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(one, one.level, one.propagate, list(one.handlers)) for one in loggers]
    try:
        yield
    finally:
        for one, level, propagate, handlers in before:
            one.setLevel(level)
            one.propagate, one.handlers = propagate, handlers

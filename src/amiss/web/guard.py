"""Who may ask: this machine's own pages and programs, and whoever shows the token.

A page of another site that a browser here has open can send requests to 127.0.0.1 too. What gives
it away is the name it calls us by (DNS rebinding), its Origin, or what the browser says of it in
Sec-Fetch-Site.

A proxy makes all of the world look like this machine. So without a token only names of the
loopback interface are ours, and what a proxy says that it handed on is refused.
"""

import hmac
from collections.abc import Callable, Iterable
from urllib.parse import quote, urlsplit

from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from amiss.addresses import is_address, is_loopback
from amiss.web.guesses import Guesses
from amiss.web.problems import problem

ALIVE = "/healthz"
OPEN = ("/login",)
PROXIES = ("forwarded", "via", "x-real-ip")
"""Headers, beside X-Forwarded-*, that say that somebody stands between us and who asks."""
COOKIE = "amiss_session"
STRICT = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def session_of(token: str) -> str:
    """What a browser keeps instead of the token; of no use after the token has changed."""
    return hmac.new(token.encode(), b"amiss browser session", "sha256").hexdigest()


def same(said: bytes, secret: str) -> bool:
    """Whether this is the secret, in a time that does not say where they differ."""
    return hmac.compare_digest(said, secret.encode())


def caller(scope: Scope) -> str:
    """The address of who asks, as far as is known."""
    return str(scope["client"][0]) if scope.get("client") else "somebody"


def too_many(wait: int) -> Response:
    """The answer to a wrong token after many others."""
    said = f"too many wrong tokens; try again in {wait} s"
    return problem(429, said, headers={"Retry-After": str(wait)})


def host_of(authority: str) -> str | None:
    """The host of `host:port`, in lower case; None if it cannot be one."""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != authority or "@" in authority or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


class Guard:
    """ASGI, http and websocket: asks for name, origin and token before anything else is done."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Callable[[], Iterable[str]],
        token: str | None,
        guesses: Guesses,
        dashboard: str,
    ) -> None:
        self.app, self.hosts, self.token, self.dashboard = app, hosts, token, dashboard
        self.guesses = guesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, or refuse."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        inside = scope["path"].startswith("/dashboard/")
        policy = self.dashboard if inside else STRICT

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message.get("headers", [])))
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", f"{policy}; frame-ancestors 'self'")
                if not inside:
                    headers.setdefault("cache-control", "no-store")
                message = {**message, "headers": headers.raw}
            await send(message)

        refusal = self._refusal(scope)
        if refusal is None:
            await self.app(scope, receive, guarded)
        elif scope["type"] == "http":
            await refusal(scope, receive, guarded)
        else:  # before it is open, so it is a 403; uvicorn logs longer answers as faults of ours
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope) -> Response | None:
        if scope["type"] == "http" and scope["path"] == ALIVE:
            return None  # probes call a container by whatever address it has today
        headers = Headers(scope=scope)
        return self._misdirected(headers, scope) or self._unknown(headers, scope)

    def _misdirected(self, headers: Headers, scope: Scope) -> Response | None:
        """What is said to one who came by another name, or from a page that is not ours."""
        named = headers.getlist("host")
        host = host_of(named[0]) if len(named) == 1 else None
        if host is None or not self._ours(host):
            said = host or "no name"
            return problem(
                421,
                f"Amiss is not known as {said}; further names are given by `hosts` in its "
                "configuration file",
            )
        if self.token is None and _handed_on(headers):
            return problem(
                403,
                "a proxy has handed this on, so a token is needed: set `token` in the "
                "configuration file and start again",
            )
        if not self._from_here(headers, named[0], scope):
            return problem(403, "a page of another site must not ask this")
        return None

    def _unknown(self, headers: Headers, scope: Scope) -> Response | None:
        """What is said to one who does not show the token."""
        if self.token is None or scope["path"] in OPEN or self._shown(headers, self.token):
            return None
        guessed = headers.get("authorization", "").lower().startswith("bearer ")
        if guessed and (wait := self.guesses.count(caller(scope))):
            return too_many(wait)
        reading = scope["type"] == "http" and scope["method"] == "GET"
        if reading and "text/html" in headers.get("accept", ""):
            query = scope.get("query_string", b"").decode("latin-1")
            wanted = scope["path"] + (f"?{query}" if query else "")
            return RedirectResponse(f"/login?next={quote(wanted, safe='')}", 303)
        return problem(
            401,
            "the token is missing or wrong; send it as Authorization: Bearer, or open /login",
            headers={"WWW-Authenticate": 'Bearer realm="amiss"'},
        )

    def _ours(self, host: str) -> bool:
        """Whether we are called by this name.

        An address is as good as a name where a token is asked for: what a page of others makes a
        browser take for ours (DNS rebinding) is always a name. A scraper calls a pod by address.
        """
        if self.token is not None and is_address(host):
            return True
        return is_loopback(host) or self._named(host)

    def _named(self, host: str) -> bool:
        """Whether it is one of `hosts`. Names that reach others count for nothing without a token,
        whatever a file says that came after the start.
        """
        if self.token is None:
            return False
        return host in (name.lower().rstrip(".") for name in self.hosts())

    def _shown(self, headers: Headers, token: str) -> bool:
        kind, _, said = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return same(said.strip().encode("latin-1"), token)
        kept = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
        return same(kept.encode(), session_of(token))

    def _from_here(self, headers: Headers, host: str, scope: Scope) -> bool:
        """Whether a request is no page's, or one of our own pages', or a link that was followed."""
        origins = headers.getlist("origin")
        if origins:
            return len(origins) == 1 and self._own_page(origins[0], host)
        site = headers.get("sec-fetch-site", "none")
        followed = (
            scope["type"] == "http"
            and scope["method"] in ("GET", "HEAD")
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
        )
        return site in ("none", "same-origin") or followed

    def _own_page(self, origin: str, host: str) -> bool:
        scheme, _, authority = origin.partition("://")
        if scheme not in ("http", "https"):
            return False
        if authority.lower() == host.lower():
            return True
        # a proxy that calls us by our address: what the browser calls us is one of `hosts`
        page = host_of(authority)
        return page is not None and page != host_of(host) and self._named(page)


def _handed_on(headers: Headers) -> bool:
    return any(name in PROXIES or name.startswith("x-forwarded-") for name in headers)

"""The page on which a browser shows the token once."""

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from amiss.web.guard import COOKIE, caller, same, session_of, too_many

router = APIRouter(include_in_schema=False)

DAYS = 30
FORM = "application/x-www-form-urlencoded"
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Amiss: sign in</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 15vh auto }}
body {{ padding: 0 1rem }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box }}
input, button {{ padding: .5rem; margin: .3rem 0 }}
</style>
<h1>Amiss</h1>
<form method="post" action="/login">
<label>Token <input name="token" type="password" autocomplete="current-password" required autofocus>
</label>
<input type="hidden" name="next" value="{next}">
<button>Sign in</button>
</form>
<p role="alert">{said}</p>
<p>It is the one that <code>token</code> in the configuration file refers to.</p>
"""


def local(path: str) -> str:
    """A path of ours; the start page if it leads elsewhere."""
    fine = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable()
    return path if fine else "/"


@router.get("/login")
async def form(request: Request, to: Annotated[str, Query(alias="next")] = "/") -> Response:
    """The form, where there is a token to be asked for."""
    if request.app.state.token is None:
        return RedirectResponse(local(to), 303)
    return HTMLResponse(PAGE.format(next=escape(local(to)), said=""))


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Give the browser a cookie that stands for the token, and go where it wanted to."""
    token: str | None = request.app.state.token
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    said = parse_qs((await request.body()).decode("utf-8", "replace")) if kind == FORM else {}
    wanted = local(said.get("next", ["/"])[0])
    if token is not None:
        if not same(said.get("token", [""])[0].strip().encode(), token):
            if wait := request.app.state.guesses.count(caller(request.scope)):
                return too_many(wait)
            page = PAGE.format(next=escape(wanted), said="That is not the token.")
            return HTMLResponse(page, 401)
    answer = RedirectResponse(wanted, 303)
    if token is not None:
        request.app.state.live.trail.later(caller(request.scope), "signed in")
        answer.set_cookie(
            COOKIE,
            session_of(token),
            max_age=DAYS * 86400,
            httponly=True,
            samesite="lax",
            secure="https" in (request.url.scheme, request.headers.get("origin", "")[:5]),
        )
    return answer

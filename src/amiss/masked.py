"""What must not be shown: addresses and passwords, in settings, errors and logs."""

import logging
import re
from typing import Annotated
from urllib.parse import unquote

from pydantic import AfterValidator, Secret

from amiss.errors import ConfigError
from amiss.world import World

HIDDEN = "***"
REFERENCE = re.compile(r"(env|file):.+", re.DOTALL)
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
HTTP = re.compile(r"https?://[^/\s]+\S*", re.IGNORECASE)
HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?")
CHATTY = ("httpx", "httpcore", "urllib3", "requests_oauthlib", "oauthlib")


def mask(text: str) -> str:
    """An address without what may be secret in it.

    Of http and https the host stays, as the path or query of a webhook is often its
    password; of other schemes the scheme alone, since a token may stand where hosts do
    (slack://TOKEN/...). References (env:NAME, file:/path) are no secrets and stay whole.
    """
    if REFERENCE.fullmatch(text):
        return text
    scheme, found, rest = text.partition("://")
    if not found or not SCHEME.fullmatch(scheme):
        return HIDDEN
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    beyond = rest[len(authority) :]
    if scheme.lower() not in ("http", "https") or not HOST.fullmatch(host) or "@" in beyond:
        return f"{scheme}://{HIDDEN}"
    whole = host == authority and beyond in ("", "/")
    return f"{scheme}://{host}" if whole else f"{scheme}://{host}/{HIDDEN}"


def scrub(text: str, address: str) -> str:
    """`text` without any part of `address`: hosts, users, passwords, paths, as written or decoded.

    For what libraries say of a failure. Parts of one to three letters go where they stand
    as whole words.
    """
    _, _, rest = address.partition("://")
    pieces = {p for said in (rest, unquote(rest)) for p in re.split(r"[/:@?&#,\s]+", said)}
    # of key=value the key alone is no secret, but a common word
    parts = {part for piece in pieces for part in (piece, piece.partition("=")[2])}
    for part in sorted(parts - {""}, key=len, reverse=True):
        edge = r"(?<!\w){}(?!\w)" if len(part) < 4 else "{}"
        text = re.sub(edge.format(re.escape(part)), HIDDEN, text)
    return text


class Hidden(Secret[str]):
    """A text that may be secret: never shown, neither printed nor dumped.

    `env:NAME` and `file:/path` say where it is kept, and are shown; anything else is the
    text itself. Equal if the texts are.
    """

    def _display(self) -> str:
        return mask(self.get_secret_value())

    def read(self, world: World) -> str:
        """The secret. Raises ConfigError if it is not where it was said to be."""
        text = self.get_secret_value()
        return world.secret(text) if REFERENCE.fullmatch(text) else text


def reach(url: Hidden, world: World) -> str:
    """The address of http or https that is kept there; ConfigError if it is none."""
    address = url.read(world)
    if not HTTP.fullmatch(address):
        raise ConfigError(f"{url} is no address that starts with http:// or https://")
    return address


def _http(url: Hidden) -> Hidden:
    text = url.get_secret_value()
    if not (REFERENCE.fullmatch(text) or HTTP.fullmatch(text)):
        raise ValueError("write an address that starts with http:// or https://, or env:NAME")
    return url


def _reference(secret: Hidden) -> Hidden:
    if not REFERENCE.fullmatch(secret.get_secret_value()):
        raise ValueError("a secret is written env:NAME or file:/path, never in the file itself")
    return secret


HttpAddress = Annotated[Hidden, AfterValidator(_http)]
"""An address of http or https, or a reference to one."""

Reference = Annotated[Hidden, AfterValidator(_reference)]
"""A reference to a secret, never the secret itself."""


def hush() -> None:
    """Stop network libraries from logging the addresses they ask: httpx does so at INFO."""
    for name in CHATTY:
        logger = logging.getLogger(name)
        if logger.level < logging.ERROR:
            logger.setLevel(logging.ERROR)

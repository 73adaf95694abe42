"""Customers of the shop, and now and then something else.

    python load.py http://127.0.0.1:8000                          customers, until stopped
    python load.py http://127.0.0.1:8000 --attack injection       and for a while attackers
    python load.py --history 6h > shop.log                        lines of the last six hours

Customers come more often by day than by night (UTC), and the same ones come again. With --history
no shop is asked: the lines are made, as the shop would have written them, for a warm start.
Attacks: injection, scan, guessing, slow, errors, scraping.
"""

import argparse
import math
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, NamedTuple

import orjson

DAY = 86_400
SPANS = {"m": 60, "h": 3600, "d": DAY}
PEOPLE = [f"203.0.113.{n}" for n in range(1, 60)]
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64)",
    "Mozilla/5.0 (iPhone)",
    "Mozilla/5.0 (Windows NT 10.0)",
)
PRODUCTS = ("anvil", "lamp", "kettle", "rope", "tent", "stove", "map", "boots")  # as in shop.py
WORDS = ("lamp", "tent", "a", "boot", "map", "rope")
SECRETS = ("/.env", "/.git/config", "/wp-login.php", "/phpmyadmin/", "/backup.sql", "/admin")


class Call(NamedTuple):
    """One request."""

    url: str
    who: str
    agent: str = AGENTS[0]
    form: dict[str, str] | None = None
    status: int = 200  # of the shop's answer
    usual_ms: float = 0.3  # that it takes the shop


def rate(at: float, each: float) -> float:
    """Requests a second at a time: `each` on the mean, most at two in the afternoon."""
    return each * (1 + 0.6 * math.sin(2 * math.pi * (at % DAY / DAY - 1 / 3)))


def customer(chance: random.Random) -> Call:
    """What one of them asks for."""
    who, agent = chance.choice(PEOPLE), chance.choice(AGENTS)
    kind = chance.choices(range(6), (20, 30, 30, 12, 6, 2))[0]
    if kind == 0:
        return Call("/", who, agent)
    if kind == 1:
        return Call("/products", who, agent)
    if kind == 2:
        number = chance.randrange(9)  # of the last there is none
        return Call(f"/products/{number}", who, agent, status=200 if number < 8 else 404)
    if kind == 3:
        return Call(f"/search?q={chance.choice(WORDS)}", who, agent, usual_ms=0.4)
    if kind == 4:
        return Call("/cart", who, agent, {"product": "1"}, 201)
    right = chance.random() < 0.9
    form = {"user": "ann", "password": "correct horse" if right else "correct house"}
    return Call("/login", who, agent, form, 200 if right else 401, 0.5)


def attack(kind: str, chance: random.Random) -> Call:
    """One request of an attack, or of a shop that is not well."""
    who = "198.51.100.66"
    if kind == "injection":
        said = chance.choice(("1' OR '1'='1", "x' UNION SELECT password FROM users--"))
        return Call(f"/search?q={urllib.parse.quote(said)}", who, "sqlmap/1.8")
    if kind == "scan":
        return Call(chance.choice(SECRETS), who, "Nikto/2.5")
    if kind == "guessing":
        return Call("/login", who, form={"user": "ann", "password": str(chance.random())})
    if kind == "slow":
        return Call(f"/report?seconds={chance.uniform(0.5, 0.9):.2f}", chance.choice(PEOPLE))
    if kind == "errors":
        return Call("/broken", chance.choice(PEOPLE))
    return Call(f"/products/{chance.randrange(1_000)}", who, "python-scraper/1.0")


ATTACKS = ("injection", "scan", "guessing", "slow", "errors", "scraping")


def ask(base: str, call: Call) -> int:
    """Send it; the status of the answer, or 0 if there was none."""
    data = urllib.parse.urlencode(call.form).encode() if call.form else None
    headers = {"X-Shop-Client": call.who, "User-Agent": call.agent}
    try:
        asked = urllib.request.Request(base + call.url, data, headers)
        with urllib.request.urlopen(asked, timeout=10) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as exc:
        return exc.code
    except (OSError, HTTPException):  # the latter if it was killed in the middle of an answer
        return 0


def line(at: float, call: Call, chance: random.Random) -> bytes:
    """What the shop would have written of a request."""
    path = call.url.partition("?")[0]
    route = "/products/<int:number>" if path.startswith("/products/") else path
    said = {
        "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"),
        "ip": call.who,
        "method": "POST" if call.form else "GET",
        "route": route,
        "url": call.url,
        "status": call.status,
        "duration_ms": round(call.usual_ms * chance.lognormvariate(-0.5, 0.4), 3),
        "bytes": len(answer(call)),
        "agent": call.agent,
    }
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def answer(call: Call) -> bytes:
    """What the shop answers a customer."""
    path, _, word = call.url.partition("?q=")
    said: Any = {"added": True} if path == "/cart" else {"welcome": True}
    if path == "/":
        return b"Welcome"
    if path == "/products":
        said = PRODUCTS
    elif path == "/search":
        said = [name for name in PRODUCTS if word in name]
    elif call.status == 404:
        said = {"error": "no such product"}
    elif call.status == 401:
        said = {"error": "no"}
    elif path.startswith("/products/"):
        said = {"name": PRODUCTS[int(path.rpartition("/")[2])]}
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def history(end: float, seconds: float, each: float, chance: random.Random) -> Iterator[bytes]:
    """Lines of the time before `end`, in order."""
    at = end - seconds
    while True:
        at += chance.expovariate(rate(at, each))
        if at >= end:
            return
        yield line(at, customer(chance), chance)


def run(base: str, each: float, kind: str, seconds: float, chance: random.Random) -> int:
    """Customers, and beside them as many of an attack, for a time; how many were not answered."""
    until, lost = time.monotonic() + seconds, 0
    with ThreadPoolExecutor(16) as pool:
        while time.monotonic() < until:
            calls = [customer(chance)]
            if kind:
                calls += [attack(kind, chance) for _ in range(3)]
            for answer in [pool.submit(ask, base, call) for call in calls]:
                lost += answer.result() == 0
            time.sleep(chance.expovariate(rate(time.time(), each)))
    return lost


def span(text: str) -> float:
    """30m, 6h, 1d -> seconds."""
    return float(text[:-1]) * SPANS[text[-1]]


def main() -> int:
    """0 if every request was answered."""
    said = argparse.ArgumentParser(description="Customers of the shop.")
    said.add_argument("base", nargs="?", help="the shop's address")
    said.add_argument("--rate", type=float, default=2.0, help="customers a second, on the mean")
    said.add_argument("--attack", choices=ATTACKS, default="", help="what else happens")
    said.add_argument("--for", dest="seconds", type=span, default=math.inf, help="30m, 6h, 1d")
    said.add_argument("--history", type=span, help="write lines of that long, and ask nobody")
    said.add_argument("--seed", type=int, default=None)
    asked = said.parse_args()
    chance = random.Random(asked.seed)
    if asked.history:
        for one in history(time.time(), asked.history, asked.rate, chance):
            sys.stdout.buffer.write(one)
        return 0
    if not asked.base:
        said.error("say where the shop is, such as http://127.0.0.1:8000")
    try:
        return min(run(asked.base, asked.rate, asked.attack, asked.seconds, chance), 1)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())

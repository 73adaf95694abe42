"""The blueprint of security, live, on public data (AMISS_DATA) or made: attacks found, mail sent.

Without AMISS_DATA small files are made in the form of the public sets, and go the same way.
"""

import gzip
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from amiss import config
from amiss.data import Incident
from amiss.run.live import Live
from amiss.world import World
from made import START
from measured import benchmark
from servers.receivers import MailServer

MADE = benchmark("_security")
PATIENCE = 600.0  # seconds
ROWS = 2500


def made_sets(folder: Path) -> Path:
    """Rows that are alike, and attacks that are other; a log in which a password is guessed."""
    chance = np.random.default_rng(3)

    def cells(count: int, scale: float, names: list[str]) -> list[str]:
        size = scale * np.exp(chance.normal(6, 0.4, (count, 3)))
        kind = chance.choice(names, count)
        return [
            ",".join((k, *(f"{x:.0f}" for x in row))) for k, row in zip(kind, size, strict=True)
        ]

    head = "id,proto,sbytes,dbytes,rate,attack_cat,label"
    usual = [f"0,{row},Normal,0" for row in cells(ROWS, 1.0, ["tcp", "udp"])]
    attack = [f"0,{row},Worms,1" for row in cells(300, 60.0, ["tcp"])]
    (folder / "unsw").mkdir(parents=True)
    with gzip.open(folder / "unsw" / "flows.csv.gz", "wt") as file:
        file.write("\n".join([head, *usual, *attack]) + "\n")
    rest = ",".join("0" for _ in range(37))
    lines = [f"{row},{rest},normal,20" for row in cells(ROWS, 1.0, ["tcp", "udp"])]
    lines += [f"{row},{rest},smurf,20" for row in cells(300, 60.0, ["icmp"])]
    (folder / "nslkdd").mkdir()
    names = ["protocol_type", *(f"n{n}" for n in range(40))]
    (folder / "nslkdd" / "fields.csv").write_text("\n".join(f"{n},x" for n in names))
    with gzip.open(folder / "nslkdd" / "KDDTrain+.txt.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    (folder / "csic").mkdir()
    pages = chance.choice(["index.jsp", "cart.jsp?id=2", "login.jsp?user=anna"], ROWS)
    good = [f"get http://localhost/shop/{page}&n={n}" for n, page in enumerate(pages)]
    bad = [f"get http://localhost/shop/../../etc/passwd%00{n}" for n in range(300)]
    (folder / "csic" / "normal.txt").write_text("\n".join(good) + "\n")
    (folder / "csic" / "anomalous.txt").write_text("\n".join(bad) + "\n")
    (folder / "access").mkdir()
    rows = [(START + 600 * n, f"Accepted publickey for user{n % 7}", n % 7) for n in range(2000)]
    rows += [(START + 600 * 1900 + 5 * n, "Failed password for user3", 99) for n in range(60)]
    (folder / "access" / "auth.log").write_text("".join(
        f"{datetime.fromtimestamp(at, UTC):%b %d %H:%M:%S} gate sshd[{n}]: {said} "
        f"from 192.0.2.{ip} port {4000 + n % 999} ssh2\n"
        for n, (at, said, ip) in enumerate(sorted(rows))
    ))  # fmt: skip
    return folder


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[Live, MailServer, list]]:
    """All four logs through the blueprint's pipelines, told by mail."""
    named = os.environ.get("AMISS_DATA")
    data = Path(named) if named else made_sets(tmp_path / "sets")
    feeds = MADE.feeds(data, tmp_path, 0, surge=True)
    with MailServer() as server:
        address = f"mailto://127.0.0.1:{server.port}?from=amiss@example.com&to=soc@example.com"
        said = {
            "budget": "5/day",
            "pipelines": [MADE.configured(feed, quick=True) for feed in feeds],
            "sinks": {"soc": {"type": "apprise", "urls": [address]}},
        }
        file = tmp_path / "security.yaml"
        file.write_text(yaml.safe_dump(said))
        running = Live(config.read(file), tmp_path / "home", World(), file)
        running.start()
        try:
            yield running, server, feeds
        finally:
            running.stop()


@pytest.mark.slow
@pytest.mark.timeout(2 * PATIENCE)  # public data takes minutes
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # which Apprise imports for mail
def test_planted_attacks_are_found_live_and_mail_of_them_arrives(live) -> None:
    running, server, feeds = live
    assert [feed.name for feed in feeds] == ["unsw", "nslkdd", "csic", "auth.log"]
    last, found = time.monotonic() + PATIENCE, dict[str, list[Incident]]()
    waiting = {feed.name.partition(".")[0]: feed for feed in feeds}
    while waiting:
        assert time.monotonic() < last, (waiting.keys(), found)
        running.wait(running.now().version, 1)
        for name, feed in list(waiting.items()):
            told = running.store.incidents(limit=1000, pipeline=name)
            assert feed.labels
            mine = [
                one for one in told if any(at.start <= one.since <= at.end for at in feed.labels)
            ]
            if mine:
                found[name] = mine
                del waiting[name]
    titles = {one.title for many in found.values() for one in many}
    while True:
        subject = str(server.next()["subject"]).removeprefix("amiss: ")
        if any(subject.startswith(title[:40]) for title in titles):
            break

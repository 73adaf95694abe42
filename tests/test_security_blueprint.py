"""The blueprint of security on small made logs: it is checked, finds what was planted, and fits."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from amiss import config
from amiss.data import Frame, Incident
from amiss.decide.judged import LEAST
from amiss.fitting import fit, trained
from amiss.pipeline import Pipeline
from amiss.steps.judge import States
from amiss.steps.systems import view
from amiss.world import World
from cli.calls import amiss
from made import START, Chance

BLUEPRINT = Path(__file__).parent.parent / "blueprints" / "security.yaml"
COUNT, AT = 3000, 2900  # records, 40 s apart; the attack begins with one of them


def conn() -> str:
    """Ten hosts that use three services each; one of them scans another."""
    chance, header = Chance(1), ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
    who, service = (10 * chance.uniform(COUNT)).astype(int), (3 * chance.uniform(COUNT)).astype(int)
    rows = [
        (START + 40 * n, f"10.0.0.{who[n]}", f"10.0.1.{service[n]}", (443, 53, 22)[service[n]])
        for n in range(COUNT)
    ]
    rows += [(START + 40 * AT + n // 5, "10.0.0.3", "10.0.1.9", 1000 + n) for n in range(150)]
    lines = [r"#separator \x09", "#path\tconn", "\t".join(("#fields", *header, "proto", "bytes"))]
    for n, (time, source, host, port) in enumerate(sorted(rows)):
        proto = "udp" if port == 53 else "tcp"
        lines.append(f"{time}.5\tC{n}\t{source}\t{40000 + n}\t{host}\t{port}\t{proto}\t{n % 700}")
    return "\n".join(lines) + "\n"


def auth() -> str:
    """Eight people who log in from where they sit; a password of one of them is guessed."""
    chance = Chance(2)
    rows = [
        (START + 40 * n, "Accepted publickey", f"user{k}", f"192.0.2.{k}")
        for n, k in enumerate((8 * chance.uniform(COUNT)).astype(int).tolist())
    ]
    rows += [
        (START + 40 * AT + 5 * n, "Failed password", "user3", "198.51.100.9") for n in range(60)
    ]
    return "".join(
        f"{datetime.fromtimestamp(time, UTC):%b %d %H:%M:%S} gate sshd[{900 + n}]: "
        f"{what} for {user} from {ip} port {4000 + n} ssh2\n"
        for n, (time, what, user, ip) in enumerate(sorted(rows))
    )


def audit() -> str:
    return "".join(
        f"type=USER_CMD msg=audit({START + 40 * n}.100:{n}): pid={n} uid=100{n % 4} auid=100{n % 4}"
        f' msg=\'cwd="/srv" cmd={b"ls -la".hex().upper()} exe="/usr/bin/sudo" res=success\'\n'
        for n in range(200)
    )


def access() -> str:
    """Forty people in a shop; from one address passwords are tried, and once for a file."""
    chance = Chance(3)
    pages = ("/", "/cart", "/search?q=tea", "/item?id=7", "/login")
    rows = [
        (START + 40 * n, f"192.0.2.{k}", f"GET {pages[k * n % 5]}", 200)
        for n, k in enumerate((40 * chance.uniform(COUNT)).astype(int).tolist())
    ]
    rows += [(START + 40 * AT + 5 * n, "198.51.100.9", "POST /login", 401) for n in range(60)]
    rows += [(START + 40 * 2000, "198.51.100.7", "GET /item?id=../../../etc/passwd", 200)]
    return "".join(
        f"{ip} - - [{datetime.fromtimestamp(time, UTC):%d/%b/%Y:%H:%M:%S} +0000] "
        f'"{what} HTTP/1.1" {status} 1234 "-" "Mozilla/5.0"\n'
        for time, ip, what, status in sorted(rows)
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("security")
    text = BLUEPRINT.read_text(encoding="utf-8")
    for path, said in (
        ("/opt/zeek/logs/current/conn.log", conn()),
        ("/var/log/auth.log", auth()),
        ("/var/log/audit/audit.log", audit()),
        ("/var/log/nginx/access.log", access()),
    ):
        assert text.count(f"path: {path}\n") == 1
        log = folder / Path(path).name
        log.write_text(said)
        text = text.replace(path, str(log))
    network = "units: [64], dropout: 0.2, window: 50"
    assert network in text
    text = text.replace(network, "units: [4], window: 10, steps: 20")  # to be fitted quickly
    there = folder / "security.yaml"
    there.write_text(text)
    return there


def test_it_has_five_pipelines_and_the_ensemble_in_each() -> None:
    settings = config.read(BLUEPRINT)
    assert [one.name for one in settings.pipelines] == [
        "flows", "users", "authentication", "requests", "system",
    ]  # fmt: skip
    for pipeline in settings.pipelines:
        [ensemble] = trained(pipeline.detectors)
        assert [one["type"] for one in ensemble.model_dump()["detectors"]] == [
            "isolation_forest", "lstm", "dbscan",
        ]  # fmt: skip


def test_check_says_that_it_can_run(file: Path) -> None:
    said = amiss("check", file)
    assert said.code == 0, said.err
    assert "zeek, time in ts (epoch)" in said.out and "audit, time in time (epoch)" in said.out
    assert "combined, time in time (clf)" in said.out
    assert said.out.endswith(f"{file} can run\n")
    wrong = file.with_name("wrong.yaml")
    wrong.write_text(file.read_text().replace("host: id.resp_h", "host: id.resp_x"))
    said = amiss("check", wrong)
    assert said.code == 2
    assert "flows: features.roles: no record has a field 'id.resp_x'; there are " in said.err


def watched(pipeline: Pipeline) -> tuple[States, list[Incident], Frame]:
    cursor, states, incidents, frames, more = {}, pipeline.init(), list[Incident](), [], True
    while more:
        cursor, records = pipeline.source.poll(cursor, World())
        states, outcome = pipeline.step(states, records)
        incidents += outcome.incidents
        frames.append(outcome.frame)
        more = records.more
    return states, incidents, max(frames, key=lambda frame: len(frame.time))


@pytest.mark.parametrize(
    "name, words",
    [
        ("flows", "ports of 10.0.1.9 contacted by 10.0.0.3 in 1m: "),
        ("authentication", "events of user3 per location before 198.51.100.9: "),
        ("requests", "failures from 198.51.100.9 in 10m: "),
    ],
)
def test_what_was_planted_is_found(file: Path, name: str, words: str) -> None:
    settings = config.read(file)
    pipeline = next(one for one in settings.pipelines if one.name == name)
    states, incidents, frame = watched(pipeline)
    members = [member for one in incidents for member in one.members]
    assert any(words in reason for member in members for reason in member.blame)
    if name == "requests":
        whom = 'request{address="198.51.100.7",host="web"}'
        tried = {(one.rules, one.why) for one in members if one.series == whom}
        [(rules, why)] = tried
        assert rules == ("suspicious request",)
        assert why.startswith("with path traversal in path (=../)")
    if name == "flows":
        [ensemble] = trained(pipeline.detectors)
        history = view(frame, pipeline.by)
        fitted = fit(ensemble, states, history)
        _, scores = ensemble.step(next(iter(fitted.values())), history)
        heard = np.isfinite(scores.values[:, 0])
        assert heard.mean() > 0.9
        assert scores.values[heard].max() > LEAST

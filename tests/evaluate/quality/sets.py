"""A folder of data sets in miniature, laid out as the real ones are."""

import gzip
import json
from pathlib import Path

import numpy as np

BEGIN = np.datetime64("2024-01-01T00:00:00")
ROWS = 900


def wave(seed: int, rows: int = ROWS, spike: int | None = None) -> np.ndarray:
    t = np.arange(rows)
    values = np.sin(2 * np.pi * t / 288) + 0.05 * np.random.default_rng(seed).random(rows)
    if spike is not None:
        values[spike : spike + 3] += 9.0
    return values


def folder(place: Path) -> Path:
    """Two files of NAB, four curves of wsd, a host of asd, blocks, logs, requests and flows."""
    nab(place / "nab")
    curves(place / "wsd")
    host(place / "asd")
    blocks(place / "hdfs")
    messages(place / "loghub" / "Made")
    requests(place / "csic")
    flows(place / "unsw")
    return place


def nab(place: Path) -> None:
    windows = {}
    for n, name in enumerate(("realKnownCause/a.csv", "other/b.csv")):
        time = BEGIN + 300 * np.arange(ROWS)
        told = zip(time.astype(str), wave(n, spike=600), strict=True)
        said = [f"{at.replace('T', ' ')},{value:.6f}" for at, value in told]
        path = place / "data" / name
        path.parent.mkdir(parents=True)
        path.write_text("timestamp,value\n" + "\n".join(said) + "\n")
        windows[name] = [[f"{time[590]}.000000".replace("T", " "), str(time[620])]]
    (place / "labels").mkdir()
    (place / "labels" / "combined_windows.json").write_text(json.dumps(windows))


def curves(place: Path) -> None:
    place.mkdir()
    for n in range(4):
        label = np.zeros(ROWS, np.uint8)
        label[700:703] = 1
        np.savez(
            place / f"{n}.npz",
            time=np.arange(ROWS) * 300 + 1_700_000_000,
            value=wave(n, spike=700).astype(np.float32),
            label=label,
            train=ROWS // 2,
        )


def host(place: Path) -> None:
    place.mkdir()
    test = np.stack([wave(n, 400) for n in range(4)], axis=1)
    test[300:310, 1] += 9.0
    np.savez(
        place / "made.npz",
        train=np.stack([wave(9 + n) for n in range(4)], axis=1).astype(np.float32),
        test=test.astype(np.float32),
        label=np.isin(np.arange(400), np.arange(300, 310)).astype(np.uint8),
        why=np.array(["300-309:2"]),
    )


def blocks(place: Path) -> None:
    place.mkdir()
    lines, label = [], ["block,anomaly"]
    for n in range(120):
        bad = n % 20 == 19
        lines += [f"Receiving block blk_{n} src {n}", f"Received block blk_{n} of size {n}"]
        lines += [f"Exception in block blk_{n} broken pipe"] * bad
        label.append(f"blk_{n},{int(bad)}")
    (place / "HDFS.log.gz").write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    (place / "labels.csv").write_text("\n".join(label) + "\n")


def messages(place: Path) -> None:
    place.mkdir(parents=True)
    rows = [(f"user {n} came in", "E1") if n % 2 else (f"took {n} ms", "E2") for n in range(40)]
    said = "\n".join(f"{text},{event}" for text, event in rows)
    (place / "Made_structured_corrected.csv").write_text(f"Content,EventId\n{said}\n")


def requests(place: Path) -> None:
    place.mkdir()
    normal = [f"get /shop/item?id={n}&page={n % 7}" for n in range(400)]
    (place / "normal.txt").write_text("\n".join(normal) + "\n")
    attacks = [f"get /shop/item?id={n}';drop table--&x=%3Cscript%3E" for n in range(40)]
    (place / "anomalous.txt").write_text("\n".join([*attacks, normal[0], attacks[0]]) + "\n")


def flows(place: Path) -> None:
    place.mkdir()
    chance, rows = np.random.default_rng(0), ["id,bytes,proto,attack_cat,label"]
    for n in range(600):
        bad = n % 10 == 0
        size = chance.random() + 5.0 * bad
        rows.append(f"{n},{size:.4f},{'odd' if bad else 'tcp'},{'-' if bad else 'Normal'},{bad:d}")
    (place / "flows.csv.gz").write_bytes(gzip.compress(("\n".join(rows) + "\n").encode()))

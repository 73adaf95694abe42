"""Certificates for servers and those who ask them."""

import subprocess
from pathlib import Path


def make(folder: Path, *names: str) -> None:
    """NAME.pem and NAME.key for each name, each its own authority, for 127.0.0.1."""
    for name in names:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "2", "-subj", f"/CN={name}",
             "-addext", "subjectAltName=IP:127.0.0.1",
             "-keyout", f"{name}.key", "-out", f"{name}.pem"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip

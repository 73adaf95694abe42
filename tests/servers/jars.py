"""Servers of jars: Maven brings what a pom in the folder `poms` asks for into the cache."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from servers.installed import CACHE, Missing, debian, program

POMS = Path(__file__).parent / "poms"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true")
"""For a start within seconds, and little memory."""
LOGGED = """status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
"""


def fetch(name: str) -> Path:
    """The folder with the jars of `name`.xml, fetched unless they are there as it asks.

    Raises Missing if they cannot be had.
    """
    debian("default-jdk-headless", "maven", needs="javac")
    debian("maven", needs="mvn")
    pom = POMS / f"{name}.xml"
    there, new = CACHE / name, CACHE / f"{name}.new"
    said = hashlib.sha256(pom.read_bytes()).hexdigest()
    mark = there / "pom.sha256"
    if mark.exists() and mark.read_text() == said:
        return there
    shutil.rmtree(new, ignore_errors=True)
    maven = [program("mvn") or "mvn", "-B", "-q", "-ntp", "-f", str(pom)]
    asked = [f"-Dmaven.repo.local={CACHE / 'maven'}", "-DincludeScope=runtime"]
    run = subprocess.run(
        [*maven, *asked, f"-DoutputDirectory={new}", COPY],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise Missing(f"Maven does not bring {name}: {run.stdout.strip()[-500:]}")
    (new / "pom.sha256").write_text(said)
    shutil.rmtree(there, ignore_errors=True)
    new.rename(there)
    return there


def java() -> str:
    """The path of Java."""
    home = os.environ.get("JAVA_HOME")
    return f"{home}/bin/java" if home else program("java") or "java"


def loopback() -> Path:
    """The folder of the class of Pinot that listens on 127.0.0.1 alone."""
    there = CACHE / "pinot-loopback"
    if not (there / "org").is_dir():
        there.mkdir(parents=True, exist_ok=True)
        made = [java(), "-cp", f"{CACHE / 'pinot'}/*", str(POMS / "Loopback.java"), str(there)]
        subprocess.run(made, check=True, capture_output=True)
    return there

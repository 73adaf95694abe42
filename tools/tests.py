"""Runs the tests in two parts and ends with the real counts: `make test`.

First what can share the machine, on two workers; then, one after the other, what needs it for
itself: the tests marked `alone` (they burn CPU, fill memory, kill the program) and `browser`.
What fails is tried once more when all is quiet, and named as such: a test that passes only then
is a fault to be mended, but not of the change that is being tested. With `--servers` those tests
are run that need real servers, and no others, in two parts again; with `--all` they come last.
Arguments are handed to pytest. Under CI=true what is missing is a failure, and coverage is
measured in the first part (the gate is in pyproject.toml).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

Run: TypeAlias = tuple[int, dict[str, int], list[str]]
"""Of a part: pytest's exit status, its counts, and what passed."""

ROOT = Path(__file__).parent.parent
CI = os.environ.get("CI") == "true"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
FEW = 5
"""So many causes of failures may be the machine's; more are the change's, and are not tried again.
A server that does not start is one cause, though all tests of a file fail of it."""
NO_TESTS = 5
"""pytest's exit status when nothing was selected."""


def chromium() -> str | None:
    """A Chromium that starts, installed now if it is missing and we may; None if there is none."""
    if (path := _browser()) or os.geteuid() or not shutil.which("apt-get"):
        return path
    print("Installing Chromium for the browser tests.", flush=True)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for asked in ("update", "install -y --no-install-recommends chromium"):
        command = ["apt-get", "-qq", *asked.split()]
        subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)
    return _browser()


def _browser() -> str | None:
    wanted = (os.environ.get("AMISS_CHROMIUM", ""), *BROWSERS)
    for path in filter(None, map(shutil.which, wanted)):
        # Ubuntu's package of this name is a stub that only says where to find the browser
        if not subprocess.run([path, "--version"], capture_output=True, check=False).returncode:
            return path
    return None


def part(marked: str, *options: str) -> Run:
    """Run the tests that are so marked."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-m", marked, f"--junit-xml={report}", *options]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        suites = (
            list(ElementTree.parse(report).getroot().iter("testsuite")) if report.exists() else []
        )
    counts = {what: 0 for what in ("tests", "failures", "errors", "skipped")}
    for suite in suites:
        for what in counts:
            counts[what] += int(suite.get(what, 0))
    cases = [case for suite in suites for case in suite.iter("testcase")]
    passed = [f"{case.get('classname')}.{case.get('name')}" for case in cases if not len(case)]
    said = {
        (case.get("classname"), what.get("message"))
        for case in cases
        for what in case
        if what.tag in ("failure", "error")
    }
    counts["causes"] = len(said)
    return status, counts, passed


def on_servers(*asked: str) -> list[Run]:
    """Run the tests that need real servers: two at a time, as they wait more than they work."""
    where = ("--durations=25", *(asked or ["tests/servers"]))
    return [
        part("server and not alone", "-n", "2", "--dist", "loadfile", *where),
        part("server and alone", *where),
    ]


def bad(counts: dict[str, int]) -> int:
    """How many tests failed or broke."""
    return counts["failures"] + counts["errors"]


def covered() -> bool:
    """Whether enough of the code was run."""
    command = [sys.executable, "-m", "coverage", "report", "--format=total"]
    print("Percent of the code that the tests run:", end=" ", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main(asked: list[str]) -> int:
    """All parts, the counts, and 0 only if tests were run and all passed."""
    if asked[:1] == ["--servers"]:
        return verdict(on_servers(*asked[1:]), "server", CI, ())
    every = asked[:1] == ["--all"]
    asked = asked[every:]
    browser = chromium()
    if browser:
        os.environ["AMISS_CHROMIUM"] = browser
    whole = CI and not asked
    extra = ["--cache-clear", "--cov", "--cov-report=", "--cov-fail-under=0"] if whole else []
    slowest = ["--durations=25"] if whole else []
    shared = ("-n", "2", "--dist", "loadfile", *extra, *slowest, *asked)
    late = "alone or browser" if browser else "alone and not browser"
    runs = [
        part("not alone and not browser and not server", *shared),
        part(f"not server and ({late})", *slowest, *asked),
    ]
    runs += on_servers() if every else []
    left_out = []
    if not browser:
        here = "; in CI that is a failure" if CI else ""
        left_out = [f"the browser tests, for want of Chromium (apt install chromium){here}"]
    status = verdict(runs, "" if every else "not server", whole, left_out)
    return 1 if (whole and not covered()) or (CI and not browser) else status


def verdict(runs: Sequence[Run], marked: str, again: bool, left_out: Sequence[str]) -> int:
    """Say the counts, after the failures were tried `again`; 0 only if all passed, and some."""
    failed = sum(bad(counts) for _, counts, _ in runs)
    skipped = sum(counts["skipped"] for _, counts, _ in runs)
    passed = sum(counts["tests"] for _, counts, _ in runs) - failed - skipped
    # for another reason than a test, such as a collection that broke off
    broken = any(status not in (0, NO_TESTS) and not bad(counts) for status, counts, _ in runs)
    if again and failed and sum(counts["causes"] for _, counts, _ in runs) <= FEW:
        print("Once more, what failed:", flush=True)
        _, counts, late = part(marked, "--last-failed", "--last-failed-no-failures=none")
        if bad(counts) + len(late) >= failed:
            failed, passed = bad(counts), passed + len(late)
        for name in late:
            print(f"Passed only when tried again: {name}")
    for what in left_out:
        print(f"Left out: {what}.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    if not passed + failed:
        print("No test was run.", file=sys.stderr)
    return 1 if broken or failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

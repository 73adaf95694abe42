"""Runs the tests in two parts and ends with the real counts: `make test`.

First what can share the machine, on two workers; then, one after the other, what needs it for
itself: the tests marked `alone` (they burn CPU, fill memory, kill the program) and `browser`.
Arguments are handed to pytest. Under CI=true what is missing is a failure, and coverage is
measured in the first part (the gate is in pyproject.toml).
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
CI = os.environ.get("CI") == "true"
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
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


def part(marked: str, *options: str) -> tuple[int, dict[str, int]]:
    """Run the tests that are so marked; pytest's exit status and its counts."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-m", marked, f"--junit-xml={report}", *options]
        status = subprocess.run(command, cwd=ROOT, check=False).returncode
        suites = ElementTree.parse(report).getroot().iter("testsuite") if report.exists() else ()
        counts = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
        for suite in suites:
            for what in counts:
                counts[what] += int(suite.get(what, 0))
    return status, counts


def main(asked: list[str]) -> int:
    """Both parts, the counts, and 0 only if tests were run and all passed."""
    browser = chromium()
    if browser:
        os.environ["AMISS_CHROMIUM"] = browser
    alone = "alone or browser" if browser else "alone and not browser"
    cover = ["--cov", "--cov-report=term:skip-covered"] if CI and not asked else []
    runs = [
        part("not alone and not browser", "-n", "2", "--dist", "loadfile", *cover, *asked),
        part(alone, *asked),
    ]
    failed = sum(counts["failures"] + counts["errors"] for _, counts in runs)
    skipped = sum(counts["skipped"] for _, counts in runs)
    passed = sum(counts["tests"] for _, counts in runs) - failed - skipped
    if not browser:
        here = "; in CI that is a failure" if CI else ""
        print(f"Left out: the browser tests, for want of Chromium (apt install chromium){here}.")
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    if not passed + failed:
        print("No test was run.", file=sys.stderr)
        return 1
    broken = [status for status, _ in runs if status not in (0, NO_TESTS)]
    return 1 if broken or failed or (CI and not browser) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The dashboard in a real browser, over the real server, of an installation that is made up."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect, sync_playwright

from amiss.data import DAY, MINUTE, SECOND, Member
from dashboard.fake import CPU, EVERY, FakeLive, incident
from web.serving import serving

pytestmark = pytest.mark.browser
PATIENCE = 120_000  # ms; what there is to see is there much sooner
PAGES = {
    "": "2 things are amiss",
    "incident": "Incidents",
    "incident?id=a1b2c3d4": "disk write of sda at 168 MB/s",
    "survey": "By subject",
    "explorer": "CPU iowait",
    "health": "Failing: sink on-call",
    "models": "Models",
}
PROBES = re.compile(r"/_stcore/(health|host-config)$")
"""Where Streamlit finds out by trying that its files are one folder up."""


@dataclass
class Site:
    """A dashboard and the installation that it shows."""

    live: FakeLive
    address: str
    browser: Browser
    now: int = 0
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str = "", **how: object) -> Page:
        """A new tab of a new reader; what goes wrong in it is collected."""
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("response", self._answered)
        page.goto(f"{self.address}/dashboard/{path}")
        expect(page.locator("h1").first).to_be_visible()
        return page

    def _complain(self, said: str) -> None:
        if not said.startswith("Failed to load resource"):  # told with its address below
            self.wrong.append(said)

    def _answered(self, response: Response) -> None:
        url = response.url
        if not url.startswith((self.address, "data:", "blob:")):
            self.wrong.append(f"asked another host: {url}")
        if response.status >= 400 and not PROBES.search(url):
            self.wrong.append(f"{response.status} {url}")

    def tick(self) -> None:
        """Time goes on by one sample."""
        self.now += EVERY


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(None, "", None, time.time_ns() // EVERY * EVERY)  # type: ignore[arg-type]
    home: Path = tmp_path_factory.mktemp("home")
    site.live = FakeLive(home, "busy", clock=lambda: site.now)
    listen = {"listen": "127.0.0.1:0"}
    site.live.settings = site.live.settings.model_copy(update=listen)
    expect.set_options(timeout=PATIENCE)  # else five seconds
    with serving(site.live) as site.address, sync_playwright() as playwright:
        site.browser = playwright.chromium.launch(
            executable_path=os.environ.get("AMISS_CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield site
        site.browser.close()
    site.live.store.close()


@pytest.fixture
def site(installed: Site) -> Iterator[Site]:
    """Nothing may have gone wrong in the end."""
    installed.wrong.clear()
    yield installed
    for context in installed.browser.contexts:
        context.close()
    assert installed.wrong == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads(site: Site, path: str) -> None:
    page = site.open(path)
    expect(page.get_by_role("heading", name=PAGES[path]).first).to_be_visible()
    charts = page.locator(".stVegaLiteChart svg.marks")
    if path not in ("incident", "survey", "health", "models"):
        expect(charts.first).to_be_visible()
        expect(charts.first.locator(".mark-line path").first).to_be_attached()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    site: Site, path: str, scheme: str
) -> None:
    page = site.open(path, viewport={"width": 360, "height": 740}, color_scheme=scheme)
    expect(page.get_by_role("heading", name=PAGES[path]).first).to_be_visible()
    if path == "":
        expect(page.locator(".st-key-tiles svg.marks")).to_have_count(6)
    wide = "[...document.querySelectorAll('.stMain, html, body')].map(e => e.scrollWidth)"
    assert max(page.evaluate(wide)) <= 360
    light = page.evaluate(
        "getComputedStyle(document.querySelector('.stApp')).backgroundColor.match(/\\d+/g)"
    )
    assert (int(light[0]) > 128) == (scheme == "light")


def test_the_page_renews_itself_and_keeps_its_charts(site: Site) -> None:
    page = site.open()
    value = page.locator(".am-tile b").first
    line = page.locator(".st-key-tiles svg.marks").first
    expect(line).to_be_visible()
    before = value.inner_text()
    page.evaluate("document.querySelector('.st-key-tiles svg.marks').dataset.mine = 'yes'")
    drawn = line.locator(".mark-line path").first.get_attribute("d")
    site.live.raised = 1.7
    site.tick()
    expect(value).not_to_have_text(before)
    expect(line.locator(".mark-line path").first).not_to_have_attribute("d", str(drawn))
    assert line.get_attribute("data-mine") == "yes"
    site.live.raised = 1.0


def test_what_opens_is_told_and_drawn_without_loading_the_page_again(site: Site) -> None:
    page = site.open()
    expect(page.get_by_role("heading", name="2 things are amiss")).to_be_visible()
    member = Member(CPU, site.now, site.now, 12.5, 97.0, 6.0, 4.0, 9.0)
    fresh = incident("fresh", (member,), site.now, severity="high", score=12.5)
    site.live.add(fresh)
    site.tick()
    expect(page.get_by_role("heading", name="3 things are amiss")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("^web-3: CPU at 97 %"))).to_be_visible()
    expect(page).to_have_title("3 amiss")
    over = {"revision": 2, "state": "resolved", "seen": site.now, "until": site.now + MINUTE}
    site.live.add(incident("fresh", (member,), site.now, severity="high", **over))
    site.tick()
    expect(page.get_by_role("heading", name="2 things are amiss")).to_be_visible()


def test_a_card_leads_to_its_incident_and_back_with_the_keyboard_alone(site: Site) -> None:
    page = site.open()
    card = page.get_by_role("link", name=re.compile("^web-3: disk write of sda"))
    card.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/incident\?id=a1b2c3d4$"))
    expect(page.get_by_text("jbd2/sda1-8 (pid 301) 18 MB/s")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="2 things are amiss")).to_be_visible()


def test_the_raw_data_of_an_incident_can_be_kept(site: Site) -> None:
    page = site.open("incident?id=a1b2c3d4")
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download JSON").click()
    assert kept.value.suggested_filename == "incident-a1b2c3d4.json"
    assert '"revision": 2' in Path(kept.value.path()).read_text("utf-8")


def test_dragging_in_a_chart_looks_closer_and_the_address_says_where(site: Site) -> None:
    page = site.open(f"explorer?key={CPU}&span=6+h".replace('"', "%22"))
    chart = page.locator(".stVegaLiteChart svg.marks").first
    expect(chart.locator(".mark-line path").first).to_be_attached()
    box = chart.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 110, steps=8)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"from=20.*to=20"))
    again = site.open(page.url.split("/dashboard/")[1])
    expect(again.get_by_role("button", name="Back to live")).to_be_visible()
    page.get_by_role("button", name="Back to live").click()
    expect(page).not_to_have_url(re.compile("from="))


def test_a_series_is_found_by_typing_and_chosen_by_a_click(site: Site) -> None:
    page = site.open("explorer")
    page.get_by_label("Find a series").fill("eth0 receive")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=eth0"))
    page.locator("label").filter(has_text="Network receive of eth0").click()
    expect(page.get_by_role("heading", name="Network receive of eth0")).to_be_visible()
    expect(page).to_have_url(re.compile("key=network_receive_bytes"))


def test_retraining_shows_that_it_goes_on_and_what_came_of_it(site: Site) -> None:
    page = site.open("models")
    site.live.gate.clear()
    forest = page.locator(".st-key-model-host-isolation_forest")
    forest.get_by_role("spinbutton").fill("500")
    forest.get_by_role("button", name="Retrain").click()
    expect(page.get_by_text("Training on 500 samples").first).to_be_visible()
    other = site.open("models")
    expect(other.get_by_text("Training on 500 samples").first).to_be_visible()
    site.live.gate.set()
    done = "Trained on 500 samples in 1.8 s; in use from now on."
    expect(page.get_by_text(done)).to_be_visible()
    expect(page.get_by_text("Trained just now").first).to_be_visible()


def test_times_are_those_of_the_reader(site: Site) -> None:
    page = site.open(timezone_id="Asia/Kolkata")
    expect(page.get_by_text(re.compile(r"last sample \d\d:\d\d:\d\d IST"))).to_be_visible()


def test_an_hour_at_the_edge_of_the_day_does_not_stick_out(site: Site) -> None:
    site.now = (site.now // DAY + 1) * DAY + 30 * SECOND // EVERY * EVERY  # just after midnight
    page = site.open(viewport={"width": 360, "height": 740}, timezone_id="UTC")
    expect(page.locator(".am-hours span").first).to_be_visible()
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= 360

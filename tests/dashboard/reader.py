"""One who opens a page and reads what is on it."""

import re
from html import unescape
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from amiss.web.dashboard import main
from dashboard.fake import FakeLive

SCRIPT = Path(str(main.__file__))


class Reader:
    """A page, drawn once; `again` draws it anew."""

    def __init__(self, live: FakeLive, page: str, query: dict[str, str]) -> None:
        self.live = live
        self.page = AppTest.from_file(str(SCRIPT), default_timeout=60)
        if page:
            self.page._page_hash = calc_hash(page)  # its own switch_page knows files alone
        for name, value in query.items():
            self.page.query_params[name] = value
        self.again()

    def again(self) -> "Reader":
        self.page.run()
        assert not self.page.exception, [e.message for e in self.page.exception]
        return self

    @property
    def html(self) -> str:
        """All HTML on the page."""
        return "\n".join(each.proto.body for each in self.page.get("html"))

    @property
    def links(self) -> list[tuple[str, str]]:
        """Labels of links to other pages and where they lead."""
        found = [each.proto for each in self.page.get("page_link")]
        return [(p.label, f"{p.page}?{p.query_string}".rstrip("?")) for p in found]

    @property
    def text(self) -> str:
        """What there is to read."""
        shown = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<style.*?</style>", "", self.html)))
        labels = [re.sub(r"\\(.)", r"\1", label) for label, _ in self.links]
        return re.sub(r"\s+", " ", " ".join([shown, *labels]))

    @property
    def charts(self) -> list[Any]:
        """What is sent of each chart."""
        return [each.proto for each in self.page.get("vega_lite_chart")]

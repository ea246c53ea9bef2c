"""A visit to an atlas: the page, and what went wrong while it was open."""

from __future__ import annotations

import time
from pathlib import Path

# Places that show something else: every page of an atlas that Synthetic writes.
ADDRESSES = (
    "#/study",
    "#/layer/0",
    "#/layer/1?map=firing&q=zeppelin",
    "#/filter/1/77",
    "#/photographs/0",
    "#/photograph/0/1003?filter=2&layer=0",
    "#/occlusion/0",
    "#/compare/0/1",
    "#/filter/1/0",
    "#/filter/1/2",
    "#/class/0",
    "#/networks/0",
    "#/diagnosis",
    "#/temperature",
    "#/search?q=zeppelin",
    "#/no/such/page",
)


class Visit:
    """A page of an atlas. complaints: what the console said, errors, and requests that failed."""

    def __init__(self, page, path: Path):
        self.page = page
        self.path = path
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("requestfailed", self._note_failed)
        page.set_default_timeout(15_000)

    def _note_failed(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by leaving the page while its pictures are still being read
            self.complaints.append(f"failed: {request.url} ({request.failure})")

    def open(self, address: str = "#/study") -> Visit:
        """Load the atlas anew at this address and wait until it is drawn."""
        self.page.goto("about:blank")
        self.page.goto(self.path.as_uri() + address)
        return self.settled()

    def settled(self) -> Visit:
        """Wait until nothing is being loaded."""
        self.page.wait_for_selector("main h1, main .failed")
        self.until("document.querySelectorAll('.waiting').length === 0")
        self.until("[...document.images].every((each) => each.complete || each.loading === 'lazy')")
        self.page.wait_for_timeout(80)  # for what is painted and asked for after that
        return self

    def until(self, true: str, seconds: float = 15) -> Visit:
        """Wait until this JavaScript is true; Playwright's own way evaluates a text, which the page forbids."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(true):
            if time.monotonic() > end:
                raise AssertionError(f"{true} was not true after {seconds} s at {self.address}")
            self.page.wait_for_timeout(30)
        return self

    def text(self, selector: str) -> str:
        """Text of the first such element."""
        return self.page.locator(selector).first.inner_text()

    @property
    def address(self) -> str:
        """What stands behind the page's path."""
        return self.page.evaluate("location.hash")

    @property
    def overflow(self) -> int:
        """px by which the page is wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

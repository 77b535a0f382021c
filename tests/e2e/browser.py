"""A real browser, Debian's chromium, that may speak to one address only."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import sync_playwright


@dataclass
class Tab:
    """A page of the browser, with what it complained of and whom it asked."""

    page: object
    complaints: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def open(self, address):
        # On a busy machine the network may seem idle while a long document is still being read.
        self.page.goto(address, wait_until="load")
        self.page.wait_for_load_state("networkidle")
        return self

    def text(self, selector):
        return self.page.inner_text(selector)

    def texts(self, selector):
        return self.page.locator(selector).all_inner_texts()

    def ask(self, script, argument=None):
        return self.page.evaluate(script, argument)


class Browser:
    """Opens tabs; see `browser`."""

    def __init__(self, chromium):
        self._chromium = chromium

    @contextmanager
    def tab(self, *, width=1440, height=1000, dark=False, scripts=True):
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        found = Tab(context.new_page())
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("dialog", lambda dialog: (found.complaints.append(dialog.message), dialog.dismiss()))
        found.page.on("request", lambda request: found.asked.append(request.url))
        try:
            yield found
        finally:
            context.close()


@contextmanager
def browser(executable):
    """A headless chromium. As root, as in CI, it refuses its own sandbox."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        try:
            yield Browser(chromium)
        finally:
            chromium.close()

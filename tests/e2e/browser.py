"""A real browser, Debian's chromium, that may speak to one address only."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import sync_playwright
from tests.e2e.harness import DEADLINE, poll

# Milliseconds after which the page asks again.
REFRESHES = 5_000


@dataclass
class Tab:
    """A page of the browser, with what it complained of and whom it asked."""

    page: object
    complaints: list = field(default_factory=list)
    asked: list = field(default_factory=list)

    def open(self, address):
        self.page.goto(address, wait_until="load")
        return self

    def refreshed(self):
        """Until the page has asked again by itself, and shows the answer; its clock is put forward.

        It asks for the second time only when it has shown what it got for the first.
        """
        wanted = len(self.asked) + 2

        def asked():
            self.page.clock.fast_forward(REFRESHES)
            return len(self.asked) >= wanted

        poll(asked, "the page asks for nothing")
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
    def tab(self, *, width=1440, height=1000, dark=False, scripts=True, clock=False):
        """A new tab; with *clock* its time can be put forward."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        context.set_default_timeout(1_000 * DEADLINE)
        if clock:
            context.clock.install()
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

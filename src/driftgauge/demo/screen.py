"""What the demo writes: sentences above a progress bar, or lines alone where nobody watches."""

from __future__ import annotations

import shutil
import textwrap
from datetime import UTC, datetime
from typing import Final, TextIO

from driftgauge.snapshot import Notice
from driftgauge.web.ports import Progress

BAR: Final = 30
# Without a terminal the progress is told at these steps.
STEP: Final = 0.25
_CLEAR: Final = "\r\x1b[K"


class Screen:
    """Writes to *out*; a progress bar stands below the lines where *out* is a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tty = out.isatty()
        self._width = shutil.get_terminal_size((100, 24)).columns if self._tty else 0
        self._bar = ""
        self._told = 0.0

    def say(self, text: str = "") -> None:
        """A line, or several."""
        self._write(f"{text}\n")

    def notice(self, notice: Notice) -> None:
        """A sentence, with its time on the model's clock and its model before it."""
        at = datetime.fromtimestamp(notice.time, UTC).strftime("%Y-%m-%d") if notice.time else " " * 10
        head = f"{at}  {notice.model:<12} "
        if not self._tty:
            self.say(head + notice.text)
            return
        indent = " " * len(head)
        self.say(textwrap.fill(head + notice.text, self._width - 1, subsequent_indent=indent))

    def progress(self, progress: Progress) -> None:
        """How far it is."""
        if self._tty:
            filled = round(BAR * progress.done)
            bar = "█" * filled + "░" * (BAR - filled)
            self._bar = f"{bar} {progress.done:4.0%}  {progress.label}"[: self._width - 1]
            self._write("")
        elif progress.done >= self._told + STEP:
            self._told = progress.done // STEP * STEP
            self.say(f"{self._told:.0%} of {progress.label}")

    def end_progress(self) -> None:
        """Take the bar away."""
        self._bar = ""
        self._write("")

    def _write(self, text: str) -> None:
        if self._tty:
            self._out.write(_CLEAR + text + self._bar)
        else:
            self._out.write(text)
        self._out.flush()

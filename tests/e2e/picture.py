"""The README's picture of the page: ``python -m tests.e2e.picture`` replays the demo and takes it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.e2e.browser import browser
from tests.e2e.harness import Http, free_port, poll

PICTURE = Path(__file__).resolve().parents[2] / "docs" / "images" / "page.png"
SHOWN = "?model=car-loan&window=30d&feature=car_value"


def main():
    port = free_port()
    doors = ("--listen=127.0.0.1:0", f"--metrics-listen=127.0.0.1:{port}")
    demo = subprocess.Popen([sys.executable, "-m", "driftgauge", "demo", *doors], stdout=subprocess.DEVNULL)
    http = Http(f"127.0.0.1:{port}")
    try:
        poll(lambda: over(http), "the replay isn't over", seconds=900)
        with browser(shutil.which("chromium")) as found, found.tab(width=1280, height=1120) as tab:
            tab.open(f"http://127.0.0.1:{port}/{SHOWN}")
            tab.page.screenshot(path=PICTURE)
    finally:
        demo.terminate()
        demo.wait()
    print(f"{PICTURE}: {PICTURE.stat().st_size >> 10} KiB")


def over(http):
    time.sleep(0.5)  # the replay has more to do than to answer
    progress = http.json("/v1/models")["progress"]
    return progress is not None and progress["done"] == 1


if __name__ == "__main__":
    main()

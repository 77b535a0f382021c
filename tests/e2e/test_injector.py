"""`driftgauge injector`, the process: asked over TLS, ended by a signal."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import aiohttp
import pytest
import trustme
from tests.unit.injector.running import HOST, patched_by, pod, review, trusting, write

pytestmark = pytest.mark.e2e


def started(log):
    """Both addresses, once they are told."""
    for _ in range(300):
        found = re.search(r"listening on (\S+) with TLS, on (\S+) for metrics", log.read_text())
        if found:
            return found[1], found[2]
        time.sleep(0.1)
    raise AssertionError(log.read_text())


async def asked(address, authority, seen):
    connector = aiohttp.TCPConnector(ssl=trusting(authority))
    before = pod(inject="true", config="churn")
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.post(
            f"https://{address}/mutate?timeout=5s", json=review(before), server_hostname=HOST
        ) as answer:
            made = patched_by((await answer.json())["response"], before)
        async with session.get(f"http://{seen}/metrics") as answer:
            return made, await answer.text()


@contextmanager
def injecting(folder):
    """An injector, its certificate's authority, its log, and both its addresses."""
    authority, log = trustme.CA(), folder / "injector.log"
    files = (folder / "tls.crt", folder / "tls.key")
    write(files, authority)
    command = [
        sys.executable,
        "-m",
        "driftgauge",
        "injector",
        f"--certificate={files[0]}",
        f"--key={files[1]}",
    ]
    command += ["--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0", "--image=example.com/driftgauge:9"]
    command += ["--plain", "--linger=100ms"]
    with log.open("w") as stderr, subprocess.Popen(command, stderr=stderr, stdout=stderr) as process:
        try:
            yield process, authority, log, *started(log)
        finally:
            process.kill()


def test_it_serves_until_a_signal_and_ends_in_order(tmp_path):
    with injecting(tmp_path) as (process, authority, log, address, seen):
        made, metrics = asyncio.run(asked(address, authority, seen))
        assert made["spec"]["containers"][-1]["image"] == "example.com/driftgauge:9"
        assert 'driftgauge_injector_pods_total{result="injected"} 1.0' in metrics
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert process.wait(30) == 0, log.read_text()
        assert time.monotonic() - began < 10
    assert "models/churn-6c9f7d5b8-*': injected" in log.read_text()
    assert "Traceback" not in log.read_text()

"""`driftgauge injector`, the process: asked over TLS, ended by a signal."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import aiohttp
import pytest
import trustme
from tests.e2e.harness import DEADLINE, end, poll
from tests.unit.injector.running import HOST, patched_by, pod, review, trusting, write

pytestmark = pytest.mark.e2e


def started(log):
    """Both addresses, once they are told."""
    told = re.compile(r"listening on (\S+) with TLS, on (\S+) for metrics")
    found = poll(lambda: told.search(log.read_text()), "it does not listen", log)
    return found[1], found[2]


async def asked(address, authority, seen):
    connector = aiohttp.TCPConnector(ssl=trusting(authority))
    before = pod(inject="true", config="churn")
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.post(
            f"https://{address}/mutate?timeout=30s", json=review(before), server_hostname=HOST
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
        assert end(process.pid, signal.SIGTERM) < 10
        assert process.wait(DEADLINE) == 0, log.read_text()
    assert "models/churn-6c9f7d5b8-*': injected" in log.read_text()
    assert "Traceback" not in log.read_text()

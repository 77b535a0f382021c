"""Fixtures of all tests that run whole processes; the folders' conftest files take them from here."""

from __future__ import annotations

import json

import pytest
from tests.e2e.harness import Nursery


@pytest.fixture(scope="session")
def nursery(tmp_path_factory):
    """Starts processes in milliseconds."""
    found = Nursery(tmp_path_factory.mktemp("processes"))
    yield found
    found.close()


@pytest.fixture
def configured(tmp_path):
    """`configured(models=..., store=...)` writes a configuration file; doors on free ports, data in tmp_path."""

    def write(name="driftgauge.yaml", **trees):
        whole = {
            "intake": {"listen": "127.0.0.1:0", **trees.pop("intake", {})},
            "observation": {"listen": "127.0.0.1:0", **trees.pop("observation", {})},
            "store": {"directory": str(tmp_path / "data"), **trees.pop("store", {})},
            "evaluate": trees.pop("evaluate", "250ms"),
            **trees,
        }
        path = tmp_path / name
        path.write_text(json.dumps(whole, indent=1))  # JSON is YAML
        return path

    return write


@pytest.fixture
def started(nursery, configured):
    """`started(models=..., order={...})` is a process that is ready, killed at the end of the test."""
    running = []

    def start(*, order=None, ready=True, **trees):
        process = nursery.start(configured(**trees), **(order or {}))
        running.append(process)
        if ready:
            process.wait_ready()
        return process

    yield start
    for process in running:
        if process.code is None:
            process.kill()

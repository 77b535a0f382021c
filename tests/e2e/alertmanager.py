"""A real Alertmanager on loopback, with the example's tree or another."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.e2e.harness import Http, free_port
from tests.e2e.processes import JSON
from tests.e2e.prometheus import ready


def example(repository):
    """The tree of prometheus/alertmanager.example.yml."""
    return yaml.safe_load((repository / "prometheus" / "alertmanager.example.yml").read_text())


@dataclass
class Alertmanager:
    """One that runs."""

    http: Http
    file: Path

    def fire(self, *firing, **more):
        """Alerts as Prometheus sends them, by their labels; *more* is the same of each, as ``endsAt``."""
        body = json.dumps([{"labels": labels, **more} for labels in firing])
        status, _, _ = self.http("POST", "/api/v2/alerts", body, JSON)
        assert status == 200

    def load(self, tree):
        """Another configuration, from now on."""
        self.file.write_text(json.dumps(tree))
        assert self.http("POST", "/-/reload", b"")[0] == 200


@contextmanager
def alertmanager(folder, program, tree):
    """An Alertmanager with that configuration, ended with the block."""
    file, log, address = folder / "alertmanager.yml", folder / "log", f"127.0.0.1:{free_port()}"
    file.write_text(json.dumps(tree))
    flags = (
        f"--config.file={file}",
        f"--storage.path={folder / 'storage'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    )
    with ready([program, *flags], address, log):
        yield Alertmanager(Http(address), file)

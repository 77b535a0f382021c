"""Sends a scenario to a real process over HTTP, killing it where the scenario says, and reads all of its numbers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field

from click.testing import CliRunner
from tests.e2e.harness import Nursery, poll

FAMILIES = [
    "distances", "segments", "quantiles", "against", "schema", "concept", "performance", "calibration",
    "versions", "estimates", "critical", "classes",
]  # fmt: skip


@dataclass
class Read:
    """What was read in the end: answers by request, the model's rows by version, distributions, /metrics."""

    answers: list
    versions: dict
    distributions: dict
    metrics: str
    killed_before: int = 0  # requests before the last start of the process
    models: dict = field(default_factory=dict)


def profile(scenario, folder, path):
    """`driftgauge profile` of the scenario's reference records."""
    from driftgauge.cli import main

    table = folder / "train.ndjson"
    with table.open("w") as file:
        for row in scenario.reference:
            kept = {k: v for k, v in row.items() if k not in ("model", "scores", "_outcome")}
            file.write(json.dumps({**kept, "outcome": row["_outcome"]}) + "\n")
    config = folder / "model.yaml"
    config.write_text(json.dumps({"models": {scenario.name: scenario.model}}))
    arguments = [
        "profile", str(table), "--time", "timestamp", "--outcome", "outcome", "--model-config", str(config),
        "--model", scenario.name, "-o", str(path), "--no-progress",
    ]  # fmt: skip
    for name in ("score", "prediction"):
        if any(name in row for row in scenario.reference):
            arguments += [f"--{name}", name]
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 0, found.output
    return found.output


def sent(scenario, nursery: Nursery, folder):
    """Everything, in order; then what the process says."""
    reference = folder / "reference.json"
    profile(scenario, folder, reference)
    config = folder / "driftgauge.yaml"
    whole = {
        "models": {scenario.name: {**scenario.model, "reference": str(reference)}},
        "intake": {"listen": "127.0.0.1:0"},
        "observation": {"listen": "127.0.0.1:0"},
        "store": {"directory": str(folder / "data")},
        "evaluate": "500ms",
        "metrics": FAMILIES,
    }
    config.write_text(json.dumps(whole))
    process = nursery.start(config)
    process.wait_ready()
    http = process.http
    answers, killed_before = [], 0
    for place, request in enumerate(scenario.requests):
        status, _, answer = http.post(request.path, request.body())
        assert status in (200, 422), (status, answer)
        answers.append(answer)
        if request.kill_after:
            process.kill()
            process = nursery.start(config)
            process.wait_ready()
            http, killed_before = process.http, place + 1
    began = time.time()
    read = http.json
    poll(lambda: read("/v1/models")["evaluated_at"] > began, "not evaluated", process.log)
    models = read("/v1/models")
    found = {v["state"]["model_version"]: v for v in read(f"/v1/models/{scenario.name}")["versions"]}
    distributions = {}
    for version, rows in found.items():
        for feature, output in {(r["feature"], r["output"]) for r in rows["drift"]}:
            kind = f"features/{feature}" if feature else f"outputs/{output}"
            path = f"/v1/models/{scenario.name}/{kind}?model_version={version}"
            distributions[version, feature, output] = read(path)
    metrics = http.text("/metrics")
    process.kill()
    return Read(answers, found, distributions, metrics, killed_before, models)

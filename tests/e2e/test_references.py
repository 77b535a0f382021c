"""`driftgauge reference` against a real process that is killed after each order."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys

import pytest
from tests.e2e.harness import DEADLINE, poll
from tests.e2e.processes import NDJSON, household

pytestmark = pytest.mark.e2e

HOUR = 3600.0
MODELS = {"m": {"task": "binary", "clock": "records", "windows": ["1d"]}}


@pytest.fixture
def made(tmp_path):
    with household(tmp_path) as found:
        yield found


def body(begin, hours, each=40, shift=0.0):
    """Predictions of an hour after the other, a record a line."""
    draw = random.Random(begin)
    return b"".join(
        json.dumps(
            {"model": "m", "model_version": "1", "prediction_id": f"{hour}-{i}",
             "timestamp": (hour + i / each) * HOUR, "features": {"x": round(draw.gauss(shift, 1), 3)},
             "score": round(draw.random(), 3)}
        ).encode() + b"\n"
        for hour in range(begin, begin + hours)
        for i in range(each)
    )  # fmt: skip


def send(server, *span, **more):
    for begin in range(span[0], span[0] + span[1], 12):
        status, _, answer = server.http().post("/v1/predictions", body(begin, 12, **more), NDJSON)
        assert status == 200, answer
        assert not answer["rejected"], answer


def command(server, *words):
    """What a `driftgauge reference` says: exit code, stdout, stderr."""
    url = f"http://{server.address()}"
    done = subprocess.run(
        [sys.executable, "-m", "driftgauge", "reference", *words, "--url", url],
        capture_output=True, text=True, check=False, timeout=DEADLINE,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def killed(made, server, config):
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(DEADLINE)
    return made.serve(config=config).wait_ready()


def is_in_force(server, *expected):
    """Wait until an evaluation tells this state and id of the inputs' reference."""
    client = server.http()

    def told():
        status, _, answer = client.get("/v1/models/m")
        if status != 200:
            return False
        (version,) = json.loads(answer)["versions"]
        return (version["state"]["reference_state"], version["state"]["reference"]) == expected

    poll(told, f"not {expected}", server.log)


def test_orders_survive_a_kill_and_an_export_is_taken_as_a_given_reference(made, tmp_path):
    config = made.write(models=MODELS)
    server = made.serve(config=config).wait_ready()
    send(server, 0, 12)
    code, _, told = command(server, "accept", "m")
    assert (code, told.endswith("inputs are learning, 480 of 1,000 records; outputs are learning, 480 of 1,000 records\n")) == (1, True)  # fmt: skip
    send(server, 12, 36)

    code, told, error = command(server, "accept", "m")
    assert (code, error) == (0, "")
    assert "m 1 inputs: frozen, " in told
    assert "records over " in told
    accepted = told.split("inputs: frozen, ")[1].split(",")[0]
    server = killed(made, server, config)
    is_in_force(server, "frozen", accepted)

    path = tmp_path / "exported.json"
    code, _, told = command(server, "export", "m", "-o", str(path))
    assert code == 0
    assert "3 features and outputs" in told

    send(server, 48, 36, shift=2.0)
    code, told, _ = command(server, "relearn", "m", "--window", "1d")
    assert code == 0
    assert "the bins stay" in told
    server = killed(made, server, config)
    rebuilt = told.split("inputs: frozen, ")[1].split(",")[0]
    assert rebuilt != accepted
    is_in_force(server, "frozen", rebuilt)

    assert command(server, "relearn", "m")[0] == 0
    server = killed(made, server, config)
    is_in_force(server, "learning", "")
    code, _, told = command(server, "export", "m")
    assert (code, told.endswith("404 there is no reference yet: 0 records were learned from\n")) == (1, True)
    code, _, told = command(server, "relearn", "nobody")
    assert (code, "404 no model of this name" in told) == (1, True)
    server.stop()

    made.data = tmp_path / "other"
    given = made.write(models={"m": {**MODELS["m"], "reference": str(path)}})
    server = made.serve(config=given).wait_ready()
    send(server, 0, 12)
    is_in_force(server, "given", accepted)
    code, _, told = command(server, "relearn", "m")
    assert (code, "409 the configuration gives this model's reference by a file" in told) == (1, True)

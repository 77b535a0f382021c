"""`driftgauge serve` from outside: signals, tokens, doors, a second process, restarts."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import closing, suppress

import pytest
from tests.e2e.harness import DEADLINE, Http, poll, samples, total, value
from tests.e2e.processes import (
    NDJSON,
    detail,
    household,
    must_wait,
    prediction,
    predictions,
    up,
)

pytestmark = pytest.mark.e2e

BATCH = 50
VERSION = {"model": "churn", "model_version": "1"}
QUALITY = {**VERSION, "window": "1h", "cohort": "arrived", "segment": "", "segment_value": ""}
MODELS = {"churn": {"task": "binary", "positive_class": "1", "windows": ["1h"], "segments": ["plan"]}}


@pytest.fixture
def made(tmp_path):
    with household(tmp_path) as found:
        yield found


def took(client, path, body, **headers):
    """Post records; all of them must be taken."""
    status, _, answer = client.post(path, body, {**NDJSON, **headers})
    assert status == 200, answer
    assert not answer["rejected"], answer
    return answer


class Sender(threading.Thread):
    """Posts batches over one connection until the process is gone."""

    def __init__(self, address, first):
        super().__init__(daemon=True)
        self.address, self.next = address, first
        self.acknowledged, self.unanswered = [], []

    def run(self):
        client = Http(self.address)
        with suppress(Exception):
            while True:
                body = predictions(self.next, BATCH)
                self.next += BATCH
                self.unanswered.append(body)
                status, _, answer = client.post("/v1/predictions", body, NDJSON)
                if status == 200:
                    assert answer["accepted"] == BATCH
                    self.acknowledged.append(self.unanswered.pop())


def test_sigterm_loses_nothing_that_was_acknowledged(made):
    config = made.write(models=MODELS)
    first = made.serve(config=config).wait_ready()
    senders = [Sender(first.address(), place * 1_000_000) for place in range(4)]
    for sender in senders:
        sender.start()
    first.wait(lambda now: total(now, "predictions_total") >= 2_000, "no load")
    assert first.stop() < 2.0
    for sender in senders:
        sender.join(DEADLINE)
        assert not sender.is_alive()
    acknowledged = sum(len(sender.acknowledged) for sender in senders)
    assert acknowledged * BATCH >= 2_000

    second = made.serve(config=config).wait_ready()
    client = second.http()
    for sender in senders:
        for body in sender.acknowledged:  # known already, each of them
            assert took(client, "/v1/predictions", body)["duplicates"] == BATCH
        for body in sender.unanswered:  # counted once, by the first or by the second
            took(client, "/v1/predictions", body)
    second.predicted(sum(sender.next % 1_000_000 for sender in senders))


def test_a_restart_restores_windows_and_counts_anew(made):
    config = made.write(models=MODELS)
    first = made.serve(config=config).wait_ready()
    client = first.http()
    took(client, "/v1/predictions", predictions(0, 400))
    outcomes = [
        {"model": "churn", "prediction_id": f"p{n}", "outcome": int(n % 100 >= 50)} for n in range(0, 400, 2)
    ]
    assert client.post("/v1/outcomes", outcomes)[2]["accepted"] == 200
    before = first.wait(
        lambda now: (
            value(now, "quality_samples", **QUALITY) == 200 and total(now, "predictions_total") == 400
        ),
        "not evaluated",
    )
    assert value(before, "accuracy_ratio", **QUALITY) == 1.0
    first.stop()

    second = made.serve(config=config).wait_ready()
    after = second.predicted(400)
    for name in ("quality_samples", "accuracy_ratio", "brier_ratio", "roc_auc_ratio", "log_loss"):
        assert value(after, name, **QUALITY) == value(before, name, **QUALITY), name
    assert value(after, "store_restored", result="restored") == 1
    for name in ("predictions_total", "outcomes_total", "outcomes_joined_total"):
        assert total(before, name, model="churn") > 0, name
        assert total(after, name, model="churn") == 0, name
    # the joins live on: the other half's outcomes find their predictions
    outcomes = [{"model": "churn", "prediction_id": f"p{n}", "outcome": 1} for n in range(1, 400, 2)]
    assert second.http().post("/v1/outcomes", outcomes)[2]["accepted"] == 200
    second.wait(lambda now: value(now, "quality_samples", **QUALITY) == 400, "not joined")


def test_sighup_reloads_whole_or_not_at_all(made):
    config = made.write(models=MODELS)
    serving = made.serve(config=config).wait_ready()
    took(serving.http(), "/v1/predictions", predictions(0, 100))
    assert value(serving.predicted(100), "configuration_reload_success") == 1

    made.write(models={"churn": {**MODELS["churn"], "windows": ["1h", "1d"], "windwos": ["1d"]}})
    serving.hang_up()
    now = serving.wait(lambda now: value(now, "configuration_reload_success") == 0, "not refused")
    assert up(now, "configuration") == 0
    assert total(now, "window_samples", window="1d") == 0  # nothing of it
    assert total(now, "window_samples", window="1h", cohort="predicted") == 100
    serving.wait_logged(r"reload refused, the old configuration stays: \S*driftgauge\.yaml:\d+.*windwos")
    client = serving.http()
    assert "windwos" in detail(client, "configuration")
    assert client.get("/readyz")[0] == 200  # the old one serves
    took(client, "/v1/predictions", predictions(100, 100))

    made.write(models={"churn": {**MODELS["churn"], "windows": ["1h", "1d"]}})
    serving.hang_up()
    now = serving.wait(lambda now: value(now, "configuration_reload_success") == 1, "not loaded")
    assert up(now, "configuration") == 1
    assert (
        total(serving.predicted(200, window="1d"), "window_samples", window="1h", cohort="predicted") == 200
    )
    serving.wait_logged("the configuration was loaded again")


def test_a_token_file_shuts_the_door_and_is_read_again(made):
    secret = made.folder / "intake.token"
    secret.write_text("first-secret\n")
    config = made.write(models=MODELS, intake={"token_file": str(secret)})
    serving = made.serve(config=config)
    client = serving.wait_ready().http()  # health is open

    def status(token=None, path="/v1/predictions"):
        given = {} if token is None else {"Authorization": f"Bearer {token}"}
        return client("POST", path, predictions(0, 1), {**NDJSON, **given})[:2]

    code, headers = status()
    assert code == 401
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert status("another")[0] == 401
    assert client.get("/metrics")[0] == 401
    assert status("first-secret")[0] == 200

    fresh = made.folder / "fresh.token"
    fresh.write_text("second-secret\n")
    fresh.replace(secret)
    assert status("first-secret")[0] == 401
    assert status("second-secret")[0] == 200

    secret.unlink()
    code, headers = status("second-secret")
    assert code == 503
    assert int(headers["Retry-After"]) >= 1
    serving.wait_logged("a door is shut: token file .*intake.token")
    assert "secret" not in serving.text


def test_a_unix_socket_takes_records(made, tmp_path_factory):
    # a socket's path has room for 107 characters
    path = tmp_path_factory.mktemp("s") / "intake.sock"
    assert len(os.fspath(path)) < 100
    listen = f"unix:{path}"
    for count in (100, 200):  # a socket that was left behind by the first is no hindrance
        serving = made.serve(listen=listen, config=made.write(models=MODELS))
        assert serving.address() == listen
        serving.wait_ready()
        took(serving.http(), "/v1/predictions", predictions(count, 100))
        serving.predicted(count)
        assert serving.http("observation").get("/metrics")[0] == 200
        if count == 100:
            serving.process.kill()
            serving.process.wait()
            assert path.is_socket()
    serving.stop()
    assert not path.exists()


def test_the_third_door_takes_outcomes_and_needs_a_token(made):
    config = made.write(outside={"listen": "127.0.0.1:0"})
    refused = made.serve("--strict", config=config)
    assert refused.process.wait(DEADLINE) == 2
    assert "outside.token_file" in refused.text

    secret = made.folder / "outside.token"
    secret.write_text("outside-secret\n")
    config = made.write(models=MODELS, outside={"listen": "127.0.0.1:0", "token_file": str(secret)})
    serving = made.serve(config=config).wait_ready()
    took(serving.http(), "/v1/predictions", predictions(0, 10))
    outside = serving.http("outside")
    outcome = [{"model": "churn", "prediction_id": "p1", "outcome": 1}]
    assert outside.post("/v1/outcomes", outcome)[0] == 401
    with_token = {"Authorization": "Bearer outside-secret"}
    assert outside.post("/v1/outcomes", outcome, with_token)[2]["accepted"] == 1
    assert outside.get("/metrics", **with_token)[0] == 404
    assert outside.get("/", **with_token)[0] == 404
    serving.wait(lambda now: total(now, "outcomes_joined_total", model="churn") == 1, "not joined")


def test_a_second_process_on_the_same_directory_says_so_and_waits(made):
    config = made.write(models=MODELS)
    first = made.serve(config=config).wait_ready()
    took(first.http(), "/v1/predictions", predictions(0, 10))
    second = made.serve(config=config)
    second.wait_logged(
        rf"store: .*/data: expected no other writer, found process {first.process.pid} holding"
    )
    client = second.http()
    assert up(second.samples(), "store") == 0
    assert client.get("/healthz")[0] == 200
    status, _, body = client.get("/readyz")
    assert status == 503
    assert b"expected no other writer" in body
    must_wait(*client.post("/v1/predictions", predictions(10, 10), NDJSON))
    took(first.http(), "/v1/predictions", predictions(10, 10))  # the first one is not disturbed
    assert up(first.samples(), "store") == 1

    first.stop()
    second.wait_ready()  # its turn
    took(client, "/v1/predictions", predictions(20, 10))
    assert up(second.predicted(30), "store") == 1


def test_strict_exits_where_it_would_be_degraded(made):
    first = made.serve().wait_ready()
    host = first.address()
    taken = made.serve("--strict", listen=host, metrics="127.0.0.1:0")
    assert taken.process.wait(DEADLINE) == 1
    assert f"--strict: intake.listen {host}: address already in use" in taken.text
    made.data = made.folder / "file"
    made.data.write_text("no directory")
    broken = made.serve("--strict")
    assert broken.process.wait(DEADLINE) == 1
    assert "--strict: the store: " in broken.text
    assert "Traceback" not in broken.text + taken.text


def test_a_taken_port_is_told_and_the_other_door_answers(made):
    first = made.serve().wait_ready()
    host = first.address()
    second_data = made.folder / "second"
    second = made.serve("--data", str(second_data), listen=host)
    second.wait_logged(rf"intake.listen {host}: address already in use")
    client = second.http("observation")
    assert up(samples(client.text("/metrics")), "intake") == 0
    poll(lambda: client.get("/readyz")[0] == 200, "not ready")  # the store opens after the doors
    first.process.kill()
    second.wait_logged(rf"INFO .*intake: listening on {host}")


def test_an_idempotency_key_is_answered_once(made):
    config = made.write(models=MODELS)
    first = made.serve(config=config).wait_ready()
    client = first.http()
    record = prediction(0)
    del record["prediction_id"]  # without ids only the key can tell
    key = {"Idempotency-Key": "batch-1"}
    answers = [client.post("/v1/predictions", [record] * 7, key) for _ in range(3)]
    assert [status for status, _, _ in answers] == [200] * 3
    assert [answer for _, _, answer in answers] == [answers[0][2]] * 3
    assert answers[0][2]["accepted"] == 7
    assert client.post("/v1/predictions", [record] * 7, {"Idempotency-Key": "batch-2"})[0] == 200
    first.predicted(14)
    first.process.kill()
    first.process.wait()

    second = made.serve(config=config).wait_ready()
    assert second.http().post("/v1/predictions", [record] * 7, key)[2] == answers[0][2]
    second.predicted(14)
    second.stop()
    with closing(sqlite3.connect(made.data / "driftgauge.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

"""`driftgauge demo`: within a minute /metrics shows what the data's READMEs say is true."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from tests.e2e.harness import DEADLINE, Http, end, free_port, poll, samples

pytestmark = pytest.mark.e2e

# The replay takes 46 s on a quiet machine, and ends the wait; a busy one may take its time.
DURATION = 600


def day(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@dataclass
class Demo:
    """A demo of its own process, its lines, and what was scraped while it ran.

    `seen` holds, for each scrape and model, the model's clock and the 30d numbers by (name, what of).
    """

    process: subprocess.Popen
    http: Http
    lines: list = field(default_factory=list)
    seen: dict = field(default_factory=dict)
    page: str = ""
    state: set = field(default_factory=set)
    stopped_in: float = 0.0

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def text(self):
        return "\n".join(self.lines)

    def scrape(self):
        found = samples(self.http.text("/metrics"))
        clocks = {dict(labels)["model"]: v for (name, labels), v in found.items() if name.endswith("_clock_timestamp_seconds")}  # fmt: skip
        by_model = {model: {} for model in clocks}
        for (name, labels), value in found.items():
            have = dict(labels)
            if name == "driftgauge_reference_state" and value == 1:
                self.state.add((have["model"], have["state"]))
            if have.get("window") == "30d" and have.get("cohort", "arrived") == "arrived":
                what = have.get("feature") or have.get("output") or have.get("segment_value", "")
                by_model[have["model"]][name.removeprefix("driftgauge_"), what] = value
        for model, numbers in by_model.items():
            self.seen.setdefault(model, []).append((clocks[model], numbers))

    def of(self, model, name, what="", *, after="2000-01-01", before="2100-01-01"):
        """Values of a 30d number while the model's clock was between two days."""
        return [
            numbers[name, what]
            for clock, numbers in self.seen.get(model, ())
            if day(after) <= clock < day(before) and (name, what) in numbers
        ]

    def over(self):
        assert self.process.poll() is None, self.text
        self.scrape()
        return "The replay is over" in self.text


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The whole demo, watched to its end, then stopped by Ctrl-C."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "driftgauge", "demo", f"--duration={DURATION}s"),
            *(f"--listen=127.0.0.1:{port}", "--metrics-listen=127.0.0.1:0"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path_factory.mktemp("demo"),
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    found = Demo(process, Http(f"127.0.0.1:{port}"))
    reader = threading.Thread(target=found.read)
    reader.start()
    try:
        poll(lambda: found.http.get("/healthz")[0] == 200, "no door")
        while not found.over():
            time.sleep(0.25)
        found.page = found.http.text("/?model=bike-demand")
        found.stopped_in = end(process.pid, signal.SIGINT)
        process.wait(DEADLINE)
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
    return found


def test_the_bike_models_error_rises_and_r2_falls_below_0_in_september_and_october(demo):
    # Golden, by calendar month: MAE 76.0 in July 2011 and 188.7 in September 2012; R2 0.44, -0.07, -0.01.
    assert max(demo.of("bike-demand", "mae", after="2011-07-25", before="2011-09-01")) < 90
    assert max(demo.of("bike-demand", "mae", after="2012-09-15", before="2012-10-05")) > 170
    assert min(demo.of("bike-demand", "r2", after="2011-07-25", before="2011-09-01")) > 0.3
    for month in (("2012-09-10", "2012-10-01"), ("2012-10-01", "2012-10-31")):
        r2 = demo.of("bike-demand", "r2", after=month[0], before=month[1])
        assert r2
        assert max(r2) < 0


def test_the_bike_models_predictions_hardly_move_meanwhile(demo):
    psi = demo.of("bike-demand", "prediction_psi", "prediction", after="2012-09-20", before="2012-11-01")
    assert psi
    assert max(psi) < 0.1


def test_hr_never_moves(demo):
    assert max(demo.of("bike-demand", "feature_psi", "hr", after="2011-07-25")) < 0.1


def test_car_value_moves_from_its_fifth_chunk_on(demo):
    before = demo.of("car-loan", "feature_psi", "car_value", before="2019-03-31T03:00")
    after = demo.of("car-loan", "feature_psi", "car_value", after="2019-04-29")
    assert before
    assert max(before) < 0.1
    assert after
    assert min(after) > 1


def test_the_debt_to_income_ratio_never_moves(demo):
    psi = demo.of("car-loan", "feature_psi", "debt_to_income_ratio")
    assert len(psi) > 20
    assert max(psi) < 0.1


def test_late_labels_show_the_loans_loss(demo):
    # Golden, by chunk of 5,000: accuracy about 0.945 before and 0.915 after.
    assert min(demo.of("car-loan", "accuracy_ratio", after="2019-01-01", before="2019-03-31")) > 0.935
    assert max(demo.of("car-loan", "accuracy_ratio", after="2019-05-15")) < 0.925


def test_churns_leading_feature_moves_before_the_enterprise_plan_fails(demo):
    assert {("churn", "frozen"), ("car-loan", "given"), ("bike-demand", "given")} <= demo.state
    # Logins fall from day 90 to 126 of 300, the plan fails from day 180 on.
    assert max(demo.of("churn", "feature_psi", "user_login_frequency", before="2024-03-31")) < 0.1
    assert min(demo.of("churn", "feature_psi", "user_login_frequency", after="2024-06-07")) > 0.5
    assert (
        min(demo.of("churn", "accuracy_ratio", "enterprise", after="2024-02-01", before="2024-06-29")) > 0.7
    )
    assert max(demo.of("churn", "accuracy_ratio", "enterprise", after="2024-08-01")) < 0.6
    whole = demo.of("churn", "accuracy_ratio", after="2024-02-01")
    assert max(whole) - min(whole) < 0.04


@pytest.mark.parametrize(
    "sentence",
    [
        "car_value moved: PSI ",
        "debt_to_income_ratio",
        "user_login_frequency moved: PSI ",
        "plan=enterprise fails: accuracy ",
        "MAE rose from ",
        r"R2 fell below 0 \(-",
        # Whether the first look meets it learning or provisional is a matter of milliseconds.
        "the reference is (learning|provisional)",
        "the reference is frozen",
    ],
)
def test_sentences_are_printed_as_things_happen(demo, sentence):
    assert re.search(sentence, demo.text)


def test_the_page_has_the_sentences_and_the_progress(demo):
    assert '<progress id="progress" max="1" value="1.0000">' in demo.page
    for sentence in [line[25:] for line in demo.lines if line[12:24].strip() == "bike-demand"][-3:]:
        assert sentence.replace("'", "&#x27;") in demo.page


def test_every_record_was_taken(demo):
    taken = [line for line in demo.lines if "all is sent" in line]
    assert len(taken) == 3
    assert all(" 0 rejected" in line for line in taken)


def test_ctrl_c_stops_it_in_order(demo):
    assert demo.process.returncode == 0, demo.text
    assert demo.lines[-1] == "Stopped."
    assert demo.stopped_in < 2
    assert "Traceback" not in demo.text


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "driftgauge", "demo", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=2 * DEADLINE,
        check=False,
    )


def test_a_taken_port_is_worded(tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run("--listen", address, "--metrics-listen", "127.0.0.1:0", cwd=tmp_path)
    assert done.returncode == 1
    assert f"demo: intake.listen {address}: address already in use" in done.stdout


def test_a_duration_ends_it(tmp_path):
    doors = ("--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
    done = run("--duration", "3s", "--model", "bike-demand", *doors, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The duration of 3 s is over, at " in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_prometheus_is_started_beside_it(tmp_path, require_tool):
    require_tool("prometheus")
    doors = ("--listen=127.0.0.1:0", "--metrics-listen=127.0.0.1:0")
    command = [sys.executable, "-m", "driftgauge", "demo", "--prometheus", "--model=bike-demand", *doors]
    said = tmp_path / "said"
    with said.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=tmp_path)
    try:
        told = re.compile(r"Prometheus scrapes it each second: http://(127\.0\.0\.1:\d+)")
        address = poll(lambda: told.search(said.read_text()), "Prometheus isn't told of", said)[1]
        up = Http(address)
        poll(lambda: b'"1"]' in up.get("/api/v1/query?query=up")[2], "it scrapes nothing", said)
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 0, said.read_text()
    finally:
        process.kill()
        process.wait()
    assert "Prometheus ended" not in said.read_text()

"""examples/churn.py: what its docstring says of its records is true."""

from __future__ import annotations

import ast
import importlib.util
import io
import math
import sys
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime

import pytest
from tests.conftest import REPOSITORY

from driftgauge.demo.replay import CHURN_DAYS, CHURN_RECORDS

START = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def churn():
    spec = importlib.util.spec_from_file_location("churn_example", REPOSITORY / "examples" / "churn.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def records(churn):
    """The demo's own, each with its place in time, 0 to 1."""
    found = list(churn.records(CHURN_RECORDS, START, CHURN_DAYS, 1))
    return [(place / len(found), record) for place, record in enumerate(found)]


def accuracy(records, begin, end, plan=None):
    chosen = [
        (r["prediction_score"] >= 0.5) == r["actual_outcome"]
        for at, r in records
        if begin <= at < end and plan in (None, r["segments"]["plan"])
    ]
    return sum(chosen) / len(chosen)


def logins(records, begin, end):
    chosen = [r["features"]["user_login_frequency"] for at, r in records if begin <= at < end]
    return sum(chosen) / len(chosen)


def test_a_record_has_the_fields_of_such_a_model(records):
    record = records[0][1]
    assert list(record) == [
        "model",
        "timestamp",
        "prediction_score",
        "actual_outcome",
        "features",
        "segments",
    ]
    assert record["model"] == "churn"
    assert record["timestamp"] == "2024-01-01T00:00:00+00:00"
    assert list(record["segments"]) == ["plan"]


def test_the_outcome_is_1_with_probability_four_fifths_of_the_score_and_a_tenth(records):
    """In each tenth of the score and each plan, within four standard errors."""
    seen, ones, expected = Counter(), Counter(), Counter()
    for _, record in records:
        score = record["prediction_score"]
        cell = record["segments"]["plan"], int(10 * score)
        seen[cell] += 1
        ones[cell] += record["actual_outcome"]
        expected[cell] += 0.8 * score + 0.1
    for cell, n in seen.items():
        share = expected[cell] / n
        assert ones[cell] / n == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n)), cell


def test_the_leading_feature_moves_first(records, churn):
    assert logins(records, 0.0, churn.FALL_BEGINS) == pytest.approx(10.4, abs=0.3)
    assert logins(records, churn.FALL_ENDS, churn.FAILURE) == pytest.approx(5.2, abs=0.2)
    assert churn.FALL_ENDS < churn.FAILURE
    before = accuracy(records, 0.0, churn.FALL_BEGINS)
    assert accuracy(records, churn.FALL_ENDS, churn.FAILURE) == pytest.approx(before, abs=0.01)


def test_the_enterprise_plan_fails_while_the_whole_holds(records, churn):
    assert accuracy(records, 0.0, churn.FAILURE, "enterprise") == pytest.approx(0.80, abs=0.03)
    assert accuracy(records, churn.FAILURE, 1.0, "enterprise") == pytest.approx(0.52, abs=0.03)
    whole = accuracy(records, 0.0, churn.FAILURE)
    assert 0.0 < whole - accuracy(records, churn.FAILURE, 1.0) < 0.02


def test_a_reference_is_learned_in_the_first_tenth(records):
    # Frozen after 5,000 records and 8 days: long before anything moves.
    assert CHURN_RECORDS / 10 > 5_000
    assert CHURN_DAYS / 10 > 8


def test_the_same_seed_makes_the_same_customers(churn):
    first, again, other = (list(churn.records(50, START, 1.0, seed)) for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_batch_without_an_answer_is_sent_again_with_its_key(churn, monkeypatch):
    sent = []

    def open_url(request, timeout):
        sent.append((timeout, request.get_header("Idempotency-key")))
        if len(sent) == 1:
            raise TimeoutError("timed out")
        if len(sent) == 2:
            raise urllib.error.URLError(TimeoutError("timed out"))
        return io.BytesIO(b'{"accepted": 1, "duplicates": 0}')

    monkeypatch.setattr(urllib.request, "urlopen", open_url)
    assert churn.post("http://door", [{"score": 0.5}], "run-0") == {"accepted": 1, "duplicates": 0}
    assert sent == [(30, "run-0")] * 3


def test_a_server_that_starts_is_waited_for_a_little(churn, monkeypatch):
    waits, tries = [], []

    def refused(*_, **__):
        tries.append(1)
        raise urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))

    monkeypatch.setattr(urllib.request, "urlopen", refused)
    monkeypatch.setattr("time.sleep", waits.append)
    with pytest.raises(SystemExit, match=r"can't be reached: .*refused; is `driftgauge serve` running"):
        churn.post("http://door", [{"score": 0.5}], "run-0")
    assert len(tries) == churn.STARTING + 1 == len(waits) + 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            b'{"detail": "none of the 2 records was taken", "rejected": [{"detail": "score: expected"}, {}]}',
            "door refused the records: 422 none of the 2 records was taken; the first: score: expected",
        ),
        (b'{"detail": "no"}', "door refused the records: 422 no"),
        (b"not ours", "door refused the records: 422 not ours"),
    ],
)
def test_of_many_refused_records_the_first_is_told(churn, monkeypatch, body, said):
    def refuse(request, timeout):
        raise urllib.error.HTTPError(request.full_url, 422, "", {}, io.BytesIO(body))

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(SystemExit) as stopped:
        churn.post("http://door", [{"score": 0.5}], "run-0")
    assert str(stopped.value) == f"http://{said}"


def test_it_needs_the_standard_library_alone():
    tree = ast.parse((REPOSITORY / "examples" / "churn.py").read_text(encoding="utf-8"))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names | {"__future__"}


def test_the_package_carries_the_example_as_it_is(demo_data):
    carried = (demo_data / "churn.py.txt").read_bytes()
    assert carried == (REPOSITORY / "examples" / "churn.py").read_bytes()

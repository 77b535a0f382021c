"""Each bound at its limit, one over, and a million over: told, counted, and of bounded memory.

Where a million over the default would take minutes the records of a body stand for it, or a smaller
limit is configured; each test says so.
"""

from __future__ import annotations

import gzip
import threading

import pytest
from tests.e2e.harness import Http, value
from tests.hostile.serving import Told, counted, lines

MILLION = 1_000_000
# Resident bytes that a bound may let a process grow by, whatever is sent.
GROWTH = 150 << 20


@pytest.fixture
def told(started, request):
    """`told(limits=...)` is a new process; at the end of the test its growth is printed and held small."""
    found = []

    def start(**trees):
        process = started(intake={"linger": "0ms", **trees.pop("intake", {})}, **trees)
        found.append((process, process.resident()))
        return Told(process)

    yield start
    for process, before in found:
        grown = process.peak() - before
        print(f"{request.node.name}: {grown / 2**20:.0f} MiB more at its peak, {before / 2**20:.0f} before")
        assert grown < GROWTH


def folded(told, bound):
    return value(told.samples(), "values_folded_total", bound=bound)


def invalid(told, reason):
    return value(told.samples(), "values_invalid_total", reason=reason)


def refused(told, reason):
    return value(told.samples(), "records_rejected_total", door="predictions", reason=reason)


def spread(count, size=200_000):
    """Numbers below *count*, in bodies of at most *size*, the most that one may hold."""
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def test_models(told):
    """50,000 names beyond ten: each costs 50 microseconds, so a million would take a minute."""
    told = told()
    assert (
        told.post("predictions", [{"model": f"m{i}", "score": 0.5} for i in range(10)])[1]["accepted"] == 10
    )
    status, answer = told.post("predictions", {"model": "one over", "score": 0.5})
    assert (status, answer["rejected"][0]["reason"]) == (422, "model_limit")
    for part in spread(50_000):
        body = b"\n".join(b'{"model":"n%d","score":1}' % i for i in part)
        _, answer = told.post("predictions", body, ndjson=True)
        assert answer["rejected_total"] == len(part)
    assert refused(told, "model_limit") == 50_000 + 1
    assert told.post("predictions", {"model": "m3", "score": 0.5})[1]["accepted"] == 1


def test_versions(told):
    """5,000 versions beyond three in bodies of a thousand: a name costs columns of its own, and time."""
    told = told()
    for i in range(3):
        told.post("predictions", {"model": "m", "model_version": f"v{i}", "score": 0.5})
    assert value(told.samples(), "versions_evicted_total", model="m") == 0
    assert told.post("predictions", {"model": "m", "model_version": "v3", "score": 0.5})[1]["accepted"] == 1
    assert value(told.samples(), "versions_evicted_total", model="m") == 1
    told.records.clear()
    for part in spread(5_000, 1_000):
        body = b"\n".join(b'{"model":"m","model_version":"w%d","score":1}' % i for i in part)
        status, answer = told.post("predictions", body, ndjson=True)
        assert status in (200, 422)
        assert counted(answer) == len(part)
    now = told.samples()
    # Of a group as many are taken as are kept, the others are refused: more would evict one another.
    assert refused(told, "too_many") == sum(told.records.values())
    assert value(now, "versions_evicted_total", model="m") == 1 + told.accepted["predictions"] - 4
    assert (
        len({dict(have)["model_version"] for name, have in now if name == "driftgauge_predictions_total"})
        == 3
    )


def test_features(told):
    """A thousand names, then 100,000 others, 20,000 a record: a million would take half a minute."""
    told = told()
    first = {f"f{i}": 1.0 for i in range(1_000)}
    assert told.post("predictions", {"model": "m", "features": first})[1]["accepted"] == 1
    assert invalid(told, "too_many") == 0
    assert told.post("predictions", {"model": "m", "features": {"one over": 1.0}})[1]["accepted"] == 1
    assert invalid(told, "too_many") == 1
    for part in spread(100_000, 20_000):
        record = {"model": "m", "features": {f"g{i}": 1.0 for i in part}}
        assert told.post("predictions", record)[1]["accepted"] == 1
    assert invalid(told, "too_many") == 100_000 + 1
    told.until(
        lambda now: value(now, "features", model="m", model_version="") == 1_000, "not a thousand features"
    )


def test_categories(told):
    """A million texts of one feature beyond fifty."""
    told = told()
    for part in spread(MILLION + 50):
        body = b"\n".join(b'{"features":{"k":"c%d"}}' % i for i in part)
        assert told.post("predictions", body, ndjson=True)[1]["accepted"] == len(part)


def test_segments(told):
    """Three columns of ten values; then a fourth column, and a million values."""
    told = told()
    full = [{"score": 0.5, "segments": dict.fromkeys("abc", f"{i}")} for i in range(10)]
    assert told.post("predictions", full)[1]["accepted"] == 10
    assert folded(told, "segment_values") == folded(told, "segment_columns") == 0
    told.post("predictions", {"score": 0.5, "segments": {"a": "one over"}})
    assert folded(told, "segment_values") == 1
    told.post("predictions", {"score": 0.5, "segments": {"d": "one over"}})
    assert invalid(told, "too_many") + folded(told, "segment_columns") == 1
    for part in spread(MILLION):
        body = b"\n".join(b'{"score":1,"segments":{"b":"v%d"}}' % i for i in part)
        assert told.post("predictions", body, ndjson=True)[1]["accepted"] == len(part)
    assert folded(told, "segment_values") == MILLION + 1
    for part in spread(100_000, 20_000):
        record = {"score": 1, "segments": {f"column {i}": "x" for i in part}}
        assert told.post("predictions", record)[1]["accepted"] == 1
    assert invalid(told, "too_many") + folded(told, "segment_columns") == 1 + 100_000


def test_classes(told):
    """Twenty, one over, and a million others."""
    told = told()
    for i in range(20):
        told.post("predictions", {"prediction": f"c{i}", "outcome": f"c{i}"})
    assert folded(told, "classes") == 0
    told.post("predictions", {"prediction": "one over"})
    assert folded(told, "classes") == 1
    for part in spread(MILLION):
        body = b"\n".join(b'{"prediction":"d%d"}' % i for i in part)
        assert told.post("predictions", body, ndjson=True)[1]["accepted"] == len(part)
    assert folded(told, "classes") == MILLION + 1


def test_series(told):
    """A hundred series a version, where one asks for more; the default differs only in its number."""
    told = told(limits={"series": 100})
    told.post("predictions", {"score": 0.5, "outcome": 1})
    of = {"model": "default", "model_version": ""}
    now = told.until(lambda now: value(now, "series_dropped", **of) > 0, "no series is dropped")
    assert value(now, "series", **of) <= 100


@pytest.mark.parametrize(
    ("field", "longest", "character"),
    [
        ("prediction_id", 256, "x"),
        ("prediction_id", 128, "é"),
        ("model", 128, "é"),
        ("model_version", 128, "é"),
    ],
)
def test_lengths(told, field, longest, character):
    """The longest name, one more character, and a million more."""
    told = told()
    assert told.post("predictions", {"score": 0.5, field: character * longest})[1]["accepted"] == 1
    for more in (1, MILLION):
        status, answer = told.post("predictions", {"score": 0.5, field: character * (longest + more)})
        assert (status, answer["rejected"][0]["reason"]) == (422, "too_long")
        assert len(answer["rejected"][0]["detail"]) < 200
    assert refused(told, "too_long") == 2


def test_length_of_a_feature(told):
    told = told()
    told.post("predictions", {"score": 0.5, "features": {"x" * 128: 1}})
    assert invalid(told, "too_long") == 0
    for more in (1, MILLION):
        told.post("predictions", {"score": 0.5, "features": {"x" * (128 + more): 1}})
    assert invalid(told, "too_long") == 2


def padded(size):
    """One record in exactly *size* bytes."""
    return b'{"score":0.5}'.ljust(size)


def test_body(told):
    told = told()
    assert told.post("predictions", padded(8 << 20))[1]["accepted"] == 1
    for more in (1, MILLION):
        status, answer = told.post("predictions", padded((8 << 20) + more))
        assert (status, answer["reason"]) == (413, "too_large")
    assert value(told.samples(), "requests_rejected_total", reason="too_large") == 2


def test_inflated(told):
    """16 MiB, one more byte, and a bomb of half a gigabyte."""
    told = told()
    packed = {"Content-Encoding": "gzip"}
    whole = gzip.compress(padded(16 << 20), 1)
    assert told.post("predictions", whole, headers=packed)[1]["accepted"] == 1
    bomb = gzip.compress(bytes(32 << 20), 9) * 16
    for body in (gzip.compress(padded((16 << 20) + 1), 1), bomb):
        status, answer = told.post("predictions", body, headers=packed)
        assert (status, answer["reason"]) == (413, "too_large")
    assert value(told.samples(), "requests_rejected_total", reason="too_large") == 2


def test_queue(told):
    """The queue at its default, and twenty senders of 4 MiB at once: all answered, some with 429."""
    told = told()
    body = lines([{"score": 0.5, "features": {"k": "x" * 100}}]) + b"\n"
    body *= (4 << 20) // len(body)
    found = []

    def send():
        http = Http(told.process.addresses["intake"])
        found.append(http.post("/v1/predictions", body, {"Content-Type": "application/x-ndjson"}))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    statuses = [status for status, _, _ in found]
    assert set(statuses) == {200, 429}
    assert all(int(headers["Retry-After"]) >= 1 for status, headers, _ in found if status == 429)
    now = told.samples()
    assert value(now, "requests_rejected_total", reason="overloaded") == statuses.count(429)
    accepted = sum(answer["accepted"] for status, _, answer in found if status == 200)
    assert value(now, "predictions_total", model="default", model_version="") == accepted
    assert told.post("predictions", {"score": 0.5})[1]["accepted"] == 1

import pytest
from prometheus_client import Histogram

from driftgauge.exposition.live import Live, observe_many
from driftgauge.metrics import LIVE_METRICS
from driftgauge.records import Reason


def lines(live: Live, *names: str) -> list[str]:
    text = live.text(openmetrics=False, names=names).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def fixed(**more) -> Live:
    return Live(started_at=7.0, resident_bytes=lambda: 1024.0, cpu_seconds=lambda: 1.5, **more)


def test_every_reason_starts_at_0():
    found = lines(fixed(), "driftgauge_requests_rejected_total")
    assert found == [f'driftgauge_requests_rejected_total{{reason="{reason}"}} 0.0' for reason in Reason]


def test_every_reason_of_every_door_starts_at_0():
    assert len(lines(fixed(), "driftgauge_records_rejected_total")) == 2 * len(Reason)


def test_a_counter_counts():
    live = fixed()
    live.counter("driftgauge_predictions_total", "churn", "v1").inc(3)
    live.counter("driftgauge_predictions_total", "churn", "v1").inc()
    assert lines(live, "driftgauge_predictions_total") == [
        'driftgauge_predictions_total{model="churn",model_version="v1"} 4.0'
    ]


def test_a_gauge_is_absent_until_it_is_set():
    live = fixed()
    assert lines(live, "driftgauge_memory_limit_bytes") == []
    live.gauge("driftgauge_memory_limit_bytes").set(5)
    assert lines(live, "driftgauge_memory_limit_bytes") == ["driftgauge_memory_limit_bytes 5.0"]


def test_two_lives_share_nothing():
    one, other = fixed(), fixed()
    one.gauge("driftgauge_queue_bytes").set(1)
    assert lines(other, "driftgauge_queue_bytes") == []


def test_a_version_that_arrives_starts_all_its_counters_at_0():
    live = fixed()
    live.begin("churn", "v1")
    assert lines(live, "driftgauge_outcomes_joined_total", "driftgauge_duplicates_total") == [
        'driftgauge_outcomes_joined_total{model="churn",model_version="v1"} 0.0',
        'driftgauge_duplicates_total{kind="predictions",model="churn"} 0.0',
        'driftgauge_duplicates_total{kind="outcomes",model="churn"} 0.0',
    ]


def test_a_version_that_is_forgotten_leaves_the_others():
    live = fixed()
    for version in ("v1", "v2"):
        live.begin("churn", version)
    live.forget("churn", "v1")
    text = live.text(openmetrics=False).decode()
    assert 'model_version="v1"' not in text
    assert 'model_version="v2"' in text
    assert 'driftgauge_duplicates_total{kind="outcomes",model="churn"}' in text


def test_a_model_that_is_forgotten_leaves_nothing():
    live = fixed()
    live.begin("churn\ud800", "v1")
    live.forget("churn\ud800")
    assert "churn" not in live.text(openmetrics=False).decode()


def test_a_forgotten_version_that_comes_again_starts_at_0():
    live = fixed()
    live.counter("driftgauge_predictions_total", "churn", "v1").inc(3)
    live.forget("churn")
    live.begin("churn", "v1")
    assert lines(live, "driftgauge_predictions_total") == [
        'driftgauge_predictions_total{model="churn",model_version="v1"} 0.0'
    ]


def test_a_name_that_utf8_cannot_carry_is_written_by_its_escape():
    live = fixed()
    live.counter("driftgauge_outcomes_orphaned_total", "\ud800").inc()
    assert lines(live, "driftgauge_outcomes_orphaned_total") == [
        r'driftgauge_outcomes_orphaned_total{model="\\ud800"} 1.0'
    ]


def test_another_type_than_the_tables_is_refused():
    with pytest.raises(TypeError, match=r"^driftgauge_queue_bytes: expected a gauge, asked for a counter$"):
        fixed().counter("driftgauge_queue_bytes")


def test_another_number_of_labels_is_refused():
    with pytest.raises(ValueError, match="Incorrect label count"):
        fixed().counter("driftgauge_predictions_total", "churn")


def test_the_process_is_measured_when_it_is_asked():
    names = ("process_resident_bytes", "process_cpu_seconds_total", "process_start_time_seconds")
    assert lines(fixed(), *(f"driftgauge_{name}" for name in names)) == [
        "driftgauge_process_resident_bytes 1024.0",
        "driftgauge_process_cpu_seconds_total 1.5",
        "driftgauge_process_start_time_seconds 7.0",
    ]


def test_what_the_process_cannot_measure_is_absent():
    live = Live(resident_bytes=lambda: None)
    assert lines(live, "driftgauge_process_resident_bytes") == []


def test_this_process_has_more_than_a_mebibyte():
    (line,) = lines(Live(), "driftgauge_process_resident_bytes")
    assert float(line.split()[1]) > 1 << 20


def test_families_stand_in_the_order_of_the_table():
    live = fixed()
    live.begin("churn", "v1")
    text = live.text(openmetrics=False).decode()
    found = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert found == [m.name for m in LIVE_METRICS if m.name in set(found)]
    assert len(set(found)) == len(found)


def test_no_time_of_creation_is_exposed():
    live = fixed()
    live.begin("churn", "v1")
    assert b"_created" not in live.text(openmetrics=True) + live.text(openmetrics=False)


def test_exemplars_are_in_openmetrics_only():
    live = fixed()
    histogram = live.histogram("driftgauge_prediction_latency_seconds", "churn", "v1")
    histogram.observe(0.1, exemplar={"trace_id": "abc"})
    assert b'# {trace_id="abc"} 0.1' in live.text(openmetrics=True)
    assert b"trace_id" not in live.text(openmetrics=False)


def test_many_observations_count_as_one_after_the_other():
    values = [0.0, 0.004, 0.005, 0.0051, 0.3, 10.0, 10.1, 1e9]
    at_once, singly = (Histogram("h", "h", registry=None, buckets=(0.005, 0.3, 10.0)) for _ in range(2))
    observe_many(at_once, values)
    for value in values:
        singly.observe(value)
    at_once._created = singly._created
    assert next(iter(at_once.collect())).samples == next(iter(singly.collect())).samples

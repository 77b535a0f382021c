"""Verdicts on relations in a long run and on real records: a reduced run of the measurement."""

import pytest
from benchmarks import measured_relations as measured
from benchmarks import real_records

pytestmark = [pytest.mark.golden, pytest.mark.slow]


@pytest.mark.parametrize("name", list(measured.STREAMS))
def test_a_stationary_relation_has_at_most_one_false_verdict_in_90_days(name):
    stream = measured.stream_of(name, 1_000, repeat=7)
    found, judged = measured.false_verdicts(stream, 1_000, 1)
    assert judged == 1
    assert found <= 1


def test_a_lost_slope_is_found_within_three_days_and_nothing_else_is():
    stream = measured.stream_of("every hour alike", 1_000, 7, measured.AFTER, measured.FALL)
    verdicts, _ = measured.verdicts(stream, 1_000, 1, measured.REFERENCE_DAYS * measured.HOURS + 1)
    assert verdicts[:72, measured.MOVED].any()
    assert not verdicts[:, [i for i in range(measured.FEATURES) if i != measured.MOVED]].any()


def test_records_of_the_reference_get_no_verdict_and_what_moves_with_others_does():
    lines = list(real_records.lines(real_records.car_loan()))
    before, after = lines[:15], lines[15:]
    assert all("| - | - |" in line for line in before)
    # As many of the same features where outcomes are drawn from the reference's calibrated scores.
    assert all(line.count("loan_length") == 2 for line in after)


def test_bikes_relation_is_hidden_by_how_its_days_differ():
    assert all("| - | - |" in line for line in real_records.lines(real_records.bike_sharing()))

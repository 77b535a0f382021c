"""The promise of verdicts on a reduced run of the measurement: at most one that is false in 90 days."""

import numpy as np
import pytest
from benchmarks import measured_verdicts as measured

pytestmark = [pytest.mark.golden, pytest.mark.slow]


@pytest.mark.parametrize("name", list(measured.STREAMS))
def test_a_stationary_model_of_25_features_has_at_most_one_false_verdict_in_90_days(name):
    chain, _ = measured.false_verdicts(measured.STREAMS[name], 25, 2_400, 1, 1)
    assert chain <= 1


def test_the_measurement_finds_false_verdicts_where_there_are_some():
    """The first chain, on a mean that wanders from day to day."""
    _, before = measured.false_verdicts(measured.STREAMS["AR(1), 24 hours"], 25, 2_400, 1, 1)
    assert before > 3


def test_a_step_of_half_a_standard_deviation_is_found_within_a_day():
    hours = measured.delays(measured.independent, 40, 2_400, 1, 0.5)
    assert np.median(hours) <= 24

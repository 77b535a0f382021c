"""What docs/measured-detectors.md promises of the default detectors, on fewer streams."""

import pytest
from benchmarks import measured_detectors as measured

from driftgauge.config import Model
from driftgauge.stats.detectors import DETECTORS

MOST_FALSE_ALARMS = {"adwin": 1.0, "page_hinkley": 20.0}
MOST_DELAY = {"adwin": 150, "page_hinkley": 300}


def test_the_promises_are_of_the_default_detectors():
    assert list(MOST_FALSE_ALARMS) == list(MOST_DELAY) == list(Model().detectors)


@pytest.mark.parametrize("name", MOST_DELAY)
@pytest.mark.parametrize("rate", ["0.02", "0.2", "0.5"])
def test_independent_errors_give_few_false_alarms(name, rate):
    draw = measured.STATIONARY[f"independent, rate {rate}"]
    assert measured.false_alarms(DETECTORS[name], draw, streams=2) < MOST_FALSE_ALARMS[name]


@pytest.mark.parametrize("name", MOST_DELAY)
def test_a_tripled_error_rate_is_found(name):
    share, delay, early = measured.delays(DETECTORS[name], measured.CHANGES["0.1 to 0.3"], runs=40)
    assert share >= 0.95
    assert delay < MOST_DELAY[name]
    assert early <= 0.05


@pytest.mark.parametrize("name", MOST_DELAY)
def test_errors_that_remember_each_other_make_them_fire_in_vain(name):
    assert (
        measured.false_alarms(DETECTORS[name], measured.STATIONARY["remembers 10, rate 0.2"], streams=1) > 50
    )


def test_what_is_measured_is_what_the_monitor_feeds():
    measured.as_the_sidecar_does()


@pytest.mark.parametrize("name", MOST_DELAY)
def test_the_loss_of_the_car_loans_is_found_once_and_nothing_before_it(name):
    (found,) = DETECTORS[name]().update(measured.car_loan_errors()).detections
    assert measured.CHANGED_AT <= found < measured.CHANGED_AT + 5_000

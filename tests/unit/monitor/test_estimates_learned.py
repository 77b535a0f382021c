"""A model without a reference file: its first matured outcomes calibrate its scores, and stay."""

import pytest
from tests.unit.monitor.test_relating import driver, run

from driftgauge.config import DAY
from driftgauge.evaluate.estimates import estimates
from driftgauge.monitor import relating


@pytest.fixture(scope="module")
def learned():
    """A relation is learned from three weeks: eight days here, for the tests' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(relating, "LEARNED_SPAN_SECONDS", 8 * DAY)
        held = driver()
        run(held, 0, 18)
        yield held


def test_scores_are_estimated_once_the_first_matured_outcomes_are_enough(learned):
    for row in estimates(learned.view()).whole:
        assert (row.state, row.given) == ("given", 1.0)
        assert 0.6 < row.accuracy < 0.9
        assert abs(row.accuracy_gap) < 4 * row.accuracy_error
        assert abs(row.roc_auc_gap) < 4 * row.roc_auc_error


def test_a_kill_and_a_replay_of_what_was_committed_estimate_the_same(learned):
    assert estimates(learned.restarted().view()) == estimates(learned.view())

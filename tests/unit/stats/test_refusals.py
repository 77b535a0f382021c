"""Every public function of the package refuses what it can't compute: a ValueError, not a wrong number."""

import inspect
import re

import numpy as np
import pytest
from tests.unit.stats.test_docstrings import ALL

from driftgauge.stats import (
    arrays,
    binning,
    calibration,
    classification,
    concept,
    detectable,
    difference,
    divergence,
    estimation,
    intervals,
    isotonic,
    jackknife,
    loss,
    moments,
    paired,
    partition,
    regression,
    significance,
    strata,
    value,
    verdicts,
)
from driftgauge.stats.detectors.kswin import critical_steps

GOOD = np.array([[3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
NEGATIVE = np.array([[3.0, -4.0, 5.0], [6.0, 7.0, 8.0]])
ENDLESS = np.array([[3.0, np.inf, 5.0], [6.0, 7.0, 8.0]])
SHORT = GOOD[:, :2]
EDGES = np.arange(4.0)
OVER = significance.Overdispersion(*np.full((4, 2), [[9.0], [0.0], [50.0], [0.1]]))
FITTED = isotonic.isotonic(np.array([1.0, 5.0, 9.0]), np.array([9.0, 5.0, 1.0]))
WITHOUT_TOTAL = np.ones((3, 2))
BINNED = ("psi", "js_distance", "hellinger", "total_variation", "l_infinity", "ks_statistic", "ks_bound", "chi_square", "unordered_distances")  # fmt: skip
OF_CELLS = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "f1", "mcc", "of_cells")
OF_SCORES = ("roc_auc", "average_precision", "average_precision_without_one", "average_precision_range")

# By function, calls of which each must be refused.
CALLS = {
    "arrays.checked_counts": [lambda: arrays.checked_counts(NEGATIVE, "n"), lambda: arrays.checked_counts("a", "n")],
    "arrays.checked_classes": [lambda: arrays.checked_classes(GOOD, SHORT)],
    "arrays.checked_pair": [lambda: arrays.checked_pair(GOOD, SHORT), lambda: arrays.checked_pair(GOOD, ENDLESS)],
    "arrays.check_fit": [lambda: arrays.check_fit(GOOD, SHORT), lambda: arrays.check_fit(GOOD[:, :0], GOOD[:, :0])],
    "arrays.checked_edges": [lambda: arrays.checked_edges(EDGES, SHORT), lambda: arrays.checked_edges(EDGES[::-1], GOOD)],
    "arrays.quotient": [lambda: arrays.quotient(GOOD, SHORT)],
    "arrays.Sample.of": [lambda: arrays.Sample.of(NEGATIVE), lambda: arrays.Sample.of(3.0)],
    "arrays.Edges.of": [lambda: arrays.Edges.of(EDGES[::-1]), lambda: arrays.Edges.of(np.array([0.0, np.nan]))],
    "binning.quantile_edges": [lambda: binning.quantile_edges(EDGES[::-1], np.ones(4), 2), lambda: binning.quantile_edges(EDGES, np.zeros(4), 2), lambda: binning.quantile_edges(EDGES, np.ones(4), 0)],
    "binning.tail_edges": [lambda: binning.tail_edges(1.0, 0.0, 1.0), lambda: binning.tail_edges(0.0, 1.0, 0.0)],
    "binning.coarse_groups": [lambda: binning.coarse_groups(GOOD), lambda: binning.coarse_groups(EDGES, 0)],
    "binning.log_edges": [lambda: binning.log_edges(0.0, 1.0, 0.1), lambda: binning.log_edges(1.0, 2.0, 0.0)],
    "binning.quantile_from_counts": [lambda: binning.quantile_from_counts(NEGATIVE, EDGES, 0.5), lambda: binning.quantile_from_counts(GOOD, EDGES, 1.5)],
    "calibration.recalibration": [lambda: calibration.recalibration(NEGATIVE, GOOD, EDGES[:3]), lambda: calibration.recalibration(GOOD, GOOD, EDGES)],
    "calibration.recalibration_error": [lambda: calibration.recalibration_error(NEGATIVE, GOOD, EDGES[:3], np.zeros(2), np.ones(2)), lambda: calibration.recalibration_error(GOOD, GOOD, EDGES[:3], np.zeros(3), np.ones(3))],
    "calibration.calibration_noise": [lambda: calibration.calibration_noise(NEGATIVE, GOOD), lambda: calibration.calibration_noise(GOOD, GOOD + 1)],
    **{f"classification.{name}": [lambda name=name: getattr(classification, name)(3, -1, 2, 4), lambda name=name: getattr(classification, name)(3, np.inf, 2, 4)] for name in OF_CELLS},
    "classification.per_class_counts": [lambda: classification.per_class_counts(GOOD), lambda: classification.per_class_counts(-np.eye(2))],
    "classification.multiclass_accuracy": [lambda: classification.multiclass_accuracy(GOOD), lambda: classification.multiclass_accuracy(-np.eye(2))],
    "classification.multiclass_mcc": [lambda: classification.multiclass_mcc(GOOD), lambda: classification.multiclass_mcc(-np.eye(2))],
    "classification.weighted": [lambda: classification.weighted(GOOD, SHORT), lambda: classification.weighted(GOOD, NEGATIVE)],
    **{f"classification.{name}": [lambda name=name: getattr(classification, name)(GOOD, NEGATIVE), lambda name=name: getattr(classification, name)(GOOD, SHORT)] for name in OF_SCORES},
    "classification.log_loss": [lambda: classification.log_loss(1.0, -1), lambda: classification.log_loss(GOOD, SHORT)],
    "classification.brier": [lambda: classification.brier(1.0, -1), lambda: classification.brier(GOOD, SHORT)],
    "classification.ece": [lambda: classification.ece(NEGATIVE, GOOD, GOOD), lambda: classification.ece(GOOD, SHORT, GOOD)],
    "classification.mce": [lambda: classification.mce(NEGATIVE, GOOD, GOOD), lambda: classification.mce(GOOD, SHORT, GOOD)],
    "concept.odds_change": [lambda: concept.odds_change(NEGATIVE[..., None], GOOD[..., None])],
    "concept.mean_change": [lambda: concept.mean_change((NEGATIVE, GOOD, GOOD), (GOOD, GOOD, GOOD))],
    "concept.heterogeneity": [lambda: concept.heterogeneity(GOOD, SHORT)],
    "concept.steady": [lambda: concept.steady(NEGATIVE, GOOD, np.ones(3, np.bool_)), lambda: concept.steady(GOOD, GOOD, np.ones(3, np.bool_), 0.5)],
    "concept.relation_overdispersion": [lambda: concept.relation_overdispersion([]), lambda: concept.relation_overdispersion([concept.heterogeneity(side, np.abs(side)) for side in (GOOD, SHORT[:1])])],
    "concept.rate_shift": [lambda: concept.rate_shift(NEGATIVE, GOOD), lambda: concept.rate_shift(GOOD, SHORT)],
    "detectable.critical_chi_square": [lambda: detectable.critical_chi_square(0.0, 9, 1.0, 10), lambda: detectable.critical_chi_square(0.01, 9, 0.5, 10)],
    "detectable.critical_psi": [lambda: detectable.critical_psi(-1.0, 10), lambda: detectable.critical_psi(1.0, -10)],
    "detectable.critical_ks": [lambda: detectable.critical_ks(0.9, 9, 1.0, 100, 10), lambda: detectable.critical_ks(0.01, 9, 0.5, 100, 10)],
    "detectable.smallest_shift_sd": [lambda: detectable.smallest_shift_sd(-1, 9, 1.0, 100), lambda: detectable.smallest_shift_sd(20, 9, 1.0, 100, floor=-0.1)],
    "detectors.kswin.critical_steps": [lambda: critical_steps(0, 0.01)],
    "difference.proportions": [lambda: difference.proportions(-1, 10, 3, 10), lambda: difference.proportions(11, 10, 3, 10)],
    "difference.auc_variance": [lambda: difference.auc_variance(GOOD, NEGATIVE), lambda: difference.auc_variance(GOOD, SHORT)],
    "difference.roc_aucs": [lambda: difference.roc_aucs((GOOD, NEGATIVE), (GOOD, GOOD))],
    "difference.means": [lambda: difference.means((-1, 1.0, 1.0), (10, 1.0, 1.0))],
    "difference.mean_and_variance": [lambda: difference.mean_and_variance(-1, 1.0, 1.0)],
    "difference.inflated": [lambda: difference.inflated(0.5)],
    **{f"divergence.{name}": [lambda name=name: getattr(divergence, name)(GOOD, NEGATIVE), lambda name=name: getattr(divergence, name)(ENDLESS, GOOD), lambda name=name: getattr(divergence, name)(GOOD, SHORT)] for name in BINNED},
    "divergence.chi_square_p": [lambda: divergence.chi_square_p(np.array(-1.0), np.array(3))],
    "divergence.wasserstein": [lambda: divergence.wasserstein(GOOD, NEGATIVE, EDGES), lambda: divergence.wasserstein(GOOD, GOOD, EDGES[::-1])],
    "divergence.distances": [lambda: divergence.distances(GOOD, NEGATIVE, EDGES), lambda: divergence.distances(GOOD, GOOD, EDGES[::-1])],
    "estimation.expected": [lambda: estimation.expected(np.full((2, 3), -1.0), FITTED), lambda: estimation.expected(np.ones((2, 4)), FITTED)],
    "estimation.unsupported_ratio": [lambda: estimation.unsupported_ratio(NEGATIVE[0], GOOD[0], 1.0), lambda: estimation.unsupported_ratio(GOOD[0], SHORT[0], 1.0)],
    "estimation.expected_errors": [lambda: estimation.expected_errors(*[NEGATIVE] * 5)],
    "intervals.wilson": [lambda: intervals.wilson(-1, 3), lambda: intervals.wilson(4, 3)],
    "intervals.difference_interval": [lambda: intervals.difference_interval((0.5, 0.6, 0.7), (0.5, 0.4, 0.6))],
    "intervals.f1_interval": [lambda: intervals.f1_interval(-1, 2, 3)],
    "intervals.roc_auc_error": [lambda: intervals.roc_auc_error(0.7, -1, 5)],
    "intervals.mean_error": [lambda: intervals.mean_error(-1, 2.0, 3.0)],
    "intervals.cell_error": [lambda: intervals.cell_error(0.5, GOOD, NEGATIVE)],
    "intervals.mean_of_intervals": [lambda: intervals.mean_of_intervals(GOOD, (SHORT, SHORT))],
    "intervals.multiclass_mcc_error": [lambda: intervals.multiclass_mcc_error(GOOD), lambda: intervals.multiclass_mcc_error(-np.eye(2))],
    "isotonic.isotonic": [lambda: isotonic.isotonic(NEGATIVE[0], GOOD[0]), lambda: isotonic.isotonic(GOOD[0], SHORT[0])],
    "isotonic.held_out_error": [lambda: isotonic.held_out_error(NEGATIVE[0], GOOD[0], np.random.default_rng(1))],
    "jackknife.left_out": [lambda: jackknife.left_out(np.float64(3.0))],
    "jackknife.effective_groups": [lambda: jackknife.effective_groups(NEGATIVE)],
    "jackknife.standard_error": [lambda: jackknife.standard_error(np.ones(2), WITHOUT_TOTAL, -WITHOUT_TOTAL), lambda: jackknife.standard_error(np.ones(3), WITHOUT_TOTAL, WITHOUT_TOTAL)],
    "jackknife.serial_error": [lambda: jackknife.serial_error(np.ones(2), WITHOUT_TOTAL, -WITHOUT_TOTAL), lambda: jackknife.serial_error(np.ones(3), WITHOUT_TOTAL, WITHOUT_TOTAL)],
    "jackknife.t_reach": [lambda: jackknife.t_reach(1.0, 5, 1.5)],
    "loss.log_linear": [lambda: loss.log_linear(np.array([[0, 2]]), [2], np.ones(2)), lambda: loss.log_linear(np.array([[0, 1]]), [2], np.zeros(2)), lambda: loss.log_linear(np.array([[0, 1]]), [2], np.ones(2), ridge=0.0)],
    "moments.mean": [lambda: moments.mean(-1, 3.0), lambda: moments.mean(GOOD, SHORT)],
    "moments.variance": [lambda: moments.variance(-1, 3.0, 3.0), lambda: moments.variance(GOOD, SHORT, GOOD)],
    "moments.standard_deviation": [lambda: moments.standard_deviation(-1, 3.0, 3.0), lambda: moments.standard_deviation(GOOD, SHORT, GOOD)],
    "moments.reference_spread": [lambda: moments.reference_spread(0.0, -1.0)],
    "moments.in_reference_sds": [lambda: moments.in_reference_sds(1.0, 0.0, -1.0)],
    "moments.mean_shift_sd": [lambda: moments.mean_shift_sd(0.0, -1.0, 1.0)],
    "moments.mean_shift_ratio": [lambda: moments.mean_shift_ratio(GOOD, SHORT)],
    "paired.paired_shares": [lambda: paired.paired_shares(3, 4, 6), lambda: paired.paired_shares(-1, 4, 6), lambda: paired.paired_shares(1, 4, 6, z=0.0)],
    "paired.paired_means": [lambda: paired.paired_means(-1, 1.0, 1.0), lambda: paired.paired_means(3, 1.0, 1.0, confidence=1.0)],
    "paired.paired_roc_aucs": [lambda: paired.paired_roc_aucs(0.1, -0.01), lambda: paired.paired_roc_aucs(0.1, 0.01, z=0.0)],
    "paired.paired_area_difference": [lambda: paired.paired_area_difference(GOOD, GOOD), lambda: paired.paired_area_difference(-SHORT, SHORT)],
    "partition.cuts_between": [lambda: partition.cuts_between(np.ones(3), np.zeros(2, np.bool_), 2), lambda: partition.cuts_between(np.zeros(3), np.zeros(3, np.bool_), 2)],
    **{f"regression.{name}": [lambda name=name: getattr(regression, name)(-1, 3.0)] for name in ("rmse", "mae", "bias", "mape")},
    "regression.r2": [lambda: regression.r2(-1, 1.0, 1.0, 1.0)],
    "regression.rmse_error": [lambda: regression.rmse_error(-1, 1.0, 1.0)],
    "regression.r2_error": [lambda: regression.r2_error(-1, (1.0, 1.0, 1.0), (1.0,) * 5)],
    "significance.merged": [lambda: significance.merged(GOOD, NEGATIVE), lambda: significance.merged(GOOD, GOOD, least=-1.0)],
    "significance.homogeneity": [lambda: significance.homogeneity(GOOD, NEGATIVE), lambda: significance.homogeneity(GOOD, SHORT)],
    "significance.effective_samples": [lambda: significance.effective_samples(-1, 3), lambda: significance.effective_samples(1, np.inf)],
    "significance.Overdispersion.phi": [lambda: OVER.phi(-1.0)],
    "significance.overdispersion": [lambda: significance.overdispersion(GOOD), lambda: significance.overdispersion(NEGATIVE[None])],
    "significance.persistence": [lambda: significance.persistence(-np.ones(2), np.ones(2), np.ones(2), np.ones(2)), lambda: significance.persistence(np.ones(2), np.ones(2), np.ones(2), np.zeros(2))],
    "significance.overdispersed_p": [lambda: significance.overdispersed_p(np.array(-1.0), np.array(3), 1.0, 9), lambda: significance.overdispersed_p(np.array(1.0), np.array(3), 0.5, 9)],
    "significance.student_density": [lambda: significance.student_density(np.ones(2), np.zeros(2))],
    "significance.checked_nan": [lambda: significance.checked_nan(-1.0, "n")],
    "significance.benjamini_hochberg": [lambda: significance.benjamini_hochberg(np.array([1.5])), lambda: significance.benjamini_hochberg(np.float64(0.5))],
    "strata.post_stratified": [lambda: strata.post_stratified(NEGATIVE, GOOD[0])],
    "strata.post_stratified_mean": [lambda: strata.post_stratified_mean(NEGATIVE, GOOD, GOOD)],
    "strata.runs_of_equal_mass": [lambda: strata.runs_of_equal_mass(NEGATIVE[0], 2), lambda: strata.runs_of_equal_mass(GOOD[0], 0)],
    "value.total_interval": [lambda: value.total_interval(1.0, 1.0, -1)],
    "value.by_threshold": [lambda: value.by_threshold(GOOD, SHORT)],
    "value.simultaneous_z": [lambda: value.simultaneous_z(0)],
    "value.expected_total": [lambda: value.expected_total(GOOD, -GOOD, np.eye(2), FITTED), lambda: value.expected_total(SHORT, SHORT, np.eye(2), FITTED), lambda: value.expected_total(ENDLESS, GOOD, np.eye(2), FITTED)],
    "value.expected_error_total": [lambda: value.expected_error_total(-GOOD, GOOD, GOOD, 0.5, (1.0, 1.0)), lambda: value.expected_error_total(GOOD, GOOD, GOOD, 1.5, (1.0, 1.0))],
    "verdicts.drifted": [lambda: verdicts.drifted(GOOD, NEGATIVE, OVER, ks=np.zeros(2), mean_shift_sd=np.zeros(2), judged=np.ones(2, np.bool_)), lambda: verdicts.drifted(GOOD, SHORT, OVER, ks=np.zeros(2), mean_shift_sd=np.zeros(2), judged=np.ones(2, np.bool_))],
    "verdicts.beyond_reference": [lambda: verdicts.beyond_reference(np.array(-1), 100), lambda: verdicts.beyond_reference(np.array(101), 100)],
    "verdicts.held": [lambda: verdicts.held(np.zeros(2, np.uint16), np.ones(2, np.bool_), 0), lambda: verdicts.held(np.zeros(2, np.uint16), np.ones(3, np.bool_), 4)],
}  # fmt: skip
# Detectors are refused what they can't take in test_detectors.py, for all of them alike.
ELSEWHERE = re.compile(r"detectors\..*\.(load|update)$|special\.functions$")


def refuses():
    """Functions and methods that don't say they raise nothing."""
    return {
        place
        for place, member in ALL.items()
        if not inspect.isclass(member)
        and not re.search(r"[Rr]aises: nothing", member.__doc__ or "")
        and not ELSEWHERE.match(place)
    }


def test_every_function_that_refuses_something_is_here():
    assert {place for place, calls in CALLS.items() if calls} >= refuses()


@pytest.mark.parametrize(
    ("place", "number"), [(p, i) for p, calls in CALLS.items() for i in range(len(calls))]
)
def test_bad_input_is_refused(place, number):
    with pytest.raises(ValueError, match=r": expected .*found|could not be broadcast"):
        CALLS[place][number]()

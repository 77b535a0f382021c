"""Quality of classifiers against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import calibration, metrics

from driftgauge.stats import classification

SEED = 20261122
ONE_CLASS = [
    classification.accuracy,
    classification.balanced_accuracy,
    classification.precision,
    classification.recall,
    classification.specificity,
    classification.f1,
    classification.mcc,
]


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        yield


def binary(n=500, seed=SEED):
    rng = np.random.default_rng(seed)
    outcome = rng.random(n) < 0.3
    return outcome, rng.random(n) < 0.2 + 0.5 * outcome


def four(outcome, prediction):
    tn, fp, fn, tp = metrics.confusion_matrix(outcome, prediction, labels=[0, 1]).ravel()
    return tp, fp, fn, tn


@pytest.mark.parametrize(
    ("function", "theirs"),
    [
        (classification.accuracy, metrics.accuracy_score),
        (classification.balanced_accuracy, metrics.balanced_accuracy_score),
        (classification.precision, metrics.precision_score),
        (classification.recall, metrics.recall_score),
        (classification.specificity, lambda y, p: metrics.recall_score(~y, ~p)),
        (classification.f1, metrics.f1_score),
        (classification.mcc, metrics.matthews_corrcoef),
    ],
)
@pytest.mark.parametrize("seed", range(5))
def test_each_metric_is_scikit_learns(function, theirs, seed):
    outcome, prediction = binary(seed=seed)
    assert function(*four(outcome, prediction)) == pytest.approx(theirs(outcome, prediction), abs=1e-12)


def test_average_precision_without_each_record_is_that_of_the_counts_without_it():
    rng = np.random.default_rng(SEED)
    scores = rng.integers(0, 4, (40, 2, 6))
    scores[0] = 0
    scores[0, 1, 2:4] = 1  # two positives alone
    scores[1] = 0
    scores[1, :, 3] = 1  # one of each, tied
    found = classification.average_precision_without_one(scores[:, 1], scores[:, 0])
    for cell in range(12):
        without = scores.reshape(40, 12).copy()
        there = without[:, cell] > 0
        without[:, cell] -= there
        negative, positive = np.moveaxis(without.reshape(40, 2, 6), 1, 0)
        wanted = classification.average_precision(positive, negative)
        assert found[cell][there] == pytest.approx(wanted[there], abs=1e-12, nan_ok=True)
        assert there.any()


def test_all_of_the_cells_at_once_are_those_of_the_single_functions():
    cells = np.random.default_rng(SEED).integers(0, 9, (4, 3, 50))
    cells[:, :, ::7] = 0
    found = classification.of_cells(*cells)
    for function in ONE_CLASS:
        np.testing.assert_array_equal(getattr(found, function.__name__), function(*cells))
    with pytest.raises(ValueError, match=r"fp: expected finite counts of at least 0, found -1 at \(\)"):
        classification.of_cells(*np.array([0, -1, 0, 0]))


@pytest.mark.parametrize("function", ONE_CLASS)
def test_without_records_nothing_is_defined(function):
    assert np.isnan(function(0, 0, 0, 0))


def test_what_has_nothing_below_the_line_is_nan_and_the_rest_is_not():
    none_predicted = 0, 0, 5, 5
    assert np.isnan(classification.precision(*none_predicted))
    assert np.isnan(classification.mcc(*none_predicted))
    assert classification.recall(*none_predicted) == 0
    assert classification.f1(*none_predicted) == 0
    none_positive = 0, 0, 0, 9
    assert np.isnan(classification.recall(*none_positive))
    assert np.isnan(classification.f1(*none_positive))
    assert np.isnan(classification.balanced_accuracy(*none_positive))
    assert classification.specificity(*none_positive) == 1
    none_negative = 4, 0, 1, 0
    assert np.isnan(classification.specificity(*none_negative))
    assert classification.recall(*none_negative) == 0.8


def test_counts_of_any_shape_and_size():
    tp = np.full((3, 1), 4_000_000_000, dtype=np.uint32)
    fp = np.array([[0, 4_000_000_000]], dtype=np.uint32)
    found = classification.precision(tp, fp, fp, tp)
    assert found.tolist() == [[1.0, 0.5]] * 3
    assert classification.mcc(tp, fp, fp, tp).tolist() == [[1.0, 0.0]] * 3


@pytest.mark.parametrize("name", ["tp", "fp", "fn", "tn"])
def test_a_negative_cell_is_refused_by_name(name):
    cells = {"tp": 1, "fp": 1, "fn": 1, "tn": 1, name: -1}
    for function in ONE_CLASS:
        with pytest.raises(ValueError, match=f"{name}: expected finite counts of at least 0, found -1"):
            function(**cells)


@given(st.lists(st.integers(0, 10**6), min_size=4, max_size=4))
def test_ranges(cells):
    for function in ONE_CLASS:
        value = function(*cells)
        assert np.isnan(value) or (-1 if function is classification.mcc else 0) <= value <= 1


def multiclass(seed=SEED, classes=4):
    rng = np.random.default_rng(seed)
    outcome = rng.integers(0, classes, 400)
    prediction = np.where(rng.random(400) < 0.6, outcome, rng.integers(0, classes, 400))
    return outcome, prediction, metrics.confusion_matrix(outcome, prediction)


def test_per_class_counts_are_scikit_learns():
    outcome, prediction, confusion = multiclass()
    tp, fp, fn, tn = classification.per_class_counts(confusion)
    wanted = metrics.multilabel_confusion_matrix(outcome, prediction)
    assert (np.stack([tn, fp, fn, tp], axis=-1).reshape(-1, 2, 2) == wanted).all()


@pytest.mark.parametrize("average", ["macro", "weighted", None])
@pytest.mark.parametrize("name", ["precision", "recall", "f1"])
def test_averages_are_scikit_learns(name, average):
    outcome, prediction, confusion = multiclass()
    prediction[prediction == 2] = 1  # a class that is never predicted
    confusion = metrics.confusion_matrix(outcome, prediction)
    counts = classification.per_class_counts(confusion)
    found = getattr(classification, name)(*counts)
    if average == "macro":
        found = classification.macro(found)
    elif average == "weighted":
        found = classification.weighted(found, confusion.sum(axis=1))
    wanted = getattr(metrics, f"{name}_score")(outcome, prediction, average=average, zero_division=np.nan)
    assert found == pytest.approx(wanted, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_multiclass_accuracy_and_mcc_are_scikit_learns(classes):
    outcome, prediction, confusion = multiclass(classes=classes)
    assert classification.multiclass_accuracy(confusion) == pytest.approx(
        metrics.accuracy_score(outcome, prediction), abs=1e-12
    )
    assert classification.multiclass_mcc(confusion) == pytest.approx(
        metrics.matthews_corrcoef(outcome, prediction), abs=1e-12
    )
    counts = classification.per_class_counts(confusion)
    assert classification.macro(classification.recall(*counts)) == pytest.approx(
        metrics.balanced_accuracy_score(outcome, prediction), abs=1e-12
    )


def test_many_matrices_at_once_and_empty_ones():
    stack = np.stack([multiclass(seed)[2] for seed in range(3)] + [np.zeros((4, 4), dtype=int)])
    tp, fp, fn, tn = classification.per_class_counts(stack)
    assert tp.shape == fp.shape == fn.shape == tn.shape == (4, 4)
    assert (tp[3] == 0).all()
    assert np.isnan(classification.multiclass_accuracy(stack)).tolist() == [False, False, False, True]
    assert np.isnan(classification.multiclass_mcc(stack)).tolist() == [False, False, False, True]
    assert np.isnan(classification.macro(classification.f1(tp, fp, fn, tn)))[3]


def test_averages_ignore_what_is_not_defined():
    values = np.array([[0.5, np.nan, 1.0], [np.nan] * 3])
    assert classification.macro(values) == pytest.approx(np.array([0.75, np.nan]), nan_ok=True)
    support = np.array([[3, 10, 1], [1, 1, 1]])
    assert classification.weighted(values, support) == pytest.approx([0.625, np.nan], nan_ok=True)
    assert np.isnan(classification.weighted(np.array([0.5, np.nan]), np.array([0, 3])))


@pytest.mark.parametrize("shape", [(3,), (2, 3), ()])
def test_a_confusion_that_is_not_square_is_refused(shape):
    with pytest.raises(ValueError, match=r"confusion: expected shape \(..., K, K\), found \("):
        classification.per_class_counts(np.ones(shape))


def by_score(outcome, score):
    values, number = np.unique(score, return_inverse=True)
    return (
        np.bincount(number[outcome], minlength=len(values)),
        np.bincount(number[~outcome], minlength=len(values)),
    )


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_roc_auc_and_average_precision_are_scikit_learns_where_each_score_has_a_bin(seed, steps):
    rng = np.random.default_rng(seed)
    score = rng.integers(0, steps + 1, 60) / steps
    outcome = rng.random(60) < score * 0.7 + 0.1
    outcome[:2] = True, False
    positive, negative = by_score(outcome, score)
    value, _ = classification.roc_auc(positive, negative)
    assert value == pytest.approx(metrics.roc_auc_score(outcome, score), abs=1e-12)
    assert classification.average_precision(positive, negative) == pytest.approx(
        metrics.average_precision_score(outcome, score), abs=1e-12
    )


@given(st.integers(0, 2**32), st.integers(1, 12))
def test_the_exact_roc_auc_lies_within_the_half_width(seed, bins):
    rng = np.random.default_rng(seed)
    score = rng.random(80)
    outcome = rng.random(80) < score
    outcome[:2] = True, False
    number = np.minimum((score * bins).astype(int), bins - 1)
    counts = [np.bincount(number[x], minlength=bins) for x in (outcome, ~outcome)]
    value, half_width = classification.roc_auc(*counts)
    assert abs(metrics.roc_auc_score(outcome, score) - value) <= half_width + 1e-12


def test_roc_auc_named_shapes():
    assert classification.roc_auc(np.array([0, 0, 3]), np.array([4, 1, 0])) == (1, 0)
    assert classification.roc_auc(np.array([3, 0]), np.array([0, 2])) == (0, 0)
    # all in one bin: nothing is known, and the half width says so
    assert classification.roc_auc(np.array([3]), np.array([2])) == (0.5, 0.5)


def test_a_missing_class_leaves_roc_auc_undefined():
    positive, negative = np.array([[1, 2], [0, 0], [0, 0]]), np.array([[0, 0], [1, 2], [0, 0]])
    value, half_width = classification.roc_auc(positive, negative)
    assert np.isnan(value).all()
    assert np.isnan(half_width).all()
    found = classification.average_precision(positive, negative)
    assert found == pytest.approx([1, np.nan, np.nan], nan_ok=True)


def test_score_bins_must_match():
    for function in [classification.roc_auc, classification.average_precision]:
        with pytest.raises(
            ValueError,
            match=r"negative_counts: expected the bins of positive_counts, shape \(2,\), found \(3,\)",
        ):
            function(np.ones(2), np.ones(3))
        with pytest.raises(ValueError, match="positive_counts: expected finite counts of at least 0"):
            function(-np.ones(2), np.ones(2))


def test_log_loss_and_brier_are_scikit_learns():
    rng = np.random.default_rng(SEED)
    score = rng.random(300)
    outcome = rng.random(300) < score
    losses = -np.log(np.where(outcome, score, 1 - score))
    assert classification.log_loss(losses.sum(), 300) == pytest.approx(
        metrics.log_loss(outcome, score), rel=1e-12
    )
    assert classification.brier(((score - outcome) ** 2).sum(), 300) == pytest.approx(
        metrics.brier_score_loss(outcome, score), rel=1e-12
    )
    assert np.isnan(classification.log_loss(0.0, 0))
    assert np.isnan(classification.brier(np.zeros(2), np.zeros(2))).all()


def test_ece_and_mce_by_hand():
    # 8 records, mean score 0.2, a quarter positive: gap 0.05; 2 records, 0.9, one positive: 0.4
    counts = np.array([8, 0, 2])
    sums = np.array([1.6, 0.0, 1.8]), np.array([2.0, 0.0, 1.0])
    assert classification.ece(counts, *sums) == pytest.approx(0.8 * 0.05 + 0.2 * 0.4, rel=1e-12)
    assert classification.mce(counts, *sums) == pytest.approx(0.4, rel=1e-12)


def test_ece_is_the_weighted_calibration_curve():
    rng = np.random.default_rng(SEED)
    score = rng.random(1000) ** 2
    outcome = (rng.random(1000) < score**0.5).astype(float)
    number = np.searchsorted(np.linspace(0, 1, 11)[1:-1], score)
    counts = np.bincount(number, minlength=10)
    sums = [np.bincount(number, weights=x, minlength=10) for x in (score, outcome)]
    fraction, mean_score = calibration.calibration_curve(outcome, score, n_bins=10)
    gaps = np.abs(fraction - mean_score)
    assert classification.ece(counts, *sums) == pytest.approx((gaps * counts).sum() / 1000, abs=1e-12)
    assert classification.mce(counts, *sums) == pytest.approx(gaps.max(), abs=1e-12)


def test_calibration_without_records_is_nan():
    nothing = np.zeros((2, 5))
    nothing_and_one = nothing.copy()
    nothing_and_one[1, 2] = 1
    for function in [classification.ece, classification.mce]:
        found = function(nothing_and_one, nothing_and_one * 0.5, nothing_and_one)
        assert found == pytest.approx([np.nan, 0.5], nan_ok=True)


def test_calibration_sums_must_match():
    with pytest.raises(
        ValueError,
        match=r"bin_score_sums, bin_outcome_sums: expected the shape of bin_counts, \(2,\), found \(3,\) and",
    ):
        classification.ece(np.ones(2), np.ones(3), np.ones(2))


@pytest.mark.parametrize("bins", [1, 3, 20, 300])
@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_the_average_precision_of_the_scores_is_in_the_range_of_their_bins(bins, decimals):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        score = np.round(rng.random(200), decimals)
        outcome = rng.random(200) < score**3 * 0.5 + 0.02
        number = np.minimum((score * bins).astype(int), bins - 1)
        positive, negative = (np.bincount(number[outcome == k], minlength=bins) for k in (True, False))
        low, high = classification.average_precision_range(positive, negative)
        exact = metrics.average_precision_score(outcome, score)
        assert low - 1e-12 <= exact <= high + 1e-12
        binned = classification.average_precision(positive, negative)
        assert low - 1e-12 <= binned <= high + 1e-12


def test_the_range_of_average_precision_by_hand():
    # The upper bin: 2 positives, 1 negative; the lower: 1 positive, 3 negatives.
    low, high = classification.average_precision_range(np.array([1, 2]), np.array([3, 1]))
    assert low == pytest.approx((2 * (1 / 2) + 3 / 7) / 3)
    assert high == pytest.approx((2 * 1.0 + 3 / 4) / 3)
    assert np.isnan(classification.average_precision_range(np.zeros(2), np.ones(2))).all()


def test_sums_support_and_matrices_are_refused_in_words():
    with pytest.raises(ValueError, match="n: expected finite counts"):
        classification.log_loss(1.0, -1)
    with pytest.raises(ValueError, match="n: expected finite counts"):
        classification.brier(1.0, np.nan)
    with pytest.raises(ValueError, match="support: expected finite counts"):
        classification.weighted(np.ones(2), np.array([1, -1]))
    with pytest.raises(ValueError, match="bin_counts: expected finite counts"):
        classification.mce(-np.ones(2), np.ones(2), np.ones(2))
    for function in (classification.multiclass_accuracy, classification.multiclass_mcc):
        with pytest.raises(ValueError, match="confusion: expected finite counts"):
            function(-np.eye(2))
    with pytest.raises(ValueError, match="negative_counts: expected the bins"):
        classification.average_precision_range(np.ones(2), np.ones(3))

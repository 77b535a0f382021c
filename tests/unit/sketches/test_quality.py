"""Quality from stored sums against scikit-learn on random records, whole and by segment."""

import numpy as np
import pytest
from sklearn import metrics

from driftgauge.sketches import quality as sketch
from driftgauge.sketches.quality import (
    COARSE_SCORE,
    COARSE_SCORE_BINS,
    NO_SEGMENT,
    SCORE_EDGES,
    STRATA,
    BinaryQuality,
    Groups,
    Joined,
    MulticlassQuality,
    RegressionQuality,
    stratum,
)
from driftgauge.stats import classification, regression

GROUPS = Groups(columns=2, values=3)
N = 4_000


def joined(outcome, *, prediction=None, score=None, scores=None, segments=None, delay=None):
    n = len(outcome)
    absent = np.full(n, np.nan)
    return Joined(
        np.asarray(outcome, float),
        absent if prediction is None else np.asarray(prediction, float),
        absent if score is None else np.asarray(score, float),
        np.zeros((n, 0)) if scores is None else scores,
        np.full((2, n), NO_SEGMENT, np.uint8) if segments is None else segments,
        absent if delay is None else np.asarray(delay, float),
    )


@pytest.fixture(scope="module")
def binary():
    rng = np.random.default_rng(1)
    score = rng.beta(0.7, 0.7, N)
    outcome = (rng.random(N) < score**1.5).astype(float)
    segments = rng.choice([0, 1, 2, 3, NO_SEGMENT], (2, N)).astype(np.uint8)
    return joined(outcome, prediction=score >= 0.4, score=score, segments=segments)


def members(segments):
    """(group, places) of the whole and of every value of every column, by the definition."""
    yield 0, np.arange(segments.shape[1])
    for column in range(segments.shape[0]):
        for value in range(GROUPS.values + 1):
            yield GROUPS.number(column, value), np.flatnonzero(segments[column] == value)


def test_every_group_of_a_binary_model_is_scikit_learns(binary):
    quality = BinaryQuality(GROUPS)
    row = quality.row(binary)
    for group, places in members(binary.segments):
        outcome, score, predicted = binary.outcome[places], binary.score[places], binary.prediction[places]
        assert quality.outcomes(row)[group] == places.size
        confusion = quality.count(row, "confusion")[group]
        np.testing.assert_array_equal(confusion, metrics.confusion_matrix(outcome, predicted))
        n = quality.count(row, "reliability")[group].sum()
        loss = classification.log_loss(quality.sum(row, "log_loss")[group], n)
        assert loss == pytest.approx(metrics.log_loss(outcome, score), rel=1e-9)
        brier = classification.brier(quality.sum(row, "brier")[group], n)
        assert brier == pytest.approx(metrics.brier_score_loss(outcome, score), rel=1e-9)
        negative, positive = quality.count(row, "coarse")[group]
        area, half = classification.roc_auc(positive, negative)
        assert abs(area - metrics.roc_auc_score(outcome, score)) <= half + 1e-12


def test_roc_auc_of_the_whole_is_within_its_half_width_and_a_thousandth(binary):
    quality = BinaryQuality(GROUPS)
    negative, positive = quality.count(quality.row(binary), "score")
    area, half = classification.roc_auc(positive, negative)
    exact = metrics.roc_auc_score(binary.outcome, binary.score)
    assert abs(area - exact) <= half + 1e-12
    assert area == pytest.approx(exact, abs=0.001)


def test_coarse_score_bins_are_unions_of_the_fine_ones(binary):
    quality = BinaryQuality(GROUPS)
    row = quality.row(binary)
    fine, coarse = quality.count(row, "score"), quality.count(row, "coarse")[0]
    assert (np.diff(COARSE_SCORE) >= 0).all()
    assert np.unique(COARSE_SCORE).tolist() == list(range(COARSE_SCORE_BINS))
    for outcome in (0, 1):
        united = np.bincount(COARSE_SCORE, weights=fine[outcome], minlength=COARSE_SCORE_BINS)
        np.testing.assert_array_equal(united, coarse[outcome])


@pytest.mark.parametrize("score", [0.0, 1.0, 5e-324, 1 - 2**-53, 0.29, 0.57, 0.1, 0.9999999])
def test_extreme_scores_have_a_bin_and_a_finite_loss(score):
    quality = BinaryQuality(GROUPS)
    for outcome in (0.0, 1.0):
        row = quality.row(joined([outcome], score=[score], prediction=[1]))
        assert quality.count(row, "score").sum() == 1
        assert quality.count(row, "reliability")[0].sum() == 1
        loss = quality.sum(row, "log_loss")[0]
        expected = metrics.log_loss([outcome], [score], labels=[0, 1])
        assert loss == pytest.approx(expected, rel=1e-9)


def test_calibration_bins_are_tenths_that_hold_their_lower_end():
    quality = BinaryQuality(GROUPS)
    score = np.array([0.0, 0.1, 0.2, 0.5, 0.9, 1.0])
    row = quality.row(joined(np.ones(6), score=score))
    assert quality.count(row, "reliability")[0, :, 1].tolist() == [1, 1, 1, 0, 0, 1, 0, 0, 0, 2]
    assert quality.sum(row, "scores")[0, 9] == pytest.approx(1.9)


def test_records_with_a_class_alone_or_a_score_alone_count_where_they_can():
    quality = BinaryQuality(GROUPS)
    row = quality.row(joined([1, 0, 1], prediction=[1, np.nan, np.nan], score=[np.nan, 0.2, np.nan]))
    assert quality.outcomes(row)[0] == 3
    assert quality.count(row, "confusion")[0].tolist() == [[0, 0], [0, 1]]
    assert quality.count(row, "score").sum() == quality.count(row, "reliability")[0].sum() == 1


def test_no_record_is_an_empty_row():
    for quality in (BinaryQuality(GROUPS), MulticlassQuality(GROUPS, 3), RegressionQuality(GROUPS, 1.0)):
        row = quality.row(joined([]))
        assert not row.counts.any()
        assert not row.sums.any()


# --- multiclass -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def multiclass():
    rng = np.random.default_rng(2)
    scores = rng.dirichlet([1.0, 2.0, 0.5, 0.8], N)
    outcome = np.array([rng.choice(4, p=p) for p in scores])
    segments = rng.choice([0, 1, NO_SEGMENT], (2, N)).astype(np.uint8)
    return joined(outcome, prediction=scores.argmax(axis=1), scores=scores, segments=segments)


def test_multiclass_numbers_are_scikit_learns(multiclass):
    quality = MulticlassQuality(GROUPS, 4)
    row = quality.row(multiclass)
    outcome, predicted = multiclass.outcome, multiclass.prediction
    confusion = quality.count(row, "confusion")
    np.testing.assert_array_equal(confusion, metrics.confusion_matrix(outcome, predicted))
    loss = quality.sum(row, "log_loss")[0] / N
    assert loss == pytest.approx(metrics.log_loss(outcome, multiclass.scores), rel=1e-9)
    one_hot = np.eye(4)[outcome.astype(int)]
    assert quality.sum(row, "brier")[0] / N == pytest.approx(
        ((multiclass.scores - one_hot) ** 2).sum(axis=1).mean()
    )
    for code in range(4):
        other, own = quality.count(row, "score")[code]
        area, half = classification.roc_auc(own, other)
        exact = metrics.roc_auc_score(outcome == code, multiclass.scores[:, code])
        assert abs(area - exact) <= half + 1e-12
        assert area == pytest.approx(exact, abs=0.001)


def test_multiclass_segments_know_how_many_were_right(multiclass):
    quality = MulticlassQuality(GROUPS, 4)
    row = quality.row(multiclass)
    for group, places in members(multiclass.segments):
        right = (multiclass.outcome == multiclass.prediction)[places]
        assert quality.count(row, "predicted")[group] == places.size
        assert quality.count(row, "right")[group] == right.sum()


def test_top_label_calibration_is_that_of_the_largest_probability(multiclass):
    quality = MulticlassQuality(GROUPS, 4)
    row = quality.row(multiclass)
    top = multiclass.scores.max(axis=1)
    right = multiclass.scores.argmax(axis=1) == multiclass.outcome
    tenth = np.minimum((top * 10).astype(int), 9)
    for b in range(10):
        wrong_and_right = [(~right)[tenth == b].sum(), right[tenth == b].sum()]
        assert quality.count(row, "reliability")[b].tolist() == wrong_and_right
        assert quality.sum(row, "scores")[b] == pytest.approx(top[tenth == b].sum())


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.5, np.inf, -np.inf])
def test_probabilities_that_are_none_are_left_out_with_their_record(bad):
    scores = np.array([[0.2, 0.8, 0.0], [0.2, bad, 0.0]])
    quality = MulticlassQuality(GROUPS, 3)
    row = quality.row(joined([1, 1], prediction=[1, 1], scores=scores))
    assert quality.count(row, "reliability").sum() == 1
    assert quality.count(row, "confusion").sum() == 2
    assert quality.sum(row, "log_loss")[0] == pytest.approx(-np.log(0.8))


def test_a_probability_of_0_for_the_class_that_came_has_a_finite_loss():
    quality = MulticlassQuality(GROUPS, 2)
    row = quality.row(joined([0], prediction=[1], scores=np.array([[0.0, 1.0]])))
    expected = metrics.log_loss([0], [[0.0, 1.0]], labels=[0, 1])
    assert quality.sum(row, "log_loss")[0] == pytest.approx(expected, rel=1e-9)


# --- regression -------------------------------------------------------------------------------


@pytest.mark.parametrize("centre", [0.0, 1_000.0, 950.0])
def test_regression_numbers_are_scikit_learns_in_every_group(centre):
    rng = np.random.default_rng(3)
    outcome = rng.normal(1_000, 50, N)
    predicted = outcome + rng.normal(5, 20, N)
    segments = rng.choice([0, 1, 2, 3, NO_SEGMENT], (2, N)).astype(np.uint8)
    quality = RegressionQuality(GROUPS, centre)
    row = quality.row(joined(outcome, prediction=predicted, segments=segments))
    for group, places in members(segments):
        y, p = outcome[places], predicted[places]
        n, sums = float(quality.count(row, "errors")[group]), quality.sum(row, "sums")[group]
        assert n == places.size
        mse = metrics.mean_squared_error(y, p)
        assert regression.rmse(n, sums[sketch.SQUARE]) == pytest.approx(mse**0.5, rel=1e-9)
        assert regression.mae(n, sums[sketch.ABSOLUTE]) == pytest.approx(
            metrics.mean_absolute_error(y, p), rel=1e-9
        )
        assert regression.bias(n, sums[sketch.ERROR]) == pytest.approx((p - y).mean(), rel=1e-9)
        r2 = regression.r2(n, sums[sketch.SQUARE], sums[sketch.OUTCOME], sums[sketch.OUTCOME_SQUARE])
        assert r2 == pytest.approx(metrics.r2_score(y, p), abs=1e-9)
        percent = regression.mape(float(quality.count(row, "percents")[group]), sums[sketch.PERCENT])
        assert percent == pytest.approx(metrics.mean_absolute_percentage_error(y, p), rel=1e-9)
        assert sums[sketch.OVER] == pytest.approx(np.maximum(p - y, 0).sum(), rel=1e-9)
        assert sums[sketch.OUTCOME_OVER] == pytest.approx(np.maximum(y - centre, 0).sum(), rel=1e-9)


def test_outcomes_of_0_have_no_percentage_error():
    quality = RegressionQuality(GROUPS, 0.0)
    row = quality.row(joined([0.0, 2.0], prediction=[1.0, 3.0]))
    assert quality.count(row, "percents")[0] == 1
    assert quality.sum(row, "sums")[0, sketch.PERCENT] == 0.5


def test_a_record_without_a_prediction_has_an_outcome_and_no_error():
    quality = RegressionQuality(GROUPS, 0.0)
    row = quality.row(joined([1.0, 2.0], prediction=[np.nan, 3.0]))
    assert (quality.outcomes(row)[0], quality.count(row, "errors")[0]) == (2, 1)


# --- what all share ---------------------------------------------------------------------------


def test_delays_are_within_a_tenth():
    quality = BinaryQuality(GROUPS)
    delays = np.array([1.0, 59.0, 3_600.0, 86_400.0, 30 * 86_400.0])
    for delay in delays:
        bucket = int(np.flatnonzero(quality.delay(quality.row(joined([1], delay=[delay]))))[0])
        low, high = sketch.DELAY_EDGES[max(bucket - 1, 0)], sketch.DELAY_EDGES[bucket]
        assert low / 1.1**2 <= delay <= high
    row = quality.row(joined([1, 1, 1], delay=[0.0, np.nan, 1e12]))
    assert quality.delay(row).sum() == 2


def test_segments_are_numbered_by_column_and_value():
    groups = Groups(columns=3, values=10)
    assert groups.count == 34
    numbers = [groups.number(c, v) for c in range(3) for v in range(11)]
    assert numbers == list(range(1, 34))
    group, record = groups.spread(np.array([[0], [NO_SEGMENT], [10]], np.uint8))
    assert (group.tolist(), record.tolist()) == ([0, 1, 33], [0, 0, 0])


def test_score_edges_are_not_decided_by_any_data():
    assert SCORE_EDGES.size == 710
    assert (np.diff(SCORE_EDGES) > 0).all()


def test_strata_of_predictions_are_a_fifth_wide_whatever_the_unit():
    sizes = np.geomspace(1e-6, 1e12, 5_000)
    place = stratum(sizes)
    assert (place >= 0).all()
    assert (place < STRATA).all()
    edges = np.flatnonzero(np.diff(place)) + 1
    np.testing.assert_allclose(np.diff(np.log2(sizes[edges])), 0.25, atol=0.02)
    assert stratum(np.array([1.0, 65_536.0])).tolist() == stratum(np.array([65_536.0, 1.0])).tolist()
    assert (stratum(-sizes) != place).all()
    assert stratum(np.array([0.0, -0.0])).tolist() == [0, 0]

"""What every prediction leaves behind, labelled or not."""

import numpy as np
import pytest

from driftgauge.sketches.quality import COARSE_SCORE, COARSE_SCORE_BINS, NO_SEGMENT, SCORE_EDGES, Groups
from driftgauge.sketches.scores import (
    COARSE_SCORE_EDGES,
    BinaryScores,
    MulticlassScores,
    RegressionScores,
    Scored,
)

GROUPS = Groups(columns=1, values=2)
NAN = float("nan")


def scored(prediction, score=None, scores=None, segments=None):
    n = len(prediction)
    return Scored(
        np.array(prediction, float),
        np.full(n, NAN) if score is None else np.array(score, float),
        np.zeros((n, 0)) if scores is None else np.array(scores, float),
        np.array([segments or [NO_SEGMENT] * n], np.uint8),
    )


def test_coarse_edges_part_scores_as_the_coarse_bins_of_fine_ones_do():
    score = np.random.default_rng(1).beta(0.3, 0.3, 5_000)
    score[:711] = np.append(SCORE_EDGES, 1.0)
    assert COARSE_SCORE_EDGES.size == COARSE_SCORE_BINS - 1
    by_fine = COARSE_SCORE[SCORE_EDGES.searchsorted(score)]
    np.testing.assert_array_equal(COARSE_SCORE_EDGES.searchsorted(score), by_fine)


def test_binary_counts_by_predicted_class_and_score():
    sketch = BinaryScores(GROUPS)
    row = sketch.row(scored([1, 0, 0, 1, NAN], [0.9, 0.2, 0.2, NAN, 0.5], segments=[0, 0, 1, 1, 1]))
    assert sketch.predicted(row).tolist() == [4, 2, 2, 0]
    block = sketch.count(row, "score")
    assert block.sum() == 3
    assert block[1, SCORE_EDGES.searchsorted(0.9)] == 1
    assert block[0, SCORE_EDGES.searchsorted(0.2)] == 2
    coarse = sketch.coarse(row)
    assert coarse.sum(axis=(1, 2)).tolist() == [3, 2, 1, 0]
    assert coarse[2, 0, COARSE_SCORE_EDGES.searchsorted(0.2)] == 1


@pytest.mark.parametrize("score", [-0.1, 1.1, NAN])
def test_a_score_that_is_no_probability_has_no_bin(score):
    sketch = BinaryScores(GROUPS)
    row = sketch.row(scored([1], [score]))
    assert sketch.predicted(row)[0] == 1
    assert not sketch.count(row, "score").any()
    assert not sketch.coarse(row).any()
    assert sketch.by_class(row)[0].tolist() == [0, 1]


def test_multiclass_counts_each_probability_by_predicted_class():
    sketch = MulticlassScores(GROUPS, 3)
    row = sketch.row(scored([0, 0, 2, 1], scores=[[0.7, 0.3, 0], [1, 0, 0], [0, 0.2, 0.8], [NAN] * 3]))
    assert sketch.predicted(row)[0] == 4
    assert sketch.count(row, "scored").tolist() == [2, 0, 1]
    coarse = sketch.coarse(row)
    assert coarse.sum(axis=2).tolist() == [[2, 2, 2], [0, 0, 0], [1, 1, 1]]
    assert coarse[0, 1, 0] == 1  # the probability of 0
    assert coarse[0, 1, COARSE_SCORE_EDGES.searchsorted(0.3)] == 1
    assert coarse[0, 0, COARSE_SCORE_BINS - 1] == 1


def test_regression_sums_predictions_by_segment():
    sketch = RegressionScores(GROUPS)
    row = sketch.row(scored([2.0, 3.0, NAN], segments=[0, 1, 1]))
    assert sketch.predicted(row).tolist() == [2, 1, 1, 0]
    assert sketch.sum(row, "prediction").tolist() == [5.0, 2.0, 3.0, 0.0]
    assert sketch.sum(row, "square").tolist() == [13.0, 4.0, 9.0, 0.0]

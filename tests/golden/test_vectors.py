"""The 53 small vectors of tests/data/vectors, printed by scipy, scikit-learn and Evidently.

Each is checked here, or listed with the reason why it is not.
"""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from driftgauge.stats import classification, divergence, regression

pytestmark = pytest.mark.golden

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "vectors" / "vectors.json").read_text("utf-8"))

NOT_CHECKED = {
    "chi2_goodness_of_fit": "one sample against fixed expectations; a reference is a sample too, so the "
    "statistic here is that of two samples (its p-value is checked with the printed statistic)",
    "quantile_linear": "interpolates between order statistics of unbinned values, which are not kept",
}


def number(text):
    return float(text) if isinstance(text, str) else text


def on_atoms(first, second, first_weights=None, second_weights=None):
    """Counts of both samples with a bin of width 0 for each distinct value, and the edges."""
    values = np.unique(np.concatenate((first, second)).astype(float))
    counts = np.zeros((2, 2 * len(values) - 1))
    for row, (sample, weights) in enumerate([(first, first_weights), (second, second_weights)]):
        counts[row, ::2] = np.bincount(np.searchsorted(values, sample), weights, minlength=len(values))
    return counts[0], counts[1], np.repeat(values, 2)


def check_wasserstein(given, expected):
    edges_and_counts = on_atoms(given["u"], given["v"], given.get("u_weights"), given.get("v_weights"))
    assert divergence.wasserstein(*edges_and_counts) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def check_ks(given, expected):
    first, second, _ = on_atoms(given["a"], given["b"])
    # the p-values are those of the iid test, which the verdicts do not use
    assert divergence.ks_statistic(first, second) == pytest.approx(expected["statistic"], abs=1e-12)


def check_js(given, expected):
    found = divergence.js_distance(np.array(given["p"]), np.array(given["q"]))
    to_base_2 = np.sqrt(np.log(2)) if given["base"] == "e" else 1.0
    assert found * to_base_2 == pytest.approx(expected, abs=1e-12)


def check_psi(given, expected):
    floor = given["zero_share"]
    found = divergence.psi(np.array(given["reference"]), np.array(given["current"]), floor=floor)
    assert found == pytest.approx(expected, rel=1e-12, abs=0)


def check_contingency(given, expected):
    statistic, degrees = divergence.chi_square(*map(np.array, given["table"]))
    assert statistic == pytest.approx(expected["statistic"], rel=1e-12)
    assert degrees == expected.get("dof", 1)
    assert divergence.chi_square_p(statistic, degrees) == pytest.approx(expected["pvalue"], rel=1e-12)


def check_goodness_of_fit(given, expected):
    found = divergence.chi_square_p(np.array(expected["statistic"]), np.array(len(given["observed"]) - 1.0))
    assert found == pytest.approx(expected["pvalue"], rel=1e-12)


def outcome_and_score(given):
    return np.array(given["y_true"], dtype=bool), np.array(given["score"], dtype=float)


def by_score(given):
    outcome, score = outcome_and_score(given)
    _, at = np.unique(score, return_inverse=True)
    return np.bincount(at[outcome], minlength=len(score)), np.bincount(at[~outcome], minlength=len(score))


def found_roc_auc(given):
    return classification.roc_auc(*by_score(given))[0]


def found_average_precision(given):
    return classification.average_precision(*by_score(given))


def found_brier(given):
    outcome, score = outcome_and_score(given)
    return classification.brier(((score - outcome) ** 2).sum(), len(score))


def found_log_loss(given):
    outcome, score = outcome_and_score(given)
    epsilon = np.finfo(float).eps
    score = np.clip(score, epsilon, 1 - epsilon)
    return classification.log_loss(-np.log(np.where(outcome, score, 1 - score)).sum(), len(score))


def check_binary(given, expected):
    outcome, score = outcome_and_score(given)
    said = score >= 0.5
    cells = [outcome & said, ~outcome & said, outcome & ~said, ~outcome & ~said]
    four = [cell.sum() for cell in cells]
    found = {
        "accuracy": classification.accuracy(*four),
        "precision": classification.precision(*four),
        "recall": classification.recall(*four),
        "f1": classification.f1(*four),
        "brier": found_brier(given),
        "log_loss": found_log_loss(given),
        "roc_auc": found_roc_auc(given),
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(number(value), rel=1e-12, abs=1e-12, nan_ok=True), name


def error_and_outcome(given):
    outcome, prediction = np.array(given["y_true"], dtype=float), np.array(given["y_pred"], dtype=float)
    return prediction - outcome, outcome


def found_mae(given):
    error, _ = error_and_outcome(given)
    return regression.mae(len(error), np.abs(error).sum())


def found_rmse(given):
    error, _ = error_and_outcome(given)
    return regression.rmse(len(error), (error**2).sum())


def check_r2(given, expected):
    error, outcome = error_and_outcome(given)
    found = regression.r2(len(outcome), (error**2).sum(), outcome.sum(), (outcome**2).sum())
    if np.ptp(outcome) == 0:
        # scikit-learn says 1 or 0 of a constant outcome; here it is undefined, as stated
        assert np.isnan(found)
    else:
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-12)


def equals(function, power=1):
    def check(given, expected):
        assert function(given) ** power == pytest.approx(number(expected), rel=1e-12, abs=1e-12)

    return check


CHECKS = {
    "wasserstein": check_wasserstein,
    "wasserstein_weighted": check_wasserstein,
    "jensen_shannon_distance": check_js,
    "psi_counts": check_psi,
    "ks_2samp": check_ks,
    "chi2_contingency": check_contingency,
    "chi2_goodness_of_fit": check_goodness_of_fit,
    "roc_auc": equals(found_roc_auc),
    "average_precision": equals(found_average_precision),
    "brier": equals(found_brier),
    "log_loss": equals(found_log_loss),
    "mae": equals(found_mae),
    "mse": equals(found_rmse, power=2),
    "rmse": equals(found_rmse),
    "r2": check_r2,
    "binary_at_0.5": check_binary,
}


@pytest.mark.parametrize(
    "vector",
    [v for v in VECTORS if v["metric"] in CHECKS],
    ids=lambda v: f"{VECTORS.index(v)}-{v['metric']}",
)
def test_the_vector_comes_out(vector):
    CHECKS[vector["metric"]](vector["input"], vector["expected"])


def test_each_of_the_53_vectors_is_checked_or_listed_with_the_reason():
    metrics = Counter(vector["metric"] for vector in VECTORS)
    assert metrics.total() == 53
    assert set(metrics) == set(CHECKS) | set(NOT_CHECKED)
    assert sum(metrics[name] for name in CHECKS) == 49

"""Significance with dependent records, against scipy and a Python loop."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from driftgauge.stats import significance

ROWS = st.lists(st.integers(0, 60), min_size=12, max_size=12)


def merged_by_hand(reference, current, least):
    """Bins as lists, merged one at a time."""
    whole = sum(reference) + sum(current)
    share = min(sum(reference), sum(current)) / whole if whole else 0.0
    dense = [(r, c) for r, c in zip(reference, current, strict=True) if (r + c) * share >= least]
    sparse = [(r, c) for r, c in zip(reference, current, strict=True) if (r + c) * share < least]
    pool = (sum(r for r, _ in sparse), sum(c for _, c in sparse))
    if sum(pool) * share >= least or not dense:
        dense.append(pool)
    else:
        at = min(range(len(dense)), key=lambda i: sum(dense[i]))
        dense[at] = (dense[at][0] + pool[0], dense[at][1] + pool[1])
    return sorted(pair for pair in dense if sum(pair))


# What the sparse bins expect together is 5, which a sum of their shares misses by rounding.
EXACTLY_FIVE = ([0] * 11 + [10], [0] * 9 + [1, 10, 1])


@given(ROWS, ROWS)
@example(*EXACTLY_FIVE)
def test_sparse_bins_are_merged_as_by_hand(reference, current):
    found = significance.merged(np.array([reference]), np.array([current]))
    pairs = sorted((r, c) for r, c in zip(found[0][0], found[1][0], strict=True) if r + c)
    assert pairs == merged_by_hand(reference, current, 5.0)


def test_a_new_value_is_merged_not_dropped():
    reference = np.array([[500, 500, 0, 0]])
    current = np.array([[50, 50, 3, 3]])
    merged = significance.merged(reference, current)
    assert merged[1].sum() == 106
    assert np.count_nonzero(merged[0] + merged[1]) == 2


@given(ROWS, ROWS)
@example(*EXACTLY_FIVE)
def test_homogeneity_is_scipys_on_the_merged_table(reference, current):
    pairs = merged_by_hand(reference, current, 5.0)
    statistic, degrees = significance.homogeneity(np.array(reference), np.array(current))
    if not sum(reference) or not sum(current):
        assert np.isnan(statistic)
    elif len(pairs) < 2:
        assert (statistic, degrees) == (0, 0)
    else:
        wanted = stats.chi2_contingency(np.array(pairs).T, correction=False)
        assert statistic == pytest.approx(wanted.statistic, rel=1e-10, abs=1e-10)
        assert degrees == wanted.dof


def test_effective_samples_by_hand():
    assert significance.effective_samples([100, 0, 50, 0], [100, 10, 1e12, 0]).tolist() == pytest.approx(
        [50, 0, 50, 0]
    )


def test_phi_is_the_mean_of_chi_square_by_degrees_over_windows_of_one_size():
    rng = np.random.default_rng(1)
    shares = rng.dirichlet(np.full(12, 30.0), size=(20, 3))
    counts = np.array([[rng.multinomial(400, p) for p in each] for each in shares])
    found = significance.overdispersion(counts)
    for feature in range(3):
        ratios = []
        for k in range(20):
            rest = np.delete(counts[:, feature], k, axis=0).sum(axis=0)
            table = stats.chi2_contingency([rest, counts[k, feature]], correction=False)
            ratios.append(table.statistic / table.dof)
        assert 1 + (found.excess * found.samples)[feature] == pytest.approx(np.mean(ratios), rel=1e-10)
    assert found.windows.tolist() == [20, 20, 20]
    assert found.samples == pytest.approx(np.full(3, 400 * 7600 / 8000))


def test_phi_is_the_design_effect_of_repeated_entities():
    """Every record comes m times: chi-square is m times too large."""
    rng = np.random.default_rng(2)
    once = np.array([[rng.multinomial(300, np.full(10, 0.1)) for _ in range(6)] for _ in range(60)])
    found = significance.overdispersion(once * 4)
    assert (1 + found.excess * found.samples).mean() == pytest.approx(4.0, rel=0.05)


def test_phi_of_shares_that_move_grows_with_the_window():
    """Windows of different size, shares moving between them: each predicts the other's phi."""
    rng = np.random.default_rng(3)
    small, large = (
        np.array(
            [[rng.multinomial(n, rng.dirichlet(np.full(10, 40.0))) for _ in range(40)] for _ in range(30)]
        )
        for n in (200, 1000)
    )
    told = significance.overdispersion(small)
    found = significance.overdispersion(large)
    assert (told.excess * found.samples).mean() == pytest.approx(
        (found.excess * found.samples).mean(), rel=0.05
    )
    assert told.phi(found.samples).mean() > 2 * told.phi().mean()
    assert (told.phi(1.0) == told.phi()).all()


def test_phi_is_at_least_1_and_constant_features_have_none():
    counts = np.zeros((9, 2, 12))
    counts[:, 0, 3] = 100
    counts[:, 1] = 10
    found = significance.overdispersion(counts)
    assert found.phi().tolist() == [1, 1]
    assert found.windows.tolist() == [9, 9]


def test_empty_windows_are_not_counted():
    counts = np.full((10, 1, 10), 10.0)
    counts[3:] = 0
    assert significance.overdispersion(counts).windows.tolist() == [3]
    assert significance.overdispersion(np.zeros((0, 2, 10))).phi().tolist() == [1, 1]


@pytest.mark.parametrize(("phi", "windows"), [(1.0, 8), (1.3, 30), (4.0, 12), (30.0, 43)])
@pytest.mark.parametrize("degrees", [2, 9])
def test_p_is_the_share_of_draws_of_the_sum_that_exceed_it(phi, windows, degrees):
    rng = np.random.default_rng(5)
    draws = rng.chisquare(degrees - 1, 1_000_000)
    draws += (1 + degrees * (phi - 1)) * rng.standard_t(windows - 1, 1_000_000) ** 2
    levels = np.array([0.5, 0.1, 0.01, 0.003])
    found = significance.overdispersed_p(np.quantile(draws, 1 - levels), degrees, phi, windows)
    assert found == pytest.approx(levels, rel=0.05)


def test_p_with_one_degree_is_students_to_the_last_digit():
    statistic = np.array([0.0, 3.0, 12.0, 40.0, 400.0])
    p = significance.overdispersed_p(statistic, 1, 6.0, 30)
    assert p == pytest.approx(2 * stats.t.sf(np.sqrt(statistic / 6.0), 29), rel=1e-12)


def test_p_of_independent_records_and_many_windows_is_nearly_chi_squares():
    statistic = np.array([5.0, 20.0, 30.0])
    p = significance.overdispersed_p(statistic, 9, 1.0, 100_000)
    assert p == pytest.approx(stats.chi2.sf(statistic, 9), rel=0.01)


def test_student_density_is_scipys():
    t, freedom = np.linspace(0, 30, 50), np.array([[1.0], [7.0], [42.0]])
    assert significance.student_density(t, freedom) == pytest.approx(stats.t.pdf(t, freedom), rel=1e-12)


def test_persistence_is_found_where_windows_are_alike():
    rng = np.random.default_rng(7)
    for wanted in (0.0, 0.6):
        latent = np.zeros((200, 40))
        for k in range(1, 200):
            latent[k] = wanted * latent[k - 1] + rng.normal(0, np.sqrt(1 - wanted**2), 40)
        shares = np.exp(0.3 * latent[..., None] * np.linspace(-1, 1, 10))
        shares /= shares.sum(axis=-1, keepdims=True)
        counts = np.array([[rng.multinomial(2_000, p) for p in each] for each in shares])
        found = significance.overdispersion(counts)
        error = 1 / np.sqrt(200)
        assert np.median(found.persistence) - error == pytest.approx(wanted, abs=0.05)
        plain = 1 + found.excess * found.samples
        assert (found.phi() > plain).all()
        assert (found.independent_windows().mean() < 130) == (wanted > 0)


def test_p_without_degrees_or_windows():
    assert significance.overdispersed_p(np.array([0.0]), 0, 3.0, 30).tolist() == [1.0]
    assert np.isnan(significance.overdispersed_p(np.array([10.0]), 9, 3.0, 1)).all()
    assert np.isnan(significance.overdispersed_p(np.array([np.nan]), 9, 3.0, 30)).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_benjamini_hochberg_is_scipys(p):
    wanted = stats.false_discovery_control(p, method="bh")
    assert significance.benjamini_hochberg(np.array(p)) == pytest.approx(wanted, abs=1e-15)


def test_benjamini_hochberg_passes_over_what_is_no_test():
    p = np.array([[np.nan, 0.01, np.nan, 0.04], [np.nan] * 4])
    found = significance.benjamini_hochberg(p)
    assert found[0, [1, 3]].tolist() == stats.false_discovery_control([0.01, 0.04]).tolist()
    assert np.isnan(found[0, [0, 2]]).all()
    assert np.isnan(found[1]).all()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="least: expected a finite number of at least 0, found -1"):
        significance.merged(np.ones(3), np.ones(3), least=-1)
    with pytest.raises(ValueError, match="expected \\(windows, features, bins\\), found shape \\(3,\\)"):
        significance.overdispersion(np.ones(3))
    with pytest.raises(ValueError, match="phi: expected at least 1, found less"):
        significance.overdispersed_p(np.ones(1), 1, 0.5, 8)
    with pytest.raises(ValueError, match="p: expected values in \\[0, 1\\], found others"):
        significance.benjamini_hochberg(np.array([1.5]))
    with pytest.raises(ValueError, match="p: expected at least one axis, found a number"):
        significance.benjamini_hochberg(np.float64(0.5))
    with pytest.raises(ValueError, match="reference_samples: expected finite counts"):
        significance.effective_samples(-1, 2)
    with pytest.raises(ValueError, match="freedom: expected numbers above 0"):
        significance.student_density(np.ones(2), np.array([1.0, 0.0]))
    row = np.ones(2)
    with pytest.raises(ValueError, match="windows: expected finite counts"):
        significance.persistence(-row, row, row, row)
    with pytest.raises(ValueError, match="apart: expected finite counts"):
        significance.persistence(row, row, np.nan * row, row)
    with pytest.raises(ValueError, match="bins: expected numbers above 0"):
        significance.persistence(row, row, row, 0 * row)
    with pytest.raises(ValueError, match="samples: expected finite counts"):
        significance.Overdispersion(row, row, row, 0 * row).phi(-1)
    with pytest.raises(ValueError, match="expected at least 0"):
        significance.overdispersed_p(-row, 1, 1.0, 8)

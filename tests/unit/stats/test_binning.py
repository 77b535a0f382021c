"""Edges, unions of bins, and quantiles from bins."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from driftgauge.stats import binning, classification
from driftgauge.stats.arrays import Edges, Sample

SEED = 20261122
LARGEST = np.finfo(float).max


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        yield


def below(value):
    return np.nextafter(value, -np.inf)


def counts_in(edges, values, weights=None):
    return np.bincount(np.searchsorted(edges, values, side="left"), weights, minlength=len(edges) + 1)


def edges_of(values, bins, **options):
    values = np.sort(np.asarray(values, dtype=float))
    return binning.quantile_edges(values, np.ones(len(values)), bins, **options)


def test_edges_of_a_continuous_sample_are_its_inverted_cdf_quantiles():
    values = np.sort(np.random.default_rng(SEED).normal(size=6400))
    edges = edges_of(values, 64)
    levels = np.arange(1, 64) / 64
    assert edges == pytest.approx(np.quantile(values, levels, method="inverted_cdf"), abs=0)
    assert (counts_in(edges, values) == 100).all()


def test_a_weighted_sample_has_the_edges_of_the_repeated_one():
    rng = np.random.default_rng(SEED)
    values, weights = np.sort(rng.normal(size=300)), rng.integers(1, 9, 300)
    weighted = binning.quantile_edges(values, weights, 16)
    assert (weighted == edges_of(np.repeat(values, weights), 16)).all()


def test_a_heavy_value_has_a_bin_that_nothing_else_enters():
    rng = np.random.default_rng(SEED)
    values = np.sort(np.concatenate((rng.normal(10, 3, 5000), np.zeros(2000), np.full(1000, 10.0))))
    edges = edges_of(values, 64)
    assert len(edges) == 63
    for atom in [0.0, 10.0]:
        assert atom in edges
        assert below(atom) in edges
        number = np.searchsorted(edges, [below(atom), atom, np.nextafter(atom, np.inf)])
        assert np.diff(number).tolist() == [1, 1]
    counts = counts_in(edges, values)
    rest = np.sort(counts)[:-2]
    assert rest.max() <= 2 * 5000 / 61
    assert rest[1:].min() > 0


def test_a_few_distinct_values_each_have_a_bin_of_their_own_with_nothing_between():
    edges = edges_of([0, 0, 0, 1, 1, 2], 64)
    assert edges.tolist() == [0, below(1), 1, below(2)] + [2] * 59
    counts = counts_in(edges, [-1, 0, 0.5, 1, 1.5, 2, 3])
    assert counts.tolist() == [2, 1, 1, 1, 1] + [0] * 58 + [1]


def test_twenty_distinct_values_are_atoms_and_twenty_one_are_not():
    twenty, more = np.arange(20.0), np.repeat(np.arange(21.0), 4)
    assert np.searchsorted(edges_of(twenty, 64), 7.5) not in np.searchsorted(edges_of(twenty, 64), twenty)
    edges = edges_of(more, 16)
    assert below(7) not in edges
    assert (
        edges_of(more, 16, distinct_limit=21)[0]
        == binning.quantile_edges(np.arange(21.0), np.full(21, 4), 16, distinct_limit=21)[0]
    )


@pytest.mark.parametrize("distinct", [1, 2, 20, 21, 33, 63, 64])
def test_with_at_most_as_many_values_as_bins_each_has_its_own(distinct):
    values = np.arange(float(distinct))
    edges = binning.quantile_edges(values, np.arange(1, distinct + 1) ** 2, 64)
    assert len(set(np.searchsorted(edges, values))) == distinct


def test_padding_repeats_the_maximum():
    edges = edges_of([3.0], 5)
    assert edges.tolist() == [3.0] * 4
    assert counts_in(edges, [3.0, 3.0]).tolist() == [2, 0, 0, 0, 0]


def test_more_atoms_than_bins_join_the_lightest_neighbours():
    # five values for three bins: 1 and 2 are the lightest neighbours, then 4 and 5
    values, weights = np.arange(1.0, 6), np.array([1, 2, 40, 5, 3])
    edges = binning.quantile_edges(values, weights, 3)
    assert counts_in(edges, values, weights).tolist() == [3, 40, 8]


def test_one_bin_has_no_edges():
    assert edges_of([1, 2, 3], 1).shape == (0,)


def test_many_heavy_neighbours_leave_bins_for_the_light_rest():
    rng = np.random.default_rng(SEED)
    values = np.sort(np.concatenate((np.repeat(np.arange(25.0), 200), rng.uniform(100, 200, 5000))))
    edges = edges_of(values, 64)
    counts = counts_in(edges, values)
    assert len(set(np.searchsorted(edges, np.arange(25.0)))) == 25
    assert counts.max() <= 200


def test_adjacent_floats_and_signed_zeros_are_told_apart_rightly():
    one, next_one = 1.0, np.nextafter(1.0, 2)
    edges = edges_of([one, one, next_one], 8)
    assert np.searchsorted(edges, [one, next_one]).tolist() == [0, 1]
    edges = edges_of([-0.0, 0.0, 1.0], 4)
    assert counts_in(edges, [-0.0, 0.0]).tolist() == [2, 0, 0, 0]


def test_weights_of_nothing_are_ignored():
    edges = binning.quantile_edges(np.array([1.0, 2.0, 9.0]), np.array([1, 1, 0]), 4)
    assert edges.tolist() == [1, below(2), 2]


@given(
    st.lists(st.tuples(st.integers(-40, 40), st.integers(1, 100)), min_size=1, max_size=120),
    st.integers(1, 30),
)
def test_edges_always_ascend_stay_in_range_and_keep_atoms_alone_where_bins_suffice(pairs, bins):
    pairs = sorted(pairs)
    values = np.array([p[0] for p in pairs]) / 8
    weights = np.array([p[1] for p in pairs])
    edges = binning.quantile_edges(values, weights, bins)
    assert edges.shape == (bins - 1,)
    assert (np.diff(edges) >= 0).all()
    if bins > 1:
        assert values[0] <= edges[0]
        assert edges[-1] <= values[-1]
    distinct = np.unique(values)
    mass = np.array([weights[values == v].sum() for v in distinct])
    number = np.searchsorted(edges, distinct, side="left")
    if len(distinct) <= bins:
        assert len(set(number)) == len(distinct)
    atoms = mass * bins > mass.sum() if len(distinct) > 20 else np.ones(len(distinct), dtype=bool)
    if 2 * atoms.sum() + 1 <= bins:
        for i in np.flatnonzero(atoms):
            assert (number == number[i]).sum() == 1


@given(st.integers(0, 2**32), st.integers(2, 64))
def test_bins_without_atoms_hold_at_most_twice_their_share(seed, bins):
    values = np.sort(np.random.default_rng(seed).lognormal(0, 3, 2000))
    counts = counts_in(edges_of(values, bins), values)
    assert counts.max() <= 2000 / bins + 1
    assert counts.min() >= 1


@pytest.mark.parametrize(
    ("values", "weights", "bins", "message"),
    [
        ([1, 2], [1], 4, r"weights: expected one for each value, shape \(2,\), found \(1,\)"),
        ([[1, 2]], [[1, 2]], 4, "weights: expected one for each value"),
        ([2, 1], [1, 1], 4, "values: expected finite numbers in ascending order, found otherwise"),
        ([1, np.nan], [1, 1], 4, "values: expected finite numbers in ascending order"),
        ([1, np.inf], [1, 1], 4, "values: expected finite numbers in ascending order"),
        ([1, 2], [0, 0], 4, "weights: expected a sum above 0, found 0"),
        ([], [], 4, "weights: expected a sum above 0, found 0"),
        ([1, 2], [1, -1], 4, r"weights: expected finite counts of at least 0, found -1 at \(1,\)"),
        ([1, 2], [1, 1], 0, "bins: expected at least 1, found 0"),
    ],
)
def test_quantile_edges_refuse_in_words(values, weights, bins, message):
    with pytest.raises(ValueError, match=message):
        binning.quantile_edges(np.array(values, dtype=float), np.array(weights), bins)


def test_tail_bins_double_from_the_extremes():
    low, high = binning.tail_edges(-1.0, 3.0, 0.5, 5)
    assert high.tolist() == [3, 3.5, 4.5, 6.5, 10.5]
    assert low.tolist() == pytest.approx([-8.5, -4.5, -2.5, -1.5, below(-1)], rel=1e-15)
    assert low[-1] == below(-1.0)


def test_tails_and_quantiles_join_into_one_row_of_edges():
    values = np.sort(np.random.default_rng(SEED).normal(size=1000))
    low, high = binning.tail_edges(values[0], values[-1], 0.3)
    edges = np.concatenate((low, edges_of(values, 64), high))
    assert len(edges) + 1 == 64 + 12 + 12
    assert (np.diff(edges) >= 0).all()
    counts = counts_in(edges, values)
    assert counts[:12].sum() == counts[-12:].sum() == 0
    assert counts_in(edges, [below(values[0])])[11] == 1
    assert counts_in(edges, [np.nextafter(values[-1], np.inf)])[76] == 1


def test_tails_reach_a_change_of_unit_by_a_hundred():
    values = np.random.default_rng(SEED).gamma(4, 10, 5000)
    width = binning.tail_width(np.subtract(*np.quantile(values, [0.75, 0.25])), values.std())
    _, high = binning.tail_edges(values.min(), values.max(), width)
    assert high[-1] - high[0] == pytest.approx(2047 * width)
    assert np.quantile(values * 100, 0.95) < high[-1]


@pytest.mark.parametrize("extreme", [0.0, 1e300, LARGEST])
def test_tails_never_overflow(extreme):
    low, high = binning.tail_edges(-extreme, extreme, 1e308)
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2.0, 1.0, 1.0), "minimum, maximum: expected finite and ascending, found 2.0 and 1.0"),
        ((0.0, np.inf, 1.0), "minimum, maximum: expected finite and ascending, found 0.0 and inf"),
        ((np.nan, 1.0, 1.0), "minimum, maximum: expected finite and ascending, found nan and 1.0"),
        ((0.0, 1.0, 0.0), "width, count: expected a finite width above 0 and at least 1 edge, found 0.0"),
        ((0.0, 1.0, 1.0, 0), "width, count: .*, found 1.0 and 0"),
    ],
)
def test_tail_edges_refuse_in_words(arguments, message):
    with pytest.raises(ValueError, match=message):
        binning.tail_edges(*arguments)


@pytest.mark.parametrize(
    ("iqr", "deviation", "width"),
    [
        (8.0, 3.0, 2.0),
        (0.0, 4.0, 1.0),
        (0.0, 0.0, 1.0),
        (np.nan, 4.0, 1.0),
        (np.nan, np.nan, 1.0),
        (np.inf, 4.0, 1.0),
        (0.0, np.inf, 1.0),
        (-1.0, 2.0, 0.5),
        (5e-324, 0.0, 1.0),
    ],
)
def test_the_width_of_the_first_tail_bin(iqr, deviation, width):
    assert binning.tail_width(iqr, deviation) == width


def masses_of(groups, counts):
    return np.bincount(groups, counts)


def test_coarse_groups_of_even_bins_are_even():
    groups = binning.coarse_groups(np.full(60, 5))
    assert groups.tolist() == np.repeat(np.arange(10), 6).tolist()


def test_tails_join_the_outermost_groups():
    counts = np.concatenate((np.zeros(12), np.full(64, 10), np.zeros(12)))
    groups = binning.coarse_groups(counts)
    assert (groups[:13] == 0).all()
    assert (groups[-13:] == 9).all()
    assert set(masses_of(groups, counts)) == {60, 70}


def test_an_atom_fills_a_group_alone():
    counts = np.full(40, 10)
    counts[17] = 1000
    groups = binning.coarse_groups(counts)
    assert (groups == groups[17]).sum() == 1
    assert set(groups) == set(range(10))


def test_few_filled_bins_have_a_group_each_and_the_rest_stays_unused():
    groups = binning.coarse_groups(np.array([0, 5, 0, 0, 9, 1, 0]))
    assert groups.tolist() == [0, 0, 1, 1, 1, 2, 2]


@given(st.lists(st.integers(0, 20), min_size=1, max_size=9).filter(any), st.integers(1, 5))
def test_no_other_unions_are_more_equal(counts, groups):
    counts = np.array(counts)
    found = binning.coarse_groups(counts, groups)
    assert found.shape == counts.shape
    assert found[0] == 0
    assert set(np.diff(found)) <= {0, 1}
    filled = counts[counts > 0]
    runs = min(groups, len(filled))
    assert len(set(found)) == runs
    best = min(
        sum(part.sum() ** 2 for part in np.split(filled, cuts))
        for cuts in itertools.combinations(range(1, len(filled)), runs - 1)
    )
    assert (masses_of(found, counts) ** 2).sum() == best


def test_counts_of_nothing_are_shared_out_by_number():
    assert binning.coarse_groups(np.zeros(20)).tolist() == np.repeat(np.arange(10), 2).tolist()


@pytest.mark.parametrize(
    ("counts", "groups", "message"),
    [
        (np.ones((2, 2)), 3, r"fine_counts: expected shape \(bins,\), found \(2, 2\)"),
        (np.ones(0), 3, r"fine_counts: expected shape \(bins,\), found \(0,\)"),
        (np.ones(4), 0, "groups: expected at least 1, found 0"),
        (-np.ones(4), 2, "fine_counts: expected finite counts of at least 0, found -1.0"),
    ],
)
def test_coarse_groups_refuse_in_words(counts, groups, message):
    with pytest.raises(ValueError, match=message):
        binning.coarse_groups(counts, groups)


def test_the_quality_edges_are_512_bins_of_log_odds_and_the_hundredths():
    edges = binning.log_odds_edges()
    assert edges.shape == (710,)
    assert (np.diff(edges) > 0).all()
    assert 0 < edges[0] < 1e-5
    assert 1 - 1e-5 < edges[-1] < 1
    hundredths = np.array([float(f"0.{k:02d}") for k in range(1, 100)])
    added = np.union1d(hundredths, below(hundredths))
    rest = np.setdiff1d(edges, added)
    odds = np.log(rest / (1 - rest))
    steps = (odds + 12) / (24 / 512)
    assert steps == pytest.approx(np.delete(np.arange(513), 256), abs=1e-5)


def test_each_hundredth_as_text_sits_alone_in_its_bin():
    edges = binning.log_odds_edges()
    texts = [f"0.{k:02d}" for k in range(1, 100)] + [f"{k}e-2" for k in range(1, 100)]
    for value in map(float, texts):
        around = np.searchsorted(edges, [below(value), value, np.nextafter(value, 1)])
        assert np.diff(around).tolist() == [1, 1]


@pytest.mark.parametrize("make", [lambda k: float(f"{k / 100:.2f}"), lambda k: k / 100, lambda k: k * 0.01])
def test_scores_of_two_decimals_give_the_exact_roc_auc(make):
    rng = np.random.default_rng(SEED)
    edges = binning.log_odds_edges()
    steps = np.concatenate((np.arange(101), rng.integers(0, 101, 5000)))
    score = np.array([make(int(k)) for k in steps])
    outcome = rng.random(len(score)) < 0.1 + 0.6 * score
    counts = [counts_in(edges, score[x]) for x in (outcome, ~outcome)]
    value, _ = classification.roc_auc(*counts)
    assert value == pytest.approx(metrics.roc_auc_score(outcome, score), abs=1e-12)
    found = classification.average_precision(*counts)
    assert found == pytest.approx(metrics.average_precision_score(outcome, score), abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 5), (0.5, 0.5), (20, 20), (200, 200), (0.5, 30), (0.3, 8), (8, 0.3)])
def test_continuous_scores_give_roc_auc_within_a_thousandth_and_within_the_half_width(shape):
    rng = np.random.default_rng(SEED)
    score = rng.beta(*shape, 20_000)
    for sharpness in [0.0, 0.3, 1.0]:  # a broken model, a weak one, a calibrated one
        rate = sharpness * score + (1 - sharpness) * score.mean()
        outcome = rng.random(len(score)) < rate
        counts = [counts_in(binning.log_odds_edges(), score[x]) for x in (outcome, ~outcome)]
        value, half_width = classification.roc_auc(*counts)
        off = abs(value - metrics.roc_auc_score(outcome, score))
        assert off <= half_width + 1e-12
        assert off < 0.001


def test_the_half_width_owns_up_where_scores_lie_beyond_the_edges():
    # half of these scores are below 6e-6, all in the first bin
    rng = np.random.default_rng(SEED)
    score = rng.beta(0.05, 5, 20_000)
    outcome = rng.random(len(score)) < 0.3 * score + 0.7 * score.mean()
    counts = [counts_in(binning.log_odds_edges(), score[x]) for x in (outcome, ~outcome)]
    value, half_width = classification.roc_auc(*counts)
    off = abs(value - metrics.roc_auc_score(outcome, score))
    assert 0.001 < off <= half_width


@pytest.mark.parametrize("error", [0.01, 0.05, 0.5, 1.0])
def test_log_edges_keep_their_relative_error(error):
    edges = binning.log_edges(1e-4, 100.0, error)
    assert edges[0] == 1e-4
    assert edges[-1] == 100.0
    middle = np.sqrt(edges[:-1] * edges[1:])
    inside = edges[:-1] + np.linspace(0, 1, 50)[:, None] * np.diff(edges)
    assert (np.abs(middle - inside) / inside).max() <= error * (1 + 1e-12)
    fewest = math.log(1e6) / (2 * math.log1p(error))
    assert len(edges) - 1 < fewest + 1


def test_log_edges_worked_number():
    assert len(binning.log_edges(1e-4, 100.0, 0.05)) == 143


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 0.1), "low, high: expected 0 < low < high, found 0 and 1"),
        ((2, 1, 0.1), "low, high: expected 0 < low < high, found 2 and 1"),
        ((1, np.inf, 0.1), "low, high: expected 0 < low < high, found 1 and inf"),
        ((1, 2, 0), "relative_error: expected above 0, at most 1, found 0"),
        ((1, 2, np.nan), "relative_error: expected above 0, at most 1, found nan"),
    ],
)
def test_log_edges_refuse_in_words(arguments, message):
    with pytest.raises(ValueError, match=message):
        binning.log_edges(*arguments)


def test_quantiles_are_interpolated_in_the_cumulative_shares():
    rng = np.random.default_rng(SEED)
    counts = rng.integers(1, 50, (6, 20))
    edges = np.sort(rng.normal(size=(6, 21)), axis=1)
    levels = np.array([0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0])
    found = binning.quantile_from_counts(counts, edges, levels)
    assert found.shape == (6, 7)
    for row, ends, quantiles in zip(counts, edges, found, strict=True):
        cumulative = np.concatenate(([0], np.cumsum(row))) / row.sum()
        assert quantiles == pytest.approx(np.interp(levels, cumulative, ends), abs=1e-12)
    assert (binning.quantile_from_counts(counts, edges, 0.5) == found[:, 3]).all()
    checked = Sample.of(counts, ordered=True), Edges.of(edges)
    assert (binning.quantile_from_counts(*checked, levels) == found).all()


def test_quantiles_of_several_windows_in_the_same_edges():
    rng = np.random.default_rng(SEED)
    counts, edges = rng.integers(0, 9, (3, 6, 20)), np.sort(rng.normal(size=(6, 21)), axis=1)
    levels = np.array([0.05, 0.95])
    found = binning.quantile_from_counts(counts, edges, levels)
    assert found.shape == (3, 6, 2)
    for window, quantiles in zip(counts, found, strict=True):
        assert (quantiles == binning.quantile_from_counts(window, edges, levels)).all()
    one = binning.quantile_from_counts(counts[0, 0], edges, levels)
    assert one.tolist() == [binning.quantile_from_counts(counts[0, 0], e, levels).tolist() for e in edges]


def test_whole_counts_have_the_quantiles_of_the_same_weights_and_none_without_counts():
    rng = np.random.default_rng(SEED)
    counts = rng.integers(0, 9, (200, 20)).astype(np.uint32)
    counts[3] = 0
    edges, levels = np.sort(rng.normal(size=21)), np.array([0.0, 0.05, 0.5, 0.95, 1.0])
    found = binning.quantile_from_counts(counts, edges, levels)
    assert (np.isnan(found).all(axis=1) == (np.arange(200) == 3)).all()
    weights = binning.quantile_from_counts(counts.astype(float), edges, levels)
    assert np.array_equal(found, weights, equal_nan=True)


def test_the_last_quantile_of_weights_is_the_end_of_the_last_filled_bin():
    """Sums in two orders differ by rounding; the level must not fall behind the last bin."""
    rng = np.random.default_rng(SEED)
    weights = np.concatenate([rng.random((50, 17)), np.zeros((50, 3))], axis=1)
    found = binning.quantile_from_counts(weights, np.arange(21.0), 1.0)
    assert found == pytest.approx(np.full(50, 17.0))


@given(st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any), st.floats(0, 1))
def test_quantiles_from_bins_are_off_by_at_most_the_bin(counts, q):
    edges = np.array([0.0, 1, 3, 3, 10, 11])
    # the sample at the bins' upper ends is one that has these counts
    sample = np.repeat(edges[1:], counts)
    exact = np.quantile(sample, q, method="inverted_cdf")
    found = binning.quantile_from_counts(np.array(counts), edges, q)
    number = np.searchsorted(edges[1:], exact)
    assert edges[number] - 1e-12 <= found <= exact + 1e-12 or q * sum(counts) % 1 < 1e-9


def test_quantile_ends_are_those_of_the_filled_bins():
    counts, edges = np.array([0, 0, 4, 0, 2, 0]), np.arange(7.0)
    assert binning.quantile_from_counts(counts, edges, np.array([0.0, 1.0])).tolist() == [2, 5]
    assert binning.quantile_from_counts(counts, edges, 0.5) == 2.75


def test_an_atom_is_its_own_quantile():
    counts, edges = np.array([1, 8, 1]), np.array([0.0, 0.1, 0.1, 1.0])
    assert (binning.quantile_from_counts(counts, edges, np.array([0.2, 0.5, 0.9])) == 0.1).all()


def test_quantiles_of_nothing_are_nan():
    counts = np.array([[0, 0], [1, 1]])
    found = binning.quantile_from_counts(counts, np.array([0.0, 1, 2]), np.array([0.1, 0.5]))
    assert np.isnan(found).tolist() == [[True, True], [False, False]]
    assert binning.quantile_from_counts(np.zeros((0, 2)), np.arange(3.0), 0.5).shape == (0,)


def test_quantiles_over_the_whole_range_of_floats_do_not_overflow():
    found = binning.quantile_from_counts(np.array([2]), np.array([-LARGEST, LARGEST]), 0.75)
    assert found == pytest.approx(LARGEST / 2)


@pytest.mark.parametrize(
    ("counts", "edges", "q", "message"),
    [
        ([1, 2], [0, 1], 0.5, r"edges: expected one more than the bins of \(2,\), found \(2,\)"),
        ([1, 2], [0, 2, 1], 0.5, "edges: expected ascending order, found a step down"),
        ([], [0], 0.5, r"counts: expected at least 1 bin on the last axis, found \(0,\)"),
        ([1, -2], [0, 1, 2], 0.5, r"counts: expected finite counts of at least 0, found -2 at \(1,\)"),
        ([1, 2], [0, 1, 2], 1.5, r"q: expected numbers in \[0, 1\], found 1.5"),
        ([1, 2], [0, 1, 2], np.nan, r"q: expected numbers in \[0, 1\], found nan"),
        ([1, 2], [0, 1, 2], np.ones((2, 2)), r"q: expected numbers in \[0, 1\], found"),
    ],
)
def test_quantiles_refuse_in_words(counts, edges, q, message):
    with pytest.raises(ValueError, match=message):
        binning.quantile_from_counts(np.array(counts), np.array(edges, dtype=float), q)

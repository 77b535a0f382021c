"""Divergences against scipy, on named shapes, and their properties."""

import itertools
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, spatial, stats

from driftgauge.stats import divergence
from driftgauge.stats.arrays import Edges, Sample

SEED = 20261122
DISTANCES = [
    divergence.psi,
    divergence.js_distance,
    divergence.hellinger,
    divergence.total_variation,
    divergence.l_infinity,
    divergence.ks_statistic,
]
EDGES = np.arange(5.0)
NAMED = {
    "no bin shared": ([5, 0, 0, 0], [0, 0, 0, 7]),
    "all in one bin, the same": ([9, 0, 0, 0], [4, 0, 0, 0]),
    "all in one bin, against even": ([9, 0, 0, 0], [1, 1, 1, 1]),
    "proportional": ([1, 2, 3, 4], [10, 20, 30, 40]),
    "one empty bin": ([3, 0, 3, 3], [2, 1, 2, 2]),
    "huge": ([4e9, 1, 4e9, 0], [1, 4e9, 0, 4e9]),
}

rows = st.lists(st.integers(0, 10**6), min_size=2, max_size=20)


@st.composite
def pairs(draw):
    reference = draw(rows.filter(any))
    current = draw(st.lists(st.integers(0, 10**6), min_size=len(reference), max_size=len(reference)))
    if not any(current):
        current[0] = 1
    return np.array(reference), np.array(current)


@pytest.fixture(autouse=True)
def warnings_are_errors():
    with warnings.catch_warnings(), np.errstate(divide="raise", invalid="raise", over="raise"):
        warnings.simplefilter("error")
        yield


@pytest.fixture
def random_pair():
    rng = np.random.default_rng(SEED)
    sizes = rng.integers(0, 500, (2, 30, 12)) * (rng.random((2, 30, 12)) > 0.2)
    return sizes[0] + np.eye(30, 12, dtype=int), sizes[1] + np.eye(30, 12, dtype=int)


def shares(counts):
    return counts / counts.sum(axis=-1, keepdims=True)


def test_psi_is_the_symmetrised_divergence_of_the_floored_shares(random_pair):
    reference, current = random_pair
    p, q = np.maximum(shares(reference), 1e-4), np.maximum(shares(current), 1e-4)
    total_p, total_q = p.sum(axis=1), q.sum(axis=1)
    for i in range(len(p)):
        a, b = p[i] / total_p[i], q[i] / total_q[i]
        # entropy() renormalises; undo it: with s = sum p and t = sum q,
        # sum p ln(p/q) = s * (KL(a, b) + ln(s/t)).
        s, t = total_p[i], total_q[i]
        wanted = s * (stats.entropy(a, b) + np.log(s / t)) + t * (stats.entropy(b, a) + np.log(t / s))
        assert divergence.psi(reference, current)[i] == pytest.approx(wanted, rel=1e-12)


def test_decile_psi_by_hand():
    # Ten deciles of 100; the current sample lost half of the first to the last.
    # (0.1 - 0.05) ln(0.1 / 0.05) + (0.1 - 0.15) ln(0.1 / 0.15)
    #  = 0.05 * 0.6931471805599453 + 0.05 * 0.4054651081081644 = 0.0549306144334055
    reference = np.full(10, 100)
    current = np.array([50, *[100] * 8, 150])
    assert divergence.psi(reference, current) == pytest.approx(0.0549306144334055, rel=1e-13)


def test_an_empty_bin_facing_five_percent_adds_about_a_third_to_psi():
    # (0.05 - 0.0001) ln(0.05 / 0.0001) = 0.0499 * 6.214608098422191
    found = divergence.psi(np.array([1000, 0]), np.array([950, 50]))
    rest = 0.05 * np.log(1 / 0.95)
    assert found == pytest.approx(0.0499 * 6.214608098422191 + rest, rel=1e-12)


def test_psi_of_samples_that_share_nothing_stays_below_its_bound():
    found = divergence.psi(np.array([1, 0]), np.array([0, 1]))
    assert found == pytest.approx(2 * (1 - 1e-4) * np.log(1e4), rel=1e-13)
    assert found < 2 * np.log(1e4)


def test_js_distance_is_scipys(random_pair):
    wanted = spatial.distance.jensenshannon(*random_pair, base=2, axis=1)
    assert divergence.js_distance(*random_pair) == pytest.approx(wanted, abs=1e-7)


def test_hellinger_is_the_distance_of_the_square_roots(random_pair):
    reference, current = random_pair
    wanted = [
        spatial.distance.euclidean(np.sqrt(a), np.sqrt(b)) / np.sqrt(2)
        for a, b in zip(shares(reference), shares(current), strict=True)
    ]
    assert divergence.hellinger(*random_pair) == pytest.approx(np.array(wanted), abs=1e-12)


def test_total_variation_and_l_infinity_are_scipys(random_pair):
    both = list(zip(shares(random_pair[0]), shares(random_pair[1]), strict=True))
    half_cityblock = np.array([spatial.distance.cityblock(a, b) / 2 for a, b in both])
    chebyshev = np.array([spatial.distance.chebyshev(a, b) for a, b in both])
    assert divergence.total_variation(*random_pair) == pytest.approx(half_cityblock, abs=1e-12)
    assert divergence.l_infinity(*random_pair) == pytest.approx(chebyshev, abs=1e-12)


def test_ks_is_scipys_where_each_value_has_a_bin(random_pair):
    values = np.arange(12)
    wanted = [
        stats.ks_2samp(np.repeat(values, a), np.repeat(values, b), method="asymp").statistic
        for a, b in zip(*random_pair, strict=True)
    ]
    assert divergence.ks_statistic(*random_pair) == pytest.approx(np.array(wanted), abs=1e-12)


@given(st.integers(0, 2**32), st.floats(-2, 2), st.floats(0.1, 3))
def test_the_exact_ks_lies_within_the_bound(seed, shift, spread):
    rng = np.random.default_rng(seed)
    reference, current = rng.normal(size=300), rng.normal(shift, spread, size=200)
    edges = np.quantile(reference, np.arange(1, 16) / 16)
    counts = [np.bincount(np.searchsorted(edges, x), minlength=16) for x in (reference, current)]
    exact = stats.ks_2samp(reference, current, method="asymp").statistic
    value, bound = divergence.ks_statistic(*counts), divergence.ks_bound(*counts)
    assert value - 1e-12 <= exact <= value + bound + 1e-12


def test_the_bound_is_reached_where_a_bin_is_crossed_one_sample_after_the_other():
    # One bin; every reference value lies below every current one: KS is 1.
    counts = np.array([10]), np.array([10])
    assert divergence.ks_statistic(*counts) == 0
    assert divergence.ks_bound(*counts) == 1


def test_chi_square_is_scipys(random_pair):
    statistic, degrees = divergence.chi_square(*random_pair)
    for i, (a, b) in enumerate(zip(*random_pair, strict=True)):
        table = np.array([a, b])[:, (a + b) > 0]
        wanted = stats.chi2_contingency(table, correction=False)
        assert statistic[i] == pytest.approx(wanted.statistic, rel=1e-10)
        assert degrees[i] == wanted.dof
        p = divergence.chi_square_p(statistic, degrees)[i]
        assert p == pytest.approx(wanted.pvalue, rel=1e-8, abs=1e-300)


def test_chi_square_p_is_scipys_survival_function():
    statistic, degrees = np.meshgrid([0.0, 1e-3, 1, 10, 300, 1e6], [1.0, 2, 9, 87, 1000])
    wanted = stats.chi2.sf(statistic, degrees)
    assert divergence.chi_square_p(statistic, degrees) == pytest.approx(wanted, rel=1e-12, abs=1e-300)


def test_chi_square_of_one_bin_has_no_degrees_and_p_1():
    statistic, degrees = divergence.chi_square(np.array([5, 0]), np.array([7, 0]))
    assert (statistic, degrees) == (0, 0)
    assert divergence.chi_square_p(statistic, degrees) == 1
    assert stats.chi2_contingency([[5], [7]]).pvalue == 1


def test_chi_square_p_of_nan_is_nan():
    found = divergence.chi_square_p(np.array([np.nan, 3.0, np.nan]), np.array([2.0, np.nan, 0.0]))
    assert np.isnan(found).all()


def test_chi_square_p_refuses_negatives():
    with pytest.raises(ValueError, match="chi_square_p: expected statistic and degrees of at least 0"):
        divergence.chi_square_p(np.array([-1.0]), np.array([2.0]))


def test_wasserstein_on_atoms_is_scipys(random_pair):
    values = np.cumsum(np.random.default_rng(SEED).random(12))
    # an atom is a bin of width 0 between two bins that hold the empty gaps
    edges = np.repeat(values, 2)
    found = []
    for a, b in zip(*random_pair, strict=True):
        wanted = stats.wasserstein_distance(values, values, a, b)
        spread = np.zeros((2, 23))
        spread[0, ::2], spread[1, ::2] = a, b
        assert divergence.wasserstein(*spread, edges) == pytest.approx(wanted, abs=1e-12)
        found.append(wanted)
    assert max(found) > 0.1


def test_wasserstein_integrates_the_straight_lines_exactly():
    rng = np.random.default_rng(SEED)
    for _ in range(8):
        reference, current = rng.integers(0, 50, (2, 8)) + 1
        edges = np.cumsum(rng.random(9) * 10.0 ** rng.integers(-2, 3)) - 7
        below = [np.concatenate(([0], np.cumsum(x) / x.sum())) for x in (reference, current)]

        def apart(x, edges=edges, below=below):
            return abs(np.interp(x, edges, below[0]) - np.interp(x, edges, below[1]))

        parts = [
            integrate.quad(apart, a, b, epsabs=1e-13, epsrel=1e-11, limit=400)[0]
            for a, b in itertools.pairwise(edges)
        ]
        assert divergence.wasserstein(reference, current, edges) == pytest.approx(sum(parts), rel=1e-9)


def test_wasserstein_of_a_crossing_by_hand():
    # F - G is 0.5 at 1 and -0.5 at 2 over bins of width 1, and 0 at both ends:
    # triangles 0.25 + (0.125 + 0.125) + 0.25.
    reference, current = np.array([2, 0, 2]), np.array([0, 4, 0])
    assert divergence.wasserstein(reference, current, np.arange(4.0)) == pytest.approx(0.75, rel=1e-15)


@given(st.integers(0, 2**32))
def test_binning_moves_wasserstein_by_at_most_its_bound(seed):
    rng = np.random.default_rng(seed)
    reference, current = rng.gamma(2, size=80), rng.gamma(3, size=70)
    edges = np.linspace(0, max(reference.max(), current.max()) + 0.1, 9)
    counts = [np.histogram(x, edges)[0] for x in (reference, current)]
    bound = ((shares(counts[0]) + shares(counts[1])) * np.diff(edges)).sum() / 2
    exact = stats.wasserstein_distance(reference, current)
    assert abs(divergence.wasserstein(*counts, edges) - exact) <= bound + 1e-12


def test_wasserstein_is_held_at_the_largest_float():
    largest = np.finfo(float).max
    edges = np.array([-largest, 0, largest, largest])
    assert divergence.wasserstein(np.array([0, 0, 1]), np.array([0, 1, 0]), edges) <= largest
    wide = np.array([-largest, largest, largest])
    assert divergence.wasserstein(np.array([1, 0]), np.array([0, 1]), wide) <= largest


def test_wasserstein_scales_with_the_unit():
    reference, current = np.array([5, 3, 2, 0]), np.array([1, 1, 4, 4])
    euros = divergence.wasserstein(reference, current, EDGES)
    assert divergence.wasserstein(reference, current, EDGES * 100) == pytest.approx(100 * euros, rel=1e-14)


@pytest.mark.parametrize("shape", NAMED)
def test_named_shapes_agree_with_the_definitions(shape):
    reference, current = (np.array(x, dtype=float) for x in NAMED[shape])
    p, q = shares(reference), shares(current)
    js = spatial.distance.jensenshannon(p, q, base=2)
    assert divergence.js_distance(reference, current) == pytest.approx(js, abs=1e-7)
    assert divergence.ks_statistic(reference, current) == pytest.approx(
        np.abs(np.cumsum(p) - np.cumsum(q)).max(), abs=1e-15
    )
    middles = EDGES[:-1]
    found = divergence.wasserstein(reference, current, EDGES)
    # shifting whole equal-width bins: the distance of their middles bounds it from below
    assert found >= abs((p * middles).sum() - (q * middles).sum()) - 1e-12


@pytest.mark.parametrize("function", DISTANCES)
@pytest.mark.parametrize("factor", [1, 3, 7, 1000])
def test_proportional_counts_give_exactly_zero(function, factor):
    rng = np.random.default_rng(SEED)
    reference = rng.integers(0, 10**5, (40, 17)) + np.eye(40, 17, dtype=int)
    assert (function(reference, reference * factor) == 0).all()


def test_proportional_counts_give_exactly_zero_chi_square_and_wasserstein():
    reference = np.array([3, 0, 7, 11])
    assert divergence.chi_square(reference, 9 * reference)[0] == 0
    assert divergence.wasserstein(reference, 9 * reference, EDGES) == 0


@pytest.mark.parametrize(
    "function", [divergence.js_distance, divergence.hellinger, divergence.total_variation]
)
def test_samples_that_share_no_bin_are_at_1(function):
    assert function(np.array([1, 1, 0]), np.array([0, 0, 9])) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("side", [0, 1])
def test_a_row_without_counts_is_nan_and_leaves_the_others_alone(side):
    pair = [np.array([[1, 2, 3, 4], [4, 3, 2, 1]]), np.array([[4, 3, 2, 1], [1, 1, 1, 1]])]
    full = [f(*pair)[1] for f in DISTANCES]
    pair[side] = pair[side].copy()
    pair[side][0] = 0
    for function, wanted in zip([*DISTANCES, divergence.ks_bound], [*full, 0.25], strict=True):
        found = function(*pair)
        assert np.isnan(found[0])
        assert found[1] == wanted
    statistic, degrees = divergence.chi_square(*pair)
    assert np.isnan([statistic[0], degrees[0]]).all()
    assert degrees[1] == 3
    assert np.isnan(divergence.wasserstein(*pair, EDGES)).tolist() == [True, False]


def test_no_features_give_no_numbers():
    nothing = np.zeros((0, 4))
    for function in [*DISTANCES, divergence.ks_bound]:
        assert function(nothing, nothing).shape == (0,)
    assert divergence.wasserstein(nothing, nothing, EDGES).shape == (0,)


def test_one_bin_is_always_at_zero():
    for function in DISTANCES:
        assert function(np.array([3]), np.array([5])) == 0


def test_one_reference_meets_several_windows_at_once():
    rng = np.random.default_rng(SEED)
    reference, windows = rng.integers(1, 50, (5, 8)), rng.integers(1, 50, (3, 5, 8))
    edges = np.sort(rng.normal(size=(5, 9)), axis=1)
    for function in [*DISTANCES, divergence.ks_bound]:
        found = function(reference, windows)
        assert found.shape == (3, 5)
        assert found[2, 4] == function(reference[4], windows[2, 4])
    found = divergence.wasserstein(reference, windows, edges)
    assert found[1, 3] == pytest.approx(divergence.wasserstein(reference[3], windows[1, 3], edges[3]))


def test_distances_gives_the_same_numbers_as_the_single_functions(random_pair):
    edges = np.linspace(0, 1, 13)
    found = divergence.distances(*random_pair, edges)
    for name, function in {
        "ks": divergence.ks_statistic,
        "ks_bound": divergence.ks_bound,
        "js": divergence.js_distance,
        "hellinger": divergence.hellinger,
        "total_variation": divergence.total_variation,
        "l_infinity": divergence.l_infinity,
    }.items():
        assert (getattr(found, name) == function(*random_pair)).all()
    assert (found.wasserstein == divergence.wasserstein(*random_pair, edges)).all()


@pytest.mark.parametrize("ordered", [False, True])
def test_counts_that_were_checked_before_give_the_same_numbers(random_pair, ordered):
    checked = [Sample.of(counts, ordered=ordered) for counts in random_pair]
    edges = np.linspace(0, 1, 13)
    for function in [*DISTANCES, divergence.ks_bound]:
        assert (function(*checked) == function(*random_pair)).all()
    for found, plain in zip(
        divergence.chi_square(*checked), divergence.chi_square(*random_pair), strict=True
    ):
        assert (found == plain).all()
    area = divergence.wasserstein(*random_pair, edges)
    assert (divergence.wasserstein(*checked, Edges.of(edges)) == area).all()
    assert (divergence.distances(*checked, Edges.of(edges)).wasserstein == area).all()
    assert (divergence.unordered_distances(*checked).js == divergence.js_distance(*random_pair)).all()
    with pytest.raises(ValueError, match="current_counts: expected the bins of reference_counts"):
        divergence.psi(checked[0], Sample.of([1, 2]))


def test_either_side_may_have_the_more_axes(random_pair):
    reference, windows = random_pair[0], np.stack(random_pair)
    edges = np.linspace(0, 1, 13)
    ahead, behind = (
        divergence.distances(reference, windows, edges),
        divergence.distances(windows, reference, edges),
    )
    for place, window in enumerate(random_pair):
        alone = divergence.distances(reference, window, edges)
        for name in ("ks", "ks_bound", "js", "hellinger", "total_variation", "l_infinity", "wasserstein"):
            assert (getattr(ahead, name)[place] == getattr(alone, name)).all()
            assert getattr(behind, name)[place] == pytest.approx(getattr(alone, name), abs=1e-12)


def test_unordered_distances_gives_the_same_numbers_as_the_single_functions(random_pair):
    found = divergence.unordered_distances(*random_pair)
    for name, function in {
        "js": divergence.js_distance,
        "hellinger": divergence.hellinger,
        "total_variation": divergence.total_variation,
        "l_infinity": divergence.l_infinity,
    }.items():
        assert (getattr(found, name) == function(*random_pair)).all()


def test_counts_may_be_unsigned_and_differ_in_type(random_pair):
    reference, current = random_pair
    for function in DISTANCES:
        found = function(reference.astype(np.uint32), current.astype(np.float32))
        assert (found == function(reference, current)).all()


@given(pairs())
def test_ranges_and_symmetry(pair):
    for function in DISTANCES:
        value, back = function(*pair), function(*pair[::-1])
        assert value == pytest.approx(back, rel=1e-12, abs=1e-15)
        assert 0 <= value <= (2 * np.log(1e4) if function is divergence.psi else 1)
    tv, worst = divergence.total_variation(*pair), divergence.l_infinity(*pair)
    assert worst <= tv + 1e-15
    assert divergence.ks_statistic(*pair) <= tv + 1e-15
    # Hellinger and total variation bound one another (Le Cam).
    h = divergence.hellinger(*pair)
    assert h**2 <= tv + 1e-12
    assert tv <= h * np.sqrt(2) + 1e-12


@given(pairs(), st.data())
def test_merging_bins_never_increases_ks_js_or_total_variation(pair, data):
    at = data.draw(st.integers(0, len(pair[0]) - 2))
    merged = [np.concatenate((x[:at], [x[at] + x[at + 1]], x[at + 2 :])) for x in pair]
    for function, slack in [
        (divergence.ks_statistic, 1e-15),
        (divergence.total_variation, 1e-15),
        (divergence.hellinger, 1e-12),
        (divergence.js_distance, 1e-7),
    ]:
        assert function(*merged) <= function(*pair) + slack
    assert divergence.ks_bound(*merged) >= divergence.ks_bound(*pair)


@given(pairs())
def test_wasserstein_is_symmetric_and_bounded_by_the_range(pair):
    edges = np.linspace(-3, 9, len(pair[0]) + 1)
    value = divergence.wasserstein(*pair, edges)
    assert value == pytest.approx(divergence.wasserstein(*pair[::-1], edges), rel=1e-12)
    assert 0 <= value <= 12 * divergence.ks_statistic(*pair) + 1e-12


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        ([1, 2], [1, 2, 3], r"current_counts: expected the bins of reference_counts, shape \(2,\), found"),
        ([[1, 2]] * 2, [[1, 2]] * 3, r"shape \(2, 2\), found \(3, 2\)"),
        ([1, 2], 3, r"found shape \(\)"),
        ([], [], r"reference_counts: expected at least 1 bin on the last axis, found shape \(0,\)"),
        ([1, -2], [1, 2], r"reference_counts: expected finite counts of at least 0, found -2 at \(1,\)"),
        ([1, 2], [np.nan, 2], r"current_counts: expected finite counts of at least 0, found nan at \(0,\)"),
        ([1, 2], [np.inf, 2], r"current_counts: expected finite counts of at least 0, found inf at \(0,\)"),
        (["a", "b"], [1, 2], r"reference_counts: expected an array of numbers, found dtype <U1"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(reference, current, message):
    for function in [*DISTANCES, divergence.ks_bound, divergence.chi_square]:
        with pytest.raises(ValueError, match=message):
            function(np.array(reference), np.array(current))


@pytest.mark.parametrize("floor", [0, 1, -0.1, np.nan])
def test_psi_refuses_a_floor_outside_0_to_1(floor):
    with pytest.raises(ValueError, match=r"floor: expected a share in \(0, 1\), found"):
        divergence.psi(np.array([1, 2]), np.array([1, 2]), floor=floor)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([0, 1], r"edges: expected one more than the bins of \(2,\), found \(2,\)"),
        ([0, 2, 1], "edges: expected ascending order, found a step down"),
        ([0, 1, np.inf], "edges: expected finite numbers, found NaN or infinity"),
        ([np.inf, np.inf, np.inf], "edges: expected finite numbers, found NaN or infinity"),
        ([np.nan, 1, 2], "edges: expected finite numbers, found NaN or infinity"),
    ],
)
def test_wasserstein_refuses_edges_that_do_not_fit(edges, message):
    with pytest.raises(ValueError, match=message):
        divergence.wasserstein(np.array([1, 2]), np.array([1, 2]), np.array(edges, dtype=float))


def test_importing_stats_imports_no_scipy():
    code = (
        "import sys, driftgauge.stats.divergence, driftgauge.stats.binning, driftgauge.stats.moments, "
        "driftgauge.stats.classification, driftgauge.stats.regression, driftgauge.stats.intervals; "
        "print([m for m in sys.modules if m.split('.')[0] == 'scipy'])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"

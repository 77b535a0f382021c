"""What a window could show, against the functions that it inverts and against drawn samples."""

import math

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import kstwo, kstwobign, norm, t

from driftgauge.stats import detectable
from driftgauge.stats.divergence import ks_statistic, psi
from driftgauge.stats.significance import effective_samples, homogeneity, overdispersed_p


@pytest.mark.parametrize("phi", [1.0, 1.2, 3.0, 40.0])
@pytest.mark.parametrize("windows", [4.0, 8.0, 30.0])
def test_the_critical_chi_square_has_the_p_that_was_asked_for(phi, windows):
    level, degrees = np.array([0.01, 1e-3, 4e-5, 1e-6])[:, None], np.array([1.0, 4.0, 9.0, 11.0])
    found = detectable.critical_chi_square(level, degrees, phi, windows)
    p = overdispersed_p(found, degrees, phi, windows)
    assert np.log(p) == pytest.approx(np.broadcast_to(np.log(level), p.shape), rel=0.02)


def drawn(rng, shift, n, repeats):
    """Counts in ten bins of equal mass of a shifted normal, and its measured mean shifts."""
    values = rng.normal(shift, 1, (repeats, n))
    bins = np.searchsorted(ndtri(np.arange(1, 10) / 10), values)
    return np.array([np.bincount(row, minlength=10) for row in bins]), values.mean(axis=1)


@pytest.mark.parametrize("n", [150, 1_000, 8_000])
def test_four_in_five_windows_show_the_smallest_shift(n):
    rng = np.random.default_rng(11)
    reference = np.full(10, 20_000)
    samples = effective_samples(reference.sum(), n)
    critical = detectable.critical_chi_square(4e-5, 9, 1.0, 30)
    shift = float(detectable.smallest_shift_sd(critical, 9, 1.0, samples))
    counts, means = drawn(rng, shift, n, 400)
    statistic, _ = homogeneity(reference, counts)
    seen = (statistic > critical) & ((np.abs(means) >= 0.1) | (psi(reference, counts) >= 0.1))
    assert 0.7 <= seen.mean() <= 0.9


def test_shifts_of_the_windows_themselves_count_against_it():
    """Means that move by 0.2 from window to window: phi, and what is left to be seen."""
    rng = np.random.default_rng(12)
    n, sd = 1_000, 0.2
    reference = np.full(10, 1_000_000)
    share = np.diff(
        ndtr(np.r_[-np.inf, ndtri(np.arange(1, 10) / 10), np.inf] - sd * rng.normal(size=(4000, 1)))
    )
    still, _ = homogeneity(reference, rng.multinomial(n, share))
    phi = still.mean() / 9
    critical = detectable.critical_chi_square(1e-3, 9, phi, 1_000)
    shift = float(detectable.smallest_shift_sd(critical, 9, phi, n))
    moved = shift + sd * rng.normal(size=1_000)
    counts = np.concatenate([drawn(rng, m, n, 1)[0] for m in moved])
    assert 0.7 <= (homogeneity(reference, counts)[0] > critical).mean() <= 0.9


def test_the_critical_psi_is_that_of_a_chi_square():
    rng = np.random.default_rng(13)
    reference = np.full(10, 100_000)
    counts = rng.multinomial(2_000, np.full(10, 0.1), 500)
    statistic, _ = homogeneity(reference, counts)
    found = detectable.critical_psi(statistic, effective_samples(1_000_000, 2_000))
    assert found == pytest.approx(psi(reference, counts), rel=0.1)


def test_nothing_to_go_by_gives_nan():
    assert np.isnan(detectable.critical_chi_square(0.01, 0, 1.0, 30))
    assert np.isnan(detectable.critical_chi_square(0.01, 9, 1.0, 1))
    assert np.isnan(detectable.critical_psi(30.0, 0))
    assert np.isnan(detectable.smallest_shift_sd(30.0, 9, 1.0, 0))
    assert np.isnan(detectable.smallest_shift_sd(np.nan, 9, 1.0, 100))


def test_bad_input_is_refused():
    for p in (0.0, 0.6, np.nan):
        with pytest.raises(ValueError, match=r"p: expected values in \(0, 0.5\], found others"):
            detectable.critical_chi_square(p, 9, 1.0, 30)
    with pytest.raises(ValueError, match="critical: expected at least 0, found less"):
        detectable.critical_psi(-1.0, 100)
    with pytest.raises(ValueError, match="degrees_of_freedom: expected at least 0, found less"):
        detectable.smallest_shift_sd(1.0, -1.0, 1.0, 100)
    with pytest.raises(ValueError, match="phi: expected at least 1, found less"):
        detectable.smallest_shift_sd(1.0, 9.0, 0.9, 100)
    for floor in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"floor: expected .* found {floor}"):
            detectable.smallest_shift_sd(1.0, 9.0, 1.0, 100, floor=floor)


@pytest.mark.parametrize("p", [0.05, 1e-3, 1e-6])
def test_the_critical_ks_of_independent_records_is_kolmogorovs(p):
    found = detectable.critical_ks(p, 9.0, 1.0, np.array([100.0, 40_000.0]), 30.0)
    assert found == pytest.approx(kstwobign.isf(p) / np.array([10.0, 200.0]), rel=1e-9)
    # The exact distribution for so many samples.
    assert found[1] == pytest.approx(kstwo.isf(p, 40_000), rel=0.01)


def test_the_critical_ks_is_widened_for_what_moves_and_for_how_few_windows_tell_of_it():
    limit = kstwobign.isf(0.01)
    few, many = detectable.critical_ks(0.01, 9.0, 3.0, 400.0, np.array([12.0, 1e9]))
    assert many == pytest.approx(limit * math.sqrt(1 + 9 * 2) / 20, rel=1e-6)
    wider = t.isf(norm.sf(2 * limit), 11) / (2 * limit)
    assert few == pytest.approx(limit * math.sqrt(1 + 9 * 2 * wider**2) / 20, rel=1e-9)


@pytest.mark.parametrize("sd", [0.0, 0.02, 0.1, 0.4])
@pytest.mark.parametrize("bins", [5, 64])
@pytest.mark.parametrize("windows", [9, 4_000])
def test_a_stationary_window_passes_the_critical_ks_no_more_often_than_its_level(sd, bins, windows):
    """Means move by *sd* from window to window, as far as so many windows tell."""
    rng = np.random.default_rng(14)
    n, repeats, level = 1_000, 4_000, 0.05
    edges = np.r_[-np.inf, ndtri(np.arange(1, bins) / bins), np.inf]

    def counts(means):
        share = np.diff(ndtr(edges - means[:, None]))
        return rng.multinomial(n, share / share.sum(axis=1, keepdims=True))

    reference = np.full(bins, 10**9)
    coarse = slice(None) if bins == 5 else np.arange(0, 64, 8)
    merged = np.add.reduceat(np.arange(bins), np.arange(bins)[coarse]).size
    statistic, _ = homogeneity(
        np.full(merged, 10**9),
        np.add.reduceat(counts(sd * rng.normal(size=repeats)), np.arange(bins)[coarse], 1),
    )
    phi = max(1.0, statistic.mean() / (merged - 1)) if sd else 1.0
    samples = effective_samples(reference.sum(), n)
    critical = detectable.critical_ks(level, merged - 1, phi, samples, windows)
    passed = (ks_statistic(reference, counts(sd * rng.standard_t(windows - 1, repeats))) > critical).mean()
    assert passed <= level + 3 * math.sqrt(level * (1 - level) / repeats)
    if bins == 64 and sd == 0:
        assert passed > 0.2 * level


def test_the_critical_ks_is_not_told_where_nothing_is_known():
    known = {"p": 0.01, "degrees_of_freedom": 9.0, "phi": 1.0, "effective_samples": 100.0, "windows": 30.0}
    for name, value in (("degrees_of_freedom", 0.0), ("effective_samples", 0.0), ("windows", 1.0)):
        assert np.isnan(detectable.critical_ks(**known | {name: value}))
    for name, value, message in (
        ("p", 0.6, r"p: expected values in \(0, 0.5\]"),
        ("phi", 0.9, "phi: expected at least 1"),
        ("degrees_of_freedom", -1.0, "degrees_of_freedom: expected at least 0"),
        ("effective_samples", np.nan, "effective_samples: expected finite counts"),
    ):
        with pytest.raises(ValueError, match=message):
            detectable.critical_ks(**known | {name: value})

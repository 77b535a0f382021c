"""What a window could show, against the functions that it inverts and against drawn samples."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from driftgauge.stats import detectable
from driftgauge.stats.divergence import psi
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

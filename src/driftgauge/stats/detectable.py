"""What a window could show: the statistic that would be significant, and the shift that it would see."""

from __future__ import annotations

import numpy as np

from driftgauge.stats.arrays import Numbers, Values, checked_counts
from driftgauge.stats.significance import checked_nan, overdispersed_p
from driftgauge.stats.special import functions

_STEPS = 4
_KEPT = 0.95
"""Part of a shift's information that ten bins of equal mass keep, of a normal feature."""
_POWER_SDS = 0.8416212335729143
"""Standard errors above a limit at which four in five estimates exceed it."""


def critical_chi_square(p: Numbers, degrees_of_freedom: Numbers, phi: Numbers, windows: Numbers) -> Values:
    """The chi-square whose `overdispersed_p` is *p*.

    Returns:
        At least 0; NaN without degrees of freedom and with fewer than two windows.

    Raises:
        ValueError: a p outside (0, 0.5], or as `overdispersed_p`.

    Cost: 5 of `overdispersed_p`. Checked against it: log(p) is met to 2%.
    """
    special = functions()

    level = _level(p)
    degrees, known = checked_nan(degrees_of_freedom, "degrees_of_freedom"), checked_counts(windows, "windows")
    level, degrees, known, phi_ = np.broadcast_arrays(level, degrees, known, np.asarray(phi, np.float64))
    heavy = 1.0 + degrees * (phi_ - 1.0)
    apart = special.stdtrit(np.maximum(known - 1.0, 1.0), 1.0 - level / 2) ** 2
    at = np.maximum(heavy * apart + degrees - 1.0, 1e-3)
    last, wanted = np.full(at.shape, 0.0), np.log(level)
    before = np.zeros(at.shape)  # p is 1 at 0
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            found = np.log(overdispersed_p(at, degrees, phi_, known))
            slope = (found - before) / (at - last)
            step = np.where(slope < 0, (wanted - found) / slope, 0.0)
            last, before = at, found
            at = np.maximum(at + np.clip(step, -at / 2, at / 2), 1e-3)
    return np.where((degrees > 0) & (known > 1), at, np.nan)


def critical_psi(critical: Numbers, effective_samples: Numbers) -> Values:
    """PSI of a window whose chi-square is *critical*: about ``critical / effective_samples``.

    For small changes PSI is Pearson's chi-square of the shares, summed from both sides.

    Returns:
        At least 0, NaN where a sample is empty.

    Raises:
        ValueError: a number below 0.

    Cost: O(elements). Source: Yurdakul, 2018, on the distribution of PSI. Checked on drawn samples to 10%.
    """
    samples = checked_counts(effective_samples, "effective_samples")
    return np.asarray(checked_nan(critical, "critical") / np.where(samples > 0, samples, np.nan))


def critical_ks(
    p: Numbers, degrees_of_freedom: Numbers, phi: Numbers, effective_samples: Numbers, windows: Numbers
) -> Values:
    """The KS statistic that a stationary window reaches with a chance of at most *p*.

    Of independent records it is Kolmogorov's limit. A binned statistic is never above that of the
    records themselves, so the limit holds for it too (Noether, 1963), and errs on the careful side. Where
    *phi* is above 1 the excess is laid on one move of the bins together, as in `overdispersed_p`: a
    Gaussian bridge with that much added in any one direction stays within bounds at least as often as
    one whose whole variance is ``1 + degrees * (phi - 1)`` times larger (Anderson, 1955). That few
    windows tell phi widens the excess by Student's quantile over the normal one.

    Args:
        degrees_of_freedom, phi, windows: as for `overdispersed_p`.
        effective_samples: as from `effective_samples`.

    Returns:
        Above 0; above 1 where no KS statistic would tell. NaN without samples, without degrees of
        freedom and with fewer than two windows.

    Raises:
        ValueError: a p outside (0, 0.5], a negative number, or a phi below 1.

    Cost: O(elements), 30 us for 25 features. Source: Kolmogorov, 1933; Smirnov, 1939; Noether, "Note on
    the Kolmogorov statistic in the discrete case", 1963; Anderson, "The integral of a symmetric unimodal
    function", 1955. Checked against ``scipy.stats.kstwobign`` and ``scipy.stats.t`` to 1e-9 relative,
    and on drawn windows: it is passed no more often than *p* says.
    """
    special = functions()
    level, degrees, phi_, samples, known = np.broadcast_arrays(
        _level(p),
        checked_nan(degrees_of_freedom, "degrees_of_freedom"),
        np.asarray(phi, np.float64),
        checked_counts(effective_samples, "effective_samples"),
        checked_counts(windows, "windows"),
    )
    if (phi_ < 1).any():
        raise ValueError("phi: expected at least 1, found less")
    limit = special.kolmogi(level)
    # At its middle the bridge has a standard deviation of a half.
    wider = special.stdtrit(np.maximum(known - 1.0, 1.0), special.ndtr(2 * limit)) / (2 * limit)
    heavy = 1.0 + degrees * (phi_ - 1.0) * wider**2
    told = (degrees > 0) & (known > 1) & (samples > 0)
    return np.where(told, limit * np.sqrt(heavy / np.where(told, samples, 1.0)), np.nan)


def _level(p: Numbers) -> Values:
    level = np.asarray(p, np.float64)
    if not ((level > 0) & (level <= 0.5)).all():
        raise ValueError("p: expected values in (0, 0.5], found others")
    return level


def smallest_shift_sd(
    critical: Numbers,
    degrees_of_freedom: Numbers,
    phi: Numbers,
    effective_samples: Numbers,
    *,
    floor: float = 0.1,
) -> Values:
    """Shift of a normal feature's mean, in reference standard deviations, that four in five windows show.

    The larger of two: what makes chi-square exceed *critical*, and what makes the measured shift
    exceed *floor*. The hold comes on top.

    Args:
        critical: as from `critical_chi_square`.
        phi: as from `Overdispersion.phi`.

    Returns:
        Above *floor*; NaN where *critical* is, or a sample is empty.

    Raises:
        ValueError: a number below 0, a floor that is not finite, or a phi below 1.

    Source: our own. Bins of a normal feature shifted by d standard deviations have, for small d, a
    chi-square of noncentrality 0.95 n d^2, n being the effective samples: all of the information on the
    mean is n d^2 (Fisher), of which k bins of mass 1 / k keep k times the sum of the squared differences of
    the normal density at their edges: 0.96 for ten. Most of what exceeds its degrees
    of freedom then lies along one direction, in which the estimate is normal: it must exceed
    sqrt(critical - degrees + 1), by 0.84 standard errors to do so in four windows of five. Where days lie
    apart, all of the overdispersion (degrees * (phi - 1)) is taken to lie along that direction. The
    measured shift is normal about d with variance heavy / n, and must exceed *floor* likewise.

    Cost: O(elements). Checked by simulation: 70 to 90% of windows with this shift show it.
    """
    limit, degrees = checked_nan(critical, "critical"), checked_nan(degrees_of_freedom, "degrees_of_freedom")
    samples, phi_ = checked_counts(effective_samples, "effective_samples"), np.asarray(phi, np.float64)
    if (phi_ < 1).any():
        raise ValueError("phi: expected at least 1, found less")
    if not 0 <= floor < np.inf:
        raise ValueError(f"floor: expected a finite number of at least 0, found {floor}")
    some = np.where(samples > 0, samples, np.nan)
    heavy = 1.0 + degrees * (phi_ - 1.0)
    surely = np.sqrt(np.maximum(limit - np.maximum(degrees - 1.0, 0.0), 0.0))
    seen = (surely + _POWER_SDS * np.sqrt(heavy)) / np.sqrt(_KEPT * some)
    return np.asarray(np.maximum(seen, floor + _POWER_SDS * np.sqrt(heavy / some)), np.float64)

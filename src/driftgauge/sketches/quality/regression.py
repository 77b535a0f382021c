"""Quality of regressions."""

from __future__ import annotations

from typing import Final

import numpy as np

from driftgauge.layout import SUMMED_LIMIT, Layout, Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.cells import summed
from driftgauge.sketches.quality.joined import Groups, Joined
from driftgauge.sketches.quality.task import Quality

# Places in the sums of a regression's group.
(
    ERROR,
    ABSOLUTE,
    SQUARE,
    OUTCOME,
    OUTCOME_SQUARE,
    PERCENT,
    OVER,
    UNDER,
    OUTCOME_OVER,
    OUTCOME_UNDER,
) = range(10)

# Places in the higher moments of a regression: of the error e, the outcome z about the centre, and the share
# that the error is of the outcome.
ERROR_4, ERROR_2_OUTCOME, ERROR_2_OUTCOME_2, OUTCOME_3, OUTCOME_4, PERCENT_2 = range(6)
# Beyond it fourth powers would overflow a sum.
_FOURTH_LIMIT: Final = float(np.sqrt(SUMMED_LIMIT))


# Strata of a prediction: four an octave of its size, of either sign. Sixteen octaves on they begin anew:
# sizes so far apart share one, so that a fixed number is enough for any unit.
STRATA: Final = 128
_AN_OCTAVE: Final = 4
_QUARTERS: Final[Floats] = np.exp2(np.arange(1, _AN_OCTAVE) / _AN_OCTAVE - 1)


def stratum(prediction: Floats) -> Ints:
    """The stratum of each prediction, finite: bins 19% wide that no reference decides. O(n)."""
    mantissa, exponent = np.frexp(prediction)
    quarter = _QUARTERS.searchsorted(np.abs(mantissa), side="right")
    place = (_AN_OCTAVE * exponent.astype(np.int64) + quarter) % (STRATA // 2)
    return np.asarray(place + STRATA // 2 * (prediction < 0), np.int64)


def _clipped(values: Floats) -> Floats:
    """*values* within the limit beyond which their squares would overflow a sum."""
    return np.clip(values, -SUMMED_LIMIT, SUMMED_LIMIT)


class RegressionQuality(Quality):
    """Sums of errors and outcomes per group, outcomes about a fixed centre.

    RMSE, MAE, R2 and bias are functions of these sums, exact to rounding; the centre keeps R2 exact
    where the outcomes' mean is large beside their spread. Numbers are clipped to `SUMMED_LIMIT`.
    ``moments`` are sums of higher powers for the whole model: what tells how far RMSE, R2 and MAPE can be off
    by chance. ``strata`` counts the whole model's records by `stratum` of the prediction, in which
    `sketches.scores` counts all predictions, and ``strata_errors`` (STRATA, 5) sums there what the first five
    places of a group's sums hold. 34 groups take 9 kB.
    """

    def __init__(self, groups: Groups, centre: float) -> None:
        self.centre = float(np.clip(centre, -SUMMED_LIMIT, SUMMED_LIMIT))
        super().__init__(
            groups,
            counts={"errors": (groups.count,), "percents": (groups.count,), "strata": (STRATA,)},
            sums={"sums": (groups.count, 10), "moments": (6,), "strata_errors": (STRATA, 5)},
            digest=Layout(
                counts={"errors": (groups.count,), "percents": (groups.count,)},
                sums={"sums": (groups.count, PERCENT + 1)},
            ),
        )

    def _fill(self, row: Row, joined: Joined, group: Ints, record: Ints) -> None:
        known = ~np.isnan(joined.prediction[record])
        g, r = group[known], record[known]
        self.layout.count(row, "errors")[:] = np.bincount(g, minlength=self.groups.count)
        outcome = _clipped(joined.outcome[r])
        error = _clipped(joined.prediction[r]) - outcome
        about = outcome - self.centre
        nonzero = outcome != 0
        self.layout.count(row, "percents")[:] = np.bincount(g[nonzero], minlength=self.groups.count)
        percent = np.zeros_like(error)
        with np.errstate(over="ignore"):
            percent[nonzero] = np.abs(_clipped(error[nonzero] / outcome[nonzero]))
        sums = self.layout.sum(row, "sums")
        for place, values in enumerate(
            (
                error,
                np.abs(error),
                error * error,
                about,
                about * about,
                percent,
                np.maximum(error, 0),
                np.maximum(-error, 0),
                np.maximum(about, 0),
                np.maximum(-about, 0),
            )
        ):
            sums[:, place] = summed((self.groups.count,), values, g)
        whole = ~np.isnan(joined.prediction)
        self._fill_moments(row, joined.outcome[whole], joined.prediction[whole], percent)
        self._fill_strata(row, joined.prediction[whole], outcome, error)

    def _fill_moments(self, row: Row, outcome: Floats, prediction: Floats, percent: Floats) -> None:
        """*percent* is of memberships: the whole model's come first."""
        outcome = _clipped(outcome)
        error = np.clip(_clipped(prediction) - outcome, -_FOURTH_LIMIT, _FOURTH_LIMIT)
        about = np.clip(outcome - self.centre, -_FOURTH_LIMIT, _FOURTH_LIMIT)
        e2, z2 = error * error, about * about
        self.layout.sum(row, "moments")[:] = [
            (e2 * e2).sum(),
            (e2 * about).sum(),
            (e2 * z2).sum(),
            (z2 * about).sum(),
            (z2 * z2).sum(),
            np.square(percent[: outcome.size]).sum(),
        ]

    def _fill_strata(self, row: Row, prediction: Floats, outcome: Floats, error: Floats) -> None:
        """*outcome* and *error* are of memberships: the whole model's come first, one of each record."""
        n = prediction.size
        places, error, about = stratum(prediction), error[:n], outcome[:n] - self.centre
        self.layout.count(row, "strata")[:] = np.bincount(places, minlength=STRATA)
        sums = self.layout.sum(row, "strata_errors")
        for place, values in enumerate((error, np.abs(error), error * error, about, about * about)):
            sums[:, place] = summed((STRATA,), values, places)

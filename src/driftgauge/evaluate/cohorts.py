"""Quality of every window and cohort of a version: values, intervals, calibration."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from driftgauge.evaluate.calibration import calibration
from driftgauge.evaluate.quality import Found, measured, quality
from driftgauge.evaluate.quality_intervals import quality_intervals
from driftgauge.evaluate.segments import Totals, groups
from driftgauge.snapshot import Calibration, CalibrationBin, Cohort, QualityInterval
from driftgauge.view import VersionView


@dataclass(slots=True)
class CohortRows(Found):
    """Rows of quality of all windows and cohorts."""

    intervals: list[QualityInterval] = field(default_factory=list)
    segment_intervals: list[QualityInterval] = field(default_factory=list)
    class_intervals: list[QualityInterval] = field(default_factory=list)
    calibration: list[Calibration] = field(default_factory=list)
    calibration_bins: list[CalibrationBin] = field(default_factory=list)


def quality_rows(view: VersionView) -> CohortRows:
    """Every row, window by window, by arrival and of the matured cohort, all at once."""
    if view.quality is None:
        return CohortRows()
    found = [
        (window.name, cohort, row, digests)
        for window in view.windows
        for cohort, row, digests in (
            (Cohort.ARRIVED, window.arrived, window.arrived_groups),
            (Cohort.MATURED, window.matured, window.matured_groups),
        )
        if row is not None
    ]
    return _rows(Totals.of(view, found, groups(view))) if found else CohortRows()


def _rows(totals: Totals) -> CohortRows:
    numbers = measured(totals)
    of_values = quality(totals, numbers)
    intervals = quality_intervals(totals, numbers)
    of_model, of_bins = calibration(totals, numbers)
    return CohortRows(
        **{f.name: getattr(of_values, f.name) for f in fields(Found)},
        intervals=intervals.whole,
        segment_intervals=intervals.segments,
        class_intervals=intervals.classes,
        calibration=of_model,
        calibration_bins=of_bins,
    )

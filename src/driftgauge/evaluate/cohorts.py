"""Quality of every window and cohort of a version: values, intervals, calibration."""

from __future__ import annotations

from dataclasses import dataclass, field

from driftgauge.evaluate.calibration import calibration
from driftgauge.evaluate.quality import Found, measured, quality
from driftgauge.evaluate.quality_intervals import quality_intervals
from driftgauge.evaluate.segments import Total, groups
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
    """Every row, window by window, by arrival and of the matured cohort."""
    made = CohortRows()
    if view.quality is None:
        return made
    known = groups(view)
    for window in view.windows:
        for cohort, row, digests in (
            (Cohort.ARRIVED, window.arrived, window.arrived_groups),
            (Cohort.MATURED, window.matured, window.matured_groups),
        ):
            if row is not None:
                _add(made, Total.of(view, row, digests, window.name, cohort, known))
    return made


def _add(made: CohortRows, total: Total) -> None:
    found = measured(total)
    made.take(quality(total, found))
    intervals = quality_intervals(total, found)
    made.intervals += intervals.whole
    made.segment_intervals += intervals.segments
    made.class_intervals += intervals.classes
    of_model, of_bins = calibration(total)
    made.calibration += of_model
    made.calibration_bins += of_bins

"""What `driftgauge check` says of a configuration: faults, warnings, and what a scrape will weigh."""

from driftgauge.check.alert_series import alert_warnings
from driftgauge.check.report import ModelEstimate, Report, check

__all__ = ["ModelEstimate", "Report", "alert_warnings", "check"]

"""What `driftgauge check` says of a configuration: faults, warnings, and what a scrape will weigh."""

from driftgauge.check.report import ModelEstimate, Report, check

__all__ = ["ModelEstimate", "Report", "check"]

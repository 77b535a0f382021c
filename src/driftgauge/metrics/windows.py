"""How much each window holds, and how its outcomes come."""

from __future__ import annotations

from driftgauge.metrics.table import COHORT, IN_WINDOW, Advice, Metric, gauges
from driftgauge.snapshot import LabelState, WindowState

METRICS: tuple[Metric, ...] = (
    *gauges(
        WindowState,
        (*IN_WINDOW, "cohort"),
        (
            "window_samples",
            "samples",
            "Records in the window: predictions (cohort=predicted) or joined outcomes." + COHORT,
        ),
    ),
    *gauges(
        WindowState,
        (*IN_WINDOW, "cohort"),
        ("window_covered_seconds", "covered_seconds", "How much of the window this process has."),
        ("window_covered_ratio", "covered_ratio", "The same as a share of the window, 0 to 1."),
        (
            "window_span_seconds",
            "span_seconds",
            "True span of the window: closed panes plus the open one.",
        ),
        (
            "window_age_seconds",
            "age_seconds",
            "How far the window's end lies behind the model's clock.",
        ),
    ),
    *gauges(
        LabelState,
        (*IN_WINDOW, "cohort"),
        (
            "outcome_coverage_ratio",
            "coverage_ratio",
            "Share of the window's predictions whose outcome is known, 0 to 1; cohort=predicted is the "
            "newest window, matured the newest whose outcomes are complete.",
        ),
    ),
)

ADVICE = (
    Advice(
        (
            "window_samples",
            "window_covered_seconds",
            "window_covered_ratio",
            "window_span_seconds",
            "window_age_seconds",
        ),
        "at least 0; the ratio at most 1",
        "Exact. A window that isn't covered whole is shown and not judged (relations: under 80%): a part of a week has other weekdays than a week.",
        "Few samples: read everything else of that window with care. A falling share after a start is a "
        "lost volume.",
    ),
    Advice(
        ("outcome_coverage_ratio",),
        "0 to 1",
        "Exact, of the ids that are kept. What is missing is seldom a fair sample of all.",
        "A fall means that the feed of outcomes has stopped or that ids no longer match: look at "
        "outcomes_orphaned_total.",
    ),
)

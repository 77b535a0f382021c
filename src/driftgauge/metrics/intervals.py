"""How far quality can be off by chance."""

from __future__ import annotations

from driftgauge.metrics.table import (
    COHORT,
    IN_WINDOW,
    NOT_AVERAGED,
    OF_CLASS,
    OF_SEGMENT,
    Advice,
    Metric,
    gauges,
)
from driftgauge.snapshot import QualityInterval

# The number, its unit's suffix, and whether its rows have classes.
_DEFAULT = (
    ("accuracy", "_ratio", False),
    ("precision", "_ratio", True),
    ("recall", "_ratio", True),
    ("f1", "_ratio", True),
    ("roc_auc", "_ratio", True),
    ("rmse", "", False),
    ("mae", "", False),
    ("r2", "", False),
    ("bias", "", False),
)
_PERFORMANCE = (
    ("log_loss", "", False),
    ("brier", "_ratio", False),
    ("balanced_accuracy", "_ratio", False),
    ("mcc", "", False),
    ("specificity", "_ratio", True),
    ("average_precision", "_ratio", True),
    ("ece", "_ratio", False),
    ("mape", "_ratio", False),
)
_CALIBRATION = ("slope", "intercept")


def _ends(name: str, unit: str, family: str, *, by_class: bool) -> tuple[Metric, ...]:
    return gauges(
        QualityInterval,
        OF_CLASS if by_class else OF_SEGMENT,
        *(
            (
                f"{name}_{end}{unit}",
                f"{name}_{end}",
                f"{which} end of the 95% interval of driftgauge_{name}{unit}, from groups of panes of the "
                f"window where there are at least 5 of them, never narrower than that of independent records."
                + NOT_AVERAGED,
            )
            for end, which in (("low", "Lower"), ("high", "Upper"))
        ),
        family=family,
    )


def _recalibration(name: str) -> tuple[Metric, ...]:
    return gauges(
        QualityInterval,
        (*IN_WINDOW, "cohort"),
        *(
            (
                f"calibration_{name}_{end}",
                f"{name}_{end}",
                f"{which} end of the 95% interval of driftgauge_calibration_{name}, as of quality (binary)."
                + NOT_AVERAGED,
            )
            for end, which in (("low", "Lower"), ("high", "Upper"))
        ),
        family="calibration",
    )


METRICS: tuple[Metric, ...] = (
    *(m for name, unit, c in _DEFAULT for m in _ends(name, unit, "default", by_class=c)),
    *(m for name, unit, c in _PERFORMANCE for m in _ends(name, unit, "performance", by_class=c)),
    *(m for name in _CALIBRATION for m in _recalibration(name)),
    *gauges(
        QualityInterval,
        OF_SEGMENT,
        (
            "interval_groups",
            "groups",
            "Effective number of groups of panes that the intervals of quality stand on; below 5 they take "
            "records for independent." + COHORT,
        ),
        family="performance",
    ),
)

_RATIOS = tuple(
    f"{name}_{end}{unit}" for name, unit, _ in (*_DEFAULT, *_PERFORMANCE) for end in ("low", "high")
) + tuple(f"calibration_{name}_{end}" for name in _CALIBRATION for end in ("low", "high"))

ADVICE = (
    Advice(
        _RATIOS,
        "those of the number itself",
        "Student's t over 12 to 26 groups of consecutive panes (delete-one-group jackknife): it holds where "
        "records remember each other for less than a group, and is too narrow where they do for longer. "
        "docs/measured-intervals.md has the measured coverage. That of ece is longer below, by what chance alone "
        "adds to it.",
        "Alert on the low end above a limit (the high end of errors below one) where false pages cost more "
        "than late ones.",
    ),
    Advice(
        ("interval_groups",),
        "at least 0",
        "Exact; equal to the number of groups where they are of equal size.",
        "Below 5 (a window of fewer panes, or traffic in one of them) read the intervals as the least width.",
    ),
)

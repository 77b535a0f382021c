"""Records against what is known of their features, by feature; the sums are among the live metrics."""

from __future__ import annotations

from driftgauge.metrics.table import VERSION, Advice, Metric, gauges
from driftgauge.snapshot import SchemaViolation

METRICS: tuple[Metric, ...] = gauges(
    SchemaViolation,
    (*VERSION, "feature", "violation"),
    (
        "feature_schema_violations_total",
        "values",
        "The same as driftgauge_schema_violations_total by feature, since the process started; "
        'feature="" is all that is not watched.',
    ),
    family="schema",
)

ADVICE = (
    Advice(
        ("feature_schema_violations_total",),
        "at least 0",
        "Exact. Missing features and new ones are counted once the reference is fixed: a feature that the "
        "reference itself lacks now and then is never missing here (missing_ratio tells of those), and null "
        "and absent are one. Duplicates' wrong types count too.",
        "A step at one time is a deployment of the sender: compare its version with the profile's. Out of "
        "range alone is a unit or a default that changed.",
    ),
)

"""Violations of the schema by feature, since the process started."""

from __future__ import annotations

from collections.abc import Iterator

from driftgauge.records import Violation
from driftgauge.snapshot import SchemaViolation
from driftgauge.view import VersionView


def schema_violations(view: VersionView, *, every: bool) -> Iterator[SchemaViolation]:
    """Rows of what was broken; with *every*, those of each watched feature from 0 on."""
    counts = dict(view.violations)
    if every:
        for feature in _features(view):
            for violation in Violation:
                if violation is not Violation.NEW_FEATURE:
                    counts.setdefault((feature, violation), 0)
        counts.setdefault(("", Violation.NEW_FEATURE), 0)
    for (feature, violation), values in counts.items():
        yield SchemaViolation(view.model, view.version, feature, violation, float(values))


def _features(view: VersionView) -> Iterator[str]:
    if view.inputs.reference is not None:
        bins = view.inputs.reference.bins
        yield from (key[2:] for key in (*bins.numeric, *bins.categorical) if key.startswith("f:"))

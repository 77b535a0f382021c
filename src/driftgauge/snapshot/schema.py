"""Values that broke the schema."""

from __future__ import annotations

from driftgauge.snapshot.field import SnapshotRow, Value


class SchemaViolation(SnapshotRow, frozen=True):
    """Counter: values of one feature that broke the schema since the process started; ``feature=""``
    is all that isn't watched.
    """

    model: str
    model_version: str
    feature: str
    violation: str
    values: Value

"""Totals against a reference: views of model versions in, an immutable Snapshot out."""

from driftgauge.evaluate.snapshots import evaluate

__all__ = ["evaluate"]

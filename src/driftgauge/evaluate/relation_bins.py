"""The relation of a feature to the outcome bin by bin, as it is exported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from driftgauge.sketches.inputs import COARSE_BINS
from driftgauge.snapshot import RelationBin, RelationShift


def relation_bins(shifts: Iterable[RelationShift]) -> Iterator[RelationBin]:
    """Each coarse bin that can be judged; missing and unseen values are told by `shifts` alone."""
    for row in shifts:
        for number, shift in enumerate(row.bin_shifts[:COARSE_BINS]):
            if shift is not None:
                yield RelationBin(row.model, row.model_version, row.feature, row.window, str(number), shift)

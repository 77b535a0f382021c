"""Records against what is known of their features: types, presence, declared ranges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from driftgauge.layout import Row
from driftgauge.records import Predictions, Reason, Violation
from driftgauge.sketches.inputs import MISSING

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version

Violations = dict[tuple[str, Violation], int]


def violations(
    version: Version, batch: Predictions, accepted: NDArray[np.bool_], counted: Sequence[Row]
) -> Violations:
    """How many values of each feature break the schema, by feature and how.

    Wrong types and new features as the decoder counted them, for all of the batch; ranges for
    *accepted* records; missing from *counted*, the rows of inputs that they became. Missing is a
    feature that the fixed reference never lacks, in a record that carries others.

    Cost: some 10 us a batch of clean records, whatever their number.
    """
    found: Violations = {}
    for (feature, reason), count in batch.invalid.items():
        new = not feature and reason is not Reason.WRONG_TYPE
        _add(found, feature, Violation.NEW_FEATURE if new else Violation.WRONG_TYPE, count)
    _count_outside(version, batch, accepted, found)
    missing = _missing(version, counted)
    if missing:
        bare = int(np.count_nonzero(_bare(batch) & accepted))
        for feature, count in missing.items():
            # A value of a wrong type stands as missing in the batch.
            spoilt = found.get((feature, Violation.WRONG_TYPE), 0)
            _add(found, feature, Violation.MISSING_FEATURE, count - bare - spoilt)
    return found


def _count_outside(
    version: Version, batch: Predictions, accepted: NDArray[np.bool_], found: Violations
) -> None:
    for name, low, high in version.model.declared_ranges:
        if name in batch.numeric_names:
            values = batch.numeric[batch.numeric_names.index(name)]
            outside = ((values < low) | (values > high)) & np.isfinite(values) & accepted
            _add(found, name, Violation.OUT_OF_RANGE, int(np.count_nonzero(outside)))


def _missing(version: Version, counted: Sequence[Row]) -> dict[str, int]:
    """Missing values of each feature that must not miss."""
    inputs = version.inputs.inputs
    if inputs is None:
        return {}
    found: dict[str, int] = {}
    numeric, texts = version.inputs.required
    for row in counted:
        for names, places, block, cell in (
            (inputs.bins.numeric, numeric, "bins", MISSING),
            (inputs.bins.categorical, texts, "categories", inputs.missing),
        ):
            counts = inputs.layout.count(row, block)[places, cell]
            for place in np.flatnonzero(counts).tolist():
                feature = names[int(places[place])][2:]
                found[feature] = found.get(feature, 0) + int(counts[place])
    return found


def _bare(batch: Predictions) -> NDArray[np.bool_]:
    """Records without any feature at all, as those that carry an error."""
    bare = np.ones(len(batch), np.bool_)
    for values in batch.numeric:
        bare &= np.isnan(values)
        if not bare.any():
            return bare
    for texts in batch.categorical.values():
        for place in np.flatnonzero(bare).tolist():
            bare[place] = texts[place] is None
    return bare


def _add(found: Violations, feature: str, violation: Violation, count: int) -> None:
    if count > 0:
        found[feature, violation] = found.get((feature, violation), 0) + count

"""The coarse bins of kept predictions: written with the row, read when its outcome comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftgauge.monitor.log import Rows
from driftgauge.sketches.coarse import UNKNOWN_CODE, Codes, packed, unpacked

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version


def write(version: Version, rows: Rows, codes: Codes) -> None:
    """Put *codes*, shape (features, n), into kept rows; rows without them say that none is known."""
    coded = version.inputs.codes
    if coded is not None and rows.size:
        rows["binned_by"] = coded.tag
        rows["bins"] = packed(codes, rows["bins"].shape[1])


def read(version: Version, rows: Rows) -> Codes | None:
    """The codes of kept rows, unknown where another reference binned them; None where there are none.

    Shape (features, n).
    """
    coded = version.inputs.codes
    if coded is None:
        return None
    codes = unpacked(rows["bins"], len(coded.keys))
    codes[:, np.asarray(rows["binned_by"] != coded.tag)] = UNKNOWN_CODE
    return codes

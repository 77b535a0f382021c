"""What a version's window was found to be when its newest pane closed: kept, saved, replayed."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftgauge.snapshot import VerdictState

STATES: Final = tuple(VerdictState)
# Of one feature or output: edges in a row at which each kind was found, verdicts, and what they stand on.
JUDGED: Final = np.dtype(
    [
        ("state", "u1"),
        ("drift", "u1"),
        ("beyond", "u1"),
        ("run", "<u2"),
        ("beyond_run", "<u2"),
        ("p", "<f8"),
        ("adjusted", "<f8"),
        ("phi", "<f4"),
        ("windows", "<f4"),
        ("degrees", "<f4"),
        ("critical", "<f4"),
        ("samples", "<f4"),
    ]
)


class Judged(msgspec.Struct, array_like=True, frozen=True):
    """One window at one edge of its panes.

    Attributes:
        window: its label.
        edge: the pane that was open; all before it are closed.
        hold: edges in a row that make a verdict.
        reference: ids of the references of inputs and of outputs; "" for one that isn't fixed.
        records: predictions in the window's closed panes.
        rows: a `JUDGED` row for each name of the inputs' reference, then of the outputs'.
        ks: of each of them the KS statistic from which it is significant, float32; empty where it was
            judged before there was such a number.
    """

    window: str
    edge: int
    hold: int
    reference: tuple[str, str]
    records: int
    rows: bytes
    ks: bytes = b""

    @property
    def table(self) -> NDArray[np.void]:
        """The rows, not to be written to."""
        return np.frombuffer(self.rows, JUDGED)

    @property
    def critical_ks(self) -> NDArray[np.float32]:
        """`ks`, NaN where there is none; not to be written to."""
        if not self.ks:
            return np.full(len(self.table), np.nan, np.float32)
        return np.frombuffer(self.ks, "<f4")

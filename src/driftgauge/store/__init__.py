"""State on disk: batches, rows that wait to be joined, panes, states; SQLite, one writer."""

from driftgauge.store.connection import DATABASE_NAME
from driftgauge.store.reader import Reader
from driftgauge.store.store import Store
from driftgauge.store.values import (
    Append,
    Batch,
    Event,
    Held,
    Keep,
    Opened,
    Outcome,
    Pane,
    PaneWrite,
    Phase,
    StoreStatistics,
    Thinned,
)

__all__ = [
    "DATABASE_NAME",
    "Append",
    "Batch",
    "Event",
    "Held",
    "Keep",
    "Opened",
    "Outcome",
    "Pane",
    "PaneWrite",
    "Phase",
    "Reader",
    "Store",
    "StoreStatistics",
    "Thinned",
]

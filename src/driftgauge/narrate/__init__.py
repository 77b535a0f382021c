"""What happened to the models, in plain sentences, from one Snapshot to the next."""

from driftgauge.narrate.narrator import KEPT_NOTICES, Narrator

__all__ = ["KEPT_NOTICES", "Narrator"]

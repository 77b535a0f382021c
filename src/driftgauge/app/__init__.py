"""The composition root: builds every part, hands each the next, owns start, stop, clock, signals."""

from driftgauge.app.run import run

__all__ = ["run"]

"""A reference: what a model version's inputs and outputs looked like when it was right."""

from driftgauge.reference.build import build, guess_kinds
from driftgauge.reference.file import from_json, load, to_json
from driftgauge.reference.projection import project
from driftgauge.reference.rebinning import rebinned
from driftgauge.reference.values import (
    DAY_SECONDS,
    Reference,
    bins_mark,
    halves_differ,
    identified,
    merged,
    moments,
)

__all__ = [
    "DAY_SECONDS",
    "Reference",
    "bins_mark",
    "build",
    "from_json",
    "guess_kinds",
    "halves_differ",
    "identified",
    "load",
    "merged",
    "moments",
    "project",
    "rebinned",
    "to_json",
]

"""The error to expect of a regression, learned from kept predictions and the outcomes that they met.

Nothing is kept for it: a kept prediction has its number and the coarse bins of its features, a kept
outcome what came. So the learning is a look at both logs, a bounded run of rows at each step, and the
fit a turn at each step; what comes of it is committed as one state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from driftgauge.config import Task
from driftgauge.monitor import binned
from driftgauge.monitor.log import ANY_VERSION, Hashes, Met, Rows, first_and_last
from driftgauge.monitor.update import Update
from driftgauge.records import Floats
from driftgauge.reference import loss as losses
from driftgauge.reference.loss import ExpectedLoss, Fitting, learnable
from driftgauge.sketches.coarse import UNKNOWN_CODE, Codes
from driftgauge.snapshot import ReferenceState

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version

# Runs of outcomes, evenly over those kept, so that no day is all that was learned from.
RUNS: Final = 100
RUN_ROWS: Final = 500


class LossLearning:
    """What a version expects of its predictions' errors, and the learning of it. Owned by the writer.

    Attributes:
        unsaved: whether what was learned is newer than the last checkpoint.
    """

    def __init__(self, version: Version) -> None:
        self._version = version
        self._loss: ExpectedLoss | None = None
        self._loss_of: str | None = None
        self._learned = False
        self.unsaved = False
        self.sample: Sample | None = None
        self.tried_at: int | None = None

    @property
    def loss(self) -> ExpectedLoss | None:
        """The error to expect of predictions; None while features are counted in other bins."""
        known = self._reference
        return self._loss if known is not None and known == self._loss_of else None

    @property
    def _reference(self) -> str | None:
        """Of the bins in force."""
        watch = self._version.inputs
        return watch.reference.id if watch.binned and watch.reference is not None else None

    def give(self, loss: ExpectedLoss | None) -> None:
        """Expect the loss that a given reference tells; one that was learned stays where it tells none."""
        if loss is None and self._learned and self._loss_of == self._reference:
            return
        self._loss, self._loss_of, self._learned = loss, self._reference, False

    def fix(self, loss: ExpectedLoss) -> None:
        """Expect the loss that was learned in the bins in force."""
        self._loss, self._loss_of, self._learned, self.unsaved = loss, self._reference, True, True

    def saved(self) -> bytes | None:
        """What was learned, as a checkpoint keeps it."""
        if self._loss is None or self._loss_of is None or not self._learned:
            return None
        return self._loss_of.encode() + b"\n" + losses.to_json(self._loss)

    def restore(self, data: bytes | None) -> None:
        """Take up what a checkpoint kept."""
        if data is not None:
            mark, _, document = data.partition(b"\n")
            self._loss = losses.from_json(document, f"the store, {self._version.model.name} loss")
            self._loss_of, self._learned = mark.decode(), True


class Sample:
    """Joined records of one version, being gathered and then learned from. Not saved: begun anew.

    Attributes:
        reference: whose bins they are in.
    """

    def __init__(self, version: Version, reference: str) -> None:
        self.reference = reference
        log = version.model.outcomes
        apart = max(RUN_ROWS, (log.next_row - log.first_row) // RUNS)
        self._starts = list(range(log.first_row, log.next_row, apart))[:RUNS]
        self._pieces: list[tuple[Codes, Floats, Floats]] = []
        self._fitting: Fitting | None = None

    def step(self, version: Version) -> bool:
        """One run of rows, or one turn of the fit; whether anything is left to do. At most 130 ms."""
        if self._starts:
            self._gather(version, self._starts.pop(0))
            return True
        if self._fitting is None:
            codes, prediction, error = self._gathered(version)
            if not learnable(error):
                return False
            assert version.inputs.codes is not None
            self._fitting = Fitting(version.inputs.codes.keys, codes, prediction, error)
            return True
        self._fitting.turn()
        return self._fitting.turns > 0

    def found(self) -> ExpectedLoss | None:
        """What was learned; None of too few records."""
        return None if self._fitting is None else self._fitting.found()

    def _gather(self, version: Version, first: int) -> None:
        model = version.model
        told = model.outcomes.at(first, min(first + RUN_ROWS, model.outcomes.next_row))
        mine = (told["version"] == ANY_VERSION) | (told["version"] == version.owner)
        told = told[mine & (told["met"] != Met.COMPLETE)]
        hashes = np.stack([told["low"], told["high"]], axis=1)
        if model.config.outcomes.revisions:
            hashes, told = _last(version, hashes)
        places, rows = version.plain.find(hashes)
        codes = binned.read(version, rows)
        if codes is None or not places.size:
            return
        told = told[places]
        error = rows["prediction"] - told["outcome"]
        joined = told["time"] <= rows["time"] + model.horizon_seconds
        kept = np.flatnonzero(joined & np.isfinite(error) & (codes != UNKNOWN_CODE).all(axis=0))
        self._pieces.append((codes[:, kept], rows["prediction"][kept], error[kept]))

    def _gathered(self, version: Version) -> tuple[Codes, Floats, Floats]:
        if not self._pieces:
            assert version.inputs.codes is not None
            return np.zeros((len(version.inputs.codes.keys), 0), np.uint8), np.zeros(0), np.zeros(0)
        codes, prediction, error = zip(*self._pieces, strict=True)
        return np.concatenate(codes, axis=1), np.concatenate(prediction), np.concatenate(error)


def _last(version: Version, hashes: Hashes) -> tuple[Hashes, Rows]:
    """The last word on each of the ids *hashes* that the version may hear."""
    hashes = np.unique(hashes, axis=0)
    positions, rows = version.model.outcomes.find(hashes)
    mine = (rows["version"] == ANY_VERSION) | (rows["version"] == version.owner)
    known, _, last = first_and_last(positions[mine], rows[mine])
    return hashes[known], last


def step(version: Version, now: float) -> Update | None:
    """Go on with the learning of a version's expected loss; the update that fixes it once it is done.

    Begins when the relation's reference is fixed, so that both stand on the same time, and again at
    each coarse pane while there are too few records.
    """
    learning, pane = version.losses, version.coarse.grid.index(now)
    reference = _learns(version)
    if reference is None:
        learning.sample = None
        return None
    if learning.sample is None or learning.sample.reference != reference:
        if learning.tried_at == pane:
            return None
        learning.sample, learning.tried_at = Sample(version, reference), pane
    if learning.sample.step(version):
        return None
    found, learning.sample = learning.sample.found(), None
    if found is None:
        return None
    return Update(
        model_owner=version.model.owner,
        model=version.model.name,
        version_owner=version.owner,
        version=version.name,
        loss=losses.to_json(found),
    )


def _learns(version: Version) -> str | None:
    """The reference in whose bins a version's loss is to be learned now; None where it is not."""
    watch, codes = version.inputs, version.inputs.codes
    if version.model.structure.task is not Task.REGRESSION or codes is None or not codes.keys:
        return None
    if version.losses.loss is not None or version.relating.state is ReferenceState.LEARNING:
        return None
    return watch.reference.id if watch.binned and watch.reference is not None else None

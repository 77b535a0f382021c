"""Counting the accepted predictions of a batch: traffic, inputs, outputs, scores and segments, by pane."""

from __future__ import annotations

import numpy as np

from driftgauge.layout import Row
from driftgauge.monitor.accepted import Accepted
from driftgauge.monitor.columns import BatchColumns, Columns
from driftgauge.monitor.grouping import panes
from driftgauge.monitor.segmenting import REFERENCE_PANE
from driftgauge.monitor.structure import Coder
from driftgauge.monitor.update import PaneDelta, Tally
from driftgauge.monitor.version import Version
from driftgauge.records import Floats, Ints
from driftgauge.sketches.learning import LearningRow
from driftgauge.sketches.scores import Scored
from driftgauge.windows import Part


class Counting:
    """One batch being counted.

    Attributes:
        deltas: the rows to add.
        counted: those of inputs in the bins of a reference.
        first_time: of the oldest record that was counted; None without one.
    """

    def __init__(
        self,
        version: Version,
        accepted: Accepted,
        columns: BatchColumns,
        coder: Coder,
        tally: Tally,
        now: float,
    ) -> None:
        self.model = version.model
        self.version = version
        self.accepted = accepted
        self.columns = columns
        self.coder = coder
        self.tally = tally
        self.now = now
        self.deltas: list[PaneDelta] = []
        self.counted: list[Row] = []
        self.first_time: float | None = None

    def count(self) -> None:
        """Rows of traffic, inputs, outputs and scores, a pane at a time."""
        accepted, batch = self.accepted, self.accepted.batch
        n = accepted.chosen.size
        if not n:
            return
        latencies, failed = batch.latency_seconds[accepted.chosen], batch.failed[accepted.chosen]
        self.tally.predictions = n
        self.tally.failed = int(failed.sum())
        self.tally.latencies = latencies[~np.isnan(latencies)]
        self._find_exemplar(latencies)
        oldest = self.now - self.model.longest_seconds - self.version.coarse.grid.width_seconds
        current = np.flatnonzero(accepted.times >= oldest)
        self.tally.late = n - current.size
        if not current.size:
            return
        self.first_time = float(accepted.times[current].min())
        features = self.columns.features
        outputs = self.columns.outputs()
        scored = Scored(
            accepted.prediction, accepted.score, accepted.scores, accepted.segments, self._expected_loss()
        )
        scores = self.model.scores_for(self.coder.structure)
        for fine, coarse, places in panes(self.version, accepted.times, current, self.now):
            for part, row in (
                (Part.TRAFFIC, self.version.traffic.row(latencies[places], failed[places])),
                (Part.INPUTS, self._watched(Part.INPUTS, features, places, n)),
                (Part.OUTPUTS, self._watched(Part.OUTPUTS, outputs, places, n)),
            ):
                if part is Part.INPUTS and isinstance(row, Row):
                    self._count_folded(row)
                    self.counted.append(row)
                # Learning rows are large, and a reference is not learned from minutes.
                minute = None if isinstance(row, LearningRow) else fine
                self._delta(part, minute, coarse, self.version.encode(part, row))
            self._count_segments(fine, coarse, places)
            self._count_weights(fine, coarse, scored, places)
            if scores is not None:
                row = scores.row(scored if places.size == n else scored.at(places))
                self._delta(Part.PREDICTED, fine, coarse, row.to_bytes())

    def _expected_loss(self) -> Floats | None:
        loss, coded = self.version.loss, self.version.inputs.codes
        if loss is None or coded is None or self.columns.codes is None:
            return None
        return loss.of(coded.keys, self.columns.codes, self.accepted.prediction)

    def _count_segments(self, fine: int | None, coarse: int, places: Ints) -> None:
        version = self.version
        segmenting = version.segmenting
        if segmenting.sketch is None or segmenting.codes is None:
            return
        features = self.columns.features
        columns = features if places.size == self.accepted.chosen.size else features.at(places)
        codes = segmenting.codes.codes(columns.names, columns.numeric, columns.texts, places.size)
        row = segmenting.sketch.row(codes, self.accepted.segments[:, places], version.day(coarse))
        data = segmenting.encode(row)
        self._delta(Part.SEGMENTS, fine, coarse, data)
        if segmenting.gathering(version.segment_reference):
            self._delta(Part.SEGMENT_REFERENCE, None, REFERENCE_PANE, data)

    def _count_weights(self, fine: int | None, coarse: int, scored: Scored, places: Ints) -> None:
        sketch, weight = self.model.weighted_scores, self.accepted.weight
        if sketch is not None and weight is not None:
            row = sketch.row(scored.at(places), weight[places])
            self._delta(Part.VALUE_PREDICTED, fine, coarse, sketch.encode(row))

    def _find_exemplar(self, latencies: Floats) -> None:
        """The slowest traced record: the one that somebody will want to look at."""
        traces = self.accepted.batch.trace_ids
        if self.tally.latencies.size and traces.count(None) < len(traces):
            traced = np.array([traces[i] is not None for i in self.accepted.chosen.tolist()])
            slowest = int(np.argmax(np.where(traced & ~np.isnan(latencies), latencies, -1.0)))
            if traced[slowest] and not np.isnan(latencies[slowest]):
                trace = traces[int(self.accepted.chosen[slowest])]
                self.tally.exemplar = (float(latencies[slowest]), str(trace))

    def _count_folded(self, row: Row) -> None:
        inputs = self.version.inputs.inputs
        folded = 0 if inputs is None else inputs.folded(row)
        if folded:
            self.coder.folded["categories"] = self.coder.folded.get("categories", 0) + folded

    def _watched(self, part: Part, columns: Columns, places: Ints, n: int) -> Row | LearningRow:
        watch = self.version.watch(part)
        assert watch is not None
        chosen = columns if places.size == n else columns.at(places)
        centres = {**self.version.centres, **self.columns.centres}
        return watch.row(chosen.names, chosen.numeric, chosen.texts, places.size, centres)

    def _delta(self, part: Part, fine: int | None, coarse: int | None, row: bytes) -> None:
        self.deltas.append(PaneDelta(part, fine, coarse, row))

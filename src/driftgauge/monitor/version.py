"""One model version: panes, totals, references and kept predictions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from driftgauge.config import DAY, MINUTE, Against
from driftgauge.errors import StoreError
from driftgauge.judged import Judged
from driftgauge.layout import Row
from driftgauge.monitor import pairing
from driftgauge.monitor.detecting import Errors
from driftgauge.monitor.log import RecordLog, prediction_dtype, prediction_logs
from driftgauge.monitor.loss_learning import LossLearning
from driftgauge.monitor.ports import Shelf
from driftgauge.monitor.relating import Relating
from driftgauge.monitor.segmenting import REFERENCE_PANE, Segmenting
from driftgauge.monitor.totals import FINE_WINDOW, window_totals
from driftgauge.monitor.update import PaneDelta, Revision, Update
from driftgauge.monitor.watch import Watch
from driftgauge.records import Violation
from driftgauge.reference import Reference, from_json
from driftgauge.reference import loss as losses
from driftgauge.reference import relation as relations
from driftgauge.reference.loss import ExpectedLoss
from driftgauge.sketches.coarse import packed_bytes
from driftgauge.sketches.learning import LearningRow
from driftgauge.sketches.quality import Groups, Joined
from driftgauge.sketches.traffic import Traffic
from driftgauge.sketches.value import Priced, Value, WeightedScores
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import (
    AnyState,
    Grid,
    PaneSeries,
    Part,
    RangeTotal,
    Resolution,
)

if TYPE_CHECKING:
    from driftgauge.monitor.judging import Known
    from driftgauge.monitor.model import Model

KEPT_HOURS: Final = 24
_COUNTED_FOR_LIFE: Final = frozenset({Part.INPUTS, Part.OUTPUTS, Part.ARRIVED})
SEGMENT_PARTS: Final = frozenset({Part.SEGMENTS, Part.SEGMENT_REFERENCE})
VALUE_PARTS: Final = frozenset({Part.VALUE_ARRIVED, Part.VALUE_MATURED, Part.VALUE_PREDICTED})


class Version:
    """State of one model version. Owned by the writer.

    Memory: the panes of two hours by the minute and of a day by the hour, 12 totals a window or more,
    14 bytes a kept prediction.
    """

    def __init__(self, model: Model, owner: int, name: str, shelf: Shelf, *, restored: bool = False) -> None:
        self.restored = restored
        self.model = model
        self.owner = owner
        self.name = name
        self.shelf = shelf
        config, limits = model.config, model.limits
        self.traffic = Traffic()
        self.inputs = Watch(limits.features, limits.categories, config.features, model.coded)
        self.outputs = Watch(2, limits.categories, {})
        columns = limits.segment_columns
        plain, scored = prediction_logs(owner)
        width, weighted = packed_bytes(model.coded), model.value_weight is not None
        self.plain = RecordLog(plain, prediction_dtype(columns, 0, width, weighted=weighted), shelf)
        self.scored = RecordLog(
            scored, prediction_dtype(columns, limits.classes + 1, width, weighted=weighted), shelf
        )
        self.pairing = pairing.Pairing(model)
        self.segmenting = Segmenting(config.segment_drift, Groups(columns, limits.segment_values))
        scale = model.scale
        self.coarse = self._series(Resolution.COARSE, model.coarse_grid)
        needs_fine = any(w <= FINE_WINDOW for w in config.windows)
        self.fine = self._series(Resolution.FINE, Grid(MINUTE / scale)) if needs_fine else None
        self.windows = [window_totals(self, seconds) for seconds in config.windows]
        self._totals: dict[tuple[Resolution, Part], list[RangeTotal]] = {}
        self.relating = Relating(self)
        self.first_time: float | None = None
        self.unjoined = 0
        self.losses = LossLearning(self)
        self.predicted_at: float | None = None
        self.busy = 0.0
        self.heard_at: float | None = None
        self.outcome_at: float | None = None
        self.numeric: dict[str, None] = {}
        self.categorical: dict[str, None] = {}
        self.centres: dict[str, float] = {}
        self.growing: dict[str, float | None] = {}
        self.matures_after: float | None = config.outcomes.matures_after
        self.kept_maturity: float | None = self.matures_after
        self.lifetime: dict[Part, Row] = {}
        self.violations: Counter[tuple[str, Violation]] = Counter()
        self.retired_before: dict[Resolution, int] = {}
        self.retiring: dict[Resolution, range] = {}
        self.stepped_at: dict[Part, int] = {}
        self.tried_on: dict[Part, int] = {}
        self.errors = Errors.of(config.detectors)
        self.unsaved_references: set[Part] = set()
        self.judged: dict[str, Judged] = {}
        self.known: dict[tuple[str, str], Known] = {}

    # --- panes ------------------------------------------------------------------------------

    def _series(self, resolution: Resolution, grid: Grid) -> PaneSeries:
        def load(part: Part, index: int) -> AnyState | None:
            data = self.shelf.pane(self.owner, resolution, index, part)
            return None if data is None else self.decode(part, data)

        return PaneSeries(grid, load, self.zero, None if self.restored else set())

    def zero(self, part: Part) -> AnyState:
        """The empty state of a part."""
        if part is Part.TRAFFIC:
            return self.traffic.zero()
        if part is Part.INPUTS:
            return self.inputs.zero()
        if part is Part.OUTPUTS:
            return self.outputs.zero()
        marked = self._marked(part)
        if marked is not None:
            return marked.zero()
        counted = self.model.scores if part is Part.PREDICTED else self.model.quality
        if counted is None:
            raise RuntimeError(f"{self.model.name}: {part} was asked for before its task is known")
        return counted.zero()

    def _marked(self, part: Part) -> Priced | Segmenting | Relating | pairing.Pairing | None:
        """What counts a part whose saved rows say what they stand on; None for the other parts."""
        if part in VALUE_PARTS:
            return self._value() if part is not Part.VALUE_PREDICTED else self._weighted_scores()
        if part in SEGMENT_PARTS:
            return self.segmenting
        if part is Part.PAIRED:
            return self.pairing
        return self.relating if part is Part.CONCEPT else None

    def _weighted_scores(self) -> WeightedScores:
        if self.model.weighted_scores is None:
            raise RuntimeError(f"{self.model.name}: weights were asked for, and none are configured")
        return self.model.weighted_scores

    def _value(self) -> Value:
        if self.model.value is None:
            raise RuntimeError(f"{self.model.name}: value was asked for, and none is configured")
        return self.model.value

    def priced(self, records: Joined) -> bytes:
        """The row of value that joined records add, as it is saved."""
        return self._value().encode(self._value().row(records))

    def encode(self, part: Part, row: AnyState) -> bytes:
        """A part's row as it is saved."""
        marked = self._marked(part)
        if marked is not None:
            return marked.encode(as_row(row))
        watch = self.watch(part)
        return row.to_bytes() if watch is None else watch.encode(row)

    def decode(self, part: Part, data: bytes) -> AnyState:
        """A part's row as it was saved."""
        watch = self.watch(part)
        if watch is not None:
            return watch.decode(data)
        if part is Part.TRAFFIC:
            return self.traffic.load(data)
        marked = self._marked(part)
        if marked is not None:
            return marked.decode(data)
        counted = self.model.scores if part is Part.PREDICTED else self.model.quality
        try:
            return Row.from_bytes(data) if counted is None else counted.load(data)
        except StoreError:
            # Of another task or other limits, before the configuration changed: it counts nothing.
            return self.zero(part)

    @property
    def watches(self) -> dict[Part, Watch]:
        """The parts that are compared with a reference."""
        return {Part.INPUTS: self.inputs, Part.OUTPUTS: self.outputs}

    def watch(self, part: Part) -> Watch | None:
        """The watch that decides a part's bins; None where none does."""
        return self.watches.get(part)

    def series(self, resolution: Resolution) -> PaneSeries | None:
        """The panes of a resolution in memory; None where there are none."""
        return {Resolution.FINE: self.fine, Resolution.COARSE: self.coarse}.get(resolution)

    def panes_of(self, resolution: Resolution) -> PaneSeries:
        """As `series`, of a resolution that a window stands on."""
        series = self.series(resolution)
        assert series is not None
        return series

    def _range_totals(self, resolution: Resolution) -> list[RangeTotal]:
        totals = [total for window in self.windows for total in window.on(resolution)]
        if resolution is Resolution.COARSE:
            totals.append(self.relating.learned)
        return totals

    def _totals_of(self, resolution: Resolution, part: Part) -> list[RangeTotal]:
        """The totals of one part, looked for once: there are a hundred in all, and each row asks."""
        key = resolution, part
        found = self._totals.get(key)
        if found is None:
            found = [total for total in self._range_totals(resolution) if total.part is part]
            self._totals[key] = found
        return found

    # --- applying ---------------------------------------------------------------------------

    def apply(self, update: Update, *, live: bool) -> None:
        """Take in a committed update; *live* unless it is being replayed."""
        for name in update.numeric:
            self.numeric[name] = None
        for name in update.categorical:
            self.categorical[name] = None
        self.centres |= update.centres
        self.growing |= update.growing
        if update.first_time is not None:
            known = self.first_time
            self.first_time = update.first_time if known is None else min(known, update.first_time)
        self.unjoined += update.unjoined
        if update.matures_after is not None and self.model.config.outcomes.matures_after is None:
            self.matures_after = self.kept_maturity = update.matures_after
        self.predicted_at = update.predicted_at or self.predicted_at
        wall = update.predicted_at or update.outcome_at
        if update.brought and wall is not None:
            # On the model's clock: a replay of months takes seconds, in which every version would serve.
            heard_at = self.model.now(wall)
            self.busy = self.busy_at(heard_at) + update.brought
            self.heard_at = heard_at
        self.outcome_at = update.outcome_at or self.outcome_at
        self.errors = update.errors or self.errors
        if update.reference is not None:
            self.fix(Part(update.reference_part), update.reference, update.reference_state)
        if update.relearn_part:
            self.relearn(Part(update.relearn_part), update.relearn_from)
        if update.relation is not None:
            relation = relations.from_json(update.relation, f"{self.model.name} relation")
            self.relating.fix(relation, ReferenceState.FROZEN)
        if update.loss is not None:
            self.losses.fix(losses.from_json(update.loss, f"{self.model.name} loss"))
        self.judged |= {judged.window: judged for judged in update.judged}
        self.relating.take(update.related)
        self._add_all(update.panes, live=live)

    def _add_all(self, deltas: Sequence[PaneDelta], *, live: bool) -> None:
        for delta in deltas:
            holder = self._holder(delta)
            if holder is not None:
                holder.add(delta, live=live)

    def _holder(self, delta: PaneDelta) -> Version | None:
        """Whose panes a row is for: a pair's are the newer version's, whichever's record completed it."""
        if delta.part != Part.PAIRED:
            return self
        older, newer = pairing.owners(delta.row)
        holder = next((each for each in self.model.versions.values() if each.owner == newer), None)
        if holder is not None and self.model.paired is not None:
            holder.pair_with(older)
        return holder

    def pair_with(self, older: int) -> None:
        """Count pairs with the version *older*; those with another one are let go of."""
        if self.pairing.older != older:
            self.pairing.older = older
            self._turn(Part.PAIRED, lambda _: self.pairing.zero())

    def add(self, delta: PaneDelta, *, live: bool) -> None:
        """Add a row of this version to its panes and totals."""
        part = Part(delta.part)
        if not self._configured(part):
            return  # it was when the batch was committed
        row = self.decode(part, delta.row)
        watch = self.watch(part)
        if watch is not None and isinstance(row, LearningRow):
            watch.learned += row.records
        if part is Part.CONCEPT and delta.coarse is not None:
            self.relating.added(delta.coarse, as_row(row))
        for series, index, resolution in (
            (self.fine, delta.fine, Resolution.FINE),
            (self.coarse, delta.coarse, Resolution.COARSE),
        ):
            if series is None or index is None:
                continue
            totals = self._totals_of(resolution, part)
            if delta.revision is Revision.TAKEN:
                series.take(part, index, row)
                for total in totals:
                    total.taken(part, index, row)
            else:
                series.add(part, index, row)
                for total in totals:
                    total.added(part, index, row)
        # Counters of the process only grow: they keep the outcome that they have read.
        if live and not delta.revision and isinstance(row, Row) and part in _COUNTED_FOR_LIFE:
            self._live_on(part, row)

    def _configured(self, part: Part) -> bool:
        """Whether the configuration and the references of now count a part at all."""
        if part is Part.VALUE_PREDICTED:
            return self.model.weighted_scores is not None
        if part in SEGMENT_PARTS:
            return self.segmenting.sketch is not None
        if part is Part.PAIRED:
            return self.model.paired is not None
        return part not in VALUE_PARTS or self.model.value is not None

    def _live_on(self, part: Part, row: Row) -> None:
        held = self.lifetime.get(part)
        if held is None or held.counts.size != row.counts.size:
            held = Row(np.zeros(row.counts.size, np.int64), np.zeros(row.sums.size))
            self.lifetime[part] = held
        held.add(row)

    def fix(self, part: Part, data: bytes, state: str) -> None:
        """Count a part in the bins of a reference from now on, what was learned too."""
        self.fix_reference(part, from_json(data, f"{self.model.name} {part}"), ReferenceState(state))

    def fix_reference(self, part: Part, reference: Reference, state: ReferenceState) -> None:
        """As `fix`, given the reference itself."""
        watch = self.watch(part)
        assert watch is not None
        watch.fix(reference, state)
        self._count_anew(part, watch.settle)
        if part is Part.INPUTS:
            self._segment_anew()

    def relearn(self, part: Part, since: float) -> None:
        """Begin learning a part's reference anew: what was counted in the old bins is let go of."""
        watch = self.watch(part)
        assert watch is not None
        watch.forget(since)
        self.stepped_at.pop(part, None)
        self.tried_on.pop(part, None)
        if part is Part.INPUTS:
            self.growing.clear()
        self._count_anew(part, lambda _: watch.zero())
        if part is Part.INPUTS:
            self._segment_anew()

    def _segment_anew(self) -> None:
        """Follow the features' bins; what was counted by segment in other ones is let go of."""
        before = self.segmenting.codes
        self.segmenting.follow(self.inputs)
        codes = self.segmenting.codes
        if before is not None and codes is not None and codes.tag == before.tag:
            return
        for part in SEGMENT_PARTS:
            self._turn(part, lambda _: self.segmenting.zero())

    def _count_anew(self, part: Part, turned: Callable[[AnyState], AnyState]) -> None:
        """Turn a part's panes in memory; totals are summed anew, and counters begin at 0."""
        self._turn(part, turned)
        self.lifetime.pop(part, None)
        self.unsaved_references.add(part)

    def _turn(self, part: Part, turned: Callable[[AnyState], AnyState]) -> None:
        for series in (self.fine, self.coarse):
            if series is not None:
                for key in [k for k in series.hot if k[0] is part]:
                    series.hot[key] = turned(series.hot[key])
                    series.dirty.add(key)
        for resolution in (Resolution.FINE, Resolution.COARSE):
            for total in self._range_totals(resolution):
                if total.part is part:
                    total.row = None
        if part is Part.INPUTS:
            self.relating.begin_anew()

    def propose_reference(self, part: Part, reference: Reference, state: ReferenceState) -> None:
        """Compare a part with *reference* from now on, and go on learning."""
        watch = self.watch(part)
        assert watch is not None
        watch.propose(reference, state)
        self.unsaved_references.add(part)

    @property
    def loss(self) -> ExpectedLoss | None:
        """The error to expect of predictions; None while features are counted in other bins."""
        return self.losses.loss

    def part_state(self, part: Part) -> str:
        """The state of a part's reference."""
        watch = self.watch(part)
        assert watch is not None
        return watch.state

    # --- time -------------------------------------------------------------------------------

    def move_to(self, now: float) -> None:
        """Let windows end at *now*: closed panes in, expired ones out. O(steps * cells)."""
        for window in self.windows:
            window.move(self, now)

    # --- learning ---------------------------------------------------------------------------

    def learning_from(self, part: Part) -> float | None:
        """When the learning of a part's reference began; None before the first record."""
        watch = self.watch(part)
        since = None if watch is None else watch.since
        if self.first_time is None or since is None:
            return self.first_time
        return max(self.first_time, since)

    def learned_days(self, part: Part, end: int, begin: int | None = None) -> dict[int, LearningRow]:
        """What was learned in coarse panes from *begin* (the first one) to before *end*, by day.

        Reads every pane of them.
        """
        grid = self.coarse.grid
        days: dict[int, LearningRow] = {}
        learning_from = self.learning_from(part)
        if learning_from is None:
            return days
        begin = grid.index(learning_from) if begin is None else begin
        begin = max(begin, end - grid.closed_panes(self.retained_seconds))
        for index in range(begin, end):
            row = self.coarse.peek(part, index)
            if isinstance(row, LearningRow):
                days.setdefault(self.day(index), LearningRow()).add(row)
        return days

    def day(self, index: int) -> int:
        """The number of the day that a coarse pane belongs to."""
        return int(self.coarse.grid.start(index) * self.model.scale // 86_400)

    # --- looking ----------------------------------------------------------------------------

    @property
    def logs(self) -> tuple[RecordLog, RecordLog]:
        """The logs of kept predictions: without and with probabilities by class."""
        return self.plain, self.scored

    @property
    def segment_reference(self) -> Row | None:
        """The segments' own first records; None before the first."""
        row = self.coarse.row(Part.SEGMENT_REFERENCE, REFERENCE_PANE)
        return row if isinstance(row, Row) else None

    def busy_at(self, now: float) -> float:
        """How many predictions it had by *now*, on the model's clock, each worth half as much a day later;
        an outcome that brings its own prediction is one too.
        """
        silent = max(0.0, now - (self.heard_at or now)) * self.model.scale
        return float(self.busy * 0.5 ** (silent / DAY))

    def covered_seconds(self, end: float, seconds: float) -> float:
        """How much of the *seconds* before *end* the state reaches."""
        if self.first_time is None:
            return 0.0
        retired = self.retired_before.get(Resolution.COARSE)
        begin = self.first_time
        if retired is not None:
            begin = max(begin, self.coarse.grid.start(retired))
        return max(0.0, min(seconds, end - begin))

    # --- letting go -------------------------------------------------------------------------

    def forget_clean(self, now: float) -> None:
        """Let go of panes that the store has and no window is about to need."""
        self.coarse.forget(self.coarse.grid.index(now) - KEPT_HOURS)
        if self.fine is not None:
            self.fine.forget(self.fine.grid.index(now) - int(FINE_WINDOW // MINUTE) - 1)

    @property
    def retained_minutes(self) -> int:
        """How many fine panes are kept: three hours, or the longest window on them twice."""
        previous = Against.PREVIOUS_WINDOW in self.model.config.against
        return 60 * (5 if previous else 3)

    @property
    def retained_seconds(self) -> float:
        """How long coarse panes are kept: five weeks, the longest window and its cohort, or what the
        relation is learned from.
        """
        longest = max(self.model.config.windows)
        # The window before the longest one is as long again, which the second term then covers too.
        horizon = max(self.model.config.outcomes.horizon, longest)
        rounding = 2 * self.coarse.grid.width_seconds
        reach = max(35 * 86_400.0, longest + horizon, self.relating.reach_seconds)
        return reach / self.model.scale + rounding


def as_row(state: AnyState) -> Row:
    """A state that is a row; learning rows are of inputs and outputs alone."""
    assert isinstance(state, Row)
    return state

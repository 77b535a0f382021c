"""The relation between a version's inputs and its outcomes: counted by pane, its reference learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from driftgauge.errors import StoreError
from driftgauge.layout import Row
from driftgauge.monitor.update import Update
from driftgauge.reference import relation as relations
from driftgauge.reference.relation import Relation
from driftgauge.reference.verdicts import RelationJudged
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.quality import Quality
from driftgauge.snapshot import ReferenceState
from driftgauge.windows import Part, RangeTotal

if TYPE_CHECKING:
    from driftgauge.monitor.version import Version

LEARNED_OUTCOMES: Final = 5_000
# With 8 days a stationary relation can be told from nothing: docs/measured-concept.md.
LEARNED_SPAN_SECONDS: Final = 21 * 86_400.0
_OTHER: Final = "other"


class Relating:
    """What a version counts of its relation, and what that is compared with. Owned by the writer.

    Counting begins when the inputs' reference is fixed, whose bins it stands on, and begins anew with
    another one. The reference is given by the same file, or is the first matured outcomes after that.

    Attributes:
        state: learning, then frozen; or given.
        begun: the first coarse pane that holds anything; None before.
        reference_id: of the reference; "" without one.
        judged: by window, what was found when its newest pane closed.
    """

    def __init__(self, version: Version) -> None:
        self._version = version
        self.state = ReferenceState.LEARNING
        self.reference: Relation | None = None
        self.begun: int | None = None
        self.reference_id = ""
        self.judged: dict[str, RelationJudged] = {}
        self.unsaved = False
        self.learned = RangeTotal(version.coarse, Part.CONCEPT)
        self._sketch: Concept | None = None
        self._sketch_of: tuple[object, ...] = ()

    @property
    def sketch(self) -> Concept | None:
        """How records are counted; None while the bins or the task aren't known."""
        quality = self._version.model.quality
        return None if quality is None else self.sketch_beside(quality)

    def sketch_beside(self, quality: Quality) -> Concept | None:
        """As `sketch`, with the quality that a batch calls for before it is applied."""
        codes = self._version.inputs.codes
        if codes is None:
            return None
        if self._sketch_of != (codes, quality):
            self._sketch = Concept.beside(quality, len(codes.keys))
            self._sketch_of = (codes, quality)
        return self._sketch

    @property
    def reach_seconds(self) -> float:
        """How far back the learning of a reference may have to look; 0 once there is one."""
        if self.state is not ReferenceState.LEARNING or not self._version.model.coded:
            return 0.0
        return LEARNED_SPAN_SECONDS + (self._version.matures_after or 0.0) + 86_400.0

    @property
    def _tag(self) -> bytes:
        codes = self._version.inputs.codes
        return (0 if codes is None else codes.tag).to_bytes(4, "little")

    def zero(self) -> Row:
        """The state of no records; of no cells while nothing is counted."""
        sketch = self.sketch or Concept(0, 0)
        return sketch.zero()

    def encode(self, row: Row) -> bytes:
        """The row behind the tag of the bins that it stands on."""
        return self._tag + row.to_bytes()

    def decode(self, data: bytes) -> Row:
        """A saved row; one in the bins of another reference, or of another task, counts nothing here."""
        sketch = self.sketch
        if sketch is None or data[:4] != self._tag:
            return self.zero()
        try:
            return sketch.load(data[4:])
        except StoreError:
            return self.zero()

    def added(self, index: int, row: Row) -> None:
        """Take note of a row in the coarse pane *index*."""
        if row.counts.any() and (self.begun is None or index < self.begun):
            self.begun = index

    def begin_anew(self) -> None:
        """Forget everything: the inputs are counted in other bins now."""
        self.state, self.reference, self.begun = ReferenceState.LEARNING, None, None
        self.reference_id, self.unsaved = "", True
        self.judged.clear()
        self.learned.row = None
        for window in self._version.windows:
            window.concept.row = None
        series = self._version.coarse
        for key in [k for k in series.hot if k[0] is Part.CONCEPT]:
            series.hot[key] = self.zero()
            series.dirty.add(key)

    def take(self, judged: Iterable[RelationJudged]) -> None:
        """Take in what was committed of verdicts; what stands on another reference is void."""
        for each in judged:
            if each.relation == self.reference_id:
                self.judged[each.window] = each

    def fix(self, relation: Relation, state: ReferenceState) -> None:
        """Compare with *relation* from now on."""
        self.reference, self.state, self.unsaved = relation, state, True
        self.reference_id = relation.id
        self.judged.clear()
        self.learned.row = None

    def give(self, relation: Relation | None) -> None:
        """Compare with the *relation* of a given reference, or learn one where it has none."""
        if relation is not None and self.reference_id != relation.id:
            self.fix(relation, ReferenceState.GIVEN)
        elif relation is None and self.state is ReferenceState.GIVEN:
            self.begin_anew()


def step(version: Version, now: float) -> Update | None:
    """The update that freezes a version's relation, once its first matured outcomes are enough.

    Cost: one pane, and at the end those of the learning once more.
    """
    relating, sketch = version.relating, version.relating.sketch
    matures_after = version.matures_after
    if relating.state is not ReferenceState.LEARNING or sketch is None or relating.begun is None:
        return None
    if matures_after is None or not sketch.features:
        return None
    grid, scale = version.coarse.grid, version.model.scale
    end = grid.index(now - matures_after / scale)
    first = max(relating.begun, grid.index(now - version.retained_seconds))
    if end <= first or end == relating.learned.end:
        return None
    relating.learned.move(first, end)
    ripe = (end - first) * grid.width_seconds * scale >= LEARNED_SPAN_SECONDS
    row = relating.learned.row
    if not ripe or not isinstance(row, Row) or sketch.outcomes(row) < LEARNED_OUTCOMES:
        return None
    return Update(
        model_owner=version.model.owner,
        model=version.model.name,
        version_owner=version.owner,
        version=version.name,
        relation=relations.to_json(_built(version, sketch, first, end)),
    )


def _built(version: Version, sketch: Concept, first: int, end: int) -> Relation:
    codes, quality, structure = version.inputs.codes, version.model.quality, version.model.structure
    assert codes is not None
    assert quality is not None
    days: dict[int, Row] = {}
    total = version.coarse.total(Part.MATURED, first, end)
    for index, row in version.coarse.rows(Part.CONCEPT, first, end):
        days.setdefault(version.day(index), sketch.zero()).add(row)  # type: ignore[arg-type]
    classes: tuple[str, ...] = ()
    if sketch.classes:
        classes = (
            ("0", "1") if sketch.classes == 2 else (*structure.classes, _OTHER)
        )  # a class and its absence
    assert isinstance(total, Row)
    grid = version.coarse.grid
    return relations.of_rows(
        codes.keys,
        classes,
        sketch,
        [days[day] for day in sorted(days)],
        quality,
        total,
        (grid.start(first), grid.start(end)),
    )

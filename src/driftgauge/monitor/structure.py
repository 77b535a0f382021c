"""What a version's records turned out to be: task, classes, segments. Immutable; it only grows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Limits, Task
from driftgauge.config import Model as ModelConfig
from driftgauge.records import Floats, Label
from driftgauge.sketches.quality import NO_SEGMENT

if TYPE_CHECKING:
    from driftgauge.monitor.pairing import Brought

OTHER: Final = "other"
_POSITIVE: Final = frozenset({"1", "true"})
_NEGATIVE: Final = frozenset({"0", "false"})


class Structure(msgspec.Struct, frozen=True):
    """Task, classes and segments of a model version.

    Attributes:
        task: None until the first record that tells.
        classes: multiclass: texts in order of arrival; a class's code is its place.
        columns: segment columns.
        values: per segment column its values in order of arrival.
        outcome_centre: regression: what outcome sums are taken about, the first outcome.
    """

    task: Task | None = None
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    values: tuple[tuple[str, ...], ...] = ()
    outcome_centre: float | None = None


def text_of(label: Label) -> str:
    """A label as text: booleans as in JSON, whole numbers without a point."""
    if isinstance(label, bool):
        return "true" if label else "false"
    if isinstance(label, float) and label.is_integer() and abs(label) < 1e15:
        return str(int(label))
    return str(label)


def guess_task(
    predictions: Sequence[Label], outcomes: Sequence[Label], *, scored: bool, classes: bool
) -> Task | None:
    """The task that a batch's records speak for; None when nothing does.

    Probabilities by class are multiclass; a score or booleans binary; text multiclass; numbers are
    binary where all are 0 or 1, else regression.
    """
    if classes:
        return Task.MULTICLASS
    labels = [label for label in (*predictions, *outcomes) if label is not None]
    if scored or any(isinstance(label, bool) for label in labels):
        return Task.BINARY
    if any(isinstance(label, str) for label in labels):
        return Task.MULTICLASS
    if labels:
        return Task.BINARY if all(label in (0, 1) for label in labels) else Task.REGRESSION
    return None


def binary_code(label: Label, positive: str | None) -> float:
    """1.0, 0.0, or NaN for a label that says neither."""
    text = text_of(label)
    if positive is not None:
        return 1.0 if text == positive or (positive not in _NEGATIVE and text in _POSITIVE) else 0.0
    lower = text.lower()
    return 1.0 if lower in _POSITIVE else 0.0 if lower in _NEGATIVE else float("nan")


def number_of(label: Label) -> float:
    """A finite number, or NaN for a label that isn't one."""
    if isinstance(label, str) or label is None:
        return float("nan")
    try:
        value = float(label)
    except OverflowError:
        return float("nan")
    return value if isfinite(value) else float("nan")


class Coder:
    """Turns labels and segments into codes, growing a Structure as new ones come.

    One is made for a batch; `structure` is then what the version's will be once it is applied.
    `folded` counts what went to `other` because a bound was reached; `met` are the id hashes of
    outcomes that met their first prediction in the group, whose versions share the coder; `brought` are
    the group's predictions that were joined, by the number of their version.
    """

    def __init__(self, structure: Structure, config: ModelConfig, limits: Limits) -> None:
        self.structure = structure
        self.config = config
        self.limits = limits
        self.folded: dict[str, int] = {}
        self.met: set[bytes] = set()
        self.brought: dict[int, list[Brought]] = {}

    def _fold(self, bound: str, count: int = 1) -> None:
        self.folded[bound] = self.folded.get(bound, 0) + count

    def settle_task(
        self,
        predictions: Sequence[Label],
        outcomes: Sequence[Label],
        *,
        scored: bool,
        classes: bool,
    ) -> None:
        """Guess the task where the configuration and earlier records left it open."""
        if self.structure.task is None:
            task = self.config.task or guess_task(predictions, outcomes, scored=scored, classes=classes)
            if task is not None:
                self.structure = msgspec.structs.replace(self.structure, task=task)

    def labels(self, labels: Sequence[Label]) -> Floats:
        """Codes (or numbers) of n labels; NaN where a label is absent or says nothing."""
        if labels.count(None) == len(labels):
            return np.full(len(labels), np.nan)
        task = self.structure.task
        if task is Task.REGRESSION:
            return np.array([number_of(label) for label in labels], np.float64)
        if task is None:
            return np.full(len(labels), np.nan)
        if bool in set(map(type, labels)):
            # True and 1 are equal keys, but not the same class.
            labels = [text_of(label) if isinstance(label, bool) else label for label in labels]
        found = self._binary(labels) if task is Task.BINARY else self._classes(labels)
        codes = found | {None: float("nan")}
        return np.fromiter(map(codes.__getitem__, labels), np.float64, len(labels))

    def _binary(self, labels: Sequence[Label]) -> dict[Label, float]:
        positive = self.config.positive_class
        return {label: binary_code(label, positive) for label in set(labels)}

    def _classes(self, labels: Sequence[Label]) -> dict[Label, float]:
        counts = Counter(labels)
        del counts[None]
        return {label: float(self.class_code(text_of(label), count)) for label, count in counts.items()}

    def class_code(self, text: str, records: int = 1) -> int:
        """The code of a class; the limit's own number stands for `other`. *records* carry it."""
        classes = self.structure.classes
        if text == OTHER:
            return self.limits.classes
        if text in classes:
            return classes.index(text)
        if len(classes) >= self.limits.classes:
            self._fold("classes", records)
            return self.limits.classes
        self.structure = msgspec.structs.replace(self.structure, classes=(*classes, text))
        return len(classes)

    def centre_on(self, outcomes: Floats) -> None:
        """Fix the centre of a regression's outcomes at the first one."""
        known = outcomes[~np.isnan(outcomes)]
        if known.size and self.structure.task is Task.REGRESSION and self.structure.outcome_centre is None:
            self.structure = msgspec.structs.replace(self.structure, outcome_centre=float(known[0]))

    def add_columns(self, names: Sequence[str]) -> None:
        """Take up segment columns, as many as there may be; the configuration's alone if it has any."""
        if self.config.segments is not None:
            names = self.config.segments
        fresh = [n for n in names if n not in self.structure.columns]
        room = self.limits.segment_columns - len(self.structure.columns)
        if len(fresh) > room:
            self._fold("segment_columns", len(fresh) - room)
        for name in fresh[:room]:
            self.structure = msgspec.structs.replace(
                self.structure,
                columns=(*self.structure.columns, name),
                values=(*self.structure.values, ()),
            )

    def segments(self, columns: dict[str, Sequence[str | None]], n: int) -> NDArray[np.uint8]:
        """Codes of shape (limit of columns, n); `NO_SEGMENT` where a record has no value."""
        self.add_columns(tuple(columns))
        codes = np.full((self.limits.segment_columns, n), NO_SEGMENT, np.uint8)
        for place, name in enumerate(self.structure.columns):
            texts = columns.get(name)
            if texts is not None:
                codes[place] = self._segment_codes(place, texts)
        return codes

    def _segment_codes(self, place: int, texts: Sequence[str | None]) -> NDArray[np.uint8]:
        other = self.limits.segment_values
        known: dict[str | None, int] = {text: code for code, text in enumerate(self.structure.values[place])}
        distinct = dict.fromkeys(texts)
        fresh = [t for t in distinct if t is not None and t != OTHER and t not in known]
        room = other - len(known)
        for text in fresh[:room]:
            known[text] = len(known)
        if fresh[:room]:
            values = list(self.structure.values)
            values[place] = (*values[place], *fresh[:room])
            self.structure = msgspec.structs.replace(self.structure, values=tuple(values))
        known[None] = NO_SEGMENT
        for each in distinct:
            known.setdefault(each, other)
        codes = np.frombuffer(bytes(map(known.__getitem__, texts)), np.uint8)
        if len(fresh) > room:
            self._fold("segment_values", int(np.count_nonzero(codes == other)))
        return codes

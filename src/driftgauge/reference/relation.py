"""The reference of the relation between inputs and outcome, and of quality: values and their JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import numpy as np

from driftgauge.errors import ReferenceFileError
from driftgauge.layout import Row
from driftgauge.records import Floats, Ints
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import COARSE_CELLS
from driftgauge.sketches.quality import (
    BinaryQuality,
    Groups,
    MulticlassQuality,
    Quality,
    RegressionQuality,
)

# Days beyond it are put together, so that a file of years stays small.
MOST_PERIODS: Final = 64
MOST_CLASSES: Final = 10_000
_WHOLE: Final = Groups(0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """What came out in each coarse bin when the model was right, and how good it was.

    Attributes:
        keys: features, as in the bins of the inputs' reference.
        classes: names of the classes by code, `other` last where there are more than two; empty for
            a regression.
        records: shape (features, COARSE_CELLS, classes), or 1 in place of the classes.
        errors: shape (features, COARSE_CELLS, 2), sums of the error and its square; None with classes.
        periods: the same two by day (or by several days).
        quality: how `quality_row` is read; None where there were no predictions.
        outcomes: joined records that it stands on. first, last: epoch seconds; NaN without times.
        kept: what readers worked out of it, by their name for it: the same at every look, gone with it.
    """

    keys: tuple[str, ...]
    classes: tuple[str, ...]
    records: Ints
    errors: Floats | None
    periods: tuple[tuple[Ints, Floats | None], ...]
    quality: Quality | None
    quality_row: Row | None
    outcomes: int
    first: float
    last: float
    kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def id(self) -> str:
        """Hash of all that it holds."""
        return hashlib.blake2b(to_json(self), digest_size=6).hexdigest()


def of_rows(
    keys: tuple[str, ...],
    classes: tuple[str, ...],
    sketch: Concept,
    days: Sequence[Row],
    quality: Quality | None,
    quality_row: Row | None,
    span: tuple[float, float],
) -> Relation:
    """The relation of *days*, rows of *sketch* in order of time, and the quality of the same records.

    Args:
        classes: as in `Relation`; codes from the second last on are `other`.
    """
    merged = _merged(sketch, days)
    total = _total(sketch, merged)
    whole = None if quality is None or quality_row is None else whole_model(quality, quality_row)
    kept = [_cells(sketch, row, classes) for row in merged]
    return Relation(
        keys,
        classes,
        *_cells(sketch, total, classes),
        tuple(kept),
        None if whole is None else whole[0],
        None if whole is None else whole[1],
        sketch.outcomes(total),
        *span,
    )


def _merged(sketch: Concept, days: Sequence[Row]) -> list[Row]:
    size = -(-len(days) // MOST_PERIODS) or 1
    return [_total(sketch, days[at : at + size]) for at in range(0, len(days), size)]


def _total(sketch: Concept, rows: Sequence[Row]) -> Row:
    total = sketch.zero()
    total.counts = total.counts.astype(np.int64)
    for row in rows:
        total.add(row)
    return total


def _cells(sketch: Concept, row: Row, classes: tuple[str, ...]) -> tuple[Ints, Floats | None]:
    records = sketch.records(row)
    if not sketch.classes:
        return records, sketch.errors(row).copy()
    if len(classes) < records.shape[2]:
        last = len(classes) - 1
        rest = records[:, :, last:].sum(axis=2, keepdims=True)
        records = np.concatenate([records[:, :, :last], rest], axis=2)
    return records, None


def whole_model(quality: Quality, row: Row) -> tuple[Quality, Row]:
    """The whole model's part of a row of quality, in a sketch without segments."""
    whole = _without_segments(quality)
    kept = whole.zero()
    for blocks, read in ((quality.layout.counts, "count"), (quality.layout.sums, "sum")):
        for name, shape in blocks.items():
            block = getattr(quality.layout, read)(row, name)
            own = getattr(whole.layout, read)(kept, name)
            own[...] = block if own.shape == shape else block[:1]
    return whole, kept


def _without_segments(quality: Quality) -> Quality:
    if isinstance(quality, MulticlassQuality):
        return MulticlassQuality(_WHOLE, quality.classes)
    if isinstance(quality, RegressionQuality):
        return RegressionQuality(_WHOLE, quality.centre)
    return BinaryQuality(_WHOLE)


# --- JSON -------------------------------------------------------------------------------------


class _Cells(msgspec.Struct, forbid_unknown_fields=True):
    records: dict[str, list[list[int]]]
    errors: dict[str, list[list[float]]] | None = None


class _Quality(msgspec.Struct, forbid_unknown_fields=True):
    task: str
    classes: int
    centre: float
    counts: dict[str, dict[str, int]]
    sums: dict[str, list[float]]


class RelationFile(msgspec.Struct, forbid_unknown_fields=True):
    """A relation as JSON: cells by feature, one list a coarse bin, missing and unseen last."""

    outcomes: int
    first: float | None
    last: float | None
    classes: list[str]
    relation: _Cells
    periods: list[_Cells]
    quality: _Quality | None = None


def saved(relation: Relation) -> RelationFile:
    """The relation as it is written."""
    return RelationFile(
        relation.outcomes,
        None if np.isnan(relation.first) else relation.first,
        None if np.isnan(relation.last) else relation.last,
        list(relation.classes),
        _saved_cells(relation.keys, relation.records, relation.errors),
        [_saved_cells(relation.keys, *period) for period in relation.periods],
        None
        if relation.quality is None or relation.quality_row is None
        else _saved_quality(relation.quality, relation.quality_row),
    )


def _saved_cells(keys: tuple[str, ...], records: Ints, errors: Floats | None) -> _Cells:
    return _Cells(
        dict(zip(keys, records.tolist(), strict=True)),
        None if errors is None else dict(zip(keys, errors.tolist(), strict=True)),
    )


def _saved_quality(quality: Quality, row: Row) -> _Quality:
    counts = {}
    for name in quality.layout.counts:
        block = quality.layout.count(row, name).ravel()
        counts[name] = {str(cell): int(block[cell]) for cell in np.flatnonzero(block).tolist()}
    sums = {name: quality.layout.sum(row, name).ravel().tolist() for name in quality.layout.sums}
    if isinstance(quality, RegressionQuality):
        return _Quality("regression", 0, quality.centre, counts, sums)
    if isinstance(quality, MulticlassQuality):
        return _Quality("multiclass", quality.classes, 0.0, counts, sums)
    return _Quality("binary", 2, 0.0, counts, sums)


def to_json(relation: Relation) -> bytes:
    """The relation as JSON; every float is written so that it reads back equal."""
    return msgspec.json.encode(saved(relation))


def from_json(data: bytes, source: str) -> Relation:
    """The relation that `to_json` wrote; *source* names it in errors.

    Raises:
        ReferenceFileError: it isn't such JSON, or contradicts itself.
    """
    try:
        file = msgspec.json.decode(data, type=RelationFile)
    except msgspec.MsgspecError as error:
        raise ReferenceFileError(f"{source}: expected a relation, got: {error}") from error
    return loaded(file, source)


def loaded(file: RelationFile, source: str) -> Relation:
    """The relation that was written.

    Raises:
        ReferenceFileError: it contradicts itself.
    """
    keys = tuple(file.relation.records)
    classes = len(file.classes)
    quality, row = (None, None) if file.quality is None else _loaded_quality(file.quality, source)
    records, errors = _loaded_cells(file.relation, keys, classes, source)
    return Relation(
        keys,
        tuple(file.classes),
        records,
        errors,
        tuple(_loaded_cells(p, keys, classes, source) for p in file.periods),
        quality,
        row,
        file.outcomes,
        np.nan if file.first is None else file.first,
        np.nan if file.last is None else file.last,
    )


def _loaded_cells(
    cells: _Cells, keys: tuple[str, ...], classes: int, source: str
) -> tuple[Ints, Floats | None]:
    kinds = classes or 1
    wrong = ReferenceFileError(
        f"{source} relation: expected {COARSE_CELLS} bins of {kinds} counts for each feature"
    )
    if tuple(cells.records) != keys or (cells.errors is None) is not (classes > 0):
        raise wrong
    try:
        records = np.array(list(cells.records.values()), np.int64).reshape(len(keys), COARSE_CELLS, kinds)
        errors = None
        if cells.errors is not None:
            errors = np.array([cells.errors[k] for k in keys], np.float64).reshape(len(keys), COARSE_CELLS, 2)
    except (ValueError, KeyError, OverflowError) as error:
        raise wrong from error
    if (records < 0).any() or (errors is not None and not np.isfinite(errors).all()):
        raise wrong
    return records, errors


def _loaded_quality(file: _Quality, source: str) -> tuple[Quality | None, Row | None]:
    quality: Quality
    if file.task == "binary":
        quality = BinaryQuality(_WHOLE)
    elif file.task == "multiclass" and 2 <= file.classes <= MOST_CLASSES:
        quality = MulticlassQuality(_WHOLE, file.classes)
    elif file.task == "regression":
        quality = RegressionQuality(_WHOLE, file.centre)
    else:
        raise ReferenceFileError(f"{source} quality: expected a task, got {file.task[:40]!r}")
    layout = quality.layout
    if file.counts.keys() != layout.counts.keys() or file.sums.keys() != layout.sums.keys():
        return None, None  # of a version that sums other things: nothing to compare with
    row = quality.zero()
    row.counts = row.counts.astype(np.int64)
    try:
        for name, cells in file.counts.items():
            block = layout.count(row, name).reshape(-1)
            block[[int(cell) for cell in cells]] = list(cells.values())
        for name, sums in file.sums.items():
            layout.sum(row, name).reshape(-1)[:] = sums
    except (IndexError, ValueError, OverflowError) as error:
        raise ReferenceFileError(f"{source} quality: expected the cells of {file.task}: {error}") from error
    if (row.counts < 0).any() or not np.isfinite(row.sums).all():
        raise ReferenceFileError(f"{source} quality: expected finite numbers, counts of at least 0")
    return quality, row

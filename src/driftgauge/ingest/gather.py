"""Finished chunks of one model version -> its records, in order of arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from driftgauge.ingest.columns import Chunk, Invalid, Place
from driftgauge.ingest.tally import Tally
from driftgauge.records import Floats, Ints, Outcomes, Predictions, Reason, Schema

_T = TypeVar("_T")
_Cell = TypeVar("_Cell", bound=np.generic)


def predictions(
    model: str, version: str, chunks: Sequence[Chunk], schema: Schema, tally: Tally
) -> Predictions:
    """The predictions of *chunks*, at least one; the values of classes too many count in *tally*."""
    joined = _Joined(chunks)
    names = joined.numeric_names(schema)
    invalid: Invalid = Counter()
    for chunk in chunks:
        invalid.update(chunk.invalid)
    return Predictions(
        model=model,
        model_version=version,
        request=joined.place.request,
        index=joined.place.index,
        ids=joined.list(lambda chunk: chunk.ids),
        timestamps=joined.numbers("timestamp"),
        numeric_names=names,
        numeric=joined.matrix(names),
        categorical=joined.texts(lambda chunk: chunk.categorical, schema.categorical),
        score=joined.numbers("score"),
        scores=joined.scores(tally.limits.classes, tally.ignored),
        prediction=joined.list(lambda chunk: chunk.labels["prediction"]),
        outcome=joined.list(lambda chunk: chunk.labels["outcome"]),
        latency_seconds=joined.numbers("latency_seconds"),
        failed=joined.array(lambda chunk: chunk.failed),
        segments=joined.texts(lambda chunk: chunk.segments, schema.segments),
        trace_ids=joined.list(lambda chunk: chunk.trace_ids),
        invalid=dict(invalid),
    )


def outcomes(model: str, version: str | None, chunks: Sequence[Chunk], schema: Schema) -> Outcomes:
    """The outcomes of *chunks*, at least one."""
    joined = _Joined(chunks)
    score = joined.numbers("score")
    prediction = joined.list(lambda chunk: chunk.labels["prediction"])
    predicted = np.fromiter((v is not None for v in prediction), np.bool_, len(prediction))
    return Outcomes(
        model=model,
        model_version=version,
        request=joined.place.request,
        index=joined.place.index,
        ids=joined.list(lambda chunk: chunk.ids),
        timestamps=joined.numbers("timestamp"),
        outcome=joined.list(lambda chunk: chunk.labels["outcome"]),
        value=joined.numbers("value"),
        needs_join=np.isnan(score) & ~predicted,
        score=score,
        prediction=prediction,
        prediction_timestamps=joined.numbers("prediction_timestamp"),
        segments=joined.texts(lambda chunk: chunk.segments, schema.segments),
    )


class _Joined:
    """Chunks seen as one, its records in order of arrival."""

    def __init__(self, chunks: Sequence[Chunk]) -> None:
        self.chunks = chunks
        self.n = sum(map(len, chunks))
        self.order: NDArray[np.intp] | None = None
        if len(chunks) == 1:
            # A chunk's records are in order.
            self.place = chunks[0].place
            return
        request = np.concatenate([chunk.place.request for chunk in chunks])
        index = np.concatenate([chunk.place.index for chunk in chunks])
        self.order = _order(request, index)
        place = Place(request, index)
        self.place = place if self.order is None else place.at(self.order)

    def array(self, of: Callable[[Chunk], NDArray[_Cell]]) -> NDArray[_Cell]:
        parts = [of(chunk) for chunk in self.chunks]
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        return whole if self.order is None else whole[self.order]

    def numbers(self, name: str) -> Floats:
        return self.array(lambda chunk: chunk.numbers[name])

    def list(self, of: Callable[[Chunk], Sequence[_T]]) -> Sequence[_T]:
        parts = [of(chunk) for chunk in self.chunks]
        whole = parts[0] if len(parts) == 1 else list(chain.from_iterable(parts))
        return whole if self.order is None else [whole[row] for row in self.order.tolist()]

    def matrix(self, names: tuple[str, ...]) -> Floats:
        """Shape (names, n), C-contiguous."""
        if all(chunk.numeric_names == names for chunk in self.chunks):
            parts = [chunk.numeric for chunk in self.chunks]
            whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
        else:
            whole = np.full((len(names), self.n), np.nan)
            self._fill(whole, {name: row for row, name in enumerate(names)})
        return whole if self.order is None else np.ascontiguousarray(whole[:, self.order])

    def _fill(self, whole: Floats, rows: Mapping[str, int]) -> None:
        start = 0
        for chunk in self.chunks:
            stop = start + len(chunk)
            for name, column in zip(chunk.numeric_names, chunk.numeric, strict=True):
                if name in rows:
                    whole[rows[name], start:stop] = column
            start = stop

    def numeric_names(self, schema: Schema) -> tuple[str, ...]:
        """The schema's features, then those found in records that have a value."""
        names = dict.fromkeys(chain.from_iterable(chunk.numeric_names for chunk in self.chunks))
        if names.keys() == set(schema.numeric):
            return schema.numeric
        found = [name for name in names if name not in set(schema.numeric)]
        return (*schema.numeric, *(name for name in found if self._valued(name)))

    def _valued(self, name: str) -> bool:
        holding = (chunk for chunk in self.chunks if name in chunk.numeric_names)
        return any(not np.isnan(chunk.numeric[chunk.numeric_names.index(name)]).all() for chunk in holding)

    def texts(
        self, of: Callable[[Chunk], Mapping[str, Sequence[str | None]]], declared: Sequence[str]
    ) -> dict[str, Sequence[str | None]]:
        """Columns of the *declared* names, then of those found in records that have a value."""
        names = dict.fromkeys(chain(declared, *map(of, self.chunks)))
        columns = {name: self.list(lambda chunk, n=name: _column(of(chunk), n, len(chunk))) for name in names}  # type: ignore[misc]  # mypy can't type a default of a lambda
        known = set(declared)
        return {
            name: column for name, column in columns.items() if name in known or column.count(None) < self.n
        }

    def scores(self, classes: int, late: Counter[Reason]) -> dict[str, Floats]:
        """Columns of the first *classes* classes; the values of the others are counted in *late*."""
        names = list(dict.fromkeys(chain.from_iterable(chunk.scores for chunk in self.chunks)))
        for name in names[classes:]:
            given = [chunk.scores[name] for chunk in self.chunks if name in chunk.scores]
            late[Reason.TOO_MANY] += sum(int((~np.isnan(column)).sum()) for column in given)
        return {name: self._class(name) for name in names[:classes]}

    def _class(self, name: str) -> Floats:
        return self.array(
            lambda chunk: chunk.scores[name] if name in chunk.scores else np.full(len(chunk), np.nan)
        )


def _order(request: Ints, index: Ints) -> NDArray[np.intp] | None:
    """The order of arrival, None where the records are already in it."""
    back = request[1:] < request[:-1]
    if not (back | ((request[1:] == request[:-1]) & (index[1:] < index[:-1]))).any():
        return None
    return np.lexsort((index, request))


def _column(columns: Mapping[str, Sequence[str | None]], name: str, n: int) -> Sequence[str | None]:
    column = columns.get(name)
    return [None] * n if column is None else column

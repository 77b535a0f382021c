"""Loose columns -> finished ones: ids, times and categories as such, records that can't be refused."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from driftgauge.config import Limits
from driftgauge.ingest.columns import UNNAMED, Chunk, Column, Invalid, Loose, Shares
from driftgauge.ingest.texts import cut, nullable, texts
from driftgauge.ingest.timestamps import epoch_seconds
from driftgauge.ingest.wording import Fault
from driftgauge.records import Floats, Kind, Label, Reason

TIMES: Final = {
    Kind.PREDICTIONS: ("timestamp",),
    Kind.OUTCOMES: ("timestamp", "prediction_timestamp"),
}
NUMBERS: Final = {
    Kind.PREDICTIONS: ("score", "latency_seconds"),
    Kind.OUTCOMES: ("value", "score"),
}
LABELS: Final = ("prediction", "outcome")


def finished(kind: Kind, loose: Loose, limits: Limits) -> tuple[Chunk, Mapping[int, Fault]]:
    """The records of *loose* that can be taken, and by its rows why the others can't.

    A record with several faults is refused for the first, in the order of the checks.
    """
    faults: dict[int, Fault] = {}
    ids = _identifiers(loose.fields["prediction_id"], limits.id_bytes, faults)
    numbers = {name: _moments(loose.fields[name], name, faults) for name in TIMES[kind]}
    numbers |= {name: _finite(loose.fields[name], name, faults) for name in NUMBERS[kind]}
    labels = {name: _labels(loose.fields[name], name, faults) for name in LABELS}
    failed = _failed(loose.fields.get("error"), len(loose.place))
    if kind is Kind.PREDICTIONS:
        _refuse_empty(loose, numbers, labels["prediction"], failed, faults)
    else:
        _refuse_unjoinable(ids, numbers, labels, faults)
    if faults:
        return finished(kind, loose.without(faults), limits)[0], faults
    ignored = _counted(loose.ignored, (each.ignored for each in loose.spoilt.values()))
    longest = limits.label_characters
    chunk = Chunk(
        place=loose.place,
        ids=ids,
        numbers=numbers,
        labels=labels,
        numeric_names=loose.numeric_names,
        numeric=loose.numeric,
        categorical={name: texts(column, longest) for name, column in loose.categorical.items()},
        segments={name: texts(column, longest) for name, column in loose.segments.items()},
        scores=_shares(loose.scores, limits, ignored),
        failed=failed,
        trace_ids=_traces(loose.fields.get("trace_id"), len(loose.place), longest, ignored),
        invalid=_invalid(loose),
        ignored=ignored,
    )
    return chunk, faults


def floats(column: Column) -> Floats:
    """Numbers of *column*, NaN for None."""
    if isinstance(column, np.ndarray):
        return column
    numbers = np.empty(len(column))
    pack_into(numbers, column)
    return numbers


def pack_into(numbers: Floats, column: Sequence[Any]) -> None:
    """Writes *column* into *numbers*, contiguous and as long, NaN for None.

    Packing takes half the time of numpy's own reading of a list.
    """
    try:
        _packing(len(column)).pack_into(numbers.data, 0, *column)
    except struct.error:
        numbers[:] = [np.nan if v is None else v for v in column]


def packed(column: Sequence[Any]) -> bytes:
    """The bytes of *column* as float64, NaN for None."""
    try:
        return _packing(len(column)).pack(*column)
    except struct.error:
        return np.array([np.nan if v is None else v for v in column], np.float64).tobytes()


@lru_cache(maxsize=256)
def _packing(n: int) -> struct.Struct:
    return struct.Struct(f"{n}d")


def _identifiers(column: Any, longest: int, faults: dict[int, Fault]) -> Sequence[str | None]:
    try:
        # Most columns are of short texts alone, and only those have lengths. No character takes more
        # than four bytes.
        if 4 * max(map(len, column), default=0) <= longest:
            return column  # type: ignore[no-any-return]
    except TypeError:
        pass
    ids: Sequence[str | None] = column
    if not set(map(type, column)) <= {str, type(None)}:
        ids = [str(v) if isinstance(v, int) else v for v in column]
    if 4 * max(map(len, filter(None, ids)), default=0) > longest:
        detail = f"prediction_id: expected at most {longest} bytes of UTF-8, got more"
        for row, text in enumerate(ids):
            if text is not None and len(text.encode()) > longest:
                faults.setdefault(row, Fault(Reason.TOO_LONG, detail))
    return ids


def _moments(column: Column, name: str, faults: dict[int, Fault]) -> Floats:
    seconds, bad = epoch_seconds(column, name)
    for row, fault in bad.items():
        faults.setdefault(row, fault)
    return seconds


def _finite(column: Column, name: str, faults: dict[int, Fault]) -> Floats:
    numbers = floats(column)
    if isinstance(column, np.ndarray):
        _refuse_infinite(numbers, name, faults)
        if name == "latency_seconds":
            detail = f"{name}: expected a number of at least 0, got a negative one"
            for row in np.flatnonzero(numbers < 0.0).tolist():
                faults.setdefault(row, Fault(Reason.OUT_OF_DOMAIN, detail))
    return numbers


def _refuse_infinite(numbers: Floats, name: str, faults: dict[int, Fault]) -> None:
    detail = f"{name}: expected a finite number, got another"
    for row in np.flatnonzero(np.isinf(numbers)).tolist():
        faults.setdefault(row, Fault(Reason.OUT_OF_DOMAIN, detail))


def _labels(column: Column, name: str, faults: dict[int, Fault]) -> Sequence[Label]:
    if not isinstance(column, np.ndarray):
        return column
    _refuse_infinite(column, name, faults)
    return nullable(column)


def _failed(column: Column | None, n: int) -> NDArray[np.bool_]:
    if column is None or list(column).count(None) == n:
        return np.zeros(n, np.bool_)
    return np.fromiter((bool(v) or v == {} for v in column), np.bool_, n)


def _refuse_empty(
    loose: Loose,
    numbers: Mapping[str, Floats],
    prediction: Sequence[Label],
    failed: NDArray[np.bool_],
    faults: dict[int, Fault],
) -> None:
    if loose.given is None:
        return
    something = loose.given | failed | ~np.isnan(numbers["score"])
    something |= ~np.isnan(numbers["latency_seconds"])
    something |= np.fromiter((v is not None for v in prediction), np.bool_, len(prediction))
    something |= _scored(loose.scores, len(prediction))
    detail = "nothing in it: expected one of features, prediction, score, scores, latency_seconds, error"
    for row in np.flatnonzero(~something).tolist():
        faults.setdefault(row, Fault(Reason.MISSING_FIELD, detail))


def _scored(scores: Sequence[Shares | None] | Mapping[str, Floats], n: int) -> NDArray[np.bool_]:
    if isinstance(scores, Mapping):
        shares = np.array(list(scores.values())).reshape(len(scores), n)
        return np.asarray(~np.isnan(shares).all(axis=0), np.bool_)
    some = (each is not None and any(v is not None for v in each.values()) for each in scores)
    return np.fromiter(some, np.bool_, n)


def _refuse_unjoinable(
    ids: Sequence[str | None],
    numbers: Mapping[str, Floats],
    labels: Mapping[str, Sequence[Label]],
    faults: dict[int, Fault],
) -> None:
    if None in labels["outcome"]:
        fault = Fault(Reason.MISSING_FIELD, "outcome: expected a value, got none")
        for row, label in enumerate(labels["outcome"]):
            if label is None:
                faults.setdefault(row, fault)
    if None in ids:
        detail = "prediction_id: expected one where neither score nor prediction is given, got none"
        alone = np.isnan(numbers["score"])
        for row, text in enumerate(ids):
            if text is None and alone[row] and labels["prediction"][row] is None:
                faults.setdefault(row, Fault(Reason.MISSING_FIELD, detail))


def _shares(
    scores: Sequence[Shares | None] | Mapping[str, Floats], limits: Limits, ignored: Counter[Reason]
) -> dict[str, Floats]:
    """A column per class, the first *limits.classes* of them; of the others each value is counted."""
    if isinstance(scores, Mapping):
        found = {name: column for name, column in scores.items() if not np.isnan(column).all()}
        late = list(found)[limits.classes :]
        ignored[Reason.TOO_MANY] += sum(int((~np.isnan(found[name])).sum()) for name in late)
        kept = list(found)[: limits.classes]
        return {cut(name, limits.label_characters): found[name] for name in kept}
    records = [each for each in scores if each]
    if not records:
        return {}
    names = list(dict.fromkeys(name for each in records for name, v in each.items() if v is not None))
    if len(names) > limits.classes:
        late_names = set(names[limits.classes :])
        given = chain.from_iterable(each.items() for each in records)
        ignored[Reason.TOO_MANY] += sum(v is not None and name in late_names for name, v in given)
    return {
        cut(name, limits.label_characters): floats([each.get(name) if each else None for each in scores])
        for name in names[: limits.classes]
    }


def _traces(column: Column | None, n: int, longest: int, ignored: Counter[Reason]) -> Sequence[str | None]:
    if column is None or list(column).count(None) == n:
        return [None] * n
    traces = [v if v is None else str(v) for v in column]
    fit = [v if v is None or len(v) <= longest else None for v in traces]
    ignored[Reason.TOO_LONG] += fit.count(None) - traces.count(None)
    return fit


def _invalid(loose: Loose) -> Invalid:
    invalid: Invalid = Counter()
    for each in loose.spoilt.values():
        invalid.update(each.invalid)
    for reason, column in loose.dropped:
        invalid[UNNAMED, reason] += len(column) - list(column).count(None)
    return +invalid


def _counted(columns: Iterable[tuple[Reason, Column]], spoilt: Iterable[Counter[Reason]]) -> Counter[Reason]:
    counts: Counter[Reason] = Counter()
    for reason, column in columns:
        counts[reason] += len(column) - list(column).count(None)
    for each in spoilt:
        counts.update(each)
    return counts

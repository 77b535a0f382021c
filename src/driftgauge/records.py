"""Records as they cross the seam between the doors (bytes) and the monitors (columns).

A *group* is what the writer takes from the queue at once: one or more requests of one kind,
decoded together so that single-record requests cost little. Every record keeps the number of its
request in the group and its index in that request, so that each answer can be made afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Label: TypeAlias = bool | int | float | str | None


class Kind(StrEnum):
    """What a request carries."""

    PREDICTIONS = "predictions"
    OUTCOMES = "outcomes"


class Media(StrEnum):
    """The form of a request's body."""

    JSON = "json"
    NDJSON = "ndjson"


class Reason(StrEnum):
    """Why a record, a value or a request was refused; the closed set that labels the counters."""

    MALFORMED = "malformed"
    NOT_AN_OBJECT = "not_an_object"
    WRONG_TYPE = "wrong_type"
    OUT_OF_DOMAIN = "out_of_domain"
    MISSING_FIELD = "missing_field"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    BAD_TIMESTAMP = "bad_timestamp"
    FUTURE = "future"
    TOO_OLD = "too_old"
    UNKNOWN_CLASS = "unknown_class"
    UNKNOWN_KEY = "unknown_key"
    NO_TASK = "no_task"
    MODEL_LIMIT = "model_limit"
    COLUMNS_DIFFER = "columns_differ"
    NOTHING_VALID = "nothing_valid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    METHOD = "method_not_allowed"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "unsupported_media_type"
    ENCODING = "unsupported_encoding"
    OVERLOADED = "overloaded"
    STORE = "store_unavailable"
    INTERNAL = "internal"


class Violation(StrEnum):
    """How a feature's values break what is known of the records; the closed set that labels counters."""

    WRONG_TYPE = "wrong_type"
    MISSING_FEATURE = "missing_feature"
    NEW_FEATURE = "new_feature"
    OUT_OF_RANGE = "out_of_range"


@dataclass(frozen=True, slots=True)
class Request:
    """One body as it came through a door, inflated and within its size limit."""

    kind: Kind
    media: Media
    body: bytes
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record that was not taken: in which request of the group, at which index, and why."""

    request: int
    index: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A whole request of the group that was not taken."""

    request: int
    status: int
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is told after the commit: counts, and each record that was not taken."""

    accepted: int = 0
    duplicates: int = 0
    rejected: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """What is known of one model's records before they are decoded.

    Attributes:
        numeric: features whose values are numbers, in the order of the decoded matrix's rows.
        categorical: features whose values are text, booleans or coded numbers.
        ignored: feature names that are known and not watched; their values are skipped unread.
        segments: the segment columns; empty when none is known yet.
        discover: whether a feature or segment that is not named above is taken up.
    """

    numeric: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()
    segments: tuple[str, ...] = ()
    discover: bool = True


@dataclass(frozen=True, slots=True)
class Predictions:
    """n decoded predictions of one model version, in order of arrival.

    Attributes:
        request, index: shape (n,), where each record stood.
        ids: None where the record gave none.
        timestamps: shape (n,), epoch seconds; NaN where the record gave none.
        numeric_names: rows of *numeric*; may hold names that the schema didn't (discovered).
        numeric: shape (numeric features, n), C-contiguous; NaN is missing, an infinity not finite.
        categorical: per feature n texts; None is missing. Booleans are "true"/"false", numbers
            their shortest decimal text ("5" for 5 and 5.0).
        score: shape (n,), probability of the positive class (or any score); NaN where absent.
        scores: per class shape (n,); empty when no record gave any.
        prediction, outcome: the labels as sent; None where absent.
        latency_seconds: shape (n,), >= 0; NaN where absent.
        failed: shape (n,) bool, the record carried an ``error``.
        segments: per segment column n texts; None is missing.
        trace_ids: None where absent.
        invalid: values that were not taken while their record was, counted by (feature, reason);
            such a value counts as missing.
    """

    model: str
    model_version: str
    request: Ints
    index: Ints
    ids: Sequence[str | None]
    timestamps: Floats
    numeric_names: tuple[str, ...]
    numeric: Floats
    categorical: Mapping[str, Sequence[str | None]]
    score: Floats
    scores: Mapping[str, Floats]
    prediction: Sequence[Label]
    outcome: Sequence[Label]
    latency_seconds: Floats
    failed: NDArray[np.bool_]
    segments: Mapping[str, Sequence[str | None]]
    trace_ids: Sequence[str | None]
    invalid: Mapping[tuple[str, Reason], int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """n decoded outcomes of one model, in order of arrival; one version, or all when it is None.

    Attributes:
        ids: None only where the record needs no join.
        timestamps: shape (n,), epoch seconds, when the outcome came; NaN where not given.
        outcome: the labels as sent, never None.
        value: shape (n,), what the record was worth; NaN where absent.
        needs_join: shape (n,) bool; False where the record itself carries a score or a prediction.
        score, prediction, prediction_timestamps, segments: as in `Predictions`, for those.
    """

    model: str
    model_version: str | None
    request: Ints
    index: Ints
    ids: Sequence[str | None]
    timestamps: Floats
    outcome: Sequence[Label]
    value: Floats
    needs_join: NDArray[np.bool_]
    score: Floats
    prediction: Sequence[Label]
    prediction_timestamps: Floats
    segments: Mapping[str, Sequence[str | None]]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a group's bodies held: columns per model and version, and all that was not taken.

    Attributes:
        records: shape (requests,), how many records each request held, valid or not.
        ignored: values dropped outside of features (unknown top-level fields), by reason.
    """

    predictions: tuple[Predictions, ...] = ()
    outcomes: tuple[Outcomes, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    failures: tuple[Failure, ...] = ()
    records: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    ignored: Mapping[Reason, int] = field(default_factory=dict)

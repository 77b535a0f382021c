"""The typical record, and bodies of it in every form.

737 bytes of compact JSON: id, time, model, version, 20 numeric and 5 categorical features, score,
label, latency, one segment. Bodies are made once and stamped when they are sent: each gets ids that
no other body has and the time of its sending.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

MODEL = "churn"
IN_BODY = 1000
JITTER_SECONDS = 5.0

ID = b"@body number"
SECOND = b"2000-01-01T00:00:00"
TIMES = b"@times@"

WORDS = ("red", "green", "blue", "yellowish")
PLANS = ("free", "pro", "enterprise")


class Form(StrEnum):
    """How records are sent."""

    SINGLE = "single"
    NDJSON = "ndjson"
    COLUMNS = "columns"
    BASE64 = "base64"
    OUTCOMES = "outcomes"


@dataclass(frozen=True, slots=True)
class Shape:
    """How many features a record has."""

    numeric: int = 20
    categorical: int = 5

    @property
    def numeric_names(self) -> tuple[str, ...]:
        """Names of the numeric features."""
        return tuple(f"value_{i:02d}" for i in range(self.numeric))

    @property
    def categorical_names(self) -> tuple[str, ...]:
        """Names of the categorical features."""
        return tuple(f"cat_{i}" for i in range(self.categorical))


TYPICAL = Shape()


@dataclass(frozen=True, slots=True)
class Columns:
    """n records, column by column."""

    shape: Shape
    numeric: np.ndarray
    categorical: list[list[str]]
    score: np.ndarray
    label: list[int]
    latency: np.ndarray
    plan: list[str]
    age: np.ndarray

    def __len__(self) -> int:
        return len(self.label)


def columns(shape: Shape, n: int, seed: int) -> Columns:
    """*n* records drawn with *seed*; the same for every seed, but for chance."""
    draw = np.random.default_rng(seed)
    score = np.round(draw.random(n), 6)
    return Columns(
        shape,
        np.round(draw.normal(0, 60, (shape.numeric, n)), 6),
        [[WORDS[i] for i in draw.integers(0, len(WORDS), n)] for _ in range(shape.categorical)],
        score,
        (score >= 0.5).astype(int).tolist(),
        np.round(draw.random(n) / 10, 6),
        [PLANS[i] for i in draw.integers(0, len(PLANS), n)],
        np.sort(draw.random(n) * JITTER_SECONDS)[::-1],
    )


def prediction_id(body: int, place: int) -> str:
    """The id of a record by its body's number and its place: 32 characters."""
    return f"{body:012x}{place:020x}"


@dataclass(frozen=True, slots=True)
class Template:
    """A body to stamp.

    Attributes:
        ages: shape (records,), seconds before the sending, where times are columns of numbers.
    """

    path: str
    media: str
    records: int
    text: bytes
    ages: np.ndarray | None = None

    def stamped(self, number: int, now: float) -> bytes:
        """The body with the number *number*, sent at *now*."""
        text = self.text.replace(ID, b"%012x" % number)
        if self.ages is not None:
            times = base64.b64encode((now - self.ages).astype("<f8").tobytes())
            return text.replace(TIMES, times)
        second = datetime.fromtimestamp(now - JITTER_SECONDS, UTC).strftime("%Y-%m-%dT%H:%M:%S").encode()
        return text.replace(SECOND, second)

    def request(self, number: int, now: float) -> bytes:
        """The whole HTTP request."""
        body = self.stamped(number, now)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Content-Type: {self.media}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def templates(
    form: Form, shape: Shape = TYPICAL, n: int = IN_BODY, version: str = "14"
) -> tuple[Template, ...]:
    """Bodies of *form* with *n* records each; of single records a thousand."""
    if form is Form.OUTCOMES:
        return tuple(_outcomes(n, seed) for seed in range(4))
    if form is Form.SINGLE:
        lines = _lines(columns(shape, IN_BODY, 1), version)
        return tuple(Template("/v1/predictions", "application/json", 1, line) for line in lines)
    made = [columns(shape, n, seed) for seed in range(1, 5)]
    if form is Form.NDJSON:
        bodies = [b"\n".join(_lines(each, version)) for each in made]
        return tuple(Template("/v1/predictions", "application/x-ndjson", n, body) for body in bodies)
    packed = form is Form.BASE64
    return tuple(
        Template(
            "/v1/predictions",
            "application/json",
            n,
            _columnar(each, version, packed=packed),
            each.age if packed else None,
        )
        for each in made
    )


def _encoded(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _id(place: int) -> str:
    return f"{ID.decode()}{place:020x}"


def _time(found: Columns, place: int) -> str:
    """A time within the second that stands for the sending's."""
    return f"{SECOND.decode()}.{int(999 * (1 - found.age[place] / JITTER_SECONDS)):03d}Z"


def _lines(found: Columns, version: str) -> list[bytes]:
    names, texts = found.shape.numeric_names, found.shape.categorical_names
    numeric = found.numeric.T.tolist()
    return [
        _encoded(
            {
                "prediction_id": _id(i),
                "timestamp": _time(found, i),
                "model": MODEL,
                "model_version": version,
                "features": {
                    **dict(zip(names, numeric[i], strict=True)),
                    **{name: column[i] for name, column in zip(texts, found.categorical, strict=True)},
                },
                "score": float(found.score[i]),
                "prediction": found.label[i],
                "latency_seconds": float(found.latency[i]),
                "segments": {"plan": found.plan[i]},
            }
        )
        for i in range(len(found))
    ]


def _columnar(found: Columns, version: str, *, packed: bool) -> bytes:
    def numbers(values: np.ndarray) -> object:
        if not packed:
            return values.tolist()
        return {"float64": base64.b64encode(values.astype("<f8").tobytes()).decode()}

    places = range(len(found))
    features = {
        name: numbers(column) for name, column in zip(found.shape.numeric_names, found.numeric, strict=True)
    }
    features |= dict(zip(found.shape.categorical_names, found.categorical, strict=True))
    return _encoded(
        {
            "model": MODEL,
            "model_version": version,
            "columns": {
                "prediction_id": [_id(i) for i in places],
                "timestamp": {"float64": TIMES.decode()} if packed else [_time(found, i) for i in places],
                "features": features,
                "score": numbers(found.score),
                "prediction": found.label,
                "latency_seconds": numbers(found.latency),
                "segments": {"plan": found.plan},
            },
        }
    )


def _outcomes(n: int, seed: int) -> Template:
    labels = np.random.default_rng(seed).integers(0, 2, n).tolist()
    records = [
        {"prediction_id": _id(i), "model": MODEL, "outcome": label, "timestamp": f"{SECOND.decode()}.5Z"}
        for i, label in enumerate(labels)
    ]
    return Template("/v1/outcomes", "application/json", n, _encoded(records))

"""Relations on the two data sets that the package carries: a part of ``benchmarks.measured_relations``."""

import csv
import gzip
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

import driftgauge
from driftgauge import reference as references
from driftgauge.reference import relation as relations
from driftgauge.reference.comparing import compared
from driftgauge.reference.verdicts import judge
from driftgauge.sketches.coarse import CoarseCodes
from driftgauge.sketches.concept import Concept
from driftgauge.sketches.inputs import Inputs
from driftgauge.sketches.learning import Learning
from driftgauge.sketches.quality import Joined

DATA = Path(driftgauge.__file__).parent / "demo" / "data"
DAY = 86_400.0
CHUNK = 5_000
SEED = 20261126


@dataclass(frozen=True)
class Set:
    """Records with their outcomes: a reference, and the chunks that come after it."""

    name: str
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    prediction: str
    outcome: str
    score: str | None
    classes: tuple[str, ...]
    reference: list[dict[str, str]]
    chunks: list[tuple[str, list[dict[str, str]]]]


def read(*path: str) -> list[dict[str, str]]:
    with gzip.open(DATA.joinpath(*path), "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def car_loan() -> Set:
    reference = read("car_loan", "reference.csv.gz")
    outcome = {row["id"]: row["repaid"] for row in read("car_loan", "analysis_targets.csv.gz")}
    later = [{**row, "repaid": outcome[row["id"]]} for row in read("car_loan", "analysis.csv.gz")]
    parts = [
        (f"reference {at // CHUNK}", reference[at : at + CHUNK]) for at in range(0, len(reference), CHUNK)
    ]
    parts += [(f"analysis {at // CHUNK}", later[at : at + CHUNK]) for at in range(0, len(later), CHUNK)]
    numeric = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
    categorical = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")
    return Set(
        "car_loan", numeric, categorical, "y_pred", "repaid", "y_pred_proba", ("0", "1"), reference, parts
    )


def bike_sharing() -> Set:
    rows = read("bike_sharing", "records.csv.gz")
    reference = [row for row in rows if row["chunk"] == "reference"]
    parts = [("reference", reference)]
    for month in range(18):
        year, number = 2011 + (month + 6) // 12, (month + 6) % 12 + 1
        parts.append((f"{year}-{number:02}", [row for row in rows if row["chunk"] == str(month)]))
    numeric = ("temp", "atemp", "hum", "windspeed", "hr")
    categorical = ("season", "holiday", "weekday", "workingday", "weathersit")
    return Set("bike_sharing", numeric, categorical, "prediction", "cnt", None, (), reference, parts)


def _numbers(rows: Sequence[dict[str, str]], names: Sequence[str]):
    return np.array([[float(row[name]) for row in rows] for name in names])


def _texts(rows: Sequence[dict[str, str]], names: Sequence[str]):
    return {f"f:{name}": [row[name] for row in rows] for name in names}


def _days(rows: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
    days: dict[int, list[dict[str, str]]] = {}
    for row in rows:
        when = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC).timestamp()
        days.setdefault(int(when // DAY), []).append(row)
    return [days[day] for day in sorted(days)]


def lines(held: Set) -> Iterator[str]:
    """Each chunk against the reference: the features whose relation gets a verdict, and the largest shift."""
    keys = tuple(f"f:{name}" for name in held.numeric)
    numbers, texts = _numbers(held.reference, held.numeric), _texts(held.reference, held.categorical)
    learned = Learning(40).row(keys, numbers, texts, len(held.reference), {})
    made = references.build({0: learned}, first=0.0, last=1.0, declared={}, category_limit=50)
    codes = CoarseCodes(Inputs(made.bins), made.id, (), 32)
    sketch = Concept(len(codes.keys), len(held.classes))

    def row(rows, outcome=None):
        n = len(rows)
        absent = np.full(n, np.nan)
        bins = codes.codes(keys, _numbers(rows, held.numeric), _texts(rows, held.categorical), n)
        (told,), (prediction,) = _numbers(rows, [held.outcome]), _numbers(rows, [held.prediction])
        none = np.zeros((n, 0)), np.zeros((0, n), np.uint8)
        outcome = told if outcome is None else outcome
        return sketch.row(Joined(outcome, prediction, absent, *none, absent, bins=bins))

    days = _days(held.reference)
    span = (0.0, DAY * len(days))
    rows_by_day = [row(day) for day in days]
    relation = relations.of_rows(codes.keys, held.classes, sketch, rows_by_day, None, None, span)
    expected = _expected(held)
    for name, rows in held.chunks:
        found = compared(relation, sketch, row(rows), codes, held.classes)
        verdict = judge(found, 1.0, None, 1)["verdict"].astype(bool)
        alike = "-"
        if expected is not None and verdict.any():
            drawn = compared(relation, sketch, row(rows, expected(rows)), codes, held.classes)
            alike = _told(codes.keys, drawn.spread, verdict)
        moved = _told(codes.keys, found.spread, verdict)
        cells = (held.name, name, f"{len(rows):,}", moved, alike, f"{np.nanmax(found.spread):.2f}")
        yield f"| {' | '.join(cells)} |"


def _told(keys, spread, verdict) -> str:
    found = [f"{key[2:]} ({shift:.2f})" for key, shift, v in zip(keys, spread, verdict, strict=True) if v]
    return ", ".join(found) or "-"


def _expected(held: Set) -> Callable[[Sequence[dict[str, str]]], NDArray[np.float64]] | None:
    """Outcomes as the score says, calibrated on the reference: what there would be if only inputs moved."""
    if held.score is None:
        return None
    score, outcome = _numbers(held.reference, [held.score, held.outcome])
    calibrated = IsotonicRegression(out_of_bounds="clip").fit(score, outcome)
    rng = np.random.default_rng(SEED)

    def drawn(rows):
        chances = calibrated.predict(_numbers(rows, [held.score])[0])
        return (rng.random(len(rows)) < chances).astype(float)

    return drawn

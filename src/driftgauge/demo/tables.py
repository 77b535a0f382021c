"""The records that the package carries, as columns in order of time."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from driftgauge.config import DAY, HOUR
from driftgauge.records import Floats

DATA: Final = Path(__file__).parent / "data"

BIKE_NUMERIC: Final = ("hr", "temp", "atemp", "hum", "windspeed")
BIKE_CATEGORICAL: Final = ("season", "holiday", "weekday", "workingday", "weathersit")
LOAN_NUMERIC: Final = ("car_value", "debt_to_income_ratio", "loan_length", "driver_tenure")
LOAN_CATEGORICAL: Final = ("salary_range", "repaid_loan_on_prev_car", "size_of_downpayment")


@dataclass(frozen=True, slots=True)
class Table:
    """n records of one model, the oldest first.

    Attributes:
        times: shape (n,), epoch seconds of each prediction, ascending.
        numeric: per feature shape (n,); categorical: per feature n texts.
        score: shape (n,), probability of class 1; None for a regression.
        prediction, outcome: shape (n,); classes 0 and 1, or numbers.
        delay_seconds: how long after its prediction each outcome comes.
    """

    ids: Sequence[str]
    times: Floats
    numeric: Mapping[str, Floats]
    categorical: Mapping[str, Sequence[str]]
    score: Floats | None
    prediction: Floats
    outcome: Floats
    delay_seconds: float

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a model's reference is made from, and what is replayed."""

    reference: Table
    current: Table


Columns = Mapping[str, Sequence[str]]


def read_csv(path: Path) -> Columns:
    """The columns of a gzipped CSV file with a header."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        rows = csv.reader(text)
        names = next(rows)
        columns = list(zip(*rows, strict=True))
    return dict(zip(names, columns, strict=True))


def bike() -> Recorded:
    """Hourly bike rentals: reference April to June 2011, replayed July 2011 to December 2012.

    The rentals of an hour are known when it is over.
    """
    columns = read_csv(DATA / "bike_sharing" / "records.csv.gz")
    chunk = np.array(columns["chunk"])
    return Recorded(
        _bike_table(_chosen(columns, np.flatnonzero(chunk == "reference"))),
        _bike_table(_chosen(columns, np.flatnonzero((chunk != "reference") & (chunk != "train")))),
    )


def _chosen(columns: Columns, places: Iterable[int]) -> Columns:
    wanted = [int(place) for place in places]
    return {name: [values[i] for i in wanted] for name, values in columns.items()}


def _bike_table(columns: Columns) -> Table:
    return Table(
        ids=columns["id"],
        times=_epoch_seconds(columns["timestamp"]),
        numeric={name: np.array(columns[name], np.float64) for name in BIKE_NUMERIC},
        categorical={name: columns[name] for name in BIKE_CATEGORICAL},
        score=None,
        prediction=np.array(columns["prediction"], np.float64),
        outcome=np.array(columns["cnt"], np.float64),
        delay_seconds=HOUR,
    )


def car_loan() -> Recorded:
    """Car loans: reference January to October 2018, replayed to August 2019, labels a week late."""
    folder = DATA / "car_loan"
    current = read_csv(folder / "analysis.csv.gz")
    targets = read_csv(folder / "analysis_targets.csv.gz")
    if list(current["id"]) != list(targets["id"]):
        raise ValueError(f"{folder}: expected the same ids in the same order in analysis and targets")
    reference = _loan_table(read_csv(folder / "reference.csv.gz"))
    return Recorded(reference, _loan_table({**current, "repaid": targets["repaid"]}))


def _loan_table(columns: Columns) -> Table:
    # Booleans are written as Python writes them; driftgauge's text of a boolean is JSON's.
    repaid_before = [text.lower() for text in columns["repaid_loan_on_prev_car"]]
    return Table(
        ids=columns["id"],
        times=_epoch_seconds(columns["timestamp"]),
        numeric={name: np.array(columns[name], np.float64) for name in LOAN_NUMERIC},
        categorical={
            **{name: columns[name] for name in LOAN_CATEGORICAL},
            "repaid_loan_on_prev_car": repaid_before,
        },
        score=np.array(columns["y_pred_proba"], np.float64),
        prediction=np.array(columns["y_pred"], np.float64),
        outcome=np.array(columns["repaid"], np.float64),
        delay_seconds=7 * DAY,
    )


def _epoch_seconds(texts: Sequence[str]) -> Floats:
    times: Floats = np.array(texts, "datetime64[ms]").astype(np.int64) / 1000.0
    return times

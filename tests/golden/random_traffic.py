"""Random models and their traffic, as a sender would post it: what the calculator and the process both get.

Everything hangs on a seed. Times are of a records clock, so that weeks pass in seconds.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import numpy as np

HOUR, DAY = 3600.0, 86_400.0
BEGIN = 1_700_006_400.0  # a multiple of an hour
REFERENCE_DAYS, LIVE_DAYS = 10, 9
CLASSES = {"binary": (0, 1), "multiclass": ("red", "green", "blue", "rare")}


@dataclass
class Request:
    """One request; `columns` sends it column by column, where infinities can be said."""

    path: str
    records: list
    columns: bool = False
    kill_after: bool = False

    def body(self):
        if not self.columns:
            return json.dumps(self.records).encode()
        return json.dumps(_as_columns(self.records)).encode()


@dataclass
class Scenario:
    """A model, its reference's records and its requests."""

    seed: int
    name: str
    model: dict
    features: dict
    reference: list
    requests: list = field(default_factory=list)


def _as_columns(records):
    """Records that all have the same model and version, as columns."""
    first = records[0]
    out = {"model": first["model"]}
    if "model_version" in first:
        out["model_version"] = first["model_version"]
    names = dict.fromkeys(k for r in records for k in r if k not in ("model", "model_version"))
    columns = {}
    for name in names:
        values = [r.get(name) for r in records]
        if name in ("features", "scores", "segments"):
            keys = dict.fromkeys(k for v in values if v for k in v)
            columns[name] = {k: _column([None if v is None else v.get(k) for v in values]) for k in keys}
        else:
            columns[name] = _column(values) if name in ("score", "timestamp") else values
    return {**out, "columns": columns}


def _column(values):
    numbers = all(v is None or (isinstance(v, float) and not isinstance(v, bool)) for v in values)
    if not numbers or not any(v is not None for v in values):
        return values
    array = np.array([np.nan if v is None else v for v in values], "<f8")
    return {"float64": base64.b64encode(array.tobytes()).decode()}


# --- features -----------------------------------------------------------------------------------


def _feature(kind, draw, n, moved):  # noqa: C901 - one case a kind
    """n values of a feature of *kind*; *moved* says by how much it differs from the reference, 0 to 1."""
    if kind == "normal":
        values = draw.normal(5 + moved, 2, n).tolist()
    elif kind == "integer":
        values = [int(v) for v in draw.poisson(40 * (1 + 0.2 * moved), n)]
    elif kind == "few":
        values = [int(v) for v in draw.choice([0, 1, 2, 5, 9], n, p=_skewed(5, moved))]
    elif kind == "constant":
        values = [7.5 if draw.random() > 0.02 * moved else 9.0 for _ in range(n)]
    elif kind == "heavy":
        values = (draw.lognormal(2, 2.5, n) * (1 + moved)).tolist()
    elif kind == "cauchy":
        values = draw.standard_cauchy(n).tolist()
    elif kind == "huge":
        values = (draw.normal(1e9, 1e3, n) + 500 * moved).tolist()
    elif kind == "boolean":
        values = [bool(v) for v in draw.random(n) < 0.3 + 0.3 * moved]
    elif kind == "category":
        names = [*(f"c{i}" for i in range(6)), "new one" if moved else "c0"]
        values = draw.choice(names, n, p=[*(0.95 * _skewed(6, moved)), 0.05]).tolist()
    elif kind == "many":
        values = [f"k{int(v)}" for v in np.minimum(draw.geometric(0.04, n), 150)]
    elif kind == "long":
        values = [
            "x" * 200 + str(int(v)) if v < 2 else "y" * 20 + str(int(v)) for v in draw.integers(0, 5, n)
        ]
    else:
        raise AssertionError(kind)
    return values


def _skewed(k, moved):
    weights = np.arange(k, 0, -1.0)
    weights[-1] += 4 * moved
    return weights / weights.sum()


KINDS = (
    "normal",
    "integer",
    "few",
    "constant",
    "heavy",
    "cauchy",
    "huge",
    "boolean",
    "category",
    "many",
    "long",
)
MISSING_SHARES = (0.0, 0.0, 0.05, 0.4)


def scenario(seed, *, task=None, live_days=LIVE_DAYS, per_day=400, reference=3000, recent=250):
    """A random model and all that it is sent."""
    draw = np.random.default_rng(seed)
    task = task or str(draw.choice(["binary", "multiclass", "regression"]))
    kinds = {
        f"f_{kind}": kind for kind in draw.choice(KINDS, int(draw.integers(4, 9)), replace=False).tolist()
    }
    missing = {name: float(draw.choice(MISSING_SHARES)) for name in kinds}
    form = str(draw.choice(["both", "score", "label"])) if task == "binary" else "both"
    if task == "multiclass":
        form = str(draw.choice(["both", "score", "label"]))
    positive = str(draw.choice(["", "churned"])) if task == "binary" else ""
    model = {
        "task": task,
        "clock": "records",
        "windows": ["1h", "1d", "7d"],
        "segments": ["plan", "region"][: int(draw.integers(1, 3))],
        "outcomes": {"horizon": str(draw.choice(["30d", "6d"]))},
        "against": ["reference", "previous_window", "same_hours_last_week"],
        "discover_features": True,
    }
    if draw.random() < 0.7:
        model["outcomes"]["matures_after"] = str(draw.choice(["6h", "1d", "2d"]))
    if draw.random() < 0.4:
        model["outcomes"]["revisions"] = True
    if positive:
        model["positive_class"] = positive
    if task == "binary":
        model["threshold"] = float(draw.choice([0.5, 0.3]))
    value = int(draw.integers(0, 4))  # none, by cell, weighted, own
    if value:
        cells = {
            "binary": {"true_positive": 40, "false_positive": -5.5, "false_negative": -120},
            "multiclass": {"right": 2, "wrong": -3},
            "regression": {"over": -1.5, "under": -0.5},
        }[task]
        model["value"] = {"currency": "EUR", **cells}
        numeric = [n for n, k in kinds.items() if k in ("normal", "integer", "few", "huge")]
        if value == 2 and numeric:
            model["value"]["weight"] = numeric[0]
    own_values = value == 3
    name = "m"
    base = _Generator(
        draw, task, form, kinds, missing, positive=positive, name=name, own_values=own_values, model=model
    )
    rows = [
        base.prediction(BEGIN - REFERENCE_DAYS * DAY + t, 0.0, version=None, number=None, fresh=False)
        for t in np.sort(draw.uniform(0, REFERENCE_DAYS * DAY - HOUR, reference)).tolist()
    ]
    found = Scenario(seed, name, model, kinds, rows)
    found.requests = base.requests(live_days, per_day, recent)
    return found


class _Generator:
    def __init__(self, draw, task, form, kinds, missing, *, positive, name, own_values, model):
        self.draw, self.task, self.form, self.kinds, self.missing = draw, task, form, kinds, missing
        self.positive, self.name, self.own_values = positive, name, own_values
        self.model = model
        self.segments = model["segments"]
        # A record older than the horizon is not known when it is sent again.
        self.latest = 5 if model["outcomes"]["horizon"] == "6d" else 12
        self.truth = {}
        self.versions = ["1"] if draw.random() < 0.4 else ["1", "2"]
        self.shadow = draw.random() < 0.5
        self.decimals = int(draw.choice([2, 17]))

    # --- one record ---

    def prediction(self, time, moved, *, version, number, fresh=True):
        draw = self.draw
        features = {}
        for feature, kind in self.kinds.items():
            if draw.random() >= self.missing[feature]:
                features[feature] = _feature(kind, draw, 1, moved if fresh else 0.0)[0]
            elif draw.random() < 0.5:
                features[feature] = None
        record = {"model": self.name, "timestamp": round(time, 3), "features": features}
        if number is not None:
            record["prediction_id"] = number
        if version is not None:
            record["model_version"] = version
        signal = draw.normal()
        outcome = self._outcome(signal, moved)
        self._answer(record, signal)
        if draw.random() < 0.9:
            record["segments"] = {
                column: str(draw.choice(["a", "b", "c", "d"], p=[0.6, 0.25, 0.12, 0.03]))
                for column in self.segments
            }
        record["_outcome"] = outcome
        return record

    def _outcome(self, signal, moved):
        draw = self.draw
        if self.task == "regression":
            return float(round(30 + 10 * signal + draw.normal(0, 4) + 5 * moved, 4))
        if self.task == "binary":
            return int(draw.random() < 1 / (1 + np.exp(-(1.5 * signal - 0.8 + moved))))
        return str(draw.choice(["red", "green", "blue", "rare"], p=_softmax(signal, 0.8)))

    def _answer(self, record, signal):
        draw = self.draw
        if self.task == "regression":
            record["prediction"] = float(round(30 + 10 * signal + draw.normal(0, 2), 4))
            return
        if self.task == "binary":
            score = float(round(1 / (1 + np.exp(-(1.5 * signal - 0.8 + draw.normal(0, 0.4)))), self.decimals))
            if self.form in ("both", "score"):
                record["score"] = score
            if self.form in ("both", "label"):
                label = int(score >= 0.45)
                record["prediction"] = ("churned" if label else "stayed") if self.positive else label
            if draw.random() < 0.02:
                record.pop("prediction", None)
            return
        shares = _softmax(signal, 1.0)
        shares = np.round(shares * draw.uniform(0.8, 1.2, 4), 4)
        shares /= shares.sum()
        if self.form in ("both", "score"):
            record["scores"] = dict(zip(CLASSES["multiclass"], shares.tolist(), strict=True))
        if self.form in ("both", "label"):
            record["prediction"] = CLASSES["multiclass"][int(shares.argmax())]

    def told(self, number, outcome, time, version=None):
        if self.task == "binary" and self.positive:
            outcome = "churned" if outcome else "stayed"
        elif self.task == "binary" and self.draw.random() < 0.3:
            outcome = bool(outcome)
        record = {
            "model": self.name,
            "prediction_id": number,
            "outcome": outcome,
            "timestamp": round(time, 3),
        }
        if version is not None:
            record["model_version"] = version
        if self.own_values and self.draw.random() < 0.5:
            record["value"] = float(round(self.draw.normal(10, 50), 2))
        return record

    # --- requests ---

    def requests(self, live_days, per_day, recent):  # noqa: C901, PLR0912, PLR0915 - one story, told from the top
        draw = self.draw
        slot = 6 * HOUR
        slots = int(live_days * DAY / slot)
        due = {}
        found = []
        number = 0
        end = BEGIN + live_days * DAY + 0.6 * HOUR
        for place in range(slots + 1):
            start = BEGIN + place * slot
            stop = min(start + slot, end)
            n = int(per_day / 4 * draw.uniform(0.4, 1.6))
            times = draw.uniform(start, stop, n)
            if place >= slots - 1:
                times = np.concatenate([times, draw.uniform(max(start, stop - 2 * HOUR), stop, recent)])
            records, outcomes = [], due.pop(place, [])
            for time in times.tolist():
                number += 1
                moved = 0.0 if place < slots / 2 else 1.0
                made = self.prediction(time, moved, version=self.versions[0], number=f"id-{number}")
                truth = made.pop("_outcome")
                batch = [made]
                if len(self.versions) > 1 and place > slots / 3:
                    if self.shadow:
                        twin = self.prediction(time, moved, version="2", number=f"id-{number}")
                        twin.pop("_outcome")
                        twin["features"] = made["features"]
                        batch.append(twin)
                    elif draw.random() < 0.4:
                        made["model_version"] = "2"
                if draw.random() < 0.02:
                    for each in batch:
                        each.pop("prediction_id")
                    records += batch
                    continue
                if draw.random() < 0.03 and place > 0:
                    for each in batch:
                        each["timestamp"] = round(time - draw.uniform(2, self.latest) * DAY, 3)
                records += batch
                if draw.random() < 0.85:
                    delay = draw.lognormal(np.log(5 * HOUR), 0.9)
                    came = made["timestamp"] + delay if draw.random() > 0.02 else made["timestamp"] - 60
                    at = int((came - BEGIN) // slot)
                    at = min(max(at, place), slots) if draw.random() > 0.05 else place
                    wanted = outcomes if at == place else due.setdefault(at, [])
                    came = min(came, end)
                    wanted.append(self.told(f"id-{number}", truth, came))
                    if draw.random() < 0.05:  # again, or otherwise
                        other = self._outcome(draw.normal(), moved)
                        later = due.setdefault(min(at + 1, slots), []) if at < slots else wanted
                        later.append(self.told(f"id-{number}", other, min(came + HOUR, end)))
            if draw.random() < 0.5:
                outcomes.append(self.told(f"nobody-{place}", self._outcome(0.3, 0), stop - 60))
            if draw.random() < 0.4 and records and place:  # beyond what the clock takes
                far = dict(records[0], timestamp=stop + 40 * DAY, prediction_id=f"far-{place}")
                records.append(far)
            found += self._shuffled(records, outcomes)
            if place in (slots // 3, slots - 1):
                found[-1].kill_after = True
        return found

    def _shuffled(self, records, outcomes):
        draw = self.draw
        requests = []
        by_version = {}
        for place in draw.permutation(len(records)).tolist():
            record = records[place]
            by_version.setdefault(record.get("model_version"), []).append(record)
        for some in by_version.values():
            size = int(draw.integers(20, 300))
            for at in range(0, len(some), size):
                part = some[at : at + size]
                if all(str(r.get("prediction_id")).startswith("far") for r in part):
                    continue  # alone it would move the clock a window on
                columns = draw.random() < 0.4
                if columns:
                    part = [self._infinite(dict(r)) for r in part]
                requests.append(Request("/v1/predictions", part, columns))
                if draw.random() < 0.1:
                    requests.append(Request("/v1/predictions", part[: len(part) // 2]))
                    requests[-1].records = [
                        dict(r)
                        for r in requests[-1].records
                        if not _has_infinity(r) and not str(r.get("prediction_id")).startswith("far")
                    ]
                    requests = [r for r in requests if r.records]
        order = draw.permutation(len(outcomes)).tolist()
        size = int(draw.integers(30, 200))
        for at in range(0, len(order), size):
            requests.append(Request("/v1/outcomes", [outcomes[i] for i in order[at : at + size]]))
        requests = [requests[i] for i in draw.permutation(len(requests)).tolist()]
        return requests

    def _infinite(self, record):
        features = dict(record["features"])
        for feature, kind in self.kinds.items():
            if kind in ("normal", "heavy") and self.draw.random() < 0.03:
                features[feature] = float(self.draw.choice([np.inf, -np.inf]))
        return {**record, "features": features}


def _has_infinity(record):
    return any(isinstance(v, float) and not np.isfinite(v) for v in record["features"].values())


def _softmax(signal, scale):
    logits = np.array([signal, 0.2, -signal, -2.0]) * scale
    shares = np.exp(logits)
    return shares / shares.sum()

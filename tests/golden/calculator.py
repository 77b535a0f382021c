"""What each number must be, straight from the records and with other people's libraries: numpy, scipy, scikit-learn.

It imports nothing of the program. It keeps every record; a window is a filter on their times. What a number
stands on is written here as documents say it: docs/how-it-works.md, docs/records.md and the HELP in
docs/metrics.md.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from scipy import stats
from sklearn import metrics

HOUR, MINUTE = 3600.0, 60.0
SECONDS = {"m": 60.0, "h": 3600.0, "d": 86_400.0}
LEAST = 30  # below it a number is absent
LABEL_CHARACTERS = 128
CATEGORIES = 50


def duration(text):
    return float(text[:-1]) * SECONDS[text[-1]]


@dataclass
class Prediction:
    id: str | None
    version: str
    time: float
    features: dict
    score: float
    scores: dict | None
    answer: object  # class text or number; None where there is none
    segments: dict
    counted: bool
    joined: Joined | None = None
    own_words: bool = False  # its outcome carried a prediction of its own


@dataclass
class Joined:
    prediction: Prediction
    outcome: object
    came: float
    value: float | None


@dataclass
class Word:
    """What was said of an id: the first word's time, the last word's outcome."""

    outcome: object
    time: float
    value: float | None


@dataclass
class Calculator:
    """A model's records as they come, request by request."""

    name: str
    model: dict
    wall: float
    clock: float | None = None
    predictions: list = field(default_factory=list)
    by_id: dict = field(default_factory=lambda: defaultdict(dict))  # version -> id -> Prediction
    words: dict = field(default_factory=dict)  # id -> Word
    lifetime_from: int = 0
    lifetime_joined: list = field(default_factory=list)
    segment_names: list = field(default_factory=list)
    first_time: dict = field(default_factory=dict)
    conflicts: int = 0
    revised: int = 0
    orphaned: int = 0

    def __post_init__(self):
        self.windows = {name: duration(name) for name in self.model["windows"]}
        self.longest = max(self.windows.values())
        self.horizon = duration(self.model["outcomes"]["horizon"])
        self.task = self.model["task"]
        self.positive = self.model.get("positive_class")
        self.threshold = self.model.get("threshold", 0.5)
        self.values = self.model.get("value")

    # --- words of labels ---

    def label(self, given):
        """A class's text (binary: 0 or 1), or a number; None where it says nothing."""
        if given is None:
            return None
        if self.task == "regression":
            return float(given)
        text = {True: "true", False: "false"}[given] if isinstance(given, bool) else str(given)
        if self.task == "multiclass":
            return text
        if self.positive:
            return int(text == self.positive or text in ("1", "true"))
        return {"1": 1, "true": 1, "0": 0, "false": 0}.get(text.lower())

    # --- records in ---

    def restarted(self):
        """What counts since the process started counts anew."""
        self.lifetime_from = len(self.predictions)
        self.lifetime_joined = []

    def _in_time(self, time):
        return time <= (self.wall if self.clock is None else self.clock) + self.longest

    def _move(self, times, sent):
        if self.clock is None:
            self.clock = max(times, default=None)
        elif times:
            self.clock = max(self.clock, min(max(times), self.clock + self.longest))
        elif sent and min(sent) > self.clock + self.longest:
            self.clock += self.longest

    def predict(self, records):
        """Accepted, duplicates and refused of one request, all of one version."""
        version = records[0].get("model_version", "")
        taken, duplicates, refused = [], 0, 0
        known = self.by_id[version]
        fresh = set()
        for record in records:
            number = record.get("prediction_id")
            if not self._in_time(record["timestamp"]):
                refused += 1
            elif number is not None and (number in known or number in fresh):
                duplicates += 1
            else:
                taken.append(record)
                fresh.add(number)
        self._move([r["timestamp"] for r in taken], [r["timestamp"] for r in records])
        for record in taken:
            self._keep(record, version)
        return len(taken), duplicates, refused

    def _keep(self, record, version):
        score = record.get("score")
        made = Prediction(
            record.get("prediction_id"),
            version,
            record["timestamp"],
            record.get("features", {}),
            math.nan if score is None else score,
            record.get("scores"),
            self.label(record.get("prediction")),
            {k: cut(v) for k, v in record.get("segments", {}).items()},
            counted=record["timestamp"] >= self.clock - self.longest - HOUR,
        )
        if made.answer is None and self.task == "binary" and score is not None:
            made.answer = int(score >= self.threshold)
        if made.answer is None and made.scores:
            made.answer = max(made.scores, key=made.scores.get)
        for column in made.segments:
            if column not in self.segment_names:
                self.segment_names.append(column)
        self.predictions.append(made)
        if made.counted:
            self.first_time[version] = min(self.first_time.get(version, math.inf), made.time)
        if made.id is None:
            return
        self.by_id[version][made.id] = made
        word = self.words.get(made.id)
        if word is not None:
            if word.time > made.time + self.horizon:
                self.orphaned += 1
            else:
                self._join(made, word)

    def _join(self, prediction, word):
        prediction.joined = Joined(prediction, word.outcome, word.time, word.value)
        self.lifetime_joined.append(prediction.joined)

    def tell(self, records):  # noqa: C901, PLR0912 - every way that a word can meet a prediction
        """Accepted, duplicates and refused of one request of outcomes; none names a version."""
        revises = self.model["outcomes"].get("revisions", False)
        good = [r for r in records if self._in_time(r["timestamp"])]
        fresh, again, taken, later = {}, [], [], 0
        for record in good:
            number, outcome = record["prediction_id"], self.label(record["outcome"])
            if number in self.words:
                again.append((record, outcome))
            elif number not in fresh:
                fresh[number] = Word(outcome, record["timestamp"], record.get("value"))
                taken.append(number)
            elif fresh[number].outcome != outcome and revises:  # the last of a request is the first's
                fresh[number].outcome, fresh[number].value = outcome, record.get("value")
                self.revised += 1
            elif fresh[number].outcome != outcome:
                self.conflicts += 1
        self._move([fresh[n].time for n in taken], [r["timestamp"] for r in records])
        for number in taken:
            self.words[number] = fresh[number]
            for version in self.by_id.values():
                prediction = version.get(number)
                if prediction is None:
                    continue
                if fresh[number].time > prediction.time + self.horizon:
                    self.orphaned += 1
                else:
                    self._join(prediction, fresh[number])
                    # What is known of a version begins with what was first counted of it, an outcome too.
                    began = max(fresh[number].time, self.clock - self.longest)
                    of = prediction.version
                    self.first_time[of] = min(self.first_time.get(of, math.inf), began)
        for record, outcome in again:
            word = self.words[record["prediction_id"]]
            if word.outcome == outcome:
                continue
            if not revises or not self._can_revise(record["prediction_id"]):
                self.conflicts += 1
                continue
            self.revised += 1
            later += 1
            word.outcome, word.value = outcome, record.get("value")
            for version in self.by_id.values():
                found = version.get(record["prediction_id"])
                if found is not None and found.joined is not None:
                    found.joined.outcome, found.joined.value = outcome, record.get("value")
        duplicates = len(good) - len(taken) - later
        return len(taken) + later, duplicates, len(records) - len(good)

    def _can_revise(self, number):
        held = [v[number] for v in self.by_id.values() if number in v]
        return not held or any(p.joined is not None for p in held)

    # --- windows ---

    def span(self, window):
        """The times of a window, its end not among them."""
        width = MINUTE if self.windows[window] <= 2 * HOUR else HOUR
        end = math.floor(self.clock / width)
        return (end - math.ceil(self.windows[window] / width)) * width, (end + 1) * width

    def matured_span(self, window, matures_after):
        end = math.floor((self.clock - matures_after) / HOUR)
        return (end - math.ceil(self.windows[window] / HOUR)) * HOUR, end * HOUR

    def previous_span(self, window):
        width = MINUTE if self.windows[window] <= 2 * HOUR else HOUR
        end = math.floor(self.clock / width)
        n = math.ceil(self.windows[window] / width)
        return (end - 2 * n) * width, (end - n) * width

    def week_ago_span(self, window):
        """Whole hours: those of the closed panes a week ago, or those that a window of minutes touches."""
        then = self.clock - 7 * 86_400
        end = math.floor(then / HOUR)
        if self.windows[window] > 2 * HOUR:
            return (end - math.ceil(self.windows[window] / HOUR)) * HOUR, end * HOUR
        minute = math.floor(self.clock / MINUTE) - math.ceil(self.windows[window] / MINUTE)
        begin = math.floor((minute * MINUTE - 7 * 86_400) / HOUR)
        return begin * HOUR, (end if end * HOUR == then else end + 1) * HOUR

    def predicted(self, version, span):
        return [
            p for p in self.predictions if p.version == version and p.counted and span[0] <= p.time < span[1]
        ]

    def arrived(self, version, span):
        return [
            p.joined
            for p in self.predictions
            if p.version == version and p.joined is not None and span[0] <= p.joined.came < span[1]
        ]

    def matured(self, version, span):
        return [
            p.joined
            for p in self.predictions
            if p.version == version and p.joined is not None and span[0] <= p.time < span[1]
        ]


# --- distributions ------------------------------------------------------------------------------


@dataclass
class Bins:
    """Edges or categories of a feature, as the process published them."""

    kind: str
    edges: np.ndarray
    coarse_edges: np.ndarray
    categories: tuple
    low: float
    high: float


def cut(text):
    return text if len(text) <= LABEL_CHARACTERS else text[: LABEL_CHARACTERS - 1] + "…"


@dataclass
class Counts:
    """Values of one feature or output in one span, counted in given bins."""

    records: int
    missing: int
    not_finite: int
    finite: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray
    unseen: int

    @classmethod
    def of(cls, values, bins, known=frozenset()):
        """*known*: categories of the reference that have no cell of their own."""
        if bins.kind == "numeric":
            numbers = np.array(
                [math.nan if v is None or isinstance(v, (bool, str)) else float(v) for v in values]
            )
            finite = numbers[np.isfinite(numbers)]
            missing = int(np.isnan(numbers).sum())
            beyond = int(np.isinf(numbers).sum())
            fine = np.bincount(np.searchsorted(bins.edges, finite, "left"), minlength=len(bins.edges) + 1)
            coarse = np.bincount(np.searchsorted(bins.coarse_edges, finite, "left"), minlength=10)
            return cls(len(values), missing, beyond, finite, fine, np.array([*coarse, missing, beyond]), 0)
        texts = [
            None
            if v is None
            else cut({True: "true", False: "false"}.get(v, str(v)) if isinstance(v, bool) else str(v))
            for v in values
        ]
        counts = Counter(texts)
        missing = counts.pop(None, 0)
        own = [counts.pop(c, 0) for c in bins.categories]
        other = sum(counts.pop(c, 0) for c in known)
        unseen = sum(counts.values())
        fine = np.array([*own, other])
        coarse = np.zeros(12, np.int64)
        coarse[: min(9, len(own))] = own[:9]
        coarse[9] = sum(own[9:]) + other
        coarse[10], coarse[11] = missing, unseen
        return cls(len(values), missing, 0, np.zeros(0), fine, coarse, unseen)


def psi(reference, current):
    p, q = (np.maximum(c / c.sum(), 1e-4) for c in (reference, current))
    return float(((p - q) * np.log(p / q)).sum())


def distances(reference, current):
    """Of shares in the same bins."""
    p, q = reference / reference.sum(), current / current.sum()
    middle = (p + q) / 2
    divergence = (stats.entropy(p, middle, base=2) + stats.entropy(q, middle, base=2)) / 2
    return {
        "js_distance": math.sqrt(max(divergence, 0.0)),
        "hellinger": float(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / math.sqrt(2)),
        "total_variation": float(np.abs(p - q).sum() / 2),
        "l_infinity": float(np.abs(p - q).max()),
    }


def chi_square_p(reference, current):
    table = np.array([reference, current])
    table = table[:, table.sum(axis=0) > 0]
    return 1.0 if table.shape[1] < 2 else float(stats.chi2_contingency(table, correction=False)[1])


def area_between(reference, current, edges):
    """The integral of |F - G| with each bin's mass spread uniformly, by many points in each bin."""
    ends = np.concatenate([edges[:1], edges, edges[-1:]])
    total, f, g = 0.0, 0.0, 0.0
    for place in range(len(reference)):
        p, q = reference[place] / reference.sum(), current[place] / current.sum()
        a, b = f - g, (f + p) - (g + q)
        width = ends[place + 1] - ends[place]
        total += width * ((a * a + b * b) / (2 * abs(a - b)) if a * b < 0 else (abs(a) + abs(b)) / 2)
        f, g = f + p, g + q
    return total


def quantile(fine, edges, q):
    """By a straight line within the bin."""
    ends = np.concatenate([edges[:1], edges, edges[-1:]])
    cumulated = np.cumsum(fine)
    wanted = q * cumulated[-1]
    place = int(np.argmax(cumulated >= wanted)) if wanted > 0 else int(np.argmax(fine > 0))
    part = (wanted - (cumulated[place] - fine[place])) / fine[place]
    return ends[place] * (1 - part) + ends[place + 1] * part


def drift(reference, current, bins):
    """Every number of a `drift` row; None where there is none."""
    found = dict.fromkeys((
        "psi", "ks", "ks_bound", "js_distance", "wasserstein", "mean_shift_sd", "mean_shift_ratio", "missing_ratio",
        "not_finite_ratio", "unseen_ratio", "out_of_range_ratio", "hellinger", "total_variation", "l_infinity",
        "chi_square_p", "spread_ratio", "p05_shift_sd", "p50_shift_sd", "p95_shift_sd",
    ))  # fmt: skip
    if current.records < LEAST:
        return found
    found["missing_ratio"] = current.missing / current.records
    if bins.kind == "identifier":
        return found
    found["psi"] = psi(reference.coarse, current.coarse)
    found["chi_square_p"] = chi_square_p(reference.coarse, current.coarse)
    if bins.kind == "categorical":
        found["unseen_ratio"] = current.unseen / current.records
        both = [np.array([*c.fine, c.unseen]) for c in (reference, current)]
        if all(c.sum() for c in both):
            found |= distances(*both)
        return found
    found["not_finite_ratio"] = current.not_finite / current.records
    found["out_of_range_ratio"] = float(
        ((current.finite < bins.low) | (current.finite > bins.high)).sum() / current.records
    )
    if current.finite.size < LEAST or not reference.finite.size:
        return found
    p, q = (c.fine / c.fine.sum() for c in (reference, current))
    found["ks"] = float(np.abs(np.cumsum(p) - np.cumsum(q)).max())
    found["ks_bound"] = float(np.minimum(p, q).max())
    found |= distances(reference.fine, current.fine)
    before, now = (np.clip(c.finite, bins.edges[0], bins.edges[-1]) for c in (reference, current))
    mean, sd = float(before.mean()), float(before.std())
    if mean:
        found["mean_shift_ratio"] = (float(now.mean()) - mean) / abs(mean)
    if sd > 1e-12 * abs(mean):
        found["wasserstein"] = area_between(reference.fine, current.fine, bins.edges) / sd
        found["mean_shift_sd"] = (float(now.mean()) - mean) / sd
        found["spread_ratio"] = float(now.std()) / sd
        for level in (5, 50, 95):
            shift = quantile(current.fine, bins.edges, level / 100) - quantile(
                reference.fine, bins.edges, level / 100
            )
            found[f"p{level:02}_shift_sd"] = shift / sd
    return found


# --- quality ------------------------------------------------------------------------------------


def usable(score):
    return math.nan if math.isnan(score) or not 0 <= score <= 1 else score


def ece(scores, right):
    """Over ten bins of equal width: the mean distance of score and outcome, and the largest."""
    tenth = np.minimum((scores * 10).astype(int), 9)
    apart = [
        (float((tenth == b).sum()), abs(float(scores[tenth == b].mean() - right[tenth == b].mean())))
        for b in range(10)
        if (tenth == b).any()
    ]
    return sum(n * d for n, d in apart) / len(scores), max(d for _, d in apart)


def of_binary(joined):  # noqa: C901 - which numbers there are
    """Numbers of a binary model's joined records; None where there is none."""
    found = {}
    pairs = [(j.outcome, j.prediction.answer) for j in joined if j.prediction.answer is not None]
    if pairs:
        y, p = map(np.array, zip(*pairs, strict=True))
        tn, fp, fn, tp = metrics.confusion_matrix(y, p, labels=[0, 1]).ravel()
        found["confusion"] = {("0", "0"): tn, ("0", "1"): fp, ("1", "0"): fn, ("1", "1"): tp}
        found["accuracy"] = metrics.accuracy_score(y, p)
        if tp + fp:
            found["precision"] = metrics.precision_score(y, p)
        if tp + fn:
            found["recall"] = metrics.recall_score(y, p)
        if 2 * tp + fp + fn:
            found["f1"] = metrics.f1_score(y, p)
        if tn + fp:
            found["specificity"] = metrics.recall_score(y, p, pos_label=0)
        if tp + fn and tn + fp:
            found["balanced_accuracy"] = metrics.balanced_accuracy_score(y, p)
            if tp + fp and tn + fn:
                found["mcc"] = metrics.matthews_corrcoef(y, p)
    scored = [
        (j.outcome, usable(j.prediction.score)) for j in joined if not math.isnan(usable(j.prediction.score))
    ]
    if scored:
        y, s = map(np.array, zip(*scored, strict=True))
        found["scored"] = len(y)
        eps = np.finfo(float).eps
        clipped = np.clip(s, eps, 1 - eps)
        found["log_loss"] = metrics.log_loss(y, clipped, labels=[0, 1])
        found["brier"] = metrics.brier_score_loss(y, s) if len(set(y)) > 1 else float(((s - y) ** 2).mean())
        found["ece"], found["mce"] = ece(s, y)
        if 0 < y.sum() < len(y):
            found["roc_auc"] = metrics.roc_auc_score(y, s)
        if y.sum():
            found["average_precision"] = metrics.average_precision_score(y, s)
    return found


def of_regression(joined):
    pairs = [(j.outcome, j.prediction.answer) for j in joined if j.prediction.answer is not None]
    if not pairs:
        return {}
    y, p = (np.array(v, float) for v in zip(*pairs, strict=True))
    found = {
        "rmse": metrics.root_mean_squared_error(y, p),
        "mae": metrics.mean_absolute_error(y, p),
        "bias": float((p - y).mean()),
    }
    if y.std() > 0:
        found["r2"] = metrics.r2_score(y, p)
    if (y != 0).any():
        found["mape"] = metrics.mean_absolute_percentage_error(y[y != 0], p[y != 0])
    found["mape_samples"] = float((y != 0).sum())
    return found


def of_multiclass(joined):
    """Of the whole model, then by class; classes that came or were predicted."""
    found, by_class = {}, {}
    pairs = [(j.outcome, j.prediction.answer) for j in joined if j.prediction.answer is not None]
    if pairs:
        y, p = (np.array(v) for v in zip(*pairs, strict=True))
        names = sorted({*y, *p})
        found["confusion"] = Counter(pairs)
        found["accuracy"] = metrics.accuracy_score(y, p)
        found["mcc"] = metrics.matthews_corrcoef(y, p) if len(set(y)) > 1 and len(set(p)) > 1 else None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found["balanced_accuracy"] = metrics.balanced_accuracy_score(y, p)
        for name in names:
            own = of_binary([])
            yy, pp = (y == name).astype(int), (p == name).astype(int)
            if pp.sum():
                own["precision"] = metrics.precision_score(yy, pp, zero_division=0)
            if yy.sum():
                own["recall"] = metrics.recall_score(yy, pp, zero_division=0)
            own["f1"] = metrics.f1_score(yy, pp, zero_division=0)
            if (yy == 0).any():
                own["specificity"] = metrics.recall_score(yy, pp, pos_label=0, zero_division=0)
            own["samples"] = float(yy.sum())
            by_class[name] = own
    scored = [j for j in joined if j.prediction.scores]
    if scored:
        names = sorted({n for j in scored for n in j.prediction.scores})
        shares = np.array([[j.prediction.scores.get(n, 0.0) for n in names] for j in scored])
        y = np.array([j.outcome for j in scored])
        own = (y[:, None] == np.array(names)[None, :]).astype(float)
        given = np.clip((shares * own).sum(axis=1), np.finfo(float).eps, 1)
        found["scored"] = len(y)
        found["log_loss"] = float(-np.log(given).mean())
        found["brier"] = float(((shares - own) ** 2).sum(axis=1).mean())
        top = shares.argmax(axis=1)
        found["ece"], found["mce"] = ece(shares.max(axis=1), (np.array(names)[top] == y).astype(float))
        for place, name in enumerate(names):
            if name in by_class and 0 < own[:, place].sum() < len(y):
                by_class[name]["roc_auc"] = metrics.roc_auc_score(own[:, place], shares[:, place])
            if name in by_class and own[:, place].sum():
                by_class[name]["average_precision"] = metrics.average_precision_score(
                    own[:, place], shares[:, place]
                )
    return found, by_class


def means_over_classes(by_class, name):
    """Plain and weighted by outcomes, of the classes that have a value."""
    has = [(c[name], c["samples"]) for c in by_class.values() if c.get(name) is not None]
    if not has:
        return None, None
    values, support = map(np.array, zip(*has, strict=True))
    weighted = float((values * support).sum() / support.sum()) if support.sum() else None
    return float(values.mean()), weighted


# --- value --------------------------------------------------------------------------------------


def worth(joined, task, values):
    """The value of each joined record that has one, beside what was decided: (value, record, amount)."""
    found = []
    for j in joined:
        if j.value is not None:
            found.append((j.value, j, None))
            continue
        answer, amount = j.prediction.answer, 1.0
        if "weight" in values:
            given = j.prediction.features.get(values["weight"])
            if given is None or isinstance(given, (bool, str)) or not math.isfinite(given):
                continue
            amount = float(given)
        if answer is None:
            continue
        if task == "binary":
            cell = ("true_negative", "false_positive", "false_negative", "true_positive")[
                2 * j.outcome + answer
            ]
        elif task == "multiclass":
            cell = "right" if answer == j.outcome else "wrong"
        else:
            cell = "over" if answer >= j.outcome else "under"
            amount *= abs(answer - j.outcome)
        found.append((amount * values.get(cell, 0.0), j, amount))
    return found


def by_threshold(joined, values):
    """The value at each threshold from 0.01 to 0.99 of the decisions that have a score."""
    rows = [
        (j.outcome, usable(j.prediction.score), amount)
        for _, j, amount in worth(joined, "binary", values)
        if amount is not None and not math.isnan(usable(j.prediction.score))
    ]
    if len(rows) < 100:
        return None
    y, s, a = map(np.array, zip(*rows, strict=True))
    cell = {(o, p): values.get(n, 0.0) for (o, p), n in {
        (0, 0): "true_negative", (0, 1): "false_positive", (1, 0): "false_negative", (1, 1): "true_positive",
    }.items()}  # fmt: skip
    return [
        float(sum(a[(y == o) & ((s >= t) == p)].sum() * v for (o, p), v in cell.items()))
        for t in np.arange(1, 100) / 100
    ]

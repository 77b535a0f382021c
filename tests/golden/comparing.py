"""Every number that the process gave, held against the calculator's."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from scipy import stats
from tests.golden import calculator as calc
from tests.golden.calculator import Bins, Calculator, Counts

EXACT = 1e-9


class Comparison:
    """Counts what was compared, by kind of row, and keeps what disagreed."""

    def __init__(self):
        self.compared = Counter()
        self.disagreed = []

    def number(self, kind, where, given, expected, relative=EXACT, within=0.0):
        """*given* equals *expected* to a relative error, or lies *within* an absolute one; None is None."""
        self.compared[kind] += 1
        if isinstance(expected, float) and not math.isfinite(expected):
            expected = None
        if given is None or expected is None:
            ok = given is None and expected is None
        else:
            ok = abs(given - expected) <= within + relative * max(1.0, abs(expected))
        if not ok:
            self.disagreed.append((kind, where, given, expected))

    def fields(self, kind, where, row, expected, relative=EXACT, **within):
        for name, value in expected.items():
            self.number(kind, (*where, name), row[name], value, relative, within.get(name, 0.0))

    def true(self, kind, where, ok, *told):
        self.compared[kind] += 1
        if not ok:
            self.disagreed.append((kind, where, *told))


def compare(scenario, read):
    """Everything of one scenario."""
    found = Comparison()
    model = Calculator(scenario.name, scenario.model, wall=4e9)
    for place, (request, answer) in enumerate(zip(scenario.requests, read.answers, strict=True)):
        taken, duplicates, refused = (model.predict if request.path.endswith("predictions") else model.tell)(
            request.records
        )
        told = answer["accepted"], answer["duplicates"], answer["rejected_total"]
        found.true(
            "answer",
            (place, request.path),
            told == (taken, duplicates, refused),
            told,
            (taken, duplicates, refused),
        )
        if request.kill_after:
            model.restarted()
    for version, rows in read.versions.items():
        _version(found, scenario, read, model, version, rows)
    _metrics(found, read)
    return found, model


def _version(found, scenario, read, model, version, rows):
    state = rows["state"]
    where = (version,)
    mine = [p for p in model.predictions if p.version == version]
    found.number("state", (*where, "clock"), state["clock_timestamp_seconds"], model.clock)
    waiting = [p for p in mine if p.id is not None and p.joined is None]
    # What is older than the horizon is let go of when a whole piece of the log is.
    least = sum(p.time + model.horizon > model.clock for p in waiting)
    most = sum(p.time + model.horizon > model.clock - 12 * calc.HOUR for p in waiting)
    found.true(
        "state", (*where, "pending"), least <= state["pending"] <= most, state["pending"], (least, most)
    )
    _delays(found, where, state, model, version)
    matures = state["matures_after_seconds"]
    if "matures_after" in scenario.model["outcomes"]:
        found.number(
            "state",
            (*where, "matures_after"),
            matures,
            calc.duration(scenario.model["outcomes"]["matures_after"]),
        )
    spans = {}
    for name in model.windows:
        spans[name, "predicted"] = spans[name, "arrived"] = model.span(name)
        if matures is not None:
            spans[name, "matured"] = model.matured_span(name, matures)
    current = {name: model.predicted(version, model.span(name)) for name in model.windows}
    joined = {
        (name, cohort): (model.arrived if cohort == "arrived" else model.matured)(version, span)
        for (name, cohort), span in spans.items()
        if cohort != "predicted"
    }
    _windows(found, where, model, version, rows, spans, current, joined)
    _drift(found, scenario, read, model, version, rows, current)
    _quality(found, where, model, rows, joined)
    if model.values:
        _value(found, where, model, rows, joined)
    _fleet(found, read, model, version, rows)


def _delays(found, where, state, model, version):
    longest = max(model.windows, key=model.windows.get)
    first, _ = model.span(longest)
    width = calc.HOUR
    closed = model.arrived(version, (first, math.floor(model.clock / width) * width))
    delays = np.array([max(j.came - j.prediction.time, 0.0) for j in closed])
    for q, name in ((50, "label_delay_p50_seconds"), (95, "label_delay_p95_seconds")):
        if len(delays) < 500:
            found.number("state", (*where, name), state[name], None)
        elif state[name] is None:
            found.true("state", (*where, name), False, None, len(delays))
        else:
            low, high = np.quantile(delays, [q / 100 - 0.002, q / 100 + 0.002])
            ok = low * 0.9 - 1 <= state[name] <= high * 1.1 + 1
            found.true("state", (*where, name), ok, state[name], (low, high))


def _windows(found, where, model, version, rows, spans, current, joined):
    first = model.first_time.get(version)
    for row in rows["windows"]:
        name, cohort = row["window"], row["cohort"]
        _, end = spans[name, cohort]
        expected = current[name] if cohort == "predicted" else joined[name, cohort]
        at = (*where, name, cohort)
        found.number("windows", (*at, "samples"), row["samples"], float(len(expected)))
        stop = end if cohort == "matured" else model.clock
        covered = max(0.0, min(model.windows[name], stop - first)) if first is not None else 0.0
        found.number("windows", (*at, "covered"), row["covered_seconds"], covered)
        found.number("windows", (*at, "ratio"), row["covered_ratio"], covered / model.windows[name])
        found.number("windows", (*at, "age"), row["age_seconds"], model.clock - stop)
    for row in rows["labels"]:
        name = row["window"]
        if row["cohort"] == "matured":
            span = spans[name, "matured"]
            outcomes = len(joined[name, "matured"])
        else:
            hours = math.ceil(model.windows[name] / calc.HOUR)
            end = math.floor(model.clock / calc.HOUR)
            span = (end - hours) * calc.HOUR, (end + 1) * calc.HOUR
            outcomes = len(model.matured(version, span))
        base = len(model.predicted(version, span))
        found.number(
            "labels", (*where, name, row["cohort"]), row["coverage_ratio"], min(1.0, outcomes / base)
        )


# --- drift --------------------------------------------------------------------------------------


def _values(model, version, predictions, feature, output):
    if feature:
        return [p.features.get(feature) for p in predictions]
    if output == "prediction":
        return [
            None if p.answer is None else p.answer if model.task == "regression" else str(p.answer)
            for p in predictions
        ]
    if model.task == "multiclass":
        return [max(p.scores.values()) if p.scores else None for p in predictions]
    return [None if math.isnan(p.score) else p.score for p in predictions]


def _reference(scenario, model, feature, output):
    twin = Calculator(model.name, model.model, wall=4e9)
    twin.predict([{**r, "model_version": "reference"} for r in scenario.reference])
    return _values(model, "reference", twin.predictions, feature, output)


def _drift(found, scenario, read, model, version, rows, current):  # noqa: C901 - one name after the other
    for (of, feature, output), answer in read.distributions.items():
        if of != version:
            continue
        told = answer["distribution"]
        where = (version, feature or output)
        bins = Bins(
            told["kind"],
            np.array(told["edges"]),
            np.array(told["coarse_edges"]),
            tuple(told["categories"]),
            -math.inf if told["low"] is None else told["low"],
            math.inf if told["high"] is None else told["high"],
        )
        raw = _reference(scenario, model, feature, output)
        known = set()
        if bins.kind == "categorical":
            known = {
                calc.cut(str(v) if not isinstance(v, bool) else str(v).lower()) for v in raw if v is not None
            }
            known -= set(bins.categories)
        reference = Counts.of(raw, bins, known)
        given = told["reference_counts"]
        if given["records"] != len(raw):
            # The outputs' reference of a new version is learned of its own first records.
            found.true("reference", where, version != "1" and output, given["records"], len(raw))
            continue
        _counts(found, "reference", where, given, reference, bins)
        if bins.kind == "numeric":
            _edges(found, where, bins, reference)
        for row in (r for r in rows["drift"] if (r["feature"], r["output"]) == (feature, output)):
            window = row["window"]
            counts = Counts.of(_values(model, version, current[window], feature, output), bins, known)
            held = next(w["counts"] for w in told["windows"] if w["window"] == window)
            _counts(found, "distribution", (*where, window), held, counts, bins)
            expected = calc.drift(reference, counts, bins)
            within = dict.fromkeys(("js_distance", "hellinger"), 5e-8)
            found.number("drift", (*where, window, "samples"), row["samples"], float(counts.records))
            found.fields("drift", (*where, window), row, expected, 1e-8, **within)
            if row["ks"] is not None:
                _unbinned(found, (*where, window), row, reference, counts, bins)
        for row in (r for r in rows["against"] if (r["feature"], r["output"]) == (feature, output)):
            span = model.previous_span if row["against"] == "previous_window" else model.week_ago_span
            before = model.predicted(version, span(row["window"]))
            now = Counts.of(_values(model, version, current[row["window"]], feature, output), bins, known)
            then = Counts.of(_values(model, version, before, feature, output), bins, known)
            at = (*where, row["window"], row["against"])
            found.number("against", (*at, "samples"), row["samples"], float(now.records))
            found.number("against", (*at, "against_samples"), row["against_samples"], float(then.records))
            names = ("psi", "ks", "js_distance", "wasserstein", "mean_shift_sd", "mean_shift_ratio")
            expected = dict.fromkeys(names)
            if then.records >= calc.LEAST:
                expected = {k: v for k, v in calc.drift(then, now, bins).items() if k in names}
                if bins.kind == "numeric" and then.finite.size < calc.LEAST:
                    expected |= dict.fromkeys(names[1:])
            found.fields("against", at, row, expected, 1e-8, js_distance=5e-8)


def _counts(found, kind, where, given, counts, bins):
    found.true(
        kind, (*where, "fine"), given["fine"] == counts.fine.tolist(), given["fine"], counts.fine.tolist()
    )
    found.true(
        kind,
        (*where, "coarse"),
        given["coarse"] == counts.coarse[:10].tolist(),
        given["coarse"],
        counts.coarse.tolist(),
    )
    for name in ("records", "missing", "not_finite", "unseen"):
        found.number(kind, (*where, name), given[name], getattr(counts, name))
    if bins.kind == "numeric":
        outside = int(((counts.finite < bins.low) | (counts.finite > bins.high)).sum())
        found.number(kind, (*where, "outside"), given["outside"], outside)
        clipped = np.clip(counts.finite, bins.edges[0], bins.edges[-1])
        mean = float(clipped.mean()) if clipped.size else None
        found.number(kind, (*where, "mean"), given["mean"], mean)
        sd = float(clipped.std()) if clipped.size else None
        found.number(kind, (*where, "sd"), given["sd"], sd, 1e-7, 1e-9 * abs(mean or 0.0))


def _edges(found, where, bins, reference):
    """The reference's extremes are the range; its fine bins hold a 64th each, or what has one value."""
    finite = reference.finite
    if not finite.size:
        return
    found.true(
        "edges",
        (*where, "range"),
        bins.low <= finite.min() and finite.max() <= bins.high,
        bins.low,
        bins.high,
    )
    inner = reference.fine[12:-12]
    distinct = len(np.unique(finite))
    if distinct <= 20:
        for value in np.unique(finite):
            place = int(np.searchsorted(bins.edges, value, "left"))
            found.true(
                "edges", (*where, "atom"), reference.fine[place] == (finite == value).sum(), value, place
            )
    found.true("edges", (*where, "tails"), inner.sum() == finite.size, inner.sum(), finite.size)


def _unbinned(found, where, row, reference, counts, bins):
    """What no bins decide: the statistics of the records themselves, within the bounds that are told."""
    exact = stats.ks_2samp(reference.finite, counts.finite, method="asymp").statistic
    ok = row["ks"] - 1e-9 <= exact <= row["ks"] + row["ks_bound"] + 1e-9
    found.true("unbinned", (*where, "ks"), ok, row["ks"], exact)
    if row["wasserstein"] is None:
        return
    before, now = (np.clip(c.finite, bins.edges[0], bins.edges[-1]) for c in (reference, counts))
    widths = np.diff(np.concatenate([bins.edges[:1], bins.edges, bins.edges[-1:]]))
    shares = [c.fine / c.fine.sum() for c in (reference, counts)]
    bound = float(((shares[0] + shares[1]) * widths).sum() / 2) / before.std()
    exact = stats.wasserstein_distance(before, now) / before.std()
    found.true(
        "unbinned",
        (*where, "wasserstein"),
        abs(exact - row["wasserstein"]) <= bound + 1e-9,
        row["wasserstein"],
        exact,
    )
    for level in (5, 50, 95):
        told = row[f"p{level:02}_shift_sd"]
        exact, reach = 0.0, 0.0
        for side, sign in ((now, 1), (before, -1)):
            value = float(np.quantile(side, level / 100, method="inverted_cdf"))
            place = int(np.searchsorted(bins.edges, value, "left"))
            # The neighbour's too: a rank that falls on an edge belongs to either.
            reach += float(widths[max(place - 1, 0) : place + 2].max())
            exact += sign * value
        ok = abs(told - exact / before.std()) <= reach / before.std() + 1e-9
        found.true("unbinned", (*where, level), ok, told, exact / before.std())


# --- quality ------------------------------------------------------------------------------------


def _segmented(joined, column, value):
    return [j for j in joined if j.prediction.segments.get(column) == value]


def _by_segment(rows, *parts):
    """Rows of a few parts of the answer, by window, cohort and segment."""
    return {
        (r["window"], r["cohort"], r["segment"], r["segment_value"]): r for part in parts for r in rows[part]
    }


def _quality(found, where, model, rows, joined):
    by_row = _by_segment(rows, "quality", "other_segment_quality")
    for (window, cohort), every in joined.items():
        groups = {("", ""): every}
        for column in model.model["segments"]:
            for value in {j.prediction.segments.get(column) for j in every} - {None}:
                groups[column, value] = _segmented(every, column, value)
        for group, some in groups.items():
            key = (window, cohort, *group)
            row = by_row.pop(key, None)
            if row is None:
                found.true("quality", (*where, *key), False, "no row", len(some))
                continue
            found.number("quality", (*where, *key, "samples"), row["samples"], float(len(some)))
            _numbers(found, (*where, *key), model, rows, row, some, whole=not group[0])
    found.true("quality", (*where, "more rows"), not by_row, list(by_row))


def _numbers(found, where, model, rows, row, some, *, whole):
    enough = len(some) >= calc.LEAST
    _, window, cohort, segment, value = where
    same = {"window": window, "cohort": cohort, "segment": segment, "segment_value": value}

    def other(part, **more):
        wanted = {**same, **more}
        return next((r for r in rows[part] if all(r.get(k, v) == v for k, v in wanted.items())), None)

    if model.task == "regression":
        expected = calc.of_regression(some) if enough else {}
        found.fields("quality", where, row, {n: expected.get(n) for n in ("rmse", "mae", "r2", "bias")}, 1e-8)
        more = other("performance" if whole else "segment_performance")
        found.number("performance", (*where, "mape"), more["mape"], expected.get("mape"), 1e-8)
        return
    if model.task == "binary":
        expected = calc.of_binary(some) if enough else {}
        names = ("accuracy", "log_loss", "brier", "ece")
        found.fields("quality", where, row, {n: expected.get(n) for n in names}, 1e-8)
        own = other("classes" if whole else "segment_classes", **{"class": ""})
        if own is None:
            found.true("classes", where, False, "no row")
            return
        found.fields("classes", where, own, {n: expected.get(n) for n in ("precision", "recall", "f1")})
        half = own["roc_auc_half_width"] or 0.0
        found.number("classes", (*where, "roc_auc"), own["roc_auc"], expected.get("roc_auc"), 1e-9, half)
        if whole and own["roc_auc"] is not None:
            found.true("classes", (*where, "roc_auc half width"), half < 0.02, half)
        more = other("performance" if whole else "segment_performance")
        found.fields("performance", where, more, {n: expected.get(n) for n in ("balanced_accuracy", "mcc")})
        last = other("class_performance" if whole else "segment_class_performance", **{"class": ""})
        found.number("performance", (*where, "specificity"), last["specificity"], expected.get("specificity"))
        half = last["average_precision_half_width"] or 0.0
        found.number(
            "performance",
            (*where, "average_precision"),
            last["average_precision"],
            expected.get("average_precision"),
            1e-9,
            half,
        )
    else:
        expected, by_class = calc.of_multiclass(some)
        if not enough:
            expected, by_class = {"confusion": expected.get("confusion")}, {}
        names = ("accuracy", "log_loss", "brier", "ece") if whole else ("accuracy",)
        found.fields("quality", where, row, {n: expected.get(n) for n in names}, 1e-8)
        if not whole:
            return
        _classes(found, where, other, expected, by_class)
    if whole:
        _whole_classifier(found, where, rows, expected, same, some)


def _classes(found, where, other, expected, by_class):
    macro, more = other("classes", **{"class": ""}), other("performance")
    last = other("class_performance", **{"class": ""})
    for name in ("precision", "recall", "f1"):
        plain, weighted = calc.means_over_classes(by_class, name)
        found.number("classes", (*where, "macro", name), macro[name], plain)
        if name != "recall":
            found.number("performance", (*where, name, "weighted"), more[f"{name}_weighted"], weighted)
    plain, weighted = calc.means_over_classes(by_class, "roc_auc")
    halves = [(other("classes", **{"class": n}) or {}).get("roc_auc_half_width") or 0.0 for n in by_class]
    half = max(halves, default=0.0)  # a mean is off by no more than the worst of its parts
    found.number("classes", (*where, "macro", "roc_auc"), macro["roc_auc"], plain, 1e-9, half)
    found.number(
        "performance", (*where, "roc_auc", "weighted"), more["roc_auc_weighted"], weighted, 1e-9, half
    )
    found.fields("performance", where, more, {n: expected.get(n) for n in ("balanced_accuracy", "mcc")})
    found.number(
        "performance",
        (*where, "macro specificity"),
        last["specificity"],
        calc.means_over_classes(by_class, "specificity")[0],
    )
    for name, own in by_class.items():
        row = other("classes", **{"class": name})
        at = (*where, name)
        if row is None:
            found.true("classes", at, False, "no row")
            continue
        found.fields("classes", at, row, {n: own.get(n) for n in ("samples", "precision", "recall", "f1")})
        half = row["roc_auc_half_width"] or 0.0
        found.number("classes", (*at, "roc_auc"), row["roc_auc"], own.get("roc_auc"), 1e-9, half)
        each = other("class_performance", **{"class": name})
        found.number("performance", (*at, "specificity"), each["specificity"], own.get("specificity"))
        half = each["average_precision_half_width"] or 0.0
        found.number(
            "performance",
            (*at, "average_precision"),
            each["average_precision"],
            own.get("average_precision"),
            1e-9,
            half,
        )


def _whole_classifier(found, where, rows, expected, same, some):
    cells = {
        (r["outcome"], r["prediction"]): r["samples"]
        for r in rows["confusion_counts"]
        if (r["window"], r["cohort"]) == (same["window"], same["cohort"])
    }
    wanted = {k: float(v) for k, v in (expected.get("confusion") or {}).items() if v}
    if len(some) < calc.LEAST and not wanted:
        return
    found.true("confusion", where, cells == wanted, cells, wanted)
    row = next(
        (r for r in rows["calibration"] if (r["window"], r["cohort"]) == (same["window"], same["cohort"])),
        None,
    )
    if row is not None and len(some) >= calc.LEAST:
        found.number("calibration", (*where, "samples"), row["samples"], float(expected.get("scored", 0)))
        found.number("calibration", (*where, "mce"), row["mce"], expected.get("mce"), 1e-8)


# --- value --------------------------------------------------------------------------------------


def _value(found, where, model, rows, joined):
    every = _by_segment(rows, "value", "segment_value")
    for (window, cohort), some in joined.items():
        for group in {("", "")} | {(c, v) for (w, k, c, v) in every if (w, k) == (window, cohort)}:
            chosen = some if not group[0] else _segmented(some, *group)
            priced = calc.worth(chosen, model.task, model.values)
            row = every.get((window, cohort, *group))
            at = (*where, window, cohort, *group)
            total = sum(v for v, _, _ in priced) if priced else None
            found.number("value", (*at, "samples"), row["samples"], float(len(priced)))
            found.number("value", (*at, "value"), row["value"], total, 1e-8)
            mean = total / len(priced) if len(priced) >= calc.LEAST else None
            found.number("value", (*at, "mean"), row["mean"], mean, 1e-8)
        if model.task == "binary" and cohort == "matured":
            curve = calc.by_threshold(some, model.values)
            told = {
                round(r["threshold"], 2): r["value"]
                for r in rows["threshold_values"]
                if r["window"] == window
            }
            found.true("thresholds", (*where, window), (curve is None) == (not told), len(told))
            for place, worth in enumerate(curve or ()):
                found.number(
                    "thresholds", (*where, window, place + 1), told[round((place + 1) / 100, 2)], worth, 1e-8
                )
            best = next((r for r in rows["best_thresholds"] if r["window"] == window), None)
            if curve is not None and best is not None:
                found.number("thresholds", (*where, window, "best"), best["value"], max(curve), 1e-8)
    _worst(found, where, model, rows, joined)


def _worst(found, where, model, rows, joined):
    """The worst segment by the value of a record, weighed by its share of the column's value."""
    for row in rows["worst_segments"]:
        some = joined[row["window"], row["cohort"]]
        if row["value_gap"] is None:
            continue
        whole = calc.worth(some, model.task, model.values)
        mean = sum(v for v, _, _ in whole) / len(whole)
        gaps = {}
        for column in model.model["segments"]:
            parts = {}
            for value in {j.prediction.segments.get(column) for j in some} - {None}:
                chosen = _segmented(some, column, value)
                if len(chosen) >= calc.LEAST:
                    parts[value] = [v for v, _, _ in calc.worth(chosen, model.task, model.values)]
            total = sum(abs(sum(p)) for p in parts.values())
            for value, p in parts.items():
                if len(p) >= calc.LEAST and total:
                    gaps[column, value] = (mean - sum(p) / len(p)) * abs(sum(p)) / total
        if gaps:
            worst = max(gaps, key=gaps.get)
            at = (*where, row["window"], row["cohort"])
            found.number("worst", at, row["value_gap"], gaps[worst], 1e-8)


# --- counters and /metrics ----------------------------------------------------------------------


def _fleet(found, read, model, version, rows):
    mine = [p for p in model.predictions[model.lifetime_from :] if p.version == version and p.counted]
    for key, answer in read.distributions.items():
        if key[0] != version:
            continue
        told = answer["distribution"]
        if told["kind"] == "identifier":
            continue
        _, feature, output = key
        held = [r for r in rows["bins"] if (r["feature"], r["output"]) == (feature, output)]
        found.number(
            "fleet",
            (version, feature or output, "all bins"),
            sum(r["records"] for r in held),
            float(len(mine)),
        )
    joined = [j for j in model.lifetime_joined if j.prediction.version == version]
    if model.task == "regression":
        pairs = [(j.outcome, j.prediction.answer) for j in joined if j.prediction.answer is not None]
        for row in rows["errors"]:
            found.number("fleet", (version, "errors"), row["outcomes"], float(len(pairs)))
    elif not model.model["outcomes"].get("revisions"):
        for row in rows["class_counts"]:
            name = row["class"]
            pairs = [
                (str(j.outcome), str(j.prediction.answer)) for j in joined if j.prediction.answer is not None
            ]
            at = (version, "class_counts", name)
            found.number("fleet", at, row["outcomes"], float(sum(o == name for o, _ in pairs)))
            found.number("fleet", at, row["predictions"], float(sum(p == name for _, p in pairs)))
            found.number("fleet", at, row["right"], float(sum(o == p == name for o, p in pairs)))


NAMES = {
    "drift": {n: n for n in ("psi", "ks", "mean_shift_sd")} | {n: n for n in ("missing_ratio", "unseen_ratio")},
    "quality": {"accuracy": "accuracy_ratio", "log_loss": "log_loss", "brier": "brier_ratio", "ece": "ece_ratio",
                "rmse": "rmse", "mae": "mae", "r2": "r2", "bias": "bias", "samples": "quality_samples"},
    "classes": {"precision": "precision_ratio", "recall": "recall_ratio", "f1": "f1_ratio", "roc_auc": "roc_auc_ratio"},
}  # fmt: skip


def _metrics(found, read):
    """What /metrics says is what the model's rows say."""
    from prometheus_client.parser import text_string_to_metric_families

    told = {}
    for family in text_string_to_metric_families(read.metrics):
        for sample in family.samples:
            told[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    for rows in read.versions.values():
        for part, names in NAMES.items():
            for row in rows[part]:
                for field, name in names.items():
                    if part == "drift":
                        which = "feature" if row["feature"] else "prediction"
                        labels = {"feature": row["feature"]} if row["feature"] else {"output": row["output"]}
                        full = f"driftgauge_{which}_{name}"
                    else:
                        full = f"driftgauge_{name}"
                        labels = {k: row[k] for k in ("cohort", "segment", "segment_value")}
                        if part == "classes":
                            labels["class"] = row["class"]
                    labels |= {k: row[k] for k in ("model", "model_version", "window")}
                    given = told.get((full, tuple(sorted(labels.items()))))
                    found.number("exposition", (full, tuple(labels.values())), given, row[field], 1e-12)

"""Value, segments, versions, detectors and what broke the schema: the smaller tables of a version."""

from __future__ import annotations

from typing import Final

from driftgauge.snapshot import BusinessValue, Cohort, PairedComparison, VersionSnapshot
from driftgauge.web.page.markup import NOTHING, Cell, fixed, moment, name, number, table, text
from driftgauge.web.page.quality import MEASURES, mark, realised, with_interval

_DETECTOR: Final = {0.0: "stable", 1.0: "warning", 2.0: "drift, within the shortest window"}
_COMPARED: Final = ("accuracy", "roc_auc", "mae")
_PAIRED: Final = {
    "accuracy": "accuracy",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "log_loss": "log loss",
    "mae": "MAE",
    "mse": "mean squared error",
}


def _numbers(*titles: str) -> list[str | Cell]:
    return [titles[0], *(Cell(title, "num") for title in titles[1:])]


def _aligned(first: str, *others: str) -> list[str | Cell]:
    return [first, *(Cell(other, "num") for other in others)]


def currency(version: VersionSnapshot) -> str:
    """The unit of values."""
    return " ".join(text(info.currency) for info in version.value_info)


def value(version: VersionSnapshot, window: str) -> str:
    """What decisions were worth, are worth, and the threshold that would have paid most."""
    if not version.value_info:
        return ""
    rows = [
        _value_row("came in" if row.cohort == Cohort.ARRIVED else "matured", row)
        for row in version.value
        if row.window == window and not row.segment
    ]
    for estimate in version.estimated_value:
        if estimate.window == window and not estimate.segment and estimate.value is not None:
            ends = f"{number(estimate.low)} to {number(estimate.high)}"
            worth = number(estimate.value), ends, number(estimate.mean)
            rows.append(_aligned("estimated", number(estimate.samples), *worth))
    head = _numbers("outcomes", "records", "value", "95% interval", "a record")
    best = [
        _aligned(
            fixed(row.threshold),
            fixed(row.threshold_in_use),
            number(row.gain),
            f"{number(row.gain_low)} to {number(row.gain_high)}",
            number(row.samples),
        )
        for row in version.best_thresholds
        if row.window == window
    ]
    best_head = _numbers("best threshold", "in use", "gain", "95% interval", "decisions")
    return table(f"Value in the last {text(window)}", head, rows) + table(
        "The threshold that would have paid most, of matured decisions", best_head, best
    )


def _value_row(who: str, row: BusinessValue) -> list[str | Cell]:
    ends = f"{number(row.low)} to {number(row.high)}" if row.low is not None else NOTHING
    return _aligned(who, number(row.samples), number(row.value), ends, number(row.mean))


def segments(version: VersionSnapshot, window: str) -> str:
    """Each segment's main measures and value beside the whole model's, the costliest marked."""
    keys = [
        (row.segment, row.segment_value)
        for row in version.all_quality
        if row.window == window and row.cohort == Cohort.ARRIVED and row.segment
    ]
    if not keys:
        return ""
    found = {key: realised(version, window, Cohort.ARRIVED, *key) for key in [("", ""), *keys]}
    shown = [m for m in MEASURES if any(numbers.get(m.field) is not None for numbers in found.values())][:4]
    values = {(row.segment, row.segment_value): row for row in _values(version, window)}
    worst = next(
        (w for w in version.worst_segments if (w.window, w.cohort) == (window, Cohort.ARRIVED)), None
    )
    costly = set() if worst is None else {
        (worst.accuracy_segment, worst.accuracy_segment_value): "accuracy",
        (worst.mae_segment, worst.mae_segment_value): "MAE",
        (worst.value_segment, worst.value_segment_value): "value",
    }.items()  # fmt: skip
    rows = []
    for key, numbers in found.items():
        marks = [with_interval(measure, mark(numbers, measure.field)) for measure in shown]
        worth = [number(values[key].mean) if key in values else NOTHING] if values else []
        said = f"{name(key[0])} = {name(key[1])}" if key[0] else "whole model"
        costs = ", ".join(words for which, words in costly if which == key and key[0])
        said += f' <span class="pill warn">costs most {costs}</span>' if costs else ""
        rows.append(_aligned(said, number(numbers.get("samples")), *marks, *worth))
    head = _numbers("segment", "outcomes", *(m.title for m in shown), *(["value a record"] if values else []))
    return table(f"Segments in the last {text(window)}, outcomes that came in, 95% intervals", head, rows)


def _values(version: VersionSnapshot, window: str) -> list[BusinessValue]:
    rows = (*(row for row in version.value if not row.segment), *version.segment_value)
    return [row for row in rows if row.window == window and row.cohort == Cohort.ARRIVED]


def comparison(version: VersionSnapshot, window: str) -> str:
    """This version against the one before it, from the traffic that both have now."""
    rows = []
    for row in version.comparisons:
        if row.window != window:
            continue
        counts = f"{number(row.samples)} against {number(row.against_samples)}"
        rows.append(_aligned("predictions", counts, NOTHING, NOTHING))
        outcomes = f"{number(row.outcomes)} against {number(row.against_outcomes)}"
        rows.append(_aligned("outcomes that came in", outcomes, NOTHING, NOTHING))
        for title, psi in (
            ("largest PSI of a feature", row.feature_psi_max),
            ("PSI of the score", row.score_psi),
            ("PSI of the prediction", row.prediction_psi),
        ):
            if psi is not None:
                rows.append(_aligned(title, fixed(psi), NOTHING, NOTHING))
        for field in _COMPARED:
            found = getattr(row, f"{field}_difference")
            if found is not None:
                ends = tuple(getattr(row, f"{field}_difference_{end}") for end in ("low", "high", "p"))
                rows.append(
                    _aligned(f"{_title(field)}, difference", number(found), _ends(*ends[:2]), number(ends[2]))
                )
    rows += [each for row in version.paired if row.window == window for each in _paired(row)]
    against = next((row.against_version for row in version.comparisons), "")
    caption = f"Against version {name(against)} in the last {text(window)}"
    return table(caption, _numbers("what", "this version less that one", "95% interval", "p"), rows)


def _paired(row: PairedComparison) -> list[list[str | Cell]]:
    found = [_aligned("cases that both answered", number(row.samples), NOTHING, NOTHING)]
    for field, title in _PAIRED.items():
        difference = getattr(row, f"{field}_difference")
        if difference is not None:
            low, high, p = (getattr(row, f"{field}_difference_{end}") for end in ("low", "high", "p"))
            said = f"{title}, difference on the same cases"
            found.append(_aligned(said, number(difference), _ends(low, high), number(p)))
    return found


def _title(field: str) -> str:
    return next(measure.title for measure in MEASURES if measure.field == field)


def _ends(low: float | None, high: float | None) -> str:
    return f"{number(low)} to {number(high)}"


def detectors(version: VersionSnapshot) -> str:
    """Detectors of changes in the errors."""
    rows = [
        _aligned(
            text(row.detector),
            _DETECTOR.get(row.state or 0.0, NOTHING),
            number(row.detections),
            moment(row.last_detection_timestamp_seconds),
            number(row.samples),
        )
        for row in version.detectors
    ]
    head = _numbers("detector", "state", "detections", "last", "errors read")
    return table("Detectors of changes in the errors", head, rows)


def broken(version: VersionSnapshot) -> str:
    """Values that broke the schema since the process started."""
    rows = [
        _aligned(
            name(row.feature) if row.feature else "features not watched",
            text(row.violation),
            number(row.values),
        )
        for row in version.schema
        if row.values
    ]
    return table("Values that broke the schema since the start", _numbers("feature", "what", "values"), rows)


def against(version: VersionSnapshot, window: str, feature: str, output: str) -> str:
    """One name against earlier windows, the version before it, and by segment."""
    rows = [
        _aligned(
            text(row.against).replace("_", " "), fixed(row.psi), fixed(row.ks), number(row.against_samples)
        )
        for row in version.against
        if (row.window, row.feature, row.output) == (window, feature, output)
    ]
    rows += [
        _aligned(
            f"version {name(row.against_version)}", fixed(row.psi), fixed(row.ks), number(row.against_samples)
        )
        for row in version.version_drift
        if (row.window, row.feature, row.output) == (window, feature, output)
    ]
    rows += [
        _aligned(
            f"{name(row.segment)} = {name(row.segment_value)}, its first",
            fixed(row.psi),
            NOTHING,
            number(row.samples),
        )
        for row in version.segment_drift
        if feature and (row.window, row.feature) == (window, feature) and row.psi is not None
    ]
    return table("Against others", _numbers("against", "PSI", "KS", "records"), rows)

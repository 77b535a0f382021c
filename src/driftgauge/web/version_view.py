"""One model version on the page: its state, its windows, its features, its quality."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from urllib.parse import quote

from driftgauge.snapshot import (
    BusinessValue,
    Cohort,
    Drift,
    Quality,
    ReferenceState,
    VersionSnapshot,
    VersionState,
    WindowState,
)
from driftgauge.web.markup import NOTHING, bar, duration, facts, fold, moment, number, share, table, text

# So many features are shown a window, the furthest moved first; the rest are in the JSON.
SHOWN = 50
SHIFT, LARGE_SHIFT = 0.1, 0.25

_SETTLED = frozenset({ReferenceState.FROZEN, ReferenceState.GIVEN})
_REFERENCE_WORDS = {
    ReferenceState.LEARNING: "learning: records so far become the reference; nothing is compared yet",
    ReferenceState.PROVISIONAL: "provisional: compared, but not yet judged",
    ReferenceState.UNSTABLE: "unstable: alternate days of it differ from each other",
    ReferenceState.FROZEN: "learned and frozen",
    ReferenceState.GIVEN: "given by a file",
}
_MEASURES = ("accuracy", "log_loss", "brier", "ece", "rmse", "mae", "r2", "bias")
_CLASS_MEASURES = ("precision", "recall", "f1", "roc_auc")
_STATES = {0.0: "stable", 1.0: "warning", 2.0: "drift, within the shortest window"}
_SHARES = frozenset({"accuracy", "precision", "recall", "f1"})


def version_view(version: VersionSnapshot, place: int) -> str:
    """The section of one model version, the *place*-th of the page."""
    state = version.state
    named = [*(row.window for row in version.windows), *(row.window for row in version.drift)]
    windows = tuple(dict.fromkeys(named))
    first = _telling(version.windows, windows)
    drift = "".join(
        fold(
            f"drift-{place}-{order}",
            f"Features in the last {text(window)}",
            _features(version, window),
            is_open=window == first,
        )
        for order, window in enumerate(windows)
    )
    link = f"v1/models/{quote(state.model, safe='', errors='replace')}"
    return (
        f"<section><h2>{text(state.model)} <span class='soft'>{text(state.model_version)}</span></h2>"
        f"{_reference(state)}{_facts(state)}{_windows(version)}"
        f"{_headed('Outputs', _outputs(version))}{_headed('Features', drift)}"
        f"{_headed('Quality', _quality(version, place))}"
        f"{_headed('Detectors on the errors', _detectors(version))}"
        f"{_headed(_value_title(version), _value(version, place))}"
        f'<p class="soft"><a href="{link}">all numbers</a> <a href="{link}/history">history</a></p></section>'
    )


def _headed(title: str, body: str) -> str:
    return f"<h3>{title}</h3>{body}" if body else ""


def _telling(rows: Sequence[WindowState], windows: Sequence[str]) -> str:
    """The longest window that is nearly complete, else the shortest; windows stand in rising order."""
    covered = {r.window for r in rows if r.cohort == Cohort.PREDICTED and (r.covered_ratio or 0) >= 0.8}
    complete = [window for window in windows if window in covered]
    return complete[-1] if complete else next(iter(windows), "")


def _reference(state: VersionState) -> str:
    known = state.reference_state in set(ReferenceState)
    words = _REFERENCE_WORDS[ReferenceState(state.reference_state)] if known else text(state.reference_state)
    kind = "good" if state.reference_state in _SETTLED else "warn"
    return f'<p>Reference <span class="{kind}">{words}</span></p>'


def _facts(state: VersionState) -> str:
    return facts(
        (
            ("task", text(state.task) or NOTHING),
            ("features", number(state.features)),
            ("reference", text(state.reference) or NOTHING),
            ("reference records", number(state.reference_samples)),
            ("reference span", duration(state.reference_span_seconds)),
            ("the model's now", moment(state.clock_timestamp_seconds)),
            ("waiting for outcomes", number(state.pending)),
            ("label delay, median", duration(state.label_delay_p50_seconds)),
            ("label delay, 95%", duration(state.label_delay_p95_seconds)),
            ("outcomes complete after", duration(state.matures_after_seconds)),
            ("duplicates known for", duration(state.deduplication_reach_seconds)),
        )
    )


def _windows(version: VersionSnapshot) -> str:
    coverage = {(row.window, row.cohort): row.coverage_ratio for row in version.labels}
    rows = (
        (
            text(row.window),
            text(row.cohort),
            number(row.samples),
            share(row.covered_ratio),
            duration(row.span_seconds),
            share(coverage.get((row.window, row.cohort))),
        )
        for row in version.windows
    )
    head = ("window", "records by", "samples", "covered", "true span", "outcomes known")
    return _headed("Windows", table(head, rows))


def _outputs(version: VersionSnapshot) -> str:
    rows = [
        (f"{text(row.output)}, {text(row.window)}", *_drift_cells(row)) for row in version.drift if row.output
    ]
    return table(("output", *_DRIFT_HEAD), rows)


def _features(version: VersionSnapshot, window: str) -> str:
    found = [row for row in version.drift if row.feature and row.window == window]
    found.sort(key=lambda row: -1.0 if row.psi is None else row.psi, reverse=True)
    rows = ((text(row.feature), *_drift_cells(row)) for row in found[:SHOWN])
    more = f'<p class="soft">and {len(found) - SHOWN} more</p>' if len(found) > SHOWN else ""
    return table(("feature", *_DRIFT_HEAD), rows) + more


_DRIFT_HEAD = ("PSI", "KS", "mean shift, sd", "missing", "unseen", "out of range", "samples")


def _drift_cells(row: Drift) -> tuple[str, ...]:
    return (
        _psi_cell(row.psi),
        number(row.ks),
        number(row.mean_shift_sd),
        share(row.missing_ratio),
        share(row.unseen_ratio),
        share(row.out_of_range_ratio),
        number(row.samples),
    )


def _psi_cell(psi: float | None) -> str:
    if psi is None or not isfinite(psi):
        return NOTHING
    kind = "bad" if psi > LARGE_SHIFT else "warn" if psi > SHIFT else "good"
    return f'<td class="{kind}">{psi:.3f}{bar(psi, 2 * LARGE_SHIFT)}</td>'


def _value_title(version: VersionSnapshot) -> str:
    return " ".join(["Value", *(f"in {text(info.currency)}" for info in version.value_info)])


def _value(version: VersionSnapshot, place: int) -> str:
    """What decisions were worth, and the threshold that would have paid most."""
    if not version.value_info:
        return ""
    whole = _value_table([row for row in version.value if not row.segment])
    parts = fold(f"value-{place}", "By segment", _value_table(version.segment_value))
    best = (
        (
            text(row.window),
            number(row.threshold),
            number(row.threshold_in_use),
            number(row.gain),
            f"{number(row.gain_low)} to {number(row.gain_high)}",
            number(row.samples),
        )
        for row in version.best_thresholds
    )
    head = ("window", "best threshold", "in use", "gain", "gain, 95%", "decisions")
    return whole + parts + table(head, best)


def _value_table(rows: Sequence[BusinessValue]) -> str:
    cells = (
        (
            _where(row),
            text(row.cohort),
            number(row.samples),
            number(row.value),
            f"{number(row.low)} to {number(row.high)}",
            number(row.mean),
        )
        for row in rows
    )
    return table(("window", "outcomes by", "samples", "value", "value, 95%", "per record"), cells)


def _quality(version: VersionSnapshot, place: int) -> str:
    whole = _quality_table(version, [row for row in version.quality if not row.segment])
    parts = _quality_table(version, [row for row in version.quality if row.segment])
    return whole + fold(f"segments-{place}", "By segment", parts)


def _detectors(version: VersionSnapshot) -> str:
    rows = (
        (
            text(row.detector),
            _STATES.get(row.state or 0.0, NOTHING),
            number(row.detections),
            moment(row.last_detection_timestamp_seconds),
            number(row.samples),
        )
        for row in version.detectors
    )
    return table(("detector", "state", "detections", "last", "errors read"), rows)


def _quality_table(version: VersionSnapshot, rows: Sequence[Quality]) -> str:
    """Quality of *rows*, with the columns that any of them has."""
    of_classes = [row for row in (*version.classes, *version.segment_classes) if not row.class_]
    classes = {(row.window, row.cohort, row.segment, row.segment_value): row for row in of_classes}
    measured: list[dict[str, float | None]] = []
    for row in rows:
        of_class = classes.get((row.window, row.cohort, row.segment, row.segment_value))
        values = {name: getattr(row, name) for name in _MEASURES}
        values |= {name: getattr(of_class, name, None) for name in _CLASS_MEASURES}
        measured.append(values)
    columns = [
        name
        for name in ("accuracy", *_CLASS_MEASURES, *_MEASURES[1:])
        if any(values[name] is not None for values in measured)
    ]
    cells = (
        (
            _where(row),
            text(row.cohort),
            number(row.samples),
            *(_measure(name, values[name]) for name in columns),
        )
        for row, values in zip(rows, measured, strict=True)
    )
    titles = (name.replace("_", " ") for name in columns)
    return table(("window", "outcomes by", "samples", *titles), cells)


def _where(row: Quality | BusinessValue) -> str:
    if not row.segment:
        return text(row.window)
    return f"{text(row.segment)} = {text(row.segment_value)}, {text(row.window)}"


def _measure(name: str, value: float | None) -> str:
    return share(value) if name in _SHARES else number(value)

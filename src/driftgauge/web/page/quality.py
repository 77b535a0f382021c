"""Quality of a version in one window: as it came, matured, reweighted, estimated, against the reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from driftgauge.snapshot import Cohort, EstimateState, VersionSnapshot
from driftgauge.web.page import charts
from driftgauge.web.page.charts import Mark
from driftgauge.web.page.markup import NOTHING, Cell, fixed, number, percent, table, text
from driftgauge.web.page.words import ESTIMATE

Numbers = dict[str, float | None]
# Standard errors in 95%.
_REACH: Final = 1.96


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: the field of the rows that hold it, what it is called, and how it is shown."""

    field: str
    title: str
    shown: Callable[[float | None], str]


def _error(value: float | None) -> str:
    return number(value)


MEASURES: Final = (
    Measure("accuracy", "accuracy", percent),
    Measure("precision", "precision", percent),
    Measure("recall", "recall", percent),
    Measure("f1", "F1", percent),
    Measure("roc_auc", "ROC AUC", fixed),
    Measure("average_precision", "average precision", fixed),
    Measure("balanced_accuracy", "balanced accuracy", percent),
    Measure("specificity", "specificity", percent),
    Measure("mcc", "MCC", fixed),
    Measure("log_loss", "log loss", fixed),
    Measure("brier", "Brier score", fixed),
    Measure("ece", "calibration error", fixed),
    Measure("mae", "MAE", _error),
    Measure("rmse", "RMSE", _error),
    Measure("r2", "R2", fixed),
    Measure("bias", "bias", _error),
    Measure("mape", "MAPE", percent),
)
# What one number tells best, by what there is.
MAIN: Final = ("roc_auc", "accuracy", "mae")


def realised(
    version: VersionSnapshot, window: str, cohort: str, segment: str = "", value: str = ""
) -> Numbers:
    """Every measure and both its ends by field, of the whole model or one segment; a class's are left out."""
    key = window, cohort, segment, value
    sources = (
        version.all_quality,
        version.segment_classes if segment else version.classes,
        version.segment_performance if segment else version.performance,
        version.segment_class_performance if segment else version.class_performance,
        version.segment_intervals if segment else version.intervals,
    )
    found: Numbers = {}
    for rows in sources:
        for row in rows:
            if (row.window, row.cohort, row.segment, row.segment_value) == key and not getattr(
                row, "class_", ""
            ):
                found |= _fields(row, found)
    return found


def _fields(row: Any, before: Numbers) -> Numbers:
    """Its numbers; the count of samples is the first row's."""
    return {
        name: getattr(row, name)
        for name in row.__struct_fields__
        if not isinstance(getattr(row, name), str) and not (name == "samples" and "samples" in before)
    }


def _row(rows: Sequence[Any], window: str) -> Any:
    return next((row for row in rows if row.window == window), None)


def mark(numbers: Numbers, field: str) -> Mark:
    """A measure with its interval."""
    return Mark(numbers.get(field), numbers.get(f"{field}_low"), numbers.get(f"{field}_high"))


def with_interval(measure: Measure, found: Mark) -> str:
    """A number, and its interval in little below it."""
    if found.value is None:
        return NOTHING
    if found.low is None or found.high is None:
        return measure.shown(found.value)
    low, high = measure.shown(found.low), measure.shown(found.high)
    return f"{measure.shown(found.value)} <small>{low.removesuffix('%')} to {high}</small>"


def main_measure(version: VersionSnapshot, window: str) -> tuple[Measure, Mark, str, float | None] | None:
    """The measure that tells most, as it arrived, else as it matured: with its cohort and samples."""
    for cohort in (Cohort.ARRIVED, Cohort.MATURED):
        numbers = realised(version, window, cohort)
        for field in MAIN:
            if numbers.get(field) is not None:
                measure = next(each for each in MEASURES if each.field == field)
                return measure, mark(numbers, field), cohort, numbers.get("samples")
    return None


def quality(version: VersionSnapshot, window: str) -> str:
    """The table of measures; empty where no outcome came and nothing is estimated."""
    sides = _sides(version, window)
    change = _row(version.quality_changes, window)
    head: list[str | Cell] = [
        "measure",
        Cell("intervals", "draw minor"),
        *(Cell(title, _kind(kind)) for title, kind, _ in sides),
    ]
    if change is not None:
        head.append(Cell("change<small>from reference</small>", "num"))
    rows = []
    for measure in MEASURES:
        marks = [mark(numbers, measure.field) for _, _, numbers in sides]
        if all(each.value is None for each in marks):
            continue
        compared = Mark(None) if change is None else mark(_fields(change, {}), measure.field)
        rows.append(_line(measure, sides, marks, compared, with_change=change is not None))
    body = table(f"Quality in the last {text(window)}, with 95% intervals", head, rows, "quality")
    return body + _notes(version, window)


_Side = tuple[str, str, Numbers]


def _sides(version: VersionSnapshot, window: str) -> list[_Side]:
    """Title, class and numbers of each column that has any."""
    found: list[_Side] = []
    for cohort, title, kind in (
        (Cohort.ARRIVED, "came in", "a"),
        (Cohort.MATURED, "matured", "m"),
    ):
        numbers = realised(version, window, cohort)
        if numbers.get("samples"):
            found.append((f"{title}<small>{number(numbers['samples'])} outcomes</small>", kind, numbers))
    again = _row(version.reweighted, window)
    if again is not None and again.accuracy is not None:
        numbers = _fields(again, {})
        found.append(("reweighted<small>to all records</small>", "w", numbers))
    estimate = _row(version.estimates, window)
    if estimate is not None and estimate.state == EstimateState.GIVEN:
        numbers = _fields(estimate, {})
        for field in [name.removesuffix("_error") for name in numbers if name.endswith("_error")]:
            value, error = numbers.get(field), numbers[f"{field}_error"]
            if value is not None and error is not None:
                numbers[f"{field}_low"], numbers[f"{field}_high"] = (
                    value - _REACH * error,
                    value + _REACH * error,
                )
        title = f"estimated<small>{number(estimate.samples)} predictions</small>"
        found.append((title, "e", numbers))
    return found


def _line(
    measure: Measure, sides: Sequence[_Side], marks: Sequence[Mark], change: Mark, *, with_change: bool
) -> list[str | Cell]:
    matured = next((m.value for m, side in zip(marks, sides, strict=True) if side[1] == "m"), None)
    base = matured - change.value if matured is not None and change.value is not None else None
    drawn = [(side[1], each) for side, each in zip(sides, marks, strict=True) if each.value is not None]
    cells: list[str | Cell] = [measure.title, Cell(charts.intervals(drawn, base), "draw minor")]
    cells += [
        Cell(with_interval(measure, each), _kind(kind))
        for each, (_, kind, _) in zip(marks, sides, strict=True)
    ]
    if with_change:
        cells.append(Cell(_change(measure, change), "num"))
    return cells


def _kind(side: str) -> str:
    return "num minor" if side in {"m", "w"} else "num"


def _change(measure: Measure, change: Mark) -> str:
    if change.value is None:
        return NOTHING
    told = with_interval(measure, change)
    beyond = change.low is not None and change.high is not None and (change.low > 0 or change.high < 0)
    sign = "+" if change.value > 0 else ""
    return f"<strong>{sign}{told}</strong>" if beyond else f"{sign}{told}"


def _notes(version: VersionSnapshot, window: str) -> str:
    """Why nothing is estimated; how chosen those with outcomes are; how the outcome itself moved."""
    notes = []
    estimate = _row(version.estimates, window)
    if estimate is not None and estimate.state != EstimateState.GIVEN:
        why = ESTIMATE.get(EstimateState(estimate.state), "") if estimate.state in set(EstimateState) else ""
        notes.append(f"No estimate: {why or text(estimate.state)}.")
    again = _row(version.reweighted, window)
    if again is not None and again.selection_psi is not None:
        notes.append(
            f"Labelled predictions against all: PSI {fixed(again.selection_psi)}; "
            f"{percent(again.supported)} of all have their like among the labelled."
        )
    notes += [
        _outcome(row)
        for row in version.outcome_shifts
        if row.window == window and (row.log_odds is not None or row.mean_sd is not None)
    ]
    judged = _row(version.relation_verdicts, window)
    if judged is not None and judged.judged:
        notes.append(
            f"The outcome depends otherwise than before on {number(judged.changed)} of "
            f"{number(judged.judged)} features judged."
        )
    return "".join(f'<p class="soft note">{note}</p>' for note in notes)


def _outcome(row: Any) -> str:
    of_class = f" of class {text(row.class_)}" if row.class_ else ""
    if row.log_odds is not None:
        ends = f"{number(row.log_odds_low)} to {number(row.log_odds_high)}"
        return f"The outcome's log-odds{of_class} moved by {number(row.log_odds)} (95%: {ends})."
    ends = f"{number(row.mean_sd_low)} to {number(row.mean_sd_high)}"
    return f"The outcome's mean moved by {number(row.mean_sd)} standard deviations (95%: {ends})."

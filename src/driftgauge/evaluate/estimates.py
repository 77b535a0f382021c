"""Performance of predictions whose outcomes haven't come, and the gap to the realised one of those
whose outcomes have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isnan
from typing import Final

import numpy as np

from driftgauge.evaluate.calibrating import Calibrated, OfClass, calibrated
from driftgauge.evaluate.drift import LEAST_SAMPLES, listed, value
from driftgauge.evaluate.loss_estimates import MOST_UNSUPPORTED, Estimates, loss_estimates
from driftgauge.evaluate.segments import Group, groups
from driftgauge.layout import Row
from driftgauge.records import Floats
from driftgauge.sketches.quality import COARSE_SCORE, COARSE_SCORE_BINS, BinaryQuality, MulticlassQuality
from driftgauge.sketches.scores import BinaryScores, MulticlassScores, RegressionScores
from driftgauge.snapshot import Estimate, EstimateState, ExpectedCell, PartEstimate, Value
from driftgauge.stats import classification
from driftgauge.stats.arrays import quotient
from driftgauge.stats.estimation import Estimated, Expected, expected, unsupported_ratio
from driftgauge.view import VersionView, WindowView

LEAST_IN_BIN: Final = 20
MEASURES: Final = ("accuracy", "precision", "recall", "f1", "roc_auc")
_PART: Final = ("samples", *(name + end for name in MEASURES for end in ("", "_error")))


@dataclass(frozen=True, slots=True)
class _Found:
    """Estimates of one total; `values` and `errors` by measure, of the whole model."""

    state: EstimateState
    samples: float
    unsupported: float = float("nan")
    values: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    by_class: tuple[tuple[OfClass, Expected], ...] = ()


def estimates(view: VersionView) -> Estimates:
    """Estimates of every window, with the gap to the realised value of its matured cohort.

    Cost: about 1 ms for the windows of a binary model; the calibration is kept with the reference.
    """
    if isinstance(view.scores, RegressionScores):
        return loss_estimates(view)
    made = Estimates()
    if not isinstance(view.scores, BinaryScores | MulticlassScores):
        return made
    known = calibrated(view)
    windows = [window for window in view.windows if window.scores is not None]
    matured = [window for window in windows if window.matured_scores is not None]
    rows = [each for each in (*(w.scores for w in windows), *(w.matured_scores for w in matured)) if each]
    found = _found(view, known, rows)
    realised = dict(zip((w.name for w in matured), found[len(windows) :], strict=True))
    for window, now in zip(windows, found, strict=False):
        gaps = _gaps(view, window, realised.get(window.name))
        made.whole.append(_row(view, window, known, now, gaps))
        if now.state is EstimateState.GIVEN:
            made.cells += _cells(view, window.name, now)
    given = [
        (window, now) for window, now in zip(windows, found, strict=False) if now.state is EstimateState.GIVEN
    ]
    if given:
        made.parts += _parts(view, given, known)
    return made


def _row(
    view: VersionView, window: WindowView, known: Calibrated, now: _Found, gaps: Mapping[str, float]
) -> Estimate:
    numbers: dict[str, Value] = {name: value(number) for name, number in now.values.items()}
    numbers |= {f"{name}_error": value(number) for name, number in now.errors.items()}
    numbers |= {f"{name}_gap": value(number) for name, number in gaps.items()}
    return Estimate(
        view.model,
        view.version,
        window.name,
        now.state,
        now.samples,
        float(now.state is EstimateState.GIVEN),
        value(known.error),
        value(now.unsupported),
        **numbers,
    )


def _found(view: VersionView, known: Calibrated, rows: Sequence[Row]) -> list[_Found]:
    """Estimates of each of *rows*, all at once."""
    if not rows:
        return []
    sketch = view.scores
    if isinstance(sketch, BinaryScores):
        counts = np.stack([sketch.count(row, "score") for row in rows]).astype(np.float64)
        stacks = [(each, counts) for each in known.classes]
        samples = counts.sum(axis=(1, 2)).tolist()
    else:
        assert isinstance(sketch, MulticlassScores)
        blocks = [sketch.coarse(row).astype(np.float64) for row in rows]
        stacks = [
            (each, np.stack([_one_against_rest(block, each.code) for block in blocks]))
            for each in known.classes
        ]
        samples = [float(sketch.count(row, "scored").sum()) for row in rows]
    found = [_without_values(known, stacks, place, n) for place, n in enumerate(samples)]
    places = [place for place, each in enumerate(found) if each.state is EstimateState.GIVEN]
    if places:
        made = [(each, expected(stack[places], each.fine or each.coarse)) for each, stack in stacks]
        for number, place in enumerate(places):
            by_class = tuple((each, _one_of(of_class, number)) for each, of_class in made)
            values, errors = _whole(by_class)
            found[place] = replace(found[place], values=values, errors=errors, by_class=by_class)
    return found


def _without_values(
    known: Calibrated, stacks: list[tuple[OfClass, Floats]], place: int, samples: float
) -> _Found:
    """The state of one total."""
    if known.state is not EstimateState.GIVEN:
        return _Found(known.state, samples)
    if samples < LEAST_SAMPLES:
        return _Found(EstimateState.FEW_SCORES, samples)
    unsupported = _unsupported([(each, stack[place]) for each, stack in stacks], samples)
    state = EstimateState.UNSUPPORTED if unsupported > MOST_UNSUPPORTED else EstimateState.GIVEN
    return _Found(state, samples, unsupported)


def _one_of(made: Expected, place: int) -> Expected:
    each = (getattr(made, name) for name in MEASURES)
    return Expected(made.confusion[place], *(Estimated(e.value[place], e.error[place]) for e in each))


def _one_against_rest(block: Floats, code: int) -> Floats:
    """Predictions of other classes and of class *code*, by that class's score bin: shape (2, bins)."""
    own = block[code, code]
    return np.stack([block[:, code].sum(axis=0) - own, own])


def _unsupported(stacks: list[tuple[OfClass, Floats]], samples: float) -> float:
    """Share of scores where too few records were calibrated.

    Of a multiclass model, of the predicted class's own score; one without a calibration has none.
    """
    if stacks and stacks[0][0].fine is not None:
        each, counts = stacks[0]
        coarse = np.bincount(COARSE_SCORE, weights=counts.sum(axis=0), minlength=COARSE_SCORE_BINS)
        return unsupported_ratio(coarse, each.records, LEAST_IN_BIN)
    supported = sum(float(counts[1][each.records >= LEAST_IN_BIN].sum()) for each, counts in stacks)
    return 1.0 - supported / samples


def _whole(made: tuple[tuple[OfClass, Expected], ...]) -> tuple[dict[str, float], dict[str, float]]:
    """Values and errors of the whole model: the positive class's (binary), or means over the classes.

    The error of a mean is at most the mean of the errors, whatever the classes have in common.
    """
    each: dict[str, list[Estimated]] = {n: [getattr(e, n) for _, e in made] for n in MEASURES}
    binary = made[0][0].fine is not None
    values = {name: _mean([float(e.value) for e in found]) for name, found in each.items()}
    errors = {name: _mean([float(e.error) for e in found]) for name, found in each.items()}
    if not binary:
        right = sum(float(e.confusion[1, 1]) for _, e in made)
        samples = sum(float(e.confusion[:, 1].sum()) for _, e in made)
        values["accuracy"] = right / samples
        # A record is right about one class at most: the errors of the classes' hits add up as squares.
        hits = [float(e.precision.error) * float(e.confusion[:, 1].sum()) for _, e in made]
        errors["accuracy"] = float(np.sqrt(np.nansum(np.square(hits)))) / samples
    return values, errors


def _mean(numbers: list[float]) -> float:
    known = [number for number in numbers if not isnan(number)]
    if len(known) == 1:
        return known[0]
    return float(np.mean(known)) if known else float("nan")


# --- the gap ----------------------------------------------------------------------------------


def _gaps(view: VersionView, window: WindowView, then: _Found | None) -> dict[str, float]:
    """Estimate less realised value of the matured window, by measure."""
    if then is None or then.state is not EstimateState.GIVEN:
        return {}
    if window.matured is None or view.quality is None:
        return {}
    codes = [each.code for each, _ in then.by_class]
    realised = _realised(view, window.matured, codes)
    return {name: then.values[name] - realised[name] for name in realised}


def _realised(view: VersionView, row: Row, codes: list[int]) -> dict[str, float]:
    """The same measures of joined records, over the same classes; empty where there are too few."""
    quality = view.quality
    assert quality is not None
    if quality.outcomes(row)[0] < LEAST_SAMPLES:
        return {}
    scores = quality.count(row, "score")
    confusion = quality.count(row, "confusion").astype(np.float64)
    if isinstance(quality, BinaryQuality):
        (tn, fp), (fn, tp) = confusion[0]
        found = classification.of_cells(*np.array([[tp], [fp], [fn], [tn]]))
        auc = classification.roc_auc(scores[None, 1], scores[None, 0])[0]
        accuracy = float(found.accuracy[0])
    else:
        assert isinstance(quality, MulticlassQuality)
        found = classification.of_cells(*np.stack(classification.per_class_counts(confusion))[:, codes])
        auc = classification.roc_auc(scores[codes, 1], scores[codes, 0])[0]
        accuracy = float(quotient(np.trace(confusion), confusion.sum()))
    means = classification.macro(np.stack([found.precision, found.recall, found.f1, auc])).tolist()
    return dict(zip(MEASURES, (accuracy, *means), strict=True))


# --- segments, classes, cells -----------------------------------------------------------------


def _parts(
    view: VersionView, given: Sequence[tuple[WindowView, _Found]], known: Calibrated
) -> Iterator[PartEstimate]:
    """Segments of a binary model, classes of another, in every window whose estimates are given."""
    sketch = view.scores
    if isinstance(sketch, BinaryScores):
        parts = groups(view)[1:]
        if parts:
            yield from _segments(view, sketch, [window for window, _ in given], known, parts)
        return
    names = (*view.classes, "other")
    for window, now in given:
        for each, made in now.by_class:
            labels = (window.name, "", "", names[min(each.code, len(names) - 1)])
            numbers = _numbers(made, without="accuracy")
            yield _part(view, labels, {"samples": float(made.confusion[1].sum()), **numbers})


def _segments(
    view: VersionView,
    sketch: BinaryScores,
    windows: Sequence[WindowView],
    known: Calibrated,
    parts: Sequence[Group],
) -> Iterator[PartEstimate]:
    places = [group.number for group in parts]
    blocks = [sketch.coarse(window.scores)[places] for window in windows if window.scores is not None]
    counts = np.stack(blocks).astype(np.float64)
    samples = counts.sum(axis=(-2, -1))
    made = expected(counts, known.classes[0].coarse)
    found: list[Estimated] = [getattr(made, name) for name in MEASURES]
    table = np.array([samples, *(numbers for each in found for numbers in (each.value, each.error))])
    for place, window in enumerate(windows):
        for group, values in zip(parts, zip(*listed(table[:, place]), strict=True), strict=True):
            if (values[0] or 0.0) >= LEAST_SAMPLES:
                labels = (window.name, group.segment, group.segment_value, "")
                yield _part(view, labels, dict(zip(_PART, values, strict=True)))


def _part(view: VersionView, labels: tuple[str, str, str, str], numbers: dict[str, Value]) -> PartEstimate:
    window, segment, segment_value, class_ = labels
    return PartEstimate(view.model, view.version, window, segment, segment_value, class_, **numbers)


def _numbers(made: Expected, *, without: str = "") -> dict[str, Value]:
    found: dict[str, Value] = {}
    for name in MEASURES:
        if name != without:
            each: Estimated = getattr(made, name)
            found[name] = value(each.value)
            found[f"{name}_error"] = value(each.error)
    return found


def _cells(view: VersionView, window: str, now: _Found) -> Iterator[ExpectedCell]:
    """Expected confusion of a binary model."""
    if isinstance(view.scores, BinaryScores):
        cells = now.by_class[0][1].confusion
        for outcome in (0, 1):
            for prediction in (0, 1):
                of = (view.model, view.version, window, str(outcome), str(prediction))
                yield ExpectedCell(*of, float(cells[outcome, prediction]))

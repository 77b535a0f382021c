"""What an evaluation is given of a version: copies of its totals, taken by the writer."""

from __future__ import annotations

from driftgauge.layout import Row
from driftgauge.monitor.earlier import Earlier
from driftgauge.monitor.maturity import label_delay
from driftgauge.monitor.totals import WindowTotals, groups, groups_with_open, with_open
from driftgauge.monitor.version import Version
from driftgauge.view import (
    DetectorView,
    EarlierView,
    Related,
    Segmented,
    VersionView,
    Watched,
    WindowView,
)
from driftgauge.windows import AnyState, Part, RangeTotal, Resolution


def view(version: Version, now: float) -> VersionView:
    """Copies of all that an evaluation needs, of windows that end at *now*. O(windows * cells)."""
    version.move_to(now)
    model, structure = version.model, version.model.structure
    lifetime = version.lifetime.get(Part.ARRIVED)
    if lifetime is None and model.quality is not None:
        lifetime = model.quality.zero()
    return VersionView(
        model=model.name,
        version=version.name,
        config=model.config,
        task=structure.task,
        classes=structure.classes,
        columns=structure.columns,
        values=structure.values,
        now=now,
        quality=model.quality,
        value=model.value,
        weighted_scores=model.weighted_scores,
        segmented=_segmented(version),
        violations=dict(version.violations),
        inputs=_watched(version, Part.INPUTS),
        outputs=_watched(version, Part.OUTPUTS),
        windows=tuple(_window(version, window, now) for window in version.windows),
        quality_lifetime=None if lifetime is None else lifetime.copy(),
        features=len(version.numeric) + len(version.categorical) or _bound_features(version),
        pending=version.unjoined,
        sample_ratio=model.sample_ratio,
        reach_seconds=_reach(version, now),
        matures_after=version.matures_after,
        delay_p50=label_delay(version, 0.5),
        delay_p95=label_delay(version, 0.95),
        predicted_at=version.predicted_at,
        outcome_at=version.outcome_at,
        detectors=tuple(
            DetectorView(each.name, each.state, each.seen, each.detections, each.detected_at)
            for each in version.errors.detectors
        ),
        scores=model.scores,
        loss=version.loss,
        related=_related(version),
        paired=model.paired,
        paired_with=_paired_with(version),
    )


def _paired_with(version: Version) -> str | None:
    """The version whose cases are paired with this one's; None where there are none."""
    older = version.pairing.older
    return next((each.name for each in version.model.versions.values() if each.owner == older), None)


def _related(version: Version) -> Related | None:
    relating, codes = version.relating, version.inputs.codes
    if relating.sketch is None or codes is None:
        return None
    return Related(relating.state, relating.sketch, codes, relating.reference, dict(relating.judged))


def _bound_features(version: Version) -> int:
    reference = version.inputs.reference
    return 0 if reference is None else len(reference.bins.numeric) + len(reference.bins.categorical)


def _reach(version: Version, now: float) -> float | None:
    if version.first_time is None:
        return None
    return max(0.0, min(now - version.first_time, version.model.horizon_seconds))


def _watched(version: Version, part: Part) -> Watched:
    watch = version.watches[part]
    lifetime = version.lifetime.get(part) if watch.binned else None
    if lifetime is None and watch.binned and watch.inputs is not None:
        lifetime = watch.inputs.zero()
    return Watched(
        watch.state,
        watch.reference,
        watch.inputs if watch.reference is not None else None,
        None if lifetime is None else lifetime.copy(),
        watch.bins_mark if watch.binned else b"",
    )


def _segmented(version: Version) -> Segmented | None:
    segmenting = version.segmenting
    sketch, codes = segmenting.sketch, segmenting.codes
    if sketch is None or codes is None:
        return None
    reference = version.segment_reference
    return Segmented(
        sketch,
        tuple(key[2:] for key in codes.keys),
        sketch.zero() if reference is None else reference.copy(),
        not segmenting.gathering(reference),
    )


def _window(version: Version, window: WindowTotals, now: float) -> WindowView:
    series, current = version.panes_of(window.resolution), window.current
    grid = series.grid
    open_pane = grid.index(now)
    totals = {part: with_open(total, series, open_pane) for part, total in current.items()}
    traffic, inputs, outputs = totals[Part.TRAFFIC], totals[Part.INPUTS], totals[Part.OUTPUTS]
    begin = grid.start(open_pane - grid.closed_panes(window.seconds))
    outcomes, base = _newest(version, window, now)
    known = version.matures_after is not None
    matured_end = version.coarse.grid.start(window.matured.end)
    value = current.get(Part.VALUE_ARRIVED)
    return WindowView(
        name=window.name,
        seconds=window.seconds,
        predictions=_predictions(version, traffic),
        span_seconds=now - begin,
        covered_seconds=version.covered_seconds(now, window.seconds),
        judged=version.judged.get(window.name),
        inputs=version.zero(Part.INPUTS) if inputs is None else inputs,
        outputs=version.zero(Part.OUTPUTS) if outputs is None else outputs,
        arrived=_row(totals[Part.ARRIVED]),
        predicted_outcomes=outcomes,
        predicted_base=base,
        matured=_copy(window.matured, known=known),
        matured_base=_joinable(version, _predictions(version, window.matured_traffic.row)),
        matured_age_seconds=now - matured_end,
        matured_covered_seconds=version.covered_seconds(matured_end, window.seconds),
        arrived_groups=groups_with_open(current[Part.ARRIVED], series, open_pane),
        matured_groups=groups(window.matured) if known else None,
        scores=_row(totals[Part.PREDICTED]),
        matured_scores=_copy(window.matured_scores, known=known),
        value_arrived=_row(totals.get(Part.VALUE_ARRIVED)),
        value_matured=_copy(window.value_matured, known=known),
        value_arrived_groups=None if value is None else groups_with_open(value, series, open_pane),
        value_matured_groups=groups(window.value_matured) if known else None,
        weighted_scores=_row(totals.get(Part.VALUE_PREDICTED)),
        matured_weighted_scores=_copy(window.value_predicted, known=known),
        segments=_row(totals.get(Part.SEGMENTS)) if version.segmenting.sketch is not None else None,
        earlier=tuple(_earlier(version, before) for before in window.earlier),
        paired=_row(totals.get(Part.PAIRED)),
        paired_groups=groups_with_open(current[Part.PAIRED], series, open_pane),
        concept=_copy(window.concept, known=known and version.relating.sketch is not None),
    )


def _earlier(version: Version, before: Earlier) -> EarlierView:
    inputs, outputs = (before.totals[part].row for part in (Part.INPUTS, Part.OUTPUTS))
    return EarlierView(
        before.against,
        version.zero(Part.INPUTS) if inputs is None else inputs.copy(),
        version.zero(Part.OUTPUTS) if outputs is None else outputs.copy(),
    )


def _row(state: AnyState | None) -> Row | None:
    return state if isinstance(state, Row) else None


def _copy(total: RangeTotal, *, known: bool) -> Row | None:
    """A copy of a matured total; None while it isn't *known* which outcomes are complete."""
    return total.row.copy() if known and isinstance(total.row, Row) else None


def _predictions(version: Version, row: AnyState | None) -> int:
    return version.traffic.predictions(row) if isinstance(row, Row) else 0


def _joinable(version: Version, predictions: int) -> int:
    """How many of so many predictions are kept for the join: fewer while the limit binds."""
    return round(predictions * version.model.sample_ratio)


def _newest(version: Version, window: WindowTotals, now: float) -> tuple[int, int]:
    """Joined outcomes and predictions of the newest window by prediction time."""
    quality, coarse = version.model.quality, version.coarse
    if quality is None or not isinstance(window.predicted.row, Row):
        return 0, 0
    open_pane = coarse.grid.index(now)
    row = coarse.row(Part.MATURED, open_pane)
    outcomes = int(quality.outcomes(window.predicted.row)[0])
    outcomes += int(quality.outcomes(row)[0]) if isinstance(row, Row) else 0
    if window.resolution is Resolution.COARSE:
        base = _predictions(version, window.current[Part.TRAFFIC].row)
    else:
        panes = range(open_pane - coarse.grid.closed_panes(window.seconds), open_pane)
        base = sum(_predictions(version, coarse.row(Part.TRAFFIC, i)) for i in panes)
    base += _predictions(version, coarse.row(Part.TRAFFIC, open_pane))
    return outcomes, _joinable(version, base)

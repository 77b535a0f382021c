"""One Snapshot that has every kind of row, and every metric of the table at least once."""

from __future__ import annotations

import typing
from itertools import count

import pytest

from driftgauge import snapshot as rows
from driftgauge.snapshot import Snapshot, Value, VersionSnapshot

NUMBERS = (0.0, 0.5, 1.0, 3.0, 1e-9, 12345678.0, 0.1 + 0.2, 1e21)


def row(kind, /, **given):
    """A row with *given* labels, and for each value that isn't given the next of NUMBERS."""
    hints = typing.get_type_hints(kind)
    number = count(len(given))
    values = {
        name: NUMBERS[next(number) % len(NUMBERS)]
        for name in kind.__struct_fields__
        if hints[name] == Value and name not in given
    }
    return kind(**given, **values)


def one_version(model: str, model_version: str, feature: str, absent: Value = None) -> VersionSnapshot:
    of = {"model": model, "model_version": model_version}
    window = {**of, "window": "1d"}
    whole = {**window, "cohort": "arrived", "segment": "", "segment_value": ""}
    part = {**window, "cohort": "matured", "segment": "plan", "segment_value": 'enter"prise'}
    bins = {**of, "reference": "abc", "bin": "3"}
    drift = {**window, "kind": "numeric"}
    return VersionSnapshot(
        state=row(
            rows.VersionState, **of, reference="abc", reference_state="frozen", task="binary", pending=absent
        ),
        windows=(row(rows.WindowState, **window, cohort="predicted"),),
        drift=(
            row(rows.Drift, **drift, feature=feature, output="", unseen_ratio=absent),
            row(rows.Drift, **drift, feature="", output="score", mean_shift_sd=-1.5),
        ),
        quality=(row(rows.Quality, **whole), row(rows.Quality, **part, accuracy=None)),
        classes=(
            row(rows.ClassQuality, **whole, class_=""),
            row(rows.ClassQuality, **part, class_="churned"),
        ),
        segment_classes=(),
        labels=(row(rows.LabelState, **window, cohort="matured"),),
        flags=(
            row(rows.Flag, **of, state="frozen", holds=1.0),
            row(rows.Flag, **of, state="given", holds=0.0),
        ),
        bins=(
            row(rows.BinCount, **bins, feature=feature, output=""),
            row(rows.BinCount, **bins, feature="", output="score"),
        ),
        moments=(row(rows.Moments, **of, feature=feature, output="", reference="abc"),),
        score_bins=(row(rows.ScoreBin, **of, class_="churned", outcome="1", bin="0"),),
        class_counts=(row(rows.ClassCount, **of, class_="1"),),
        confusion=(row(rows.ConfusionCell, **of, outcome="churned", prediction="retained"),),
        errors=(row(rows.ErrorSums, **of, outcome_centre=-2.0),),
        value_info=(row(rows.ValueInfo, **of, currency="EUR"),),
        value=(row(rows.BusinessValue, **whole), row(rows.BusinessValue, **part, low=None, value=-40.0)),
        estimated_value=(row(rows.EstimatedValue, **window, segment="", segment_value=""),),
        best_thresholds=(row(rows.BestThreshold, **window),),
        comparisons=(row(rows.VersionComparison, **window, against_version="v0"),),
        paired=(row(rows.PairedComparison, **window, against_version="v0"),),
        against=(
            row(rows.DriftAgainst, **window, feature=feature, output="", against="previous_window"),
            row(rows.DriftAgainst, **window, feature="", output="score", against="same_hours_last_week"),
        ),
        segment_drift=(
            row(rows.SegmentDrift, **window, feature=feature, segment="plan", segment_value="pro"),
        ),
        worst_segments=(
            row(
                rows.WorstSegment,
                **window,
                cohort="matured",
                accuracy_segment="plan",
                accuracy_segment_value="pro",
                mae_segment="",
                mae_segment_value="",
                value_segment="plan",
                value_segment_value="pro",
            ),
        ),
        verdicts=(
            row(rows.Verdict, **window, feature=feature, output="", state="judged", drift=1.0),
            row(rows.Verdict, **window, feature="", output="score", state="few_samples", drift=absent),
        ),
        verdict_summaries=(row(rows.VerdictSummary, **window, state="judged"),),
        verdict_flags=(
            row(rows.VerdictFlag, **window, state="judged", holds=1.0),
            row(rows.VerdictFlag, **window, state="phi_unknown", holds=0.0),
        ),
        schema=(row(rows.SchemaViolation, **of, feature=feature, violation="wrong_type"),),
        performance=(row(rows.Performance, **whole),),
        class_performance=(row(rows.ClassPerformance, **whole, class_=""),),
        intervals=(
            row(rows.QualityInterval, **whole, class_="", interval="jackknife"),
            row(rows.QualityInterval, **part, class_="", interval="independent", accuracy_low=None),
        ),
        calibration=(row(rows.Calibration, **window, cohort="arrived", slope=absent),),
        calibration_bins=(row(rows.CalibrationBin, **window, cohort="arrived", bin="9"),),
        reweighted=(row(rows.Reweighted, **window, cohort="matured"),),
        detectors=(row(rows.Detector, **of, detector="adwin"),),
        estimates=(row(rows.Estimate, **window, state="given", roc_auc_gap=-0.01, f1_gap=absent),),
        part_estimates=(
            row(rows.PartEstimate, **window, segment="plan", segment_value="pro", class_=""),
            row(rows.PartEstimate, **window, segment="", segment_value="", class_="churned", accuracy=None),
        ),
        expected_cells=(row(rows.ExpectedCell, **window, outcome="1", prediction="0"),),
        relation=(row(rows.RelationState, **of, state="given"),),
        outcome_shifts=(row(rows.OutcomeShift, **window, class_=""),),
        quality_changes=(row(rows.QualityChange, **window),),
        relation_verdicts=(row(rows.RelationVerdicts, **window),),
        relation_bins=(row(rows.RelationBin, **window, feature=feature, bin="3"),),
        relation_shifts=(
            row(rows.RelationShift, **window, feature=feature, class_="", bins=("0", "9"), state="judged"),
        ),
    )


@pytest.fixture
def full_snapshot() -> Snapshot:
    versions = (
        one_version("churn", "v1", "customer_age"),
        one_version('naugh"ty\\\nmodel', "v1.0 β", "a{b}=c,d # 1", absent=7.0),
    )
    return Snapshot(evaluated_at=1.0, seconds=0.1, versions=versions)

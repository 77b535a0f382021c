"""The metrics in a user's words, for `alerts`: made from the table, so that what is exported can be said.

A word is the metric's name without its prefix, without what its labels say (feature, prediction,
segment, against) and without ``_ratio``: driftgauge_feature_mean_shift_ratio is ``mean_shift`` of a
feature, driftgauge_precision_ratio is ``precision``. What no alert should stand on has no word: p-values
(looked at each minute, chance has its day), detectors, sample counts. Three words are of traffic.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from driftgauge import snapshot
from driftgauge.metrics.table import PREFIX, Metric, RowClass
from driftgauge.snapshot import Cohort

_SAYABLE_LABELS: Final = frozenset(
    {
        *("model", "model_version", "window", "feature", "output", "cohort", "segment", "segment_value"),
        *("class", "against", "against_version"),
    }
)
_REGRESSION: Final = re.compile(r"(?:^|_)(?:rmse|mae|r2|bias|mape|mse|outcome_mean_shift_sd)(?:_|$)")
_CLASSIFICATION: Final = re.compile(
    r"(?:^|_)(?:accuracy|precision|recall|f1|roc_auc|log_loss|brier|ece|mcc|specificity|calibration|"
    r"threshold|logodds)(?:_|$)"
)
_UNBOUNDED: Final = re.compile(r"(?:^|_)(?:mean_shift|spread|mape)(?:_|$)")
# Beyond those whose HELP says so.
_NUMERIC: Final = re.compile(r"mean_shift|wasserstein|not_finite|out_of_range")
_SHIFT: Final = re.compile(r"^(?!smallest|relation).*shift(?:_sd|_logodds)?$|^bias$|^estimated_\w+_gap$")
_ROOTS: Final = re.compile(r"^(?:estimated_|reweighted_)?rmse(?:_low|_high)?$")
_NOT_SAID: Final = re.compile(r"_samples(?:_against)?$|_outcomes(?:_against)?$|_p$|_p_value$")


class Pooling(StrEnum):
    """How the numbers of several pods become one.

    MEAN weighs each by its samples; ROOT_MEAN_SQUARE does so with squares; TOTAL adds amounts;
    HALF asks whether at least half of the pods that judge say 1; TRAFFIC is made of counters' rates.
    """

    MEAN = "mean"
    ROOT_MEAN_SQUARE = "root_mean_square"
    TOTAL = "total"
    HALF = "half"
    TRAFFIC = "traffic"


class Scale(StrEnum):
    """What a number counts in."""

    SHARE = "share"
    DEVIATIONS = "deviations"
    PLAIN = "plain"
    SECONDS = "seconds"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Basis:
    """The gauge of what a number stands on.

    Attributes:
        samples: its name, without the prefix.
        cohort: where it has a cohort and the number hasn't: that of the number's records.
        outcomes: whether the records are outcomes.
    """

    samples: str
    cohort: Cohort | None = None
    outcomes: bool = False


_PREDICTED: Final = Basis("window_samples", Cohort.PREDICTED)
_MATURED: Final = Basis("window_samples", Cohort.MATURED, outcomes=True)
_OF_COHORT: Final = Basis("window_samples", outcomes=True)
_QUALITY: Final = Basis("quality_samples", outcomes=True)

_STANDS_ON: Final[Mapping[RowClass, Basis]] = MappingProxyType(
    {
        snapshot.Drift: _PREDICTED,
        snapshot.DriftAgainst: _PREDICTED,
        snapshot.Verdict: _PREDICTED,
        snapshot.VerdictSummary: _PREDICTED,
        snapshot.Estimate: _PREDICTED,
        snapshot.LabelState: _PREDICTED,
        snapshot.Quality: _QUALITY,
        snapshot.ClassQuality: _QUALITY,
        snapshot.QualityInterval: _QUALITY,
        snapshot.Performance: _QUALITY,
        snapshot.ClassPerformance: _QUALITY,
        snapshot.Calibration: _OF_COHORT,
        snapshot.Reweighted: _OF_COHORT,
        snapshot.WorstSegment: _OF_COHORT,
        snapshot.QualityChange: _MATURED,
        snapshot.OutcomeShift: _MATURED,
        snapshot.RelationVerdicts: _MATURED,
        snapshot.RelationShift: Basis("feature_relation_samples", outcomes=True),
        snapshot.BusinessValue: Basis("value_samples", outcomes=True),
        snapshot.EstimatedValue: Basis("estimated_value_samples"),
        snapshot.BestThreshold: Basis("best_threshold_samples", outcomes=True),
        snapshot.PartEstimate: Basis("estimated_part_samples"),
        snapshot.SegmentDrift: Basis("segment_psi_samples"),
        snapshot.VersionComparison: Basis("version_samples"),
        snapshot.PairedComparison: Basis("version_paired_samples", outcomes=True),
    }
)
THROUGHPUT, ERROR_SHARE, LATENCY = "throughput", "error_share", "latency"
_TRAFFIC: Final = MappingProxyType(
    {
        "predictions_total": (THROUGHPUT, Scale.PLAIN),
        "prediction_errors_total": (ERROR_SHARE, Scale.SHARE),
        "prediction_latency_seconds": (LATENCY, Scale.SECONDS),
    }
)
_TOTALS: Final = re.compile(r"^(?:estimated_)?value(?:_low|_high)?$|^best_threshold_(?:value|gain)")


@dataclass(frozen=True, slots=True)
class Word:
    """One metric that an alert may stand on.

    Attributes:
        text: as a user writes it.
        shift: whether it has a sign, so that `above` counts either way.
    """

    text: str
    metric: Metric
    basis: Basis
    pooling: Pooling
    scale: Scale
    shift: bool

    @property
    def is_verdict(self) -> bool:
        """Whether it is 0 or 1, so that no limit is needed."""
        return self.scale is Scale.FLAG

    @property
    def of_traffic(self) -> bool:
        """Whether it is made of counters, so that any window can be asked for."""
        return self.pooling is Pooling.TRAFFIC

    @property
    def bounded(self) -> bool:
        """Whether its size is at most 1."""
        return self.scale is Scale.SHARE and not _UNBOUNDED.search(self.text)

    @property
    def numeric_only(self) -> bool:
        """Whether categorical features have none."""
        return "Numeric only" in self.metric.help or bool(_NUMERIC.search(self.text))

    @property
    def categorical_only(self) -> bool:
        """Whether numeric features have none."""
        return "Categorical only" in self.metric.help

    @property
    def of_regression(self) -> bool:
        """Whether only a regression has it."""
        return bool(_REGRESSION.search(self.text))

    @property
    def of_classifier(self) -> bool:
        """Whether only a classifier has it."""
        return bool(_CLASSIFICATION.search(self.text))


def words(metrics: Iterable[Metric]) -> Mapping[str, tuple[Word, ...]]:
    """Every sayable metric by its word; one word may be of features, outputs, segments and earlier windows."""
    found: dict[str, tuple[Word, ...]] = {}
    for metric in metrics:
        traffic = _TRAFFIC.get(metric.name.removeprefix(PREFIX))
        if traffic is not None:
            text, scale = traffic
            found[text] = (Word(text, metric, Basis(""), Pooling.TRAFFIC, scale, shift=False),)
        elif _is_sayable(metric):
            text = word_text(metric)
            found[text] = (*found.get(text, ()), _word(text, metric))
    return MappingProxyType(found)


def chosen(candidates: Iterable[Word], wanted: frozenset[str]) -> Word | None:
    """The first of one word's metrics that has the labels *wanted*; None where none has.

    Feature, output and against must be labels of it exactly where they are wanted; segment and class
    may be, since empty ones mean the whole model.
    """
    exact = frozenset(("feature", "output", "against"))
    for word in candidates:
        labels = frozenset(word.metric.labels)
        if labels & exact == wanted & exact and wanted <= labels:
            return word
    return None


def _is_sayable(metric: Metric) -> bool:
    labels = frozenset(metric.labels)
    return (
        metric.type == "gauge"
        and metric.row in _STANDS_ON
        and "window" in labels
        and labels <= _SAYABLE_LABELS
        and not _NOT_SAID.search(metric.name)
    )


def word_text(metric: Metric) -> str:
    """The word of *metric*."""
    text = metric.name.removeprefix(PREFIX)
    for label, prefix in (("feature", "feature_"), ("output", "prediction_"), ("segment", "segment_")):
        if label in metric.labels:
            text = text.removeprefix(prefix)
    if "against" in metric.labels:
        text = text.removesuffix("_against")
    text = text.replace("estimated_part_", "estimated_")
    return text.removesuffix("_ratio")


def _word(text: str, metric: Metric) -> Word:
    return Word(
        text=text,
        metric=metric,
        basis=_STANDS_ON[metric.row] if metric.row is not None else _PREDICTED,
        pooling=_pooling(text),
        scale=_scale(text, metric),
        shift=bool(_SHIFT.search(text)),
    )


def _pooling(text: str) -> Pooling:
    if text.endswith("_verdict"):
        return Pooling.HALF
    if _ROOTS.match(text):
        return Pooling.ROOT_MEAN_SQUARE
    return Pooling.TOTAL if _TOTALS.match(text) else Pooling.MEAN


def _scale(text: str, metric: Metric) -> Scale:
    if text.endswith("_verdict") or text == "estimate_given":
        return Scale.FLAG
    name = metric.name.removesuffix("_against")
    if name.endswith("_ratio") or re.search(r"_(?:accuracy|roc_auc)_difference", name):
        return Scale.SHARE
    return Scale.DEVIATIONS if name.endswith("_sd") else Scale.PLAIN

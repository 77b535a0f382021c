"""What the metric of an entry of `alerts` means: its word, what it is of, and which outcomes by default."""

from __future__ import annotations

from typing import Final

from driftgauge.config import Model
from driftgauge.config_alerts import Against, AlertCohort, Unit, When
from driftgauge.metrics import METRICS
from driftgauge.metrics.words import Word, chosen, words
from driftgauge.snapshot import LabelState, Reweighted

WORDS: Final = words(METRICS)
# Its limit says which of two metrics is meant: a share of the mean, or deviations.
GIVES_UNIT: Final = "mean_shift"
ONLY_MATURED: Final = frozenset({LabelState, Reweighted})


def chosen_word(when: When) -> Word | None:
    """The metric that *when* means; None where there is none of that word and those labels."""
    text = when.metric
    if text == GIVES_UNIT and _bound_unit(when) is Unit.DEVIATIONS:
        text = f"{GIVES_UNIT}_sd"
    return chosen(WORDS.get(text, ()), wanted_labels(when))


def _bound_unit(when: When) -> Unit | None:
    bound = when.above if when.above is not None else when.below
    return None if bound is None else bound.unit


def wanted_labels(when: When) -> frozenset[str]:
    """The labels that *when* asks for."""
    given = {
        "feature": when.feature,
        "output": when.output,
        "segment": when.segment,
        "class": when.class_,
        "against": when.against if when.against is not Against.REFERENCE else None,
    }
    return frozenset(name for name, value in given.items() if value is not None)


def default_cohort(word: Word, model: Model) -> AlertCohort:
    """Matured where outcomes come late, as the model's `outcomes` say; else by arrival."""
    only_matured = word.metric.row in ONLY_MATURED
    return AlertCohort.MATURED if model.outcomes.are_late or only_matured else AlertCohort.ARRIVED

"""An entry of `alerts` as it is understood: which metric, what it stands on, how many windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from driftgauge import snapshot
from driftgauge.artefacts.thresholds import LEAST_OUTCOME_COVERAGE, LEAST_WINDOW_COVERED
from driftgauge.config import Config, Model
from driftgauge.config_alerts import Alert, Bound, Severity, Step
from driftgauge.config_file import chosen_word, default_cohort, duration_text
from driftgauge.metrics import Metric
from driftgauge.metrics.words import Basis, Word
from driftgauge.snapshot import Cohort
from driftgauge.units import DAY, MINUTE

LONGEST_GAP, SHORTEST_GAP = DAY, 5 * MINUTE
_DISTRIBUTIONS = frozenset({snapshot.Drift, snapshot.DriftAgainst, snapshot.Verdict, snapshot.VerdictSummary})


@dataclass(frozen=True, slots=True)
class Limit:
    """Beyond what an alert of one severity holds."""

    severity: Severity
    bound: Bound
    above: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """One entry, every default decided.

    Attributes:
        cohort: of the number where it has the label; empty otherwise.
        least, of: at least so many of so many adjoining windows.
        gap_seconds: how old a window's newest judged value may be.
        coverage: least share of known outcomes; None where none is asked for.
        estimate: whether this is the estimate that stands in for outcomes, silent from *coverage* on.
    """

    entry: Alert
    model: Model
    word: Word
    cohort: str
    limits: tuple[Limit, ...]
    least: int
    of: int
    gap_seconds: float
    coverage: float | None
    estimate: bool = False

    @property
    def metric(self) -> Metric:
        """The metric that it stands on."""
        return self.word.metric

    @property
    def basis(self) -> Basis:
        """What the number stands on."""
        return self.word.basis

    @property
    def window(self) -> str:
        """The window as its label says it."""
        return duration_text(self.entry.when.window)

    @property
    def records_cohort(self) -> Cohort:
        """The cohort of the records that the number is made of."""
        return Cohort(self.cohort) if self.cohort else self.basis.cohort or Cohort.PREDICTED

    @property
    def least_records(self) -> int:
        """Records that each window must have, all pods together."""
        require = self.entry.require
        return require.outcomes if self.basis.outcomes else require.samples

    @property
    def of_distributions(self) -> bool:
        """Whether a feature or an output is compared with what it was."""
        return self.metric.row in _DISTRIBUTIONS

    @property
    def least_covered(self) -> float:
        """How much of the window a pod must have; all of it, as for a verdict, where the hour matters."""
        asked = self.entry.require.covered
        if asked is not None:
            return asked
        return 1.0 if self.of_distributions else LEAST_WINDOW_COVERED

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of what is recorded, beside the user's own."""
        dropped = {"model_version"} if self.entry.when.versions == "together" else set()
        added = ("window",) if self.word.of_traffic else ()
        return tuple(label for label in (*self.metric.labels, *added) if label not in dropped)


def readings(config: Config) -> Iterator[Reading]:
    """Every entry of a configuration without faults; an estimate follows what it stands in for."""
    for entry in config.alerts:
        found = _reading(entry, config.models[entry.when.model])
        yield found
        if entry.estimated_until is not None:
            yield _estimate(found)


def _reading(entry: Alert, model: Model) -> Reading:
    word = chosen_word(entry.when)
    if word is None:
        raise ValueError(f"{entry.alert}: expected a metric that can be said, got {entry.when.metric}")
    cohort = ""
    if "cohort" in word.metric.labels:
        cohort = entry.when.cohort or default_cohort(word, model)
    least, of = entry.windows or (entry.consecutive, entry.consecutive)
    gap = entry.max_gap
    return Reading(
        entry=entry,
        model=model,
        word=word,
        cohort=cohort,
        limits=tuple(_limits(entry)),
        least=least,
        of=of,
        gap_seconds=_gap(entry.when.window) if gap is None else gap,
        coverage=_coverage(entry, word, cohort),
    )


def _gap(window: float) -> float:
    """Half the window, bounded; never more than the window, or two windows would share a value."""
    return min(window, max(SHORTEST_GAP, min(window / 2, LONGEST_GAP)))


def _coverage(entry: Alert, word: Word, cohort: str) -> float | None:
    if not word.basis.outcomes:
        return None
    if entry.require.coverage is not None:
        return entry.require.coverage
    return LEAST_OUTCOME_COVERAGE if Cohort.MATURED in {cohort, word.basis.cohort} else None


def _limits(entry: Alert) -> Iterator[Limit]:
    steps: list[tuple[Severity, Step | None]] = [
        (Severity.WARNING, entry.warning),
        (Severity.CRITICAL, entry.critical),
    ]
    if entry.warning is None and entry.critical is None:
        steps = [(entry.severity or Severity.WARNING, Step(entry.when.above, entry.when.below))]
    for severity, step in steps:
        if step is None:
            continue
        bound = step.above if step.above is not None else step.below
        # Verdicts have no limit: half of the pods that judge is where they hold.
        yield Limit(severity, bound or Bound(0.5), above=step.below is None)


def _estimate(found: Reading) -> Reading:
    """The same of the estimate: a warning at most, since it can't see a change of the relation."""
    entry = found.entry
    word = chosen_word(replace(entry.when, metric=f"estimated_{entry.when.metric}"))
    until = entry.estimated_until
    if word is None or until is None:
        raise ValueError(f"{entry.alert}: expected a metric that is estimated, got {entry.when.metric}")
    mildest = found.limits[0]
    severity = Severity.WARNING if mildest.severity is Severity.CRITICAL else mildest.severity
    return replace(
        found,
        word=word,
        cohort="",
        limits=(replace(mildest, severity=severity),),
        coverage=next(
            share
            for share in (until.coverage, entry.require.coverage, LEAST_OUTCOME_COVERAGE)
            if share is not None
        ),
        estimate=True,
    )

"""What three pods export in a test: they have the records between them, so that no pod has enough alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from driftgauge.artefacts.alerts.promql import Selector, Terms, is_relative, terms
from driftgauge.artefacts.alerts.reading import Reading
from driftgauge.artefacts.alerts.traffic import traffic_labels
from driftgauge.artefacts.alerts.traffic_feeding import PODS, Run, traffic_inputs
from driftgauge.artefacts.rules.promtool import Input, label_text
from driftgauge.config_alerts import Direction
from driftgauge.metrics import PREFIX
from driftgauge.metrics.words import Pooling
from driftgauge.units import MINUTE

__all__ = ["JOB", "PODS", "SAY_SO", "Fed", "Run", "inputs", "recorded_labels", "step_seconds"]

JOB: Final = {"job": "driftgauge"}
# Pods of the three that say a verdict holds; one fewer where it doesn't.
SAY_SO: Final = 2
# Of the reference of a relative shift: mean 10, deviation 2, so that a shift of 1 sd is one of 20%.
_MEAN, _DEVIATION = 10.0, 2.0
# What stands in a label that the entry leaves open.
_OPEN: Final = {
    "model_version": "1",
    "segment_value": "one",
    "against_version": "0",
    "state": "given",
    "reference": "r",
}


@dataclass(frozen=True, slots=True)
class Fed:
    """What the pods export in one case, besides the number itself.

    Attributes:
        records: of all pods together; *covered*, *known*: as shares.
        behind: by how many seconds the evaluation lags.
    """

    records: int
    covered: float = 1.0
    known: float = 1.0
    behind: int = 0


def step_seconds(reading: Reading) -> int:
    """Seconds of whole minutes: several to a window, and to the oldest value that still counts."""
    finest = min(reading.gap_seconds / 4, reading.entry.when.window / 12)
    return int(max(1, finest // MINUTE) * MINUTE)


def recorded_labels(reading: Reading) -> dict[str, str]:
    """The labels of what is recorded, where the entry leaves them open too."""
    given = {**traffic_labels(reading), "window": reading.window}
    if not reading.word.of_traffic:
        given = dict(terms(reading).value.labels)
    return {name: text for name in reading.labels if (text := given.get(name, _opened(name, reading)))}


def _opened(name: str, reading: Reading) -> str:
    if name == "segment_value":
        return _OPEN[name] if reading.entry.when.segment else ""
    return _OPEN.get(name, "")


def inputs(reading: Reading, runs: Iterable[Run], fed: Fed) -> Iterator[Input]:
    """All series of one case: the number over *runs*, and what it stands on."""
    listed = list(runs)
    if reading.word.of_traffic:
        yield from traffic_inputs(reading, listed, step_seconds(reading))
        return
    found = terms(reading)
    seen: set[str] = set()
    for each in (*_numbers(reading, found, listed), *_guards(reading, found, listed, fed)):
        if each.series not in seen:  # predictions may be the weight of two things
            seen.add(each.series)
            yield each


def _numbers(reading: Reading, found: Terms, runs: list[Run]) -> Iterator[Input]:
    share = 1 / len(PODS) if reading.word.pooling is Pooling.TOTAL else 1.0
    sign = -1 if reading.entry.when.direction is Direction.DOWN else 1
    relative = _MEAN / _DEVIATION if is_relative(reading) else 1.0
    texts = [_run(None if r.value is None else r.value * share * sign * relative, r.steps) for r in runs]
    if reading.word.is_verdict:
        for number, pod in enumerate(PODS):
            says = (_run(_says(number, run), run.steps) for run in runs)
            yield _series(found.value, reading, pod, " ".join(says))
        return
    for pod in PODS:
        yield _series(found.value, reading, pod, " ".join(texts))


def _says(pod: int, run: Run) -> float | None:
    if run.value is None:
        return None
    return float(pod < (SAY_SO if run.value else SAY_SO - 1))


def _guards(reading: Reading, found: Terms, runs: list[Run], fed: Fed) -> Iterator[Input]:
    steps = sum(run.steps for run in runs)
    each, rest = divmod(fed.records, len(PODS))
    step = step_seconds(reading)
    for pod in PODS:
        records = each + (rest if pod == PODS[0] else 0)
        yield _series(found.weight, reading, pod, _run(records, steps))
        yield _series(found.covered, reading, pod, _run(fed.covered, steps))
        yield _series(found.fresh, reading, pod, f"{-fed.behind}+{step}x{steps - 1}")
        for selector, value in (
            (found.settled, 1.0),
            (found.given, 1.0),
            (found.deviation, _DEVIATION),
            (found.mean, -_MEAN),
            (found.known, fed.known),
            (found.predicted, 1000.0),
        ):
            if selector is not None:
                yield _series(selector, reading, pod, _run(value, steps))


def _run(value: float | None, steps: int) -> str:
    """Promtool's notation of *steps* samples of one value."""
    return f"_x{steps}" if value is None else f"{value:.12g}x{steps - 1}"


def _series(selector: Selector, reading: Reading, pod: str, values: str) -> Input:
    labels = {name: selector.labels.get(name, _opened(name, reading)) for name in selector.names}
    every = {**JOB, "pod": f"churn-{pod}", "instance": pod, **{n: t for n, t in labels.items() if t}}
    return Input(f"{PREFIX}{selector.name}{label_text(every)}", values)

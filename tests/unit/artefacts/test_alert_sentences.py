"""The two sentences that must be sayable, compiled and run by promtool over days of hard weather."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from driftgauge.artefacts.alerts import compiled, sentences
from driftgauge.artefacts.rules import prometheus_text
from driftgauge.config_alerts import Versions
from driftgauge.config_file import load

# In minutes; scrapes and evaluations are 5 minutes apart, to be through four days in a second.
STEP, HOUR, DAY = 5, 60, 1440

SENTENCES = """\
models:
  churn:
    task: binary
    positive_class: churned
    windows: [1h, 1d, 7d]
    features:
      customer_age: {kind: numeric, min: 18, max: 120}
    outcomes: {horizon: 30d, at_horizon: retained}
alerts:
  - alert: CustomerAgeMoved
    when: {model: churn, feature: customer_age, metric: mean_shift, window: 7d, above: 10%}
  - alert: PrecisionLow
    when: {model: churn, metric: precision, window: 1d, below: 70%}
    consecutive: 2
    require: {outcomes: 200, coverage: 60%}
    severity: critical
"""

Stretch = tuple[float | None, int]


def values(stretches: Iterable[Stretch]) -> str:
    """promtool's notation of values over so many minutes each; None is no sample."""
    return " ".join(f"_x{n // STEP}" if v is None else f"{v}x{n // STEP - 1}" for v, n in stretches)


@dataclass
class Pod:
    """What one pod exports, each value for so many minutes."""

    name: str
    precision: list[Stretch] = field(default_factory=list)
    outcomes: list[Stretch] | float = 240.0
    coverage: list[Stretch] | float = 0.9
    shift_sd: list[Stretch] = field(default_factory=list)
    predictions: float = 1000.0
    state: str = "given"
    version: str = "3"

    def series(self) -> dict[str, str]:
        told = self.precision or self.shift_sd
        there = [(None if value is None else 1.0, n) for value, n in told]

        def as_told(value: list[Stretch] | float) -> str:
            if isinstance(value, list):
                return values(value)
            return values((None if is_there is None else value, n) for is_there, n in there)

        window = "7d" if self.shift_sd else "1d"
        found = {
            f'driftgauge_window_samples{{window="{window}", cohort="predicted", ': as_told(self.predictions),
            "driftgauge_last_evaluation_timestamp_seconds{": self.clock(there),
        }
        if self.shift_sd:
            found |= {
                'driftgauge_feature_mean_shift_sd{feature="customer_age", window="7d", ': values(
                    self.shift_sd
                ),
                'driftgauge_reference_feature_mean{feature="customer_age", reference="r", ': as_told(40.0),
                'driftgauge_reference_feature_sd{feature="customer_age", reference="r", ': as_told(10.0),
                f'driftgauge_reference_state{{state="{self.state}", ': as_told(1.0),
                'driftgauge_window_covered_ratio{window="7d", cohort="predicted", ': as_told(1.0),
            }
        else:
            found |= {
                'driftgauge_precision_ratio{window="1d", cohort="matured", ': values(self.precision),
                'driftgauge_quality_samples{window="1d", cohort="matured", ': as_told(self.outcomes),
                'driftgauge_outcome_coverage_ratio{window="1d", cohort="matured", ': as_told(self.coverage),
                'driftgauge_window_covered_ratio{window="1d", cohort="matured", ': as_told(1.0),
            }
        of_pod = f'model="churn", model_version="{self.version}", job="m", pod="{self.name}", instance="{self.name}"}}'
        return {name + of_pod: text for name, text in found.items()}

    @staticmethod
    def clock(there: Iterable[Stretch]) -> str:
        parts, at = [], 0
        for value, n in there:
            parts.append(f"_x{n // STEP}" if value is None else f"{at * 60}+{STEP * 60}x{n // STEP - 1}")
            at += n
        return " ".join(parts)


class Check(Protocol):
    """Whether the alert fires at each minute, by promtool; *pooled*: versions together."""

    def __call__(
        self, alert: str, pods: list[Pod], fires: Mapping[int, bool], *, pooled: bool = False
    ) -> None: ...


@pytest.fixture
def check(tmp_path: Path, require_tool: Callable[[str], str]) -> Check:
    """Whether the alert fires at each minute, by promtool."""
    promtool = require_tool("promtool")
    config = load(Path("config.yaml"), text=SENTENCES)
    together = replace(
        config,
        alerts=tuple(replace(a, when=replace(a.when, versions=Versions.TOGETHER)) for a in config.alerts),
    )

    def run(alert: str, pods: list[Pod], fires: Mapping[int, bool], *, pooled: bool = False) -> None:
        rules = prometheus_text(compiled(together if pooled else config))
        (tmp_path / "rules.yml").write_text(rules, encoding="utf-8")
        fed = {name: text for pod in pods for name, text in pod.series().items()}
        # Counted, so that texts of the alert don't matter here; the generated tests compare them.
        asked = [
            {
                "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": "{}", "value": int(expected)}],
            }
            for minute, expected in fires.items()
        ]
        test = {
            "interval": f"{STEP}m",
            "input_series": [{"series": name, "values": text} for name, text in fed.items()],
            "promql_expr_test": asked,
        }
        tree = {"rule_files": ["rules.yml"], "evaluation_interval": f"{STEP}m", "tests": [test]}
        path = tmp_path / "test.yml"
        path.write_text(yaml.safe_dump(tree), encoding="utf-8")
        done = subprocess.run(
            [promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def test_both_sentences_are_said_again() -> None:
    config = load(Path("config.yaml"), text=SENTENCES)
    assert list(sentences(config)) == [
        "CustomerAgeMoved (warning): mean_shift of customer_age of churn over 7d has moved up or down by more "
        "than 10%, each window with at least 200 predictions",
        "PrecisionLow (critical): precision of churn over 1d (matured) is below 70% in 2 adjoining windows, "
        "each window with at least 200 outcomes and 60% of the outcomes known",
    ]


# --- data drift in feature customer_age if the mean shifts by more than 10% in a week -----------------


@pytest.mark.parametrize("way", [1, -1])
def test_a_mean_that_shifts_by_more_than_a_tenth(check: Check, way: int) -> None:
    """data drift in feature customer_age if the mean shifts by more than 10% in a week

    The reference's mean is 40 and its deviation 10: 0.48 deviations are 12%, 0.38 are 9.5%.
    """
    pod = Pod("a", shift_sd=[(way * 0.38, 2 * HOUR), (way * 0.48, 2 * HOUR), (way * 0.38, 2 * HOUR)])
    hours = {HOUR: False, 2 * HOUR + 5: False, 2 * HOUR + 10: True, 4 * HOUR + 5: True, 4 * HOUR + 20: False}
    check("CustomerAgeMoved", [pod], hours)


def test_a_mean_is_that_of_all_pods(check: Check) -> None:
    moved = [(1.2, HOUR)]
    opposite = [(-0.4, HOUR)]
    pods = [Pod("a", shift_sd=moved, predictions=100), Pod("b", shift_sd=opposite, predictions=300)]
    check("CustomerAgeMoved", pods, {50: False})
    pods = [Pod("a", shift_sd=moved, predictions=300), Pod("b", shift_sd=opposite, predictions=100)]
    check("CustomerAgeMoved", pods, {50: True})


def test_a_mean_needs_a_settled_reference_and_records(check: Check) -> None:
    check("CustomerAgeMoved", [Pod("a", shift_sd=[(1.2, HOUR)], state="provisional")], {50: False})
    check("CustomerAgeMoved", [Pod("a", shift_sd=[(1.2, HOUR)], predictions=199)], {50: False})


def test_a_mean_without_data_falls_silent(check: Check) -> None:
    pod = Pod("a", shift_sd=[(1.2, HOUR), (None, 2 * DAY)])
    check("CustomerAgeMoved", [pod], {50: True, 23 * HOUR: True, DAY + HOUR + 20: False})


# --- concept drift if the model's precision on the positive class drops below 70% for two days --------

BAD, GOOD = 0.65, 0.75


def test_precision_that_is_low_for_two_days(check: Check) -> None:
    """concept drift if the model's precision on the positive class drops below 70% for two consecutive days"""
    pod = Pod("a", precision=[(BAD, 2 * DAY), (GOOD, HOUR)])
    fires = {DAY - STEP: False, DAY + 5: False, DAY + 10: True, 2 * DAY + 5: True, 2 * DAY + 20: False}
    check("PrecisionLow", [pod], fires)


def test_precision_just_above_the_limit(check: Check) -> None:
    check("PrecisionLow", [Pod("a", precision=[(0.701, 3 * DAY)])], dict.fromkeys((DAY + 10, 2 * DAY), False))


def test_nights_with_too_few_outcomes(check: Check) -> None:
    """Eight hours a night the window has 150 outcomes, and a number that means nothing."""
    day, night = 16 * HOUR, 8 * HOUR
    outcomes: list[Stretch] = [(240, day), (150, night)] * 3
    low = Pod("a", precision=[(BAD, day), (0.99, night)] * 3, outcomes=outcomes)
    # At its second dawn, as soon as there is a first judged window a day ago; through the next night.
    fires = {16 * HOUR: False, DAY - STEP: False, DAY + 10: True, DAY + 20 * HOUR: True, 2 * DAY + HOUR: True}
    check("PrecisionLow", [low], fires)
    fine = Pod("a", precision=[(GOOD, day), (0.1, night)] * 3, outcomes=outcomes)
    check("PrecisionLow", [fine], dict.fromkeys((DAY + HOUR, DAY + 20 * HOUR, 2 * DAY + 20 * HOUR), False))


def test_nights_without_any_series(check: Check) -> None:
    day, night = 16 * HOUR, 8 * HOUR
    pod = Pod("a", precision=[(BAD, day), (None, night)] * 3)
    check(
        "PrecisionLow", [pod], {DAY - STEP: False, DAY + 10: True, DAY + 20 * HOUR: True, 2 * DAY + 10: True}
    )


def test_a_gap_of_half_an_hour_in_the_scrapes(check: Check) -> None:
    """Neither the first day's gap, nor one while it fires, changes anything."""
    early: list[Stretch] = [(BAD, 5), (None, 30), (BAD, DAY - 35)]
    late: list[Stretch] = [(BAD, 12 * HOUR), (None, 30), (BAD, HOUR)]
    fires = {DAY - STEP: False, DAY + 10: True, DAY + 20: True, DAY + 12 * HOUR + 25: True}
    check("PrecisionLow", [Pod("a", precision=early + late)], {**fires, DAY + 13 * HOUR: True})


@pytest.mark.parametrize(("precision", "fires"), [(BAD, True), (GOOD, False)])
def test_a_rollout_that_renames_the_pods(check: Check, *, precision: float, fires: bool) -> None:
    """Their volumes stay, their names don't; for five minutes there is none of either."""
    at = DAY + 12 * HOUR
    pods = [
        *(Pod(f"churn-7d9-{n}", precision=[(precision, at)], outcomes=120) for n in "ab"),
        *(Pod(f"churn-5f4-{n}", precision=[(None, at + STEP), (precision, DAY)], outcomes=120) for n in "cd"),
    ]
    moments = (at - STEP, at, at + STEP, at + 2 * STEP, at + HOUR, at + 12 * HOUR)
    check("PrecisionLow", pods, {DAY - STEP: False, **dict.fromkeys(moments, fires)})


def test_a_rollout_on_the_first_day_does_not_begin_anew(check: Check) -> None:
    at = 12 * HOUR
    pods = [
        Pod("old", precision=[(BAD, at)]),
        Pod("new", precision=[(None, at + STEP), (BAD, 2 * DAY)]),
    ]
    check("PrecisionLow", pods, {DAY - STEP: False, DAY + 10: True})


def test_one_good_day_between_two_bad_ones_is_silent(check: Check) -> None:
    pod = Pod("a", precision=[(BAD, DAY), (GOOD, DAY), (BAD, DAY)])
    moments = (
        HOUR,
        DAY,
        DAY + 10,
        DAY + 12 * HOUR,
        2 * DAY,
        2 * DAY + 10,
        2 * DAY + 12 * HOUR,
        3 * DAY - STEP,
    )
    check("PrecisionLow", [pod], dict.fromkeys(moments, False))


def test_labels_that_come_three_days_late(check: Check) -> None:
    """While a tenth of the outcomes is known nothing is judged; then two windows count, not one."""
    late = 3 * DAY
    pod = Pod("a", precision=[(BAD, late + 2 * DAY)], coverage=[(0.1, late), (0.95, 2 * DAY)])
    fires = {
        DAY + 10: False,
        late - STEP: False,
        late + 10: False,
        late + DAY - STEP: False,
        late + DAY + 10: True,
    }
    check("PrecisionLow", [pod], fires)


def test_pods_weigh_by_their_outcomes(check: Check) -> None:
    """The plain mean of the pods is 75%; of the outcomes it is 62%."""
    of_few = Pod("a", precision=[(0.9, 2 * DAY)], outcomes=20)
    of_many = Pod("b", precision=[(0.6, 2 * DAY)], outcomes=300)
    check("PrecisionLow", [of_few, of_many], {DAY + 10: True})


def test_the_windows_of_two_days_are_of_one_version(check: Check) -> None:
    """A new version each day: neither has two bad windows; together they have."""
    old = Pod("a", precision=[(BAD, 10 * HOUR), (None, DAY)], version="1")
    new = Pod("b", precision=[(None, DAY), (BAD, 10 * HOUR)], version="2")
    moments = (DAY + 10, DAY + 5 * HOUR, DAY + 10 * HOUR - STEP)
    check("PrecisionLow", [old, new], dict.fromkeys(moments, False))
    check("PrecisionLow", [old, new], dict.fromkeys(moments, True), pooled=True)


def test_precision_without_data_falls_silent(check: Check) -> None:
    pod = Pod("a", precision=[(BAD, DAY + HOUR), (None, DAY)])
    fires = {DAY + 30: True, DAY + 13 * HOUR: True, DAY + 13 * HOUR + 20: False}
    check("PrecisionLow", [pod], fires)

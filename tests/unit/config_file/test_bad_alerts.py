"""One tiny bad entry of `alerts` and the whole message for each rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftgauge.config_file import load
from driftgauge.errors import ConfigurationError

MODELS = """\
models:
  churn:
    task: binary
    windows: [1d, 7d]
    segments: [plan]
    features: {customer_age: {kind: numeric}, plan: {kind: categorical}, id: {kind: identifier}}
  demand: {task: regression, windows: [1h, 7d], against: [reference, same_hours_last_week]}
  topic: {task: multiclass}
alerts:
"""


def entry(when: str, *lines: str, name: str = "A") -> str:
    """One entry; `when` stands on line 11, the first of *lines* on 12."""
    return f"  - alert: {name}\n    when: {{{when}}}\n" + "".join(f"    {line}\n" for line in lines)


def churn(rest: str) -> str:
    return f"model: churn, {rest}"


ACCURACY = churn("metric: accuracy, window: 1d, below: 70%")
AGE = churn("feature: customer_age, window: 7d, ")

NAMES = {
    entry("model: chrun, metric: accuracy, window: 1d, below: 70%"): (
        "11 alerts[0].when.model: expected a model under models (did you mean churn?), got 'chrun'"
    ),
    entry(churn("metric: acuracy, window: 1d, below: 70%")): (
        "11 alerts[0].when.metric: expected a metric that docs/alert-metrics.md lists (did you mean accuracy, "
        "accuracy_low or accuracy_high?), got 'acuracy'"
    ),
    entry(churn("metric: drift_p_value, feature: plan, window: 1d, below: 1%")): (
        "11 alerts[0].when.metric: expected a metric that docs/alert-metrics.md lists (did you mean drift_verdict "
        "or drift_held?), got 'drift_p_value'"
    ),
    entry(churn("metric: accuracy, window: 2d, below: 70%")): (
        "11 alerts[0].when.window: expected a window of churn, 1d or 7d, got 2d"
    ),
    entry(churn("metric: psi, feature: costumer_age, window: 1d, above: 0.2")): (
        "11 alerts[0].when.feature: expected a feature under models.churn.features (did you mean customer_age?), "
        "got 'costumer_age'"
    ),
    entry(churn("metric: accuracy, window: 1d, segment: region, below: 70%")): (
        "11 alerts[0].when.segment: expected a column under models.churn.segments (plan), got 'region'"
    ),
    entry(churn("metric: accuracy, window: 1d, segment_value: gold, below: 70%")): (
        "11 alerts[0].when.segment_value: expected a segment beside it, got none"
    ),
    entry(ACCURACY, name="precision_low"): (
        "10 alerts[0].alert: expected a name in CamelCase such as PrecisionLow, got 'precision_low'"
    ),
    entry(ACCURACY, name="Low") + entry(ACCURACY, name="LOW"): (
        "12 alerts[1].alert: expected a name of its own among the alerts on a model, in more than capitals, got "
        "'LOW', as alerts[0]"
    ),
}

METRICS = {
    entry(churn("metric: psi, window: 1d, above: 0.2")): (
        "11 alerts[0].when.metric: expected a feature or an output beside it: psi is of one, got neither"
    ),
    entry(churn("metric: accuracy, feature: plan, window: 1d, below: 70%")): (
        "11 alerts[0].when.feature: expected none: accuracy is not of a feature, got 'plan'"
    ),
    entry(churn("metric: accuracy, window: 1d, below: 70%, class: churned")): (
        "11 alerts[0].when.class: expected none: accuracy is not of a class, got 'churned'"
    ),
    entry(churn("metric: precision, window: 1d, below: 70%, class: churned")): (
        "11 alerts[0].when.class: expected none where the task isn't multiclass: the positive class is meant, got "
        "'churned'"
    ),
    entry(churn("metric: missing, segment: plan, feature: plan, window: 1d, above: 1%")): (
        "11 alerts[0].when.segment: expected none: missing is not of a segment, got 'plan'"
    ),
    entry("model: demand, metric: accuracy, window: 7d, below: 70%"): (
        "11 alerts[0].when.metric: expected a metric of the task regression, got 'accuracy'"
    ),
    entry(churn("metric: mae, window: 7d, above: 3")): (
        "11 alerts[0].when.metric: expected a metric of the task binary, got 'mae'"
    ),
    entry(churn("feature: plan, metric: mean_shift, window: 7d, above: 10%")): (
        "11 alerts[0].when.metric: expected a metric of categorical features, got 'mean_shift'"
    ),
    entry(churn("feature: customer_age, metric: unseen, window: 7d, above: 10%")): (
        "11 alerts[0].when.metric: expected a metric of numeric features, got 'unseen'"
    ),
    entry(churn("feature: id, metric: psi, window: 7d, above: 0.2")): (
        "11 alerts[0].when.metric: expected a metric of identifier features, got 'psi'"
    ),
    entry(AGE + "metric: js_distance, above: 0.2"): (
        "11 alerts[0].when.metric: expected the line `metrics: [distances]` in the file: js_distance here is in the "
        "family distances, got metrics: []"
    ),
    entry(churn("metric: recall, segment: plan, window: 1d, below: 60%")): (
        "11 alerts[0].when.metric: expected the line `metrics: [segments]` in the file: recall here is in the "
        "family segments, got metrics: []"
    ),
    entry(churn("metric: log_loss, segment: plan, window: 1d, above: 1")): (
        "11 alerts[0].when.metric: expected the line `metrics: [segments]` in the file: log_loss here is in the "
        "family segments, got metrics: []"
    ),
    entry(churn("metric: accuracy, segment: plan, cohort: matured, window: 1d, below: 60%")): (
        "11 alerts[0].when.metric: expected the line `metrics: [segments]` in the file: accuracy here is in the "
        "family segments, got metrics: []"
    ),
    entry(AGE + "metric: psi, against: previous_window, above: 0.2"): (
        "11 alerts[0].when.against: expected one of models.churn.against, reference, got previous_window"
    ),
    entry(AGE + "metric: psi, above: 0.2, cohort: matured"): (
        "11 alerts[0].when.cohort: expected none: psi is not of a cohort of outcomes, got matured"
    ),
    entry(churn("metric: outcome_coverage, window: 1d, below: 60%, cohort: arrived")): (
        "11 alerts[0].when.cohort: expected matured, the only one that outcome_coverage has, got arrived"
    ),
    entry(AGE + "metric: psi, above: 0.2", "require: {coverage: 60%}"): (
        "12 alerts[0].require.coverage: expected no coverage: psi doesn't stand on outcomes, got one"
    ),
    entry(AGE + "metric: psi, above: 0.2", "estimated_until: {coverage: 60%}"): (
        "12 alerts[0].estimated_until: expected a metric that is estimated (value, value_low, value_high, value_mean, "
        "accuracy, f1, roc_auc, mae, rmse, precision or recall), got 'psi'"
    ),
    entry(churn("metric: precision, window: 1d, below: 70%"), "estimated_until: {coverage: 60%}"): (
        "12 alerts[0].estimated_until: expected the line `metrics: [estimates]` in the file: estimated_precision "
        "here is in the family estimates, got metrics: []"
    ),
}

LIMITS = {
    entry(churn("metric: accuracy, window: 1d")): (
        "11 alerts[0].when: expected above or below, one of them, got neither"
    ),
    entry(churn("metric: accuracy, window: 1d, above: 10%, below: 20%")): (
        "11 alerts[0].when: expected above or below, one of them, got both"
    ),
    entry(churn("metric: accuracy, window: 1d, below: 70")): (
        "11 alerts[0].when.below: expected a share from 0 to 1, or 0% to 100%, got 70"
    ),
    entry(churn("metric: accuracy, window: 1d, below: low")): (
        "11 alerts[0].when.below: expected a limit such as 10%, 0.25, 0.5 sd or 250ms, got 'low'"
    ),
    entry(churn("metric: log_loss, window: 1d, above: 70%")): (
        "11 alerts[0].when.above: expected a number such as 0.25, got 70%"
    ),
    entry(AGE + "metric: mean_shift, above: 0.5"): (
        "11 alerts[0].when.above: expected a percentage of the reference's mean (10%) or standard deviations "
        "(0.5 sd), got 0.5"
    ),
    entry(AGE + "metric: mean_shift_sd, above: 10%"): (
        "11 alerts[0].when.above: expected standard deviations such as 0.5 sd, got 10%"
    ),
    entry(AGE + "metric: drift_verdict, above: 0.5"): (
        "11 alerts[0].when: expected no limit: drift_verdict is 0 or 1, got one"
    ),
    entry(
        ACCURACY, "critical: {below: 60%}"
    ): "11 alerts[0].when: expected no limit beside critical, got one",
    entry(churn("metric: accuracy, window: 1d"), "severity: info", "warning: {below: 60%}"): (
        "12 alerts[0].severity: expected none beside warning, got info"
    ),
    entry(churn("metric: accuracy, window: 1d"), "warning: {below: 70%}", "critical: {below: 75%}"): (
        "13 alerts[0].critical.below: expected a limit beyond warning's 70%, got 75%"
    ),
    entry(churn("metric: accuracy, window: 1d"), "warning: {below: 70%}", "critical: {above: 75%}"): (
        "13 alerts[0].critical: expected below, as warning, got above"
    ),
    entry(churn("metric: accuracy, window: 1d, below: 70%, direction: down")): (
        "11 alerts[0].when.direction: expected no direction: accuracy has none, got down"
    ),
    entry(churn("metric: latency, window: 1h, above: 250ms")): (
        "11 alerts[0].when.quantile: expected a quantile between 0 and 1 such as 99%, got none"
    ),
    entry(churn("metric: latency, window: 1h, quantile: 99%, above: 11s")): (
        "11 alerts[0].when.above: expected at most 10s, the largest bucket of the histogram, got 11s"
    ),
    entry(churn("metric: throughput, window: 7d, below: 1")): (
        "11 alerts[0].when.window: expected 5m to 1d for throughput, which is counted from raw samples, got 7d"
    ),
    entry(churn("metric: accuracy, window: 1d, below: 70%, quantile: 50%")): (
        "11 alerts[0].when.quantile: expected none: accuracy has no quantiles, got 50%"
    ),
}

TIMES = {
    entry(ACCURACY, "for: 2d"): (
        "12 alerts[0].for: expected at most 1h: a window without enough records, as at night, has no value, which "
        "starts the time anew; say `consecutive` windows, got 2d"
    ),
    entry(ACCURACY, "keep_firing_for: 2d"): "12 alerts[0].keep_firing_for: expected at most 1d, got 2d",
    entry(ACCURACY, "consecutive: 0"): "12 alerts[0].consecutive: expected 1 to 30 windows, got 0",
    entry(ACCURACY, "windows: 3 of 2"): (
        "12 alerts[0].windows: expected m of n windows, n from 2 to 30, m from 1 to n, got 3 of 2"
    ),
    entry(ACCURACY, "windows: 2/3"): "12 alerts[0].windows: expected windows such as 2 of 3, got 2/3",
    entry(ACCURACY, "consecutive: 2", "windows: 2 of 3"): (
        "13 alerts[0].windows: expected either consecutive or windows, got consecutive: 2 too"
    ),
    entry(ACCURACY, "max_gap: 2d"): (
        "12 alerts[0].max_gap: expected a duration above 0 and at most the window, 1d, got 2d"
    ),
    entry(ACCURACY, "require: {outcomes: 0}"): "12 alerts[0].require.outcomes: expected at least 1, got 0",
    entry(
        ACCURACY, "require: {covered: 0%}"
    ): "12 alerts[0].require.covered: expected a ratio above 0, got 0",
    entry(
        "model: demand, output: prediction, metric: psi, window: 7d, against: same_hours_last_week, above: 0.1"
    ): (
        "11 alerts[0].when.against: expected previous_window for a window of 7d or longer: it overlaps its hours "
        "last week, got same_hours_last_week"
    ),
}

TEXTS = {
    entry(ACCURACY, "labels: {Tier: gold}"): (
        "12 alerts[0].labels.Tier: expected a label's name: small letters, digits and _, got 'Tier'"
    ),
    entry(ACCURACY, "labels: {severity: page}"): (
        "12 alerts[0].labels.severity: expected a label that isn't set already, got 'severity'"
    ),
    entry(ACCURACY, "labels: {tier: '{{ $value }}'}"): (
        "12 alerts[0].labels.tier: expected a text that stays the same: a changing label is another alert, got "
        "'{{ $value }}'"
    ),
    entry(ACCURACY, "annotations: {summary: 'is {{ $value | humanize }}'}"): (
        '12 alerts[0].annotations.summary: expected $labels.NAME, $value | humanizePercentage or printf "%.3f" '
        "$value in {{ }}, got '$value | humanize'"
    ),
    entry(ACCURACY, "annotations: {summary: 'is {{ $value'}"): (
        "12 alerts[0].annotations.summary: expected each {{ with its }}, got 'is {{ $value'"
    ),
    entry(ACCURACY, "zebra: 1"): (
        "12 alerts[0].zebra: expected one of alert, when, consecutive, windows, for, keep_firing_for, max_gap, "
        "require, severity, warning, critical, estimated_until, owner, team, labels or annotations, got 'zebra'"
    ),
    "  - alert: A\n": "10 alerts[0]: expected the key when, got none",
}


@pytest.mark.parametrize(
    ("text", "message"),
    [*NAMES.items(), *METRICS.items(), *LIMITS.items(), *TIMES.items(), *TEXTS.items()],
)
def test_the_message_says_line_path_expected_and_found(text: str, message: str) -> None:
    families = "metrics: [against]\n" if ".against: " in message else ""
    with pytest.raises(ConfigurationError) as caught:
        load(Path("config.yaml"), text=MODELS + text + families)
    assert caught.value.faults == (f"config.yaml:{message}",)


def test_a_model_at_fault_has_no_echo() -> None:
    text = MODELS.replace("windows: [1d, 7d]", "windows: x") + entry(ACCURACY.replace("1d", "3d"))
    with pytest.raises(ConfigurationError) as caught:
        load(Path("c"), text=text)
    assert [fault.split(":")[1].split(" ")[0] for fault in caught.value.faults] == ["4"]

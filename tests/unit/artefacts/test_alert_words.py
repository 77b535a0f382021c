"""Every metric that alerts can say is exported, compiles, and is listed; what can't be is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from driftgauge.artefacts.alerts import compiled, sentences
from driftgauge.artefacts.alerts.wording import filled
from driftgauge.check import alert_warnings
from driftgauge.config import Config, Family
from driftgauge.config_file import WORDS, load
from driftgauge.metrics import METRICS
from driftgauge.metrics.words import Pooling, Scale, Word, chosen

MODEL = """\
models:
  m:
    task: {task}
    windows: [1d]
    segments: [plan]
    segment_drift: [age]
    features: {{age: {{kind: numeric}}, plan: {{kind: categorical}}}}
    against: [reference, previous_window]
    value: {{currency: EUR, {price}}}
alerts:
  - alert: A
    when: {{{when}}}
metrics: [{families}]
"""
PRICES = {"binary": "true_positive: 1", "regression": "over: -1", "multiclass": "right: 1"}
LIMITS = {
    Scale.SHARE: "above: 10%",
    Scale.DEVIATIONS: "above: 0.5 sd",
    Scale.PLAIN: "above: 0.25",
    Scale.SECONDS: "above: 250ms, quantile: 99%",
}


def said(word: Word, *, segment: bool, task: str) -> Config:
    labels = word.metric.labels
    parts = [f"model: m, metric: {word.text}, window: {'1h' if word.of_traffic else '1d'}"]
    if "feature" in labels:
        parts.append(f"feature: {'plan' if word.categorical_only else 'age'}")
    if "output" in labels:
        parts.append(f"output: {'prediction' if word.categorical_only or word.of_regression else 'score'}")
    if "against" in labels:
        parts.append("against: previous_window")
    if segment:
        parts.append("segment: plan")
    parts += [LIMITS[word.scale]] if word.scale in LIMITS else []
    text = MODEL.format(task=task, price=PRICES[task], when=", ".join(parts), families=", ".join(Family))
    return load(Path("config.yaml"), text=text)


def task_of(word: Word) -> str:
    if word.text.endswith("_weighted") or re.search(r"_weighted_(?:low|high)$", word.text):
        return "multiclass"
    return "regression" if word.of_regression else "binary"


@pytest.mark.parametrize(
    "word", [w for words in WORDS.values() for w in words], ids=lambda word: word.metric.name
)
def test_every_word_stands_on_what_is_exported(word: Word) -> None:
    asked = {"feature", "output", "against"} & {*word.metric.labels}
    of_segments = chosen(WORDS[word.text], frozenset(asked)) is not word
    config = said(word, segment=of_segments, task=task_of(word))
    assert list(alert_warnings(config)) == []
    [recording] = compiled(config).recordings()
    assert word.metric.name in recording.record
    assert len(list(sentences(config))) == 1


def test_a_word_that_a_segment_lacks_is_told() -> None:
    [word] = WORDS["precision_low"]
    assert list(alert_warnings(said(word, segment=True, task="binary"))) == [
        "alerts: A never fires: there will be no "
        'driftgauge_precision_low_ratio{model="m", window="1d", cohort="arrived", segment="plan", class=""}'
    ]
    [word] = WORDS["accuracy"]
    assert list(alert_warnings(said(word, segment=True, task="binary"))) == []


def test_a_word_means_one_metric() -> None:
    names = [word.metric.name for words in WORDS.values() for word in words]
    assert len(set(names)) == len(names)
    for words in WORDS.values():
        subjects = [frozenset(word.metric.labels) for word in words]
        assert len(set(subjects)) == len(subjects), words[0].text


def test_what_the_table_has_and_no_word_says() -> None:
    """New gauges of windows have words by themselves; these are left out on purpose."""
    named = {word.metric.name for words in WORDS.values() for word in words}
    gauges = (m for m in METRICS if m.type == "gauge" and "window" in m.labels)
    whole = (m for m in gauges if not {"bin", "state", "outcome", "prediction"} & {*m.labels})
    unnamed = {m.name for m in whole} - named
    reasons = re.compile(r"_samples(_against)?$|_outcomes(_against)?$|_p(_value)?$|window_\w+$")
    assert {name for name in unnamed if not reasons.search(name)} == set()
    assert not [name for name in named if "detector" in name or name.endswith(("_p", "_p_value"))]


@pytest.mark.parametrize(
    ("text", "pooling", "scale", "shift"),
    [
        ("psi", Pooling.MEAN, Scale.PLAIN, False),
        ("mean_shift", Pooling.MEAN, Scale.SHARE, True),
        ("mean_shift_sd", Pooling.MEAN, Scale.DEVIATIONS, True),
        ("rmse", Pooling.ROOT_MEAN_SQUARE, Scale.PLAIN, False),
        ("rmse_change", Pooling.MEAN, Scale.PLAIN, False),
        ("value", Pooling.TOTAL, Scale.PLAIN, False),
        ("value_mean", Pooling.MEAN, Scale.PLAIN, False),
        ("drift_verdict", Pooling.HALF, Scale.FLAG, False),
        ("bias", Pooling.MEAN, Scale.PLAIN, True),
        ("worst_segment_accuracy_gap", Pooling.MEAN, Scale.SHARE, False),
        ("relation_shift", Pooling.MEAN, Scale.PLAIN, False),
        ("smallest_shift_sd", Pooling.MEAN, Scale.DEVIATIONS, False),
        ("version_accuracy_difference", Pooling.MEAN, Scale.SHARE, False),
        ("latency", Pooling.TRAFFIC, Scale.SECONDS, False),
    ],
)
def test_how_words_are_pooled_and_limited(text: str, pooling: Pooling, scale: Scale, *, shift: bool) -> None:
    word = WORDS[text][0]
    assert (word.pooling, word.scale, word.shift) == (pooling, scale, shift)


def test_a_version_without_a_name_is_not_a_gap_in_the_text():
    text = 'Version {{ or $labels.model_version "without a name" }}; {{ $labels.model }}.'
    assert filled(text, {"model": "churn", "model_version": ""}, 1.0) == "Version without a name; churn."
    assert filled(text, {"model": "churn", "model_version": "2"}, 1.0) == "Version 2; churn."

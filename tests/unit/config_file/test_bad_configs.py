"""One tiny bad text and the whole message for each rule."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from driftgauge.config import Family, Model
from driftgauge.config_file import load
from driftgauge.config_file.fault import either
from driftgauge.errors import ConfigurationError

DURATION = "a duration with its unit (ms, s, m, h, d or w) such as 30s"
SIZE = "a size with its unit (B, KiB, MiB or GiB) such as 8MiB"
RATIO = "a ratio from 0 to 1, or 0% to 100%, such as 10%"
THRESHOLD = "expected a known key, got 'treshold' (did you mean threshold?)"
ROOT = (
    "one of models, defaults, alerts, fields, model_version, intake, observation, outside, limits, store, export, "
    "trigger, "
    "metrics, evaluate or time_scale"
)
MODEL = either([field.name for field in fields(Model)])
FAMILIES = either([family.value for family in Family])
RECORD_FIELDS = (
    "prediction_id, timestamp, model, model_version, features, prediction, score, scores, "
    "latency_seconds, error, segments, trace_id, outcome, value, prediction_timestamp or columns"
)


def model(*lines: str) -> str:
    """A file with these lines as the model m; the first is line 3."""
    return "models:\n  m:\n" + "".join(f"    {line}\n" for line in lines)


YAML = {
    "a: b: c": "1: expected YAML, got a syntax error: mapping values are not allowed here (column 5)",
    "evaluate: 15s\nmodels: [": (
        "2: expected YAML, got a syntax error: expected the node content, but found "
        "'<stream end>' (column 10)"
    ),
    "models:\n\tm: {}": "2: expected spaces as indentation, got a tab",
    "evaluate: 15s\n\x00": "2: expected printable text, got the character U+0000",
    'evaluate: "\\UFFFFFFFF"': "1: expected YAML, got an escape that is no character",
    "evaluate: 15s\n---\nevaluate: 15s": "2: expected one document, got a second one",
    "evaluate: !!python/name:os.system x": (
        "1: expected no tags, got the tag 'tag:yaml.org,2002:python/name:os.system'"
    ),
    "evaluate: !seconds 15": "1: expected no tags, got the tag '!seconds'",
    "? [a]\n: 1": "1: expected a text as key, got a list",
    "? {a: b}\n: 1": "1: expected a text as key, got a mapping",
    "evaluate: *e": "1: expected an alias of an anchor that is complete above it, got *e",
    "models: &m {a: *m}": "1: expected an alias of an anchor that is complete above it, got *m",
    "[" * 40 + "]" * 40: "1: expected nesting of at most 32 levels, got more",
    "[": (
        "1: expected YAML, got a syntax error: expected the node content, but found '<stream end>' (column 2)"
    ),
}

SHAPE = {
    "15s": f"1: expected a mapping with {ROOT}, got 15s",
    "[models]": f"1: expected a mapping with {ROOT}, got a list",
    "\n\nstorage: {}": "3 storage: expected a known key, got 'storage' (did you mean store?)",
    "zebra: 1": f"1 zebra: expected {ROOT}, got 'zebra'",
    "no: 1": f"1 no: expected {ROOT}, got 'no'",
    "source: x": "1 source: expected a known key, got 'source' (did you mean store?)",
    "alerts: {}": "1 alerts: expected a list, got a mapping",
    "durability: full": "1 durability: expected a known key, got 'durability' "
    "(did you mean store.durability?)",
    '"\\ud800": 1': f"1 '\\ud800': expected {ROOT}, got '\\ud800'",
    model("thresold: 0.5"): "3 models.m.thresold: expected a known key, got 'thresold' "
    "(did you mean threshold?)",
    model("zebra: {team: risk}"): (f"3 models.m.zebra: expected one of {MODEL}, got 'zebra'"),
    model("value: EUR"): (
        "3 models.m.value: expected a mapping with one of currency, true_positive, false_positive, "
        "false_negative, true_negative, right, wrong, over, under or weight, got 'EUR'"
    ),
    model(
        "task: binary", "value:", "  true_positive: 40"
    ): "4 models.m.value: expected the key currency, got none",
    model("task: binary", "value: {currency: EUR, true_positives: 1}"): (
        "4 models.m.value.true_positives: expected a known key, got 'true_positives' (did you mean true_positive?)"
    ),
    model("value: {currency: EUR}"): "3 models.m.value: expected a task beside it, got none",
    model("task: regression", "value:", "  currency: EUR", "  over: -1", "  right: 2"): (
        "7 models.m.value.right: expected over or under where the task is regression, got right"
    ),
    model("task: binary", "value: {currency: EUR, false_negative: -1e13}"): (
        "4 models.m.value.false_negative: expected a number from -1e12 to 1e12, got -10000000000000"
    ),
    model("task: binary", "value: {currency: '', true_positive: 1}"): (
        "4 models.m.value.currency: expected a text that is not empty, got ''"
    ),
    model("task: binary", "features: {plan: {kind: categorical}}", "value: {currency: EUR, weight: plan}"): (
        "5 models.m.value.weight: expected a numeric feature, got 'plan', categorical"
    ),
    model("task: binary", "discover_features: false", "value: {currency: EUR, weight: amount}"): (
        "5 models.m.value.weight: expected a declared feature, got 'amount'"
    ),
    model("horizon: 30d"): (
        "3 models.m.horizon: expected a known key, got 'horizon' (did you mean outcomes.horizon?)"
    ),
    model("features:", "  age: {mini: 1}"): (
        "4 models.m.features.age.mini: expected one of kind, min or max, got 'mini' (did you mean min?)"
    ),
    "outside:\n  address: x": ("2 outside.address: expected one of listen or token_file, got 'address'"),
    "evaluate: 15s\nevaluate: 30s": ("2 evaluate: expected each key once, got it again (first on line 1)"),
    'models:\n  "1": {}\n  1: {}': ("3 models.'1': expected each key once, got it again (first on line 2)"),
    model("features:", "  age: {}", "  plan: {}", "  age: {}"): (
        "6 models.m.features.age: expected each key once, got it again (first on line 4)"
    ),
    "models: [churn]": "1 models: expected a mapping by name, got a list",
    "models:\n  churn: binary": (f"2 models.churn: expected a mapping with one of {MODEL}, got 'binary'"),
    model("windows: 1h"): "3 models.m.windows: expected a list, got 1h",
    model("windows:"): "3 models.m.windows: expected a list, got nothing",
    model("segments: plan"): "3 models.m.segments: expected a list, got 'plan'",
    model("segments: {plan: x}"): "3 models.m.segments: expected a list, got a mapping",
    "evaluate: [15s]": "1 evaluate: expected a single value, got a list",
    "evaluate: {s: 15}": "1 evaluate: expected a single value, got a mapping",
    "<<: 1": "1 '<<': expected a mapping to merge, got 1",
    'models: {"": {}}': "1 models: expected names that are not empty, got an empty one",
    'models: {"\\ud800": {}}': ("1 models.'\\ud800': expected a name that UTF-8 can hold, got '\\ud800'"),
}

VALUES = {
    "evaluate: 60": f"1 evaluate: expected {DURATION}, got 60",
    "evaluate: '60'": f"1 evaluate: expected {DURATION}, got '60'",
    "evaluate: 1:30": f"1 evaluate: expected {DURATION}, got 1:30",
    "evaluate: -5s": f"1 evaluate: expected {DURATION}, got -5s",
    "evaluate: 1h30m": f"1 evaluate: expected {DURATION}, got 1h30m",
    "evaluate: 15 s": f"1 evaluate: expected {DURATION}, got 15 s",
    "evaluate: 15S": f"1 evaluate: expected {DURATION}, got 15S",
    "evaluate:": f"1 evaluate: expected {DURATION}, got nothing",
    "intake: {max_body: 8}": f"1 intake.max_body: expected {SIZE}, got 8",
    "intake: {max_body: 8MB}": f"1 intake.max_body: expected {SIZE}, got 8MB",
    "intake: {max_body: 0.3B}": "1 intake.max_body: expected a whole number of bytes, got 0.3B",
    "export: {sample: 10}": f"1 export.sample: expected {RATIO}, got 10",
    "export: {sample: 110%}": f"1 export.sample: expected {RATIO}, got 110%",
    "export: {sample: -0.1}": f"1 export.sample: expected {RATIO}, got -0.1",
    "export: {sample: some}": f"1 export.sample: expected {RATIO}, got 'some'",
    model("features:", "  age:", "    min: ten"): (
        "5 models.m.features.age.min: expected a number, got 'ten'"
    ),
    model("features:", "  age:", "    min: .inf"): (
        "5 models.m.features.age.min: expected a number, got .inf"
    ),
    model("threshold: 1e999"): "3 models.m.threshold: expected a finite number, got 1e999",
    model("threshold: 50%"): "3 models.m.threshold: expected a number, got 50%",
    model("threshold: '0.5'"): (
        "3 models.m.threshold: expected no quotes around a number or boolean, got '0.5'"
    ),
    "limits: {models: 010}": "1 limits.models: expected a whole number, got 010",
    "limits: {models: 0x10}": "1 limits.models: expected a whole number, got 0x10",
    "limits: {models: 1e3}": "1 limits.models: expected a whole number, got 1e3",
    "limits: {models: 2.5}": "1 limits.models: expected a whole number, got 2.5",
    "limits: {models: many}": "1 limits.models: expected a whole number, got 'many'",
    "limits: {models: '3'}": ("1 limits.models: expected no quotes around a number or boolean, got '3'"),
    model("discover_features: yes"): ("3 models.m.discover_features: expected true or false, got 'yes'"),
    model("discover_features: 1"): "3 models.m.discover_features: expected true or false, got 1",
    model("discover_features: 'true'"): (
        "3 models.m.discover_features: expected no quotes around a number or boolean, got 'true'"
    ),
    model("task: binray"): ("3 models.m.task: expected binary, multiclass or regression, got 'binray'"),
    "metrics: [psi]": f"1 metrics[0]: expected {FAMILIES}, got 'psi'",
    "store: {directory: ''}": "1 store.directory: expected a path, got ''",
    "store: {directory: ~}": "1 store.directory: expected a path, got nothing",
    'store: {directory: "a\\0b"}': "1 store.directory: expected a path, got 'a\\x00b'",
    'store: {directory: "a\\ud800b"}': (
        "1 store.directory: expected a text that UTF-8 can hold, got 'a\\ud800b'"
    ),
    "intake: {listen: null}": (
        "1 intake.listen: expected a text (in quotes if it is to be 'null'), got nothing"
    ),
    model('positive_class: "\\udfff"'): (
        "3 models.m.positive_class: expected a text that UTF-8 can hold, got '\\udfff'"
    ),
    f"evaluate: {'x' * 100}": (f"1 evaluate: expected {DURATION}, got '{'x' * 40}...{'x' * 15}'"),
}

MODELS = {
    model("windows: [30s]"): ("3 models.m.windows[0]: expected a window of at least 1m, got 30s"),
    model("windows:", "  - 1h", "  - 401d"): (
        "5 models.m.windows[1]: expected a window of at most 400d, got 401d"
    ),
    model("against: [previous_window]"): (
        "3 models.m.against: expected reference among them, whose bins all are counted in, got previous_window"
    ),
    model("against: [reference, reference]"): (
        "3 models.m.against[1]: expected each of them once, got reference again"
    ),
    model("windows: [7d]", "against: [reference, same_hours_last_week]"): (
        "4 models.m.against[1]: expected previous_window where every window is 7d or longer: they overlap "
        "their hours last week, got same_hours_last_week"
    ),
    model("segment_drift: [a, b, c, d, e, f]"): (
        "3 models.m.segment_drift: expected at most 5 features, got 6"
    ),
    model("segment_drift: [a, a]"): (
        "3 models.m.segment_drift[1]: expected each feature once, got 'a' again"
    ),
    model("segment_drift: [age]", "discover_features: false"): (
        "3 models.m.segment_drift[0]: expected a declared feature, got 'age'"
    ),
    model("segment_drift: [code]", "features: {code: {kind: identifier}}"): (
        "3 models.m.segment_drift[0]: expected a numeric or categorical feature, got 'code', identifier"
    ),
    model("windows: [1h, 60m]"): "3 models.m.windows[1]: expected each window once, got 1h again",
    model("windows: [1m, 2m, 3m, 4m, 5m, 6m, 7m]"): ("3 models.m.windows: expected 1 to 6 windows, got 7"),
    model("windows: []"): "3 models.m.windows: expected 1 to 6 windows, got 0",
    "defaults: {windows: [1s]}": ("1 defaults.windows[0]: expected a window of at least 1m, got 1s"),
    model("threshold: 0"): (
        "3 models.m.threshold: expected a number between 0 and 1, neither of them, got 0"
    ),
    model("threshold: 1.0"): (
        "3 models.m.threshold: expected a number between 0 and 1, neither of them, got 1"
    ),
    model("task: regression", "positive_class: 1"): (
        "4 models.m.positive_class: expected no positive class where the task is regression, got '1'"
    ),
    model("task: multiclass", "positive_class: a"): (
        "4 models.m.positive_class: expected no positive class where the task is multiclass, got 'a'"
    ),
    model("positive_class: ''"): ("3 models.m.positive_class: expected a text that is not empty, got ''"),
    model("segments: [a, b, c, d]"): (
        "3 models.m.segments: expected at most 3 segment columns (limits.segment_columns), got 4"
    ),
    model("segments: [plan, plan]"): (
        "3 models.m.segments[1]: expected each segment column once, got 'plan' again"
    ),
    model("segments: ['']"): ("3 models.m.segments[0]: expected a text that is not empty, got ''"),
    model("features:", "  age: {min: 3, max: 3}"): (
        "4 models.m.features.age.max: expected a number above min, 3, got 3"
    ),
    model("features:", "  plan: {kind: categorical, min: 0.5}"): (
        "4 models.m.features.plan.min: expected no min where the kind is categorical, got 0.5"
    ),
    model("features: {a: {}, b: {}}") + "limits: {features: 1}": (
        "3 models.m.features: expected at most 1 features (limits.features), got 2"
    ),
    model("features:", f"  {'a' * 129}: {{}}"): (
        f"4 models.m.features.'{'a' * 40}...{'a' * 15}': expected at most 128 characters "
        "(limits.label_characters), got 129"
    ),
    f"models:\n  ? {'m' * 200}\n  : {{}}": (
        f"2 models.'{'m' * 40}...{'m' * 15}': expected at most 128 characters "
        "(limits.label_characters), got 200"
    ),
    "models: {a: {}, b: {}}\nlimits: {models: 1}": (
        "1 models: expected at most 1 models (limits.models), got 2"
    ),
    model("outcomes: {horizon: 0s}"): ("3 models.m.outcomes.horizon: expected a duration above 0, got 0s"),
    model("outcomes: {horizon: 58w}"): ("3 models.m.outcomes.horizon: expected at most 400d, got 406d"),
    model("outcomes: {horizon: 7d, matures_after: 8d}"): (
        "3 models.m.outcomes.matures_after: expected a duration above 0 and at most the horizon, 7d, got 8d"
    ),
    model("concept: {features: -1}"): ("3 models.m.concept.features: expected at least 0, got -1"),
    model("outcomes: {matures_after: 0s}"): (
        "3 models.m.outcomes.matures_after: expected a duration above 0 and at most the horizon, 30d, got 0s"
    ),
    model("task: regression", "outcomes:", "  at_horizon: retained"): (
        "5 models.m.outcomes.at_horizon: expected unknown where the task is regression, got 'retained'"
    ),
    model("outcomes: {at_horizon: ''}"): (
        "3 models.m.outcomes.at_horizon: expected a text that is not empty, got ''"
    ),
}

REST = {
    "fields: {p: scoer}": f"1 fields.p: expected {RECORD_FIELDS}, got 'scoer'",
    "fields:\n  p: score\n  q: score": (
        "3 fields.q: expected a field that 'p' is not renamed to already, got 'score'"
    ),
    "intake: {listen: localhost}": (
        "1 intake.listen: expected host:port, [ipv6]:port or unix:/path, got 'localhost'"
    ),
    "intake: {listen: 9877}": ("1 intake.listen: expected host:port, [ipv6]:port or unix:/path, got '9877'"),
    "intake: {listen: ':9877'}": (
        "1 intake.listen: expected host:port, [ipv6]:port or unix:/path, got ':9877'"
    ),
    "intake: {listen: 'localhost:65536'}": (
        "1 intake.listen: expected a port from 0 to 65535, got 'localhost:65536'"
    ),
    "intake: {listen: 'unix:run/d.sock'}": (
        "1 intake.listen: expected an absolute path after unix:, got 'unix:run/d.sock'"
    ),
    f"intake: {{listen: 'unix:/{'a' * 107}'}}": (
        f"1 intake.listen: expected a socket path of at most 107 bytes, got 'unix:/{'a' * 34}...{'a' * 15}'"
    ),
    "observation: {listen: 'unix:/run/d.sock'}": (
        "1 observation.listen: expected host:port, got 'unix:/run/d.sock'"
    ),
    "observation: {listen: 127.0.0.1:9877}": (
        "1 observation.listen: expected another address than intake.listen, got '127.0.0.1:9877'"
    ),
    "outside: {listen: 0.0.0.0:9879}": ("1 outside.listen: expected outside.token_file beside it, got none"),
    "intake: {max_body: 0B}": "1 intake.max_body: expected a size above 0, got 0B",
    "intake: {max_body: 17MiB}": (
        "1 intake.max_inflated: expected at least intake.max_body, 17MiB, got 16MiB"
    ),
    "intake:\n  max_body: 1KiB\n  queue: 1MiB": (
        "3 intake.queue: expected at least intake.max_inflated, 16MiB, got 1MiB"
    ),
    "intake: {linger: 2s}": "1 intake.linger: expected at most 1s, got 2s",
    "limits: {series: 0}": "1 limits.series: expected at least 1, got 0",
    "limits: {versions: -1}": "1 limits.versions: expected at least 1, got -1",
    "limits: {classes: 1}": "1 limits.classes: expected at least 2, got 1",
    "store: {pending: 0B}": "1 store.pending: expected a size above 0, got 0B",
    "store: {batches: 0KiB}": "1 store.batches: expected a size above 0, got 0B",
    "store: {max_bytes: 0B}": "1 store.max_bytes: expected a size above 0, got 0B",
    "store: {checkpoint: 0s}": "1 store.checkpoint: expected a duration above 0, got 0s",
    "export: {keep: 0d}": "1 export.keep: expected a duration above 0, got 0s",
    "export: {sample: 0%}": "1 export.sample: expected a ratio above 0, got 0",
    "export: {max_bytes: 0B}": "1 export.max_bytes: expected a size above 0, got 0B",
    "export: {features: [a, a]}": "1 export.features[1]: expected each feature once, got 'a' again",
    "metrics: [distances, distances]": ("1 metrics[1]: expected each family once, got distances again"),
    "model_version: " + "v" * 129: (
        "1 model_version: expected at most 128 characters (limits.label_characters), got 129"
    ),
    "evaluate: 0s": "1 evaluate: expected a duration above 0, got 0s",
    "time_scale: 0": "1 time_scale: expected a number above 0, got 0",
    "time_scale: -3": "1 time_scale: expected a number above 0, got -3",
}


@pytest.mark.parametrize(
    ("text", "message"), [*YAML.items(), *SHAPE.items(), *VALUES.items(), *MODELS.items(), *REST.items()]
)
def test_the_message_says_line_path_expected_and_found(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Path("config.yaml"), text=text)
    assert caught.value.faults == (f"config.yaml:{message}",)


def test_all_faults_are_told_in_the_order_of_lines() -> None:
    text = """\
evaluate: 60
models:
  fraud:
    task: binary
    treshold: 0.4
    windows: [10s, 1h]
    features:
      age: {min: ten, max: 5}
      age: {}
    outcomes: {horizon: 0s}
time_scale: 0
"""
    with pytest.raises(ConfigurationError) as caught:
        load(Path("etc/config.yaml"), text=text)
    assert caught.value.faults == (
        f"etc/config.yaml:1 evaluate: expected {DURATION}, got 60",
        f"etc/config.yaml:5 models.fraud.treshold: {THRESHOLD}",
        "etc/config.yaml:6 models.fraud.windows[0]: expected a window of at least 1m, got 10s",
        "etc/config.yaml:8 models.fraud.features.age.min: expected a number, got 'ten'",
        "etc/config.yaml:9 models.fraud.features.age: expected each key once, got it again (first on line 8)",
        "etc/config.yaml:10 models.fraud.outcomes.horizon: expected a duration above 0, got 0s",
        "etc/config.yaml:11 time_scale: expected a number above 0, got 0",
    )
    assert str(caught.value) == "\n".join(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "only"),
    [
        (model("task: regresion", "positive_class: a"), "3 models.m.task"),
        ("outside: {listen: 0.0.0.0:1, token_file: ''}", "1 outside.token_file"),
        (model("features: {a: {min: x, max: -1}}"), "3 models.m.features.a.min"),
        (model("segments: [a, b, c, d]") + "limits: {segment_columns: x}", "4 limits.segment_columns"),
        (model("windows: [60, 60, 30s]"), "3 models.m.windows[0]"),
    ],
)
def test_a_setting_that_cannot_be_read_has_no_echo(text: str, only: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Path("c"), text=text)
    places = {fault.partition(":")[2].partition(": ")[0] for fault in caught.value.faults}
    assert {place for place in places if not place.endswith("windows[1]")} == {only}


def test_a_thousand_faults_are_enough() -> None:
    text = "".join(f"key_{number}: 1\n" for number in range(2500))
    with pytest.raises(ConfigurationError) as caught:
        load(Path("c"), text=text)
    assert len(caught.value.faults) == 1001
    assert caught.value.faults[-1] == "c: and 1500 more faults"


def test_nine_lines_that_stand_for_a_billion_values_are_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for name, before in zip("bcdefghij", "abcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]")
    with pytest.raises(ConfigurationError) as caught:
        load(Path("c"), text="\n".join(lines))
    assert caught.value.faults == ("c:6: expected at most 200000 values, aliases followed, got 1111111",)


@pytest.mark.parametrize("character", "[{")
def test_endless_nesting_is_refused(character: str) -> None:
    with pytest.raises(ConfigurationError, match="expected nesting of at most 32 levels, got more"):
        load(Path("c"), text=character * 5_000)


def test_deep_nesting_through_aliases_is_refused() -> None:
    lines = [f"a0: &a0 {'[' * 20}{']' * 20}", f"a1: &a1 {'[' * 20}*a0{']' * 20}"]
    with pytest.raises(ConfigurationError, match="2: expected nesting of at most 32 levels, got mo"):
        load(Path("c"), text="\n".join(lines))

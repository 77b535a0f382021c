"""What a file may say, and what is then in the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftgauge.config import (
    Clock,
    Config,
    Durability,
    Family,
    Feature,
    FeatureKind,
    Model,
    Outcomes,
    Task,
)
from driftgauge.config_file import load, nodes
from driftgauge.errors import ConfigurationError


def read(text: str) -> Config:
    return load(Path("etc/config.yaml"), text=text)


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing yet\n", "---\n", "~", "null", "{}", "\ufeff", "models:\n", "store:"]
)
def test_an_empty_file_is_the_default_configuration(text: str) -> None:
    assert read(text) == Config(source=Path("etc/config.yaml"))


def test_every_type_is_read_into_the_tree() -> None:
    config = read(
        """
models:
  churn:
    task: binary
    positive_class: churned
    threshold: 0.25
    reference: churn.reference.json
    windows: [15m, 1d]
    segments: []
    features:
      age: {kind: numeric, min: -1e3, max: 1_000}
      plan: {kind: categorical}
      note:
    discover_features: false
    clock: records
    outcomes: {horizon: 2w, at_horizon: retained, matures_after: 36h}
fields: {prediction_score: score}
intake: {listen: "unix:/run/d.sock", token_file: /etc/token, max_body: 1.5MiB, linger: 0s}
limits: {models: 3}
store: {durability: full, max_bytes: 1GiB}
export: {keep: 30d, sample: 2.5%, features: [age]}
metrics: [segments]
time_scale: 3600
"""
    )
    assert config.models == {
        "churn": Model(
            task=Task.BINARY,
            positive_class="churned",
            threshold=0.25,
            reference=Path("etc/churn.reference.json"),
            windows=(900.0, 86400.0),
            segments=(),
            features={
                "age": Feature(FeatureKind.NUMERIC, -1000.0, 1000.0),
                "plan": Feature(FeatureKind.CATEGORICAL),
                "note": Feature(),
            },
            discover_features=False,
            clock=Clock.RECORDS,
            outcomes=Outcomes(1209600.0, "retained", 129600.0),
        )
    }
    assert list(config.models["churn"].features) == ["age", "plan", "note"]
    assert config.fields == {"prediction_score": "score"}
    assert config.intake.token_file == Path("/etc/token")
    assert (config.intake.max_body, config.intake.linger) == (1572864, 0.0)
    assert (config.store.durability, config.store.max_bytes) == (Durability.FULL, 1 << 30)
    assert (config.export.keep, config.export.sample) == (2592000.0, 0.025)
    assert (config.metrics, config.limits.models) == ((Family.SEGMENTS,), 3)
    assert config.time_scale == 3600.0


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("churned", "churned"),
        ("1", "1"),
        ("1.0", "1"),
        ("-0.50", "-0.5"),
        ("1e2", "100"),
        ("true", "true"),
        ("True", "true"),
        ("FALSE", "false"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("012", "012"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("1e999", "1e999"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("'1.0'", "1.0"),
        ("'null'", "null"),
        ("'True'", "True"),
        ("' '", " "),
        ('"\\u00e9\\n"', "é\n"),
    ],
)
def test_a_class_is_the_text_that_records_give_it(written: str, text: str) -> None:
    config = read(f"models: {{m: {{positive_class: {written}}}}}")
    assert config.models["m"].positive_class == text


@pytest.mark.parametrize("name", ["no", "on", "1", "1.0", "null", "true", "012", "a.b", "2026-01-01"])
def test_a_name_is_what_was_written(name: str) -> None:
    assert list(read(f"models: {{{name}: {{}}}}").models) == [name]


def test_anchors_and_merge_keys_share_settings() -> None:
    config = read(
        """
models:
  first: &first
    task: binary
    windows: [1h]
  second:
    <<: *first
    windows: [2h]
  third:
    windows: [3h]
    <<: [{clock: records}, *first, {clock: wall, task: regression}]
"""
    )
    assert config.models["second"] == Model(task=Task.BINARY, windows=(7200.0,))
    assert config.models["third"] == Model(task=Task.BINARY, windows=(10800.0,), clock=Clock.RECORDS)


def test_a_fault_in_a_shared_section_is_told_where_it_stands() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read("models:\n  a: &a\n    task: x\n  b: *a")
    expected = "expected binary, multiclass or regression, got 'x'"
    assert caught.value.faults == (
        f"etc/config.yaml:3 models.a.task: {expected}",
        f"etc/config.yaml:3 models.b.task: {expected}",
    )


def test_port_0_may_be_given_twice() -> None:
    config = read("intake: {listen: localhost:0}\nobservation: {listen: localhost:0}")
    assert config.observation.listen == "localhost:0"


def test_the_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xef\xbb\xbfstore: {directory: data}\r\nevaluate: 1m\r\n")
    config = load(path)
    assert (config.store.directory, config.evaluate) == (tmp_path / "data", 60.0)
    assert config.source == path


def faults_of(path: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return caught.value.faults


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    assert faults_of(path) == (f"{path}: expected a file, got none of that name",)


def test_a_directory(tmp_path: Path) -> None:
    assert faults_of(tmp_path) == (f"{tmp_path}: expected a file, got a directory",)


def test_a_path_through_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "config.yaml"
    assert faults_of(path) == (f"{path}: expected a readable file, got the error 'Not a directory'",)


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"# one\n# caf\xe9\n")
    assert faults_of(path) == (f"{path}:2: expected UTF-8, got the byte 0xe9",)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"#" * (nodes.MAX_BYTES + 1))
    assert faults_of(path) == (f"{path}: expected a file of at most 4 MiB, got a larger one",)


def test_messages_do_not_depend_on_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "models:\n  m: {task: binray}\n  m: {}\nevaluate: 1"
    with pytest.raises(ConfigurationError) as with_it:
        read(text)
    monkeypatch.setattr(nodes, "_LIBYAML", None)
    with pytest.raises(ConfigurationError) as without:
        read(text)
    assert with_it.value.faults == without.value.faults

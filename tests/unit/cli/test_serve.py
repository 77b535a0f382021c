"""What `serve` hands to the process: its configuration, how to read it again, what is wrong with it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from driftgauge.config import Config
from driftgauge.errors import ConfigurationError


@pytest.fixture
def served(run, monkeypatch):
    """Runs `serve` with a process that only remembers what it was given."""
    given = {}

    def process(config, **keywords):
        given.update(keywords, config=config)
        return given.get("code", 0)

    monkeypatch.setattr("driftgauge.app.run", process)

    def serve(*arguments, code=0):
        given["code"] = code
        given["result"] = run("serve", *arguments)
        return given

    yield serve
    logging.getLogger().handlers.clear()


def test_without_a_file_there_are_defaults(served):
    given = served()
    assert given["config"] == Config()
    assert given["reload"]() == Config()
    assert (given["strict"], given["configuration_error"]) == (False, None)


@pytest.mark.parametrize(
    ("text", "environment", "arguments", "version"),
    [
        ("model_version: '1'", None, (), "1"),
        ("model_version: '1'", "2", (), "2"),
        ("model_version: '1'", "2", ("--model-version", "3"), "3"),
        # What the downward API makes of a label that the pod doesn't have.
        ("model_version: '1'", "", (), "1"),
        ("evaluate: 5s", "", (), ""),
    ],
)
def test_a_pods_label_is_over_the_files_version(
    served, tmp_path, monkeypatch, text, environment, arguments, version
):
    (tmp_path / "config.yaml").write_text(text)
    if environment is not None:
        monkeypatch.setenv("DRIFTGAUGE_MODEL_VERSION", environment)
    given = served("--config", "config.yaml", *arguments)
    assert given["config"].model_version == given["reload"]().model_version == version


@pytest.mark.parametrize(
    ("text", "size", "kept"),
    [
        ("evaluate: 5s", "2Gi", int(2 * 1024**3 * 0.7)),
        ("evaluate: 5s", "500M", 350_000_000),
        ("evaluate: 5s", "", None),
        ("store: {max_bytes: 1GiB}", "2Gi", 1024**3),
    ],
)
def test_the_store_keeps_to_the_limit_of_a_volume_that_does_not_tell_it(
    served, tmp_path, monkeypatch, text, size, kept
):
    (tmp_path / "config.yaml").write_text(text)
    monkeypatch.setenv("DRIFTGAUGE_VOLUME_SIZE", size)
    given = served("--config", "config.yaml")
    assert given["config"].store.max_bytes == given["reload"]().store.max_bytes == kept


def test_a_volume_without_a_size_is_refused(served):
    assert "expected a size as Kubernetes writes it, as 2Gi, got 'big'" in (
        served("--volume-size", "big", code=2)["result"].stderr
    )


def test_flags_are_over_the_file_now_and_at_each_reload(served, tmp_path):
    (tmp_path / "config.yaml").write_text("intake: {listen: 127.0.0.1:1}\nevaluate: 5s\n")
    given = served(
        "--config",
        "config.yaml",
        "--listen",
        "unix:/run/x.sock",
        "--metrics-listen",
        "0.0.0.0:2",
        "--data",
        "d",
        "--strict",
    )
    for config in (given["config"], given["reload"]()):
        assert config.intake.listen == "unix:/run/x.sock"
        assert config.observation.listen == "0.0.0.0:2"
        assert config.store.directory == Path("d")
        assert config.evaluate == 5
        assert config.source == Path("config.yaml")
    assert given["strict"] is True
    (tmp_path / "config.yaml").write_text("evaluate: 7s\n")
    assert given["reload"]().evaluate == 7
    (tmp_path / "config.yaml").write_text("evaluate: 7\n")
    with pytest.raises(ConfigurationError, match=r"^config\.yaml:1 evaluate: expected a duration"):
        given["reload"]()


def test_the_file_can_be_named_by_the_environment(served, tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text("evaluate: 5s\n")
    monkeypatch.setenv("DRIFTGAUGE_CONFIG", "config.yaml")
    assert served()["config"].evaluate == 5


def test_a_bad_file_is_a_degraded_start_with_defaults_and_flags(served, tmp_path):
    (tmp_path / "config.yaml").write_text("evaluate: 5\nmodels: 3\n")
    given = served("--config", "config.yaml", "--listen", "127.0.0.1:5")
    assert given["config"].intake.listen == "127.0.0.1:5"
    assert given["config"].evaluate == Config().evaluate
    assert given["configuration_error"].splitlines() == [
        "config.yaml:1 evaluate: expected a duration with its unit (ms, s, m, h, d or w) such as 30s, got 5",
        "config.yaml:2 models: expected a mapping by name, got 3",
    ]
    assert given["result"].exit_code == 0


def test_flags_that_do_not_fit_the_file_are_a_fault_of_both(served, tmp_path):
    (tmp_path / "config.yaml").write_text("observation: {listen: 127.0.0.1:5}\n")
    given = served("--config", "config.yaml", "--listen", "127.0.0.1:5")
    assert given["configuration_error"] == (
        "config.yaml, with the command line: observation.listen: "
        "expected another address than intake.listen, got '127.0.0.1:5'"
    )


def test_a_bad_file_ends_a_strict_start(run, tmp_path):
    (tmp_path / "config.yaml").write_text("evaluate: 5\nmodels: 3\n")
    result = run("serve", "--strict", "--config", "config.yaml")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "driftgauge: config.yaml:1 evaluate: expected a duration with its unit (ms, s, m, h, d or w) such as 30s, got 5",
        "driftgauge: config.yaml:2 models: expected a mapping by name, got 3",
    ]


def test_the_processs_code_is_the_commands(served):
    assert served(code=1)["result"].exit_code == 1


def test_the_demo_is_given_what_was_asked_for(run, monkeypatch):
    given = {}
    monkeypatch.setattr("driftgauge.app.demo.run", lambda **keywords: given.update(keywords) or 0)
    assert run("demo").exit_code == 0
    assert given == {
        "duration": None, "time_scale": None, "listen": "127.0.0.1:9877", "metrics_listen": "127.0.0.1:9878",
        "prometheus": False, "models": (), "data": None,
    }  # fmt: skip
    run(
        "demo",
        "--duration",
        "90s",
        "--time-scale",
        "3600",
        "--prometheus",
        "--models",
        "churn",
        "--models",
        "car-loan",
        "--data",
        "d",
    )
    assert (given["duration"], given["time_scale"], given["prometheus"]) == (90, 3600, True)
    assert (given["models"], given["data"]) == (("churn", "car-loan"), Path("d"))

"""The demo's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from driftgauge.config_file import faults, load
from driftgauge.demo.models import CHURN, NAMES, configuration

DOORS = {"listen": "127.0.0.1:0", "metrics_listen": "127.0.0.1:0", "time_scale": 12 * 86_400.0}


@pytest.fixture
def config(tmp_path):
    return configuration(NAMES, tmp_path, data=tmp_path / "data", **DOORS)


def test_it_is_a_configuration_that_a_file_could_hold(config):
    assert [fault.text() for fault in faults(config)] == []


def test_every_model_has_its_own_records_clock_and_a_month(config):
    assert tuple(config.models) == NAMES
    assert {model.clock for model in config.models.values()} == {"records"}
    assert all(30 * 86_400.0 in model.windows for model in config.models.values())


def test_replayed_models_are_given_a_reference_and_churn_learns_one(config, tmp_path):
    assert {name: model.reference for name, model in config.models.items()} == {
        "bike-demand": tmp_path / "bike-demand.reference.json",
        "car-loan": tmp_path / "car-loan.reference.json",
        CHURN: None,
    }


def test_models_can_be_chosen(tmp_path):
    assert tuple(configuration(["churn"], tmp_path, data=tmp_path, **DOORS).models) == ("churn",)


def test_churn_is_configured_as_its_example_says(config, repository: Path):
    example = load(repository / "examples" / "churn.yaml")
    assert example.models[CHURN] == config.models[CHURN]
    assert dict(example.fields) == dict(config.fields)

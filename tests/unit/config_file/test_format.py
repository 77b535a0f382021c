"""A configuration written as a file loads as the same configuration; secrets stay hidden."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from driftgauge.config import Clock, Config, Feature, FeatureKind, Model, Outcomes, Task
from driftgauge.config_file import Fault, faults, format_config, load
from driftgauge.config_file.nodes import compose
from driftgauge.config_file.rendered import _section_lines
from driftgauge.config_file.shape import settings, without_none
from driftgauge.config_file.tree import TreeReader

# All that UTF-8 can hold; a surrogate is no character.
TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
BOUNDS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


def usable(feature: Feature) -> bool:
    return feature.min is None or feature.max is None or feature.min < feature.max


MODELS = st.builds(
    Model,
    task=st.sampled_from([None, Task.BINARY]),
    positive_class=st.none() | TEXTS,
    threshold=st.floats(0, 1, exclude_min=True, exclude_max=True),
    windows=st.lists(st.floats(60, 400 * 86400), min_size=1, max_size=6, unique=True).map(tuple),
    segments=st.none() | st.lists(TEXTS, max_size=3, unique=True).map(tuple),
    features=st.dictionaries(
        TEXTS, st.builds(Feature, st.sampled_from([None, FeatureKind.NUMERIC]), BOUNDS, BOUNDS).filter(usable)
    ),
    discover_features=st.booleans(),
    clock=st.sampled_from(Clock),
    outcomes=st.builds(
        Outcomes, horizon=st.floats(1, 400 * 86400), at_horizon=TEXTS, matures_after=st.none()
    ),
)


@hypothesis_settings(max_examples=40)
@given(st.dictionaries(TEXTS, MODELS, max_size=3), MODELS)
def test_what_is_written_loads_as_the_same(models: dict[str, Model], defaults: Model) -> None:
    path = Path("config.yaml")
    config = Config(models=models, defaults=defaults, source=path)
    assert faults(config) == ()
    assert load(path, text=format_config(config)) == config


def test_all_settings_are_written_in_order() -> None:
    lines = format_config(Config()).splitlines()
    assert [line.partition(":")[0] for line in lines if not line.startswith(" ")] == list(settings(Config))
    assert "  linger: 5ms" in lines
    assert "  sample: 10%" in lines
    assert '  listen: "127.0.0.1:9877"' in lines
    assert "models: {}" in lines


@dataclass(frozen=True, slots=True)
class Door:
    host: str = field(metadata={"doc": "where"})
    password: str | None = field(default=None, metadata={"doc": "what it is", "secret": True})
    note: str = "not for files"


def test_a_secret_is_hidden() -> None:
    door = Door("here", "open sesame")
    assert list(_section_lines(door, "")) == ["host: here", 'password: "<hidden>"']
    assert list(_section_lines(replace(door, password=None), "")) == ["host: here", "password: null"]


def test_a_setting_without_a_default_must_be_given() -> None:
    reader = TreeReader(Path())
    node = compose("password: x\nnote: y")
    assert node is not None
    assert reader.read(Door, node) is None
    assert reader.faults == [
        (2, Fault(("note",), "one of host or password", "'note'")),
        (1, Fault((), "the key host", "none")),
    ]


def test_a_setting_without_a_default_must_be_readable() -> None:
    reader = TreeReader(Path())
    node = compose("host: [x]")
    assert node is not None
    assert reader.read(Door, node) is None
    assert reader.faults == [(1, Fault(("host",), "a single value", "a list"))]


def test_a_setting_of_two_types_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="one type, or one type and None"):
        without_none(int | str)

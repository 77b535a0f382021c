"""The documents say what the code says, and leave nothing out."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from driftgauge.config import Config, Model
from driftgauge.config_file import format_config, load
from driftgauge.config_file.nodes import ListNode, MappingNode, Node, compose
from driftgauge.config_file.shape import items_of, section_of, settings, values_of
from driftgauge.docs import generate, keys
from driftgauge.metrics import ADVICE, METRICS, PREFIX, SNAPSHOT_METRICS
from driftgauge.trigger_config import Trigger

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "config.example.yaml"
GENERATED = generate(ROOT)
KEY_PATHS = [key.path for key in keys()]


def example(*, everything: bool) -> str:
    """The example; with *everything*, the settings that are off (``#key:``) are on."""
    text = EXAMPLE.read_text(encoding="utf-8")
    return re.sub(r"(?m)^(\s*)#(?=[a-z_]+:)", r"\1", text) if everything else text


def written(tree: type, node: Node, prefix: str = "") -> list[str]:
    """Paths of the keys in *node*, in order; a name that the user chose reads ``<name>``, an entry ``[]``."""
    assert isinstance(node, MappingNode), prefix
    paths = []
    keys = [key.text for key, _ in node.pairs]
    assert keys == [name for name in settings(tree) if name in keys], f"{prefix} out of order"
    for key, value in node.pairs:
        setting = settings(tree)[key.text]
        path = f"{prefix}{key.text}"
        paths.append(path)
        entries = section_of(values_of(setting.hint))
        if section := section_of(setting.hint):
            paths += written(section, value, f"{path}.")
        elif entries and isinstance(value, MappingNode):
            for _, entry in value.pairs:
                paths += written(entries, entry, f"{path}.<name>.")
        items = section_of(items_of(setting.hint))
        if items and isinstance(value, ListNode):
            for item in value.items:
                paths += written(items, item, f"{path}[].")
    return paths


@pytest.mark.parametrize("path", sorted(GENERATED), ids=lambda path: path.name)
def test_generated_documents_are_checked_in(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path], "run `make generate`"


@pytest.mark.parametrize("everything", [False, True])
def test_the_example_loads(*, everything: bool) -> None:
    config = load(EXAMPLE, text=example(everything=everything))
    assert "churn" in config.models
    assert (config.outside.listen is not None) == everything


@pytest.mark.parametrize("everything", [False, True])
def test_the_example_is_the_same_when_written_again(*, everything: bool) -> None:
    config = load(EXAMPLE, text=example(everything=everything))
    assert load(Path("/") / EXAMPLE, text=format_config(config)) == config


def test_the_example_shows_the_defaults_outside_of_models() -> None:
    config = load(EXAMPLE)
    for name, setting in settings(Config).items():
        # A path in a file is relative to that file; the default is to the working directory.
        if name not in {"models", "alerts", "fields", "metrics", "store", "trigger"}:
            assert getattr(config, name) == setting.default, name
    trigger = config.trigger
    export = replace(trigger.export, directory=Trigger().export.directory)
    assert replace(trigger, directory=Trigger().directory, export=export) == Trigger()
    assert config.defaults == Model()


def test_every_key_stands_in_the_example_in_order() -> None:
    node = compose(example(everything=True))
    assert node is not None
    seen = [path for path in written(Config, node) if not path.startswith("defaults.")]
    # In order within each section, as `written` checks; no one model can have the keys of every task.
    assert set(seen) == {path for path in KEY_PATHS if not path.startswith("defaults.")}


def test_every_key_of_the_example_has_a_comment_near() -> None:
    lines = example(everything=False).splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith((" ", "#")):
            assert lines[number - 1].startswith("#"), line


@pytest.mark.parametrize("path", [path for path in KEY_PATHS if not path.startswith("defaults.")])
def test_every_key_stands_in_the_reference(path: str) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert f"| `{path}` |" in page


def test_every_metric_stands_in_the_reference() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert [m.name for m in METRICS if f"| `{m.name}` | {m.type} |" not in page] == []


def test_the_documents_are_made_alike_each_time() -> None:
    assert generate(ROOT) == GENERATED


def test_the_glossary_has_its_words() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"(?m)^\| ([a-z]+) \|", page)
    assert words[1:] == [
        "reference",
        "current",
        "feature",
        "prediction",
        "outcome",
        "window",
        "pane",
        "segment",
        "cohort",
        "coverage",
        "bin",
        "join",
    ]


def test_every_metric_is_explained_once():
    named = [PREFIX + name for advice in ADVICE for name in advice.metrics]
    assert sorted(named) == sorted(metric.name for metric in METRICS)


def test_every_estimate_says_what_it_assumes():
    """No estimate without outcomes can see that the relation to them has changed."""
    beside = ("_error", "_gap", "_samples", "_given", "_records", "_low", "_high")
    estimates = [
        metric
        for metric in SNAPSHOT_METRICS
        if "estimated_" in metric.name and not metric.name.removesuffix("_ratio").endswith(beside)
    ]
    assert len(estimates) > 10
    assert [metric.name for metric in estimates if "assumes" not in metric.help.lower()] == []


def test_advice_says_range_trust_and_action():
    assert [a.metrics for a in ADVICE if not (a.bounds and a.trust and a.action)] == []

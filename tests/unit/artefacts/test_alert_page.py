"""docs/alerts.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from driftgauge.artefacts.alerts import compiled, sentences
from driftgauge.artefacts.rules import prometheus_text
from driftgauge.config import Config
from driftgauge.config_alerts import Alert, Require, When
from driftgauge.config_file import WORDS, load
from driftgauge.config_file.shape import settings


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "alerts.md").read_text(encoding="utf-8")


def blocks(page: str) -> tuple[str, list[str]]:
    """The models that the page begins with, and what it says of them."""
    models, *found = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    return models, found


def examples(page: str) -> list[Config]:
    models, found = blocks(page)
    return [load(Path("config.yaml"), text=models + block) for block in found]


def test_the_examples_load_and_are_said_as_the_page_has_it(page: str) -> None:
    found = examples(page)
    assert len(found) == 3
    for config in found[:2]:
        for sentence in sentences(config):
            assert f"    {sentence}\n" in page


def test_the_readme_has_the_same_sentences(repository: Path, page: str) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    [block] = [b for b in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if b.startswith("alerts:")]
    config = load(Path("config.yaml"), text=blocks(page)[0] + block)
    assert config.alerts == tuple(entry for each in examples(page)[:2] for entry in each.alerts)


def test_the_compiled_alert_is_as_shown(page: str) -> None:
    text = prometheus_text(compiled(examples(page)[1]))
    for line in re.findall(r"(?m)^ {4}(?:and )?last_over_time.*$", page):
        assert line.strip() in text


def test_every_link_of_an_alert_leads_to_a_section(repository: Path, page: str) -> None:
    sections = {title.lower().replace(" ", "-") for title in re.findall(r"(?m)^## (.*)$", page)}
    config = load(repository / "config.example.yaml")
    for alert in compiled(config).alerts():
        file, _, anchor = alert.annotations["runbook_url"].partition("#")
        assert file == "docs/alerts.md"
        assert anchor in sections, alert.name


def test_the_page_names_every_default(page: str) -> None:
    for key in ("for", "keep_firing_for", "max_gap", "severity"):
        assert key in settings(Alert)
        assert f"| `{key}` |" in page
    for key in settings(Require):
        assert f"`require.{key}`" in page
    assert "cohort" in settings(When)


def test_the_list_of_metrics_has_every_word(repository: Path) -> None:
    listed = (repository / "docs" / "alert-metrics.md").read_text(encoding="utf-8")
    assert [word for word in WORDS if f"| `{word}` |" not in listed] == []

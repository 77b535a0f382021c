"""docs/kubernetes.md says of the annotations what is so."""

from __future__ import annotations

import re

import pytest
from tests.conftest import REPOSITORY

from driftgauge.injector.annotations import PREFIX, SETTINGS, sidecar_of
from driftgauge.injector.settings import Settings

PAGE = (REPOSITORY / "docs" / "kubernetes.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## By annotation\n")[2].partition("\n## ")[0]


def test_every_annotation_is_explained_and_no_other():
    rows = re.findall(r"(?m)^\| (`driftgauge\.io/.+?) \|", SECTION)
    named = [name for row in rows for name in re.findall(r"`driftgauge\.io/([a-z-]+)`", row)]
    assert sorted(named) == sorted(("inject", *SETTINGS))


@pytest.mark.parametrize("name", ["config", "volume-size", "cpu", "memory", "memory-limit"])
def test_the_values_of_the_page_are_taken(name):
    [row] = [line for line in SECTION.splitlines() if line.startswith("| ") and f"{PREFIX}{name}`" in line]
    default = Settings(REPOSITORY, REPOSITORY).sidecar
    for value in re.findall(r"`(\d+(?:m|Mi|Gi))`", row):
        assert value in (default.cpu, default.memory, default.memory_limit, default.volume_bytes)
    [annotations] = re.findall(
        r'"driftgauge.io/inject": "true", "driftgauge.io/config": "([a-z-]+)"', SECTION
    )
    assert sidecar_of({f"{PREFIX}config": annotations}, default).config_map == "churn-driftgauge"

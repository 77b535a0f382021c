"""Whole pages, compared exactly.

DRIFTGAUGE_UPDATE=1 writes them anew; read the difference before it is committed. That they are right
is for the oracles in test_oracle to say.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from driftgauge.config import Family
from driftgauge.exposition.live import Live, observe_many
from driftgauge.exposition.page import OPENMETRICS, compose
from driftgauge.exposition.text import Exposition

FOLDER = Path(__file__).parent
UPDATE = os.environ.get("DRIFTGAUGE_UPDATE") == "1"


def live_example() -> Live:
    live = Live(started_at=1000.0, resident_bytes=lambda: 73400320.0, cpu_seconds=lambda: 1.5)
    live.gauge("driftgauge_build_info", "0.1.0", "3.11.2", "3.40.1").set(1)
    live.gauge("driftgauge_component_up", "store").set(0)
    live.begin("churn", "v1")
    live.counter("driftgauge_predictions_total", "churn", "v1").inc(3)
    latency = live.histogram("driftgauge_prediction_latency_seconds", "churn", "v1")
    observe_many(latency, [0.004, 0.005, 0.3, 70.0])
    latency.observe(0.02, exemplar={"trace_id": "4bf92f3577b34da6"})
    return live


def without_exemplar_time(text: str) -> str:
    """prometheus-client stamps exemplars with the wall clock."""
    marker = ' # {trace_id="4bf92f3577b34da6"} 0.02 '
    return "".join(
        line.split(marker)[0] + marker + "<time>\n" if marker in line else line
        for line in text.splitlines(keepends=True)
    )


@pytest.mark.parametrize(("name", "accept"), [("text", ""), ("openmetrics", OPENMETRICS)])
def test_the_page_of_every_metric(name, accept, full_snapshot):
    exposition = Exposition(tuple(Family), series_limit=10_000)
    page = compose(exposition.render(full_snapshot), live_example(), accept=accept)
    text = without_exemplar_time(page.body.decode())
    golden = FOLDER / f"every_metric.{name}.txt"
    if UPDATE:
        golden.write_text(text)
    assert text == golden.read_text(), f"{golden.name}: DRIFTGAUGE_UPDATE=1 writes it anew"

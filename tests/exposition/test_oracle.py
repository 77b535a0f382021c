"""What we write, against prometheus-client's own exposition and parsers, and promtool."""

from __future__ import annotations

import gzip
import subprocess

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics import exposition as openmetrics_exposition
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from driftgauge.config import Family
from driftgauge.exposition.live import Live
from driftgauge.exposition.page import OPENMETRICS, compose
from driftgauge.exposition.text import Exposition
from driftgauge.metrics import SNAPSHOT_METRICS


class SnapshotCollector:
    """The same Snapshot the slow way, row by row into prometheus-client's families."""

    def __init__(self, snapshot):
        self.snapshot = snapshot

    def collect(self):
        for metric in SNAPSHOT_METRICS:
            kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
            family = kind(metric.name, metric.help, labels=metric.labels)
            for version in self.snapshot.versions:
                for row in version.rows():
                    if type(row) is not metric.row or (metric.when and not getattr(row, metric.when)):
                        continue
                    if getattr(row, metric.value) is not None:
                        labels = [getattr(row, {"class": "class_"}.get(n, n)) for n in metric.labels]
                        family.add_metric(labels, getattr(row, metric.value))
            if family.samples:
                yield family


def registry_of(snapshot) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(snapshot))
    return registry


def families(text: bytes, parse):
    """Per family: type, help, and each sample as a name, its labels and its value."""
    found = {}
    for family in parse(text.decode()):
        assert family.name not in found, f"{family.name} came twice"
        samples = [(s.name, tuple(sorted(s.labels.items())), s.value) for s in family.samples]
        assert len(set(samples)) == len(samples)
        found[family.name] = (family.type, family.documentation, set(samples))
    return found


@pytest.fixture
def rendered(full_snapshot):
    return Exposition(tuple(Family), series_limit=10_000).render(full_snapshot)


def test_every_metric_of_the_table_is_in_the_example(rendered):
    assert {f.metric.name for f in rendered.families} == {m.name for m in SNAPSHOT_METRICS}


def test_the_text_is_what_prometheus_client_writes(full_snapshot, rendered):
    theirs = families(generate_latest(registry_of(full_snapshot)), parse_text)
    assert families(rendered.text(openmetrics=False), parse_text) == theirs


def test_the_openmetrics_is_what_prometheus_client_writes(full_snapshot, rendered):
    theirs = openmetrics_exposition.generate_latest(registry_of(full_snapshot))
    ours = rendered.text(openmetrics=True) + b"# EOF\n"
    assert families(ours, parse_openmetrics) == families(theirs, parse_openmetrics)


def test_a_whole_page_parses_as_openmetrics(rendered):
    live = Live()
    live.begin("churn", "v1")
    page = compose(rendered, live, accept=OPENMETRICS, accept_encoding="gzip")
    found = families(gzip.decompress(page.body), parse_openmetrics)
    assert "driftgauge_feature_psi" in found
    assert "driftgauge_predictions" in found


def test_promtool_finds_nothing_to_say_about_the_page(rendered, require_tool):
    live = Live()
    live.begin("churn", "v1")
    live.gauge("driftgauge_queue_bytes").set(0)
    page = compose(rendered, live)
    done = subprocess.run(
        [require_tool("promtool"), "check", "metrics"], input=page.body, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")

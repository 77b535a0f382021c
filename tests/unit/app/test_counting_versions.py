"""A version's counters stand at 0 from its first records on, and go with it."""

import asyncio
import json
from dataclasses import replace

from driftgauge.app.counting import Counting
from driftgauge.app.restoring import open_kept
from driftgauge.app.writer import Writer
from driftgauge.config import Config, Limits, Store
from driftgauge.exposition.live import Live
from driftgauge.records import Kind, Media, Request

NOW = 1_800_000_000.0


def written(tmp_path, *batches, versions=3):
    """The live exposition's series after *batches* of versions, a record each."""
    config = replace(Config(), store=Store(directory=tmp_path / "data"), limits=Limits(versions=versions))
    live = Live()

    async def send():
        writer = Writer(config, open_kept, Counting(live), lambda: NOW)
        writer.start()
        await asyncio.to_thread(writer.tried.wait, 30)
        for batch in batches:
            records = ({"model": "m", "model_version": each, "score": 0.5} for each in batch)
            body = b"\n".join(json.dumps(each).encode() for each in records)
            answer = await writer.submit(
                Request(Kind.PREDICTIONS, Media.NDJSON, body), asyncio.get_running_loop()
            )
            assert answer.accepted == len(batch)
        await asyncio.to_thread(writer.stop, 30)

    asyncio.run(send())
    lines = live.text(openmetrics=False).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line.startswith("driftgauge_"))


def test_what_has_not_happened_yet_is_0(tmp_path):
    found = written(tmp_path, ["1"])
    assert found['driftgauge_predictions_total{model="m",model_version="1"}'] == "1.0"
    for name in ("prediction_errors_total", "predictions_late_total", "outcomes_joined_total"):
        assert found[f'driftgauge_{name}{{model="m",model_version="1"}}'] == "0.0"
    for name in ("outcome_revisions_total", "outcome_conflicts_total", "outcomes_orphaned_total"):
        assert found[f'driftgauge_{name}{{model="m"}}'] == "0.0"
    violation = 'driftgauge_schema_violations_total{model="m",model_version="1",violation="missing_feature"}'
    assert found[violation] == "0.0"


def test_a_version_that_is_evicted_takes_its_own_with_it(tmp_path):
    found = written(tmp_path, ["1"], ["2"], versions=1)
    assert found['driftgauge_versions_evicted_total{model="m"}'] == "1.0"
    assert {name for name in found if 'model_version="1"' in name} == set()
    assert found['driftgauge_prediction_errors_total{model="m",model_version="2"}'] == "0.0"


def test_what_the_store_may_take_is_told_beside_what_it_takes(tmp_path):
    found = written(tmp_path, ["1"])
    assert float(found["driftgauge_store_limit_bytes"]) > float(found["driftgauge_store_bytes"]) > 0

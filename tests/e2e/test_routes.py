"""Who is told by the example of Alertmanager's routes, by day and by night, by a real Alertmanager.

Its waits are shortened, its receivers are a pager of ours, and its intervals hold now or not: it's day, or night.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.alertmanager import alertmanager, example
from tests.e2e.chain import pager
from tests.e2e.harness import poll

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ALWAYS, NEVER = {"times": [{"start_time": "00:00", "end_time": "24:00"}]}, {"years": ["1999"]}
FEATURES = 20


def alert(name, severity, model="", job="driftgauge", **more):
    labels = {"alertname": name, "severity": severity, "namespace": "ml", "job": job, **more}
    return {**labels, "model": model} if model else labels


FIRING = (
    *(alert("ModelFeatureDrifted", "warning", "churn", feature=f"f{n}") for n in range(FEATURES)),
    alert("ModelRanksByChance", "critical", "churn"),
    alert("ModelRanksByChance", "warning", "churn"),
    alert("ModelOutcomesMissing", "info", "churn"),
    alert("ModelRanksByChance", "warning", "fraud"),
    # An owner's.
    alert("ModelSchemaBroken", "critical", "credit", owner="risk"),
    alert("SegmentFailing", "warning", "credit", owner="risk"),
    alert("ModelLabelDelayGrew", "info", "credit", owner="risk"),
    # The platform's.
    alert("DriftgaugeComponentDown", "warning", component="intake"),
    alert("DriftgaugeComponentDown", "warning", job="other", component="reference"),
    alert("DriftgaugeValuesFolded", "info"),
    alert("InjectorFails", "warning", job="injector"),
    # Of a sidecar that takes nothing; of one that takes everything, and lacks its reference.
    alert("ModelWithoutPredictions", "warning", "churn"),
    alert("ModelWithoutPredictions", "warning", "ranking", job="other"),
    alert("ModelWithoutPredictions", "warning", "daytime-a", job="other"),
)
AT_ANY_HOUR = {
    ("model-team-pager", "ModelRanksByChance", "critical", "churn"),
    ("risk-pager", "ModelSchemaBroken", "critical", "credit"),
    ("risk-chat", "SegmentFailing", "warning", "credit"),
    ("risk-tickets", "ModelLabelDelayGrew", "info", "credit"),
    ("platform-chat", "DriftgaugeComponentDown", "warning", ""),
    ("platform-chat", "InjectorFails", "warning", ""),
    ("platform-tickets", "DriftgaugeValuesFolded", "info", ""),
}
BY_DAY = {
    ("model-team-chat", "ModelFeatureDrifted", "warning", "churn"),
    ("model-team-chat", "ModelRanksByChance", "warning", "fraud"),
    ("model-team-chat", "ModelWithoutPredictions", "warning", "ranking"),
    ("model-team-chat", "ModelWithoutPredictions", "warning", "daytime-a"),
    ("model-team-tickets", "ModelOutcomesMissing", "info", "churn"),
}
TRIGGER = "driftgauge-trigger"
SILENCED = {("ModelRanksByChance", "warning", "churn"), ("ModelWithoutPredictions", "warning", "churn")}
HEARD_BY_THE_TRIGGER = {
    (TRIGGER, *found)
    for found in {(each["alertname"], each["severity"], each.get("model", "")) for each in FIRING} - SILENCED
}


def hurried(tree, address, intervals):
    """The example as it would be at some hour, told within a second to one address."""

    def shortened(route):
        waits = {"group_wait": "500ms", "group_interval": "1s"}
        return {**route, **waits, "routes": [shortened(each) for each in route.get("routes", ())]}

    receivers = [
        {
            **each,
            "webhook_configs": [{**hook, "url": f"http://{address}/"} for hook in each["webhook_configs"]],
        }
        for each in tree["receivers"]
    ]
    named = {each["name"] for each in tree["time_intervals"]}
    assert named == set(intervals)
    times = [{"name": name, "time_intervals": [found]} for name, found in intervals.items()]
    return {**tree, "route": shortened(tree["route"]), "receivers": receivers, "time_intervals": times}


def told(pages):
    """Receiver, name, severity and model of all that somebody was told of."""
    return {
        (body["receiver"], labels["alertname"], labels["severity"], labels.get("model", ""))
        for _, body in pages.told
        for labels in (each["labels"] for each in body["alerts"])
    }


def tried(tmp_path, repository, require_tool, expected, **intervals):
    """Fire all alerts at once and then end them; what was told while they fired, and after."""
    program = require_tool("prometheus-alertmanager")
    intervals = {name.replace("_", "-"): held for name, held in intervals.items()}
    with pager() as (pages, address):
        tree = hurried(example(repository), address, intervals)
        with alertmanager(tmp_path, program, tree) as manager:
            manager.fire(*FIRING)
            poll(lambda: told(pages) >= expected, "not everybody was told", tmp_path / "log", 15)
            time.sleep(1.5)  # the next flush of each group has nothing to add
            firing = [body for _, body in pages.told]
            assert told(pages) == expected
            manager.fire(*FIRING, endsAt=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
            poll(
                lambda: (
                    {b["groupLabels"].get("model") for _, b in pages.told if b["status"] == "resolved"}
                    >= {"churn", "credit"}
                ),
                "nothing is resolved",
                tmp_path / "log",
                15,
            )
            time.sleep(0.5)
            return firing, [body for _, body in pages.told[len(firing) :]]


def test_by_day_everybody_is_told_once(tmp_path, repository, require_tool):
    expected = AT_ANY_HOUR | BY_DAY | HEARD_BY_THE_TRIGGER
    firing, ended = tried(tmp_path, repository, require_tool, expected, office_hours=ALWAYS, nights=NEVER)
    # One message for a model, however many of its features moved.
    [message] = [
        body
        for body in firing
        if body["receiver"] == "model-team-chat" and body["groupLabels"]["model"] == "churn"
    ]
    assert message["groupLabels"] == {"namespace": "ml", "model": "churn"}
    assert sorted(each["labels"]["feature"] for each in message["alerts"]) == sorted(
        f"f{n}" for n in range(FEATURES)
    )
    keys = [(body["receiver"], body["groupKey"]) for body in firing]
    assert len(keys) == len(set(keys)), "a group was told twice"
    # A ticket is closed by who works on it.
    assert {body["status"] for body in ended} == {"resolved"}
    assert {body["receiver"] for body in ended} >= {"model-team-pager", "model-team-chat", TRIGGER}
    assert not [body["receiver"] for body in ended if body["receiver"].endswith("-tickets")]


def test_by_night_only_what_cannot_wait_is_told(tmp_path, repository, require_tool):
    expected = AT_ANY_HOUR | HEARD_BY_THE_TRIGGER
    tried(tmp_path, repository, require_tool, expected, office_hours=NEVER, nights=ALWAYS)

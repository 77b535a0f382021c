"""From records to a page and a run, the whole chain: bike-demand's year 2012, car-loan from chunk 3 on.

What is true of the records stands in src/driftgauge/demo/data/README.md: from car-loan's chunk 5 on four features and
the score drift and the model gets worse; bike-demand's R2 is low from July to October 2012, while what it predicts
hardly moves, and its temperature leaves the reference's range each winter.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest
import yaml
from tests.e2e.chain import Chain, Pager, Query, Sender, again, joined, moment, pager, part
from tests.e2e.harness import Http

from driftgauge.artefacts.rules import TimeScale, prometheus_text
from driftgauge.artefacts.rules.shipped import shipped_rules
from driftgauge.config import DAY
from driftgauge.demo import tables

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SCALE = 30_000.0  # a week in 20 s, scraped each second: the chain's step is two scrapes
CHUNK = 5_000
FIRST_CHUNK, DRIFTED_CHUNK, END_CHUNK = 3, 5, 8
# A window of 30d and the lateness of labels, until nothing of the drifted chunks is left, and what a hold needs.
RECOVERY = 2 * CHUNK
MOVED = {"car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car"}
STILL = {"debt_to_income_ratio", "driver_tenure", "size_of_downpayment"}
FIRING = 'ALERTS{{alertname="{name}", alertstate="firing", model="{model}"}}'


@dataclass(frozen=True)
class Told:
    """What the chain said: asked of Prometheus once everything was sent."""

    query: Query
    pager: Pager
    decisions: list[dict]
    started: list[str]
    begun: float
    ended: float
    drifted_at: float
    recovered_at: float

    def firing(self, name: str, model: str, **labels: str):
        """Series of an alert while it fired."""
        found = self.query.over(FIRING.format(name=name, model=model), self.begun, self.ended)
        return [s for s in found if labels.items() <= s.labels.items()]

    def last(self, model: str, series) -> float:
        """What the model's clock showed when a series ended."""
        return self.query.clock(model, self.begun, self.ended)(series.times[-1])

    def first(self, model: str, series) -> float:
        """What the model's clock showed when a series began."""
        return self.query.clock(model, self.begun, self.ended)(series.times[0])


def reference(folder, name, model, table):
    """A reference file by `driftgauge profile`, of the records that the data call reference."""
    kinds = folder / f"{name}.yaml"
    kinds.write_text(json.dumps({"models": {name: model}}), encoding="utf-8")
    columns = {
        "id": table.ids,
        "time": table.times.tolist(),
        **{key: values.tolist() for key, values in table.numeric.items()},
        **table.categorical,
        "prediction": [f"{p:g}" for p in table.prediction]
        if table.score is not None
        else table.prediction.tolist(),
        "outcome": [f"{p:g}" for p in table.outcome],
    }
    flags = ["--id", "id", "--time", "time", "--prediction", "prediction", "--outcome", "outcome"]
    flags += ["--model-config", str(kinds)]
    if table.score is not None:
        columns["score"] = table.score.tolist()
        flags += ["--score", "score"]
    file, made = folder / f"{name}.csv", folder / f"{name}.reference.json"
    with file.open("w", newline="", encoding="utf-8") as text:
        writer = csv.writer(text)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    command = (
        sys.executable,
        "-m",
        "driftgauge",
        "profile",
        str(file),
        *flags,
        "-o",
        str(made),
        "--no-progress",
    )
    subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=120)
    return made.name


def configuration(folder, bike, loan):
    """One file for the sidecar, for the rules and for the trigger."""
    model = {"clock": "records", "windows": ["7d", "30d"], "discover_features": False}
    policy = {
        "alerts": ["ModelManyFeaturesDrifted"],
        "models": ["car-loan"],
        "severities": ["critical"],
        # Longer than the test, under its time scale.
        "cooldown": "400d",
        "matured_labels": 100,
        "command": {
            "arguments": ["/bin/sh", "-c", f"echo $$DRIFTGAUGE_MODEL $$DRIFTGAUGE_CAUSE >> {folder}/started"]
        },
    }
    models = {
        "bike-demand": {
            **model,
            "task": "regression",
            "features": {
                **{name: {"kind": "numeric"} for name in tables.BIKE_NUMERIC},
                **{name: {"kind": "categorical"} for name in tables.BIKE_CATEGORICAL},
            },
        },
        "car-loan": {
            **model,
            "task": "binary",
            "positive_class": "1",
            "outcomes": {"horizon": "30d", "matures_after": "8d"},
            "features": {
                **{name: {"kind": "numeric"} for name in tables.LOAN_NUMERIC},
                **{name: {"kind": "categorical"} for name in tables.LOAN_CATEGORICAL},
            },
        },
    }
    for (name, settings), recorded in zip(models.items(), (bike, loan), strict=True):
        settings["reference"] = reference(folder, name, dict(settings), recorded.reference)
    limits = (("LoanAccuracyLow", "accuracy", "93%"), ("LoanAucLow", "roc_auc", "96.3%"))
    tree = {
        "time_scale": SCALE,
        "evaluate": "4h",
        "metrics": ["critical", "concept", "estimates"],
        "models": models,
        "alerts": [
            {"alert": name, "when": {"model": "car-loan", "metric": metric, "window": "30d", "below": limit}}
            for name, metric, limit in limits
        ],
    }
    file = folder / "driftgauge.yaml"
    file.write_text(json.dumps(tree, indent=1), encoding="utf-8")
    return file, tree, policy


def routes(folder, repository, people, trigger):
    """The shipped routes, with this test's receivers, and waits that fit its time scale."""
    tree = yaml.safe_load(
        (repository / "prometheus" / "alertmanager.example.yml").read_text(encoding="utf-8")
    )

    def hurried(route):
        # People hear of a change as late as the example says, or nearly: what stalls for seconds wakes nobody.
        waits = {"group_wait": "1s", "group_interval": "30s", "repeat_interval": "1h"}
        if route.get("receiver") == "driftgauge-trigger":
            waits |= {"group_interval": "5s", "repeat_interval": "5s"}
        route.update({key: wait for key, wait in waits.items() if key in route})
        for each in (*route.get("mute_time_intervals", ()), *route.get("active_time_intervals", ())):
            assert each in {"nights", "office-hours"}
        route.pop("mute_time_intervals", None)  # the test may run at night
        route.pop("active_time_intervals", None)
        for below in route.get("routes", ()):
            hurried(below)

    hurried(tree["route"])
    for receiver in tree["receivers"]:
        for hook in receiver["webhook_configs"]:
            name = receiver["name"]
            own = name == "driftgauge-trigger"
            hook["url"] = f"http://{trigger}/v1/alerts" if own else f"http://{people}/{name}"
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def told(tmp_path_factory, require_tool, repository):
    """Everything happens here, once; the tests below look at what came of it."""
    folder = tmp_path_factory.mktemp("chain")
    tools = {
        name: require_tool(name) for name in ("prometheus", "promtool", "prometheus-alertmanager", "amtool")
    }
    bike, loan = tables.bike(), tables.car_loan()
    file, tree, policy = configuration(folder, bike, loan)

    scale = TimeScale(SCALE, 1.0)
    shipped = folder / "shipped.rules.yml"
    shipped.write_text(prometheus_text(shipped_rules(scale)), encoding="utf-8")
    rules = (sys.executable, "-m", "driftgauge", "rules", "--config", str(file), "--scrape-interval", "1s")
    compiled = subprocess.run(rules, check=True, capture_output=True, text=True, timeout=60).stdout
    own = folder / "own.rules.yml"
    own.write_text(compiled, encoding="utf-8")
    subprocess.run(
        [tools["promtool"], "check", "rules", str(shipped), str(own)], check=True, capture_output=True
    )

    with Chain(folder, tools, SCALE) as chain, pager() as (people, door):
        sidecar = chain.serve(file)
        # What came before is in the sidecar when Prometheus first looks.
        new_year = int(bike.current.times.searchsorted(moment("2012-01-01")))
        before = [
            Sender(sidecar, "bike-demand", part(bike.current, 0, new_year), DAY, None),
            Sender(sidecar, "car-loan", part(loan.current, 0, FIRST_CHUNK * CHUNK), DAY, None),
        ]
        for each in before:
            each.start()
        for each in before:
            each.finish()

        tree["trigger"] = {
            "directory": str(folder / "decisions"),
            "look": "4h",
            "policies": {"retrain": policy},
            "prometheus": {"url": f"http://{chain.prometheus}"},
        }
        deciding = folder / "trigger.yaml"
        deciding.write_text(json.dumps(tree, indent=1), encoding="utf-8")
        trigger = chain.trigger(deciding)
        chain.route(routes(folder, repository, door, trigger))
        query = chain.scrape_and_judge(sidecar, [shipped, own])

        rest = part(loan.current, FIRST_CHUNK * CHUNK, END_CHUNK * CHUNK)
        recovery = again(part(loan.reference, 0, RECOVERY), float(rest.times[-1]) + 523.152)
        begun = time.time()
        senders = [
            Sender(
                sidecar, "bike-demand", part(bike.current, new_year, len(bike.current)), 2 * 3600.0, SCALE
            ),
            Sender(sidecar, "car-loan", joined(rest, recovery), 2 * 3600.0, SCALE),
        ]
        for each in senders:
            each.start()
        for each in senders:
            each.finish()
        time.sleep(5)
        yield Told(
            query,
            people,
            Http(trigger).json("/v1/decisions")["decisions"],
            (folder / "started").read_text().splitlines() if (folder / "started").exists() else [],
            begun,
            time.time(),
            float(loan.current.times[DRIFTED_CHUNK * CHUNK]),
            float(recovery.times[0]),
        )


def test_the_four_features_that_moved_fire_from_chunk_5_on_and_no_other_ever(told):
    fired = told.firing("ModelFeatureDrifted", "car-loan")
    assert {series.labels["feature"] for series in fired} == MOVED
    assert not STILL & {series.labels["feature"] for series in fired}
    for window in ("7d", "30d"):
        assert {s.labels["feature"] for s in fired if s.labels["window"] == window} == MOVED
    for series in fired:
        assert told.first("car-loan", series) >= told.drifted_at, series.labels


def test_of_what_the_loan_model_answers_the_score_drifts_alone(told):
    fired = told.firing("ModelPredictionsDrifted", "car-loan")
    assert {series.labels["output"] for series in fired} == {"score"}
    assert min(told.first("car-loan", series) for series in fired) >= told.drifted_at


@pytest.mark.parametrize("name", ["LoanAccuracyLow", "LoanAucLow"])
def test_sentences_of_the_configuration_find_the_loss_once_outcomes_are_known(told, name):
    (fired,) = told.firing(name, "car-loan")
    assert fired.labels["window"] == "30d"
    # Labels are a week late, and the cohort that is complete is another day behind.
    assert told.first("car-loan", fired) >= told.drifted_at + 8 * DAY


def test_nothing_of_the_loan_model_drifts_or_fails_before_chunk_5(told):
    silence = {"ModelWithoutOutcomes", "ModelWithoutPredictions"}  # a replay begins and ends
    found = told.query.over('ALERTS{alertstate="firing", model="car-loan"}', told.begun, told.ended)
    # Nor the sidecar's own health: an evaluation that is held up for 4 s is old at this time scale.
    named = [
        series
        for series in found
        if series.labels["alertname"] not in silence
        and not series.labels["alertname"].startswith("Driftgauge")
    ]
    assert named
    for series in named:
        assert told.first("car-loan", series) >= told.drifted_at, series.labels


def test_everything_of_the_loan_model_resolves_after_recovery(told):
    found = told.query.over('ALERTS{alertstate="firing", model="car-loan"}', told.begun, told.ended)
    for series in found:
        if series.labels["alertname"] != "ModelWithoutPredictions":  # its replay has ended
            assert told.last("car-loan", series) < told.recovered_at + 40 * DAY, series.labels


def test_r2_is_low_from_july_to_october_while_the_prediction_hardly_moves(told):
    warned = told.firing("ModelWorseThanItsMean", "bike-demand", severity="warning", window="30d")
    shown = told.query.clock("bike-demand", told.begun, told.ended)
    at = [shown(each) for series in warned for each in series.times]
    assert moment("2012-07-10") <= min(at) <= moment("2012-08-10")
    assert moment("2012-10-20") <= max(at) <= moment("2012-11-15")
    query = 'driftgauge_prediction_psi{model="bike-demand", output="prediction", window="30d"}'
    (psi,) = told.query.over(query, told.begun, told.ended)
    autumn = [
        v
        for t, v in zip(psi.times, psi.values, strict=True)
        if moment("2012-09-28") <= shown(t) <= moment("2012-10-31")
    ]
    assert autumn
    assert max(autumn) < 0.1


def test_temperature_leaves_the_references_range_in_january_and_the_hour_never_moves(told):
    cold = told.firing("ModelValuesBeyondReference", "bike-demand", feature="temp")
    assert (
        moment("2012-01-01")
        < min(told.first("bike-demand", series) for series in cold)
        < moment("2012-02-01")
    )
    for name in ("ModelFeatureDrifted", "ModelValuesBeyondReference"):
        assert not told.firing(name, "bike-demand", feature="hr")


def incidents(pages):
    """How often somebody was woken: the group went from quiet to firing."""
    status, count = "resolved", 0
    for _, body in pages:
        count += status == "resolved" and body["status"] == "firing"
        status = body["status"]
    return count, status


@pytest.mark.parametrize("model", ["car-loan", "bike-demand"])
def test_the_page_arrives_once_per_model_and_resolves(told, model):
    pages = told.pager.of("model-team-pager", model)
    assert len({body["groupKey"] for _, body in pages}) == 1
    count, last = incidents(pages)
    assert count == 1
    assert last == "resolved" or model == "bike-demand"  # whose year ends worse than it began
    for _, body in pages:
        assert {alert["labels"]["severity"] for alert in body["alerts"]} == {"critical"}
        for alert in body["alerts"]:
            assert not {"pod", "instance", "container"} & alert["labels"].keys()
            assert alert["annotations"]["summary"]
            assert model in alert["annotations"]["dashboard_url"]
            assert alert["annotations"]["runbook_url"]


def test_the_trigger_runs_the_command_once(told):
    assert told.started == ["car-loan ModelManyFeaturesDrifted"]
    (decision,) = told.decisions
    assert decision["model"] == "car-loan"
    assert decision["cause"] == "ModelManyFeaturesDrifted"
    assert decision["state"] == "finished"
    assert decision["deliveries"] > 2  # it was told of more than once

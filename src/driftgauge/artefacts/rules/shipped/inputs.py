"""Alerts on inputs and predictions: verdicts of drift, and data that is broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from driftgauge.artefacts.rules.shipped.entry import (
    FEATURE_BOARD,
    MODEL_BOARD,
    Fed,
    Firing,
    Runbook,
    Setting,
    Shipped,
    Trial,
    counter,
    gauge,
    shipped,
)
from driftgauge.artefacts.rules.shipped.sidecar import pod
from driftgauge.artefacts.rules.shipped.traffic import OF_VERSION, VERSION, fresh_pod
from driftgauge.artefacts.rules.values import Severity
from driftgauge.artefacts.thresholds import (
    LEAST_SAMPLES,
    MANY_DRIFTED_FEATURES,
    MOST_DRIFTED_FEATURES,
    MOST_MISSING_BEYOND_REFERENCE,
    MOST_VIOLATIONS,
)
from driftgauge.config import HOUR, MINUTE

_CRITICAL, _WARNING, _INFO = Severity
_DAY: Final = {"window": "1d"}
PODS: Final = (1, 2, 3)


def input_alerts(setting: Setting) -> Iterator[Shipped]:
    """All of them."""
    yield _feature_drifted(setting)
    yield _predictions_drifted(setting)
    yield _many_drifted(setting)
    yield _beyond_reference(setting)
    yield _missing(setting)
    yield _unseen(setting)
    yield _schema_broken(setting)


def votes(name: str, labels: Mapping[str, str], below: int, above: int) -> tuple[Fed, ...]:
    """A verdict of three pods, of which so many have it."""
    return tuple(gauge(name, pod(n, **VERSION, **labels), n <= below, n <= above, 0) for n in PODS)


def _feature_drifted(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "ModelFeatureDrifted",
        {_WARNING: "feature:driftgauge_feature_drift_verdict:majority == 1"},
        hold=5 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.feature }} of {{ $labels.model }} has drifted over {{ $labels.window }}",
        description="At least half of the pods that can judge find it (the majority's verdict is {{ $value }}): larger than its floor, significant against the reference's own days, and held for half the window.",
        board=FEATURE_BOARD,
        runbook=Runbook(
            "The feature's distribution over the window differs from the reference's by more than chance and the reference's own days explain, in at least half of the pods that can judge. It says nothing of the model's quality.",
            (
                "The feature's dashboard: which bins grew, what are its missing and unseen shares, and since when?",
                "`driftgauge_feature_mean_shift_sd` and `driftgauge_feature_missing_ratio`: a unit, a default, or a real shift?",
                "Quality, or its estimate: did anything come of it?",
            ),
            (
                "The feed: a join that loses rows, a changed unit or default, a new upstream version.",
                "The world: a season, a campaign, another mix of customers.",
                "A reference that is too short or too old for what is normal today.",
            ),
            (
                "Fix the feed where the change is a fault; nothing else helps then.",
                "Where it is real and quality holds, give a new reference (`driftgauge reference relearn`, or a new profile).",
                "Where it is real and quality fell, retrain on newer records; until then adjust the business rule that uses the score.",
            ),
        ),
        trials=(
            Trial(
                (
                    *(fresh_pod(n) for n in PODS),
                    *votes("feature_drift_verdict", {**_DAY, "feature": "age"}, below=1, above=2),
                ),
                (Firing({**OF_VERSION, **_DAY, "feature": "age"}, ("1",)),),
                minutes=80,
                name="two of three pods",
            ),
            Trial(
                (
                    *(fresh_pod(n) for n in PODS[:2]),
                    gauge("feature_drift_verdict", pod(1, **VERSION, **_DAY, feature="age"), 0, 1, 0),
                    # The other pod can't judge.
                    gauge("feature_drift_verdict", pod(2, **VERSION, **_DAY, feature="income"), 0, 0, 0),
                    # Not evaluated for long: its verdict has no vote.
                    gauge("feature_drift_verdict", pod(3, **VERSION, **_DAY, feature="income"), 1, 1, 1),
                ),
                (Firing({**OF_VERSION, **_DAY, "feature": "age"}, ("1",)),),
                minutes=80,
                name="of those that can judge",
            ),
        ),
    )


def _predictions_drifted(setting: Setting) -> Shipped:
    return shipped(
        setting,
        "ModelPredictionsDrifted",
        {_WARNING: "output:driftgauge_prediction_drift_verdict:majority == 1"},
        hold=5 * MINUTE,
        keep=HOUR,
        summary="The {{ $labels.output }} of {{ $labels.model }} has drifted over {{ $labels.window }}",
        description="At least half of the pods that can judge find that what version {{ $labels.model_version }} answers has moved (the majority's verdict is {{ $value }}).",
        board=MODEL_BOARD,
        runbook=Runbook(
            "What the model answers is distributed otherwise than in the reference, by more than chance and the reference's own days explain.",
            (
                "Did features drift too? Then the model answers to another world; if none did, the model or its preprocessing changed.",
                "Was a model version, a threshold or a library deployed when it began?",
                "Decisions by class: how many more or fewer are positive, and what do they cost?",
            ),
            (
                "Inputs drifted, and the model follows.",
                "A new version of model or preprocessing under the old name.",
                "A feature that is constant or missing now.",
            ),
            (
                "Roll back where nothing but the model changed.",
                "Fix the feed where an input is broken.",
                "Where the shift is real, adjust the business rule that uses the score (its threshold, its capacity), and retrain once outcomes tell.",
            ),
        ),
        trials=(
            Trial(
                (
                    *(fresh_pod(n) for n in PODS),
                    *votes("prediction_drift_verdict", {**_DAY, "output": "score"}, below=1, above=2),
                ),
                (Firing({**OF_VERSION, **_DAY, "output": "score"}, ("1",)),),
                minutes=80,
            ),
        ),
    )


def _many_drifted(setting: Setting) -> Shipped:
    share = "version:driftgauge_drifted_features:count\n/ (version:driftgauge_judged_features:count >= 5)"
    features = tuple(f"f{number}" for number in range(10))

    def fed(below: int, above: int) -> tuple[Fed, ...]:
        labels = [{**VERSION, **_DAY, "feature": name} for name in features]
        return (
            fresh_pod(1),
            *(
                gauge("feature_drift_verdict", pod(1, **each), number < below, number < above, 0)
                for number, each in enumerate(labels)
            ),
        )

    return shipped(
        setting,
        "ModelManyFeaturesDrifted",
        {
            _CRITICAL: f"{share}\n> {MOST_DRIFTED_FEATURES}",
            _WARNING: f"{share}\n> {MANY_DRIFTED_FEATURES}",
        },
        hold=15 * MINUTE,
        keep=HOUR,
        summary="{{ $value | humanizePercentage }} of the features of {{ $labels.model }} have drifted",
        description="{{ $value | humanizePercentage }} of those that can be judged over {{ $labels.window }}: seldom the world, mostly a feed or a join upstream.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Many features have drifted at once. Single features drift with the world; many at once have a common cause.",
            (
                "When did each begin? The same hour is a deployment.",
                "What do they share: a table, a join, a service?",
                "Are they missing, constant, or shifted?",
            ),
            (
                "A feed or a join upstream changed.",
                "Traffic of another kind: a new market, a test, a bot.",
                "A reference that isn't this model's.",
            ),
            (
                "Fix the feed; roll the upstream change back.",
                "If traffic is of another kind, keep it out of this model or give it its own.",
                "With most features drifted, don't trust the score: fall back to the business rule without it.",
            ),
        ),
        trials=(
            Trial(
                fed(3, 5),
                (Firing({**OF_VERSION, **_DAY}, ("50%", "50%")),),
                minutes=90,
                severities=(_WARNING,),
                name="warning",
            ),
            Trial(fed(3, 6), (Firing({**OF_VERSION, **_DAY}, ("60%", "60%")),), minutes=90, name="critical"),
        ),
    )


def _beyond_reference(setting: Setting) -> Shipped:
    levels = (
        "label_replace(feature:driftgauge_feature_beyond_reference_verdict:majority == 1, "
        '"name", "$1", "feature", "(.+)")\n'
        "or\n"
        "label_replace(output:driftgauge_prediction_beyond_reference_verdict:majority == 1, "
        '"name", "$1", "output", "(.+)")'
    )
    return shipped(
        setting,
        "ModelValuesBeyondReference",
        {_WARNING: levels},
        hold=5 * MINUTE,
        keep=HOUR,
        summary="{{ $labels.name }} of {{ $labels.model }} leaves the reference's range over {{ $labels.window }}",
        description="More than 10% of its values lie outside of what the reference has seen (the majority's verdict is {{ $value }}): the model extrapolates there. Exported with `metrics: [critical]`.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "The lower bound of the share of values outside the reference's range is above 10%. It needs no history of the reference, and no tree or table has ever seen such values.",
            (
                "The dashboard of the feature: which end, and how far?",
                "`driftgauge_feature_out_of_range_ratio` since when?",
                "The unit: factors of 100 or 1,000 are cents, grams or milliseconds.",
            ),
            (
                "A changed unit or currency.",
                "A quantity that only grows: prices, counts, ids.",
                "A reference of another season.",
            ),
            (
                "Fix the feed where it is a unit.",
                "Where values are right, retrain on a reference that holds them; a trend belongs into the model as such.",
                "Until then adjust the business rule: don't use the score where inputs are beyond what was learned.",
            ),
        ),
        trials=(
            Trial(
                (
                    *(fresh_pod(n) for n in PODS),
                    *votes("feature_beyond_reference_verdict", {**_DAY, "feature": "temp"}, below=1, above=3),
                    *votes(
                        "prediction_beyond_reference_verdict", {**_DAY, "output": "score"}, below=0, above=2
                    ),
                ),
                (
                    Firing({**OF_VERSION, **_DAY, "feature": "temp", "name": "temp"}, ("1",)),
                    Firing({**OF_VERSION, **_DAY, "output": "score", "name": "score"}, ("1",)),
                ),
                minutes=80,
            ),
        ),
    )


def _more_of(bin_: str) -> str:
    """By how much a bin's share of the last hour is above the reference's."""
    return (
        f'feature_bin:driftgauge_feature_bin:ratio{{bin="{bin_}", window="1h"}}\n'
        f'- ignoring (window) group_left () feature_bin:driftgauge_reference_feature_bin:ratio{{bin="{bin_}"}}\n'
        f"> {MOST_MISSING_BEYOND_REFERENCE}\n"
        f'and ignoring (bin) feature:driftgauge_feature_records:window{{window="1h"}} >= {LEAST_SAMPLES}'
    )


def _binned(bin_: str, below: float, above: float) -> tuple[Fed, ...]:
    """Two pods with 100 records each 5 minutes, of which so many lie in a bin; the reference has 5% there."""
    found: list[Fed] = []
    for number in (1, 2):
        labels = pod(number, **VERSION, feature="age", reference="aa")
        found += [
            counter("feature_bin_records_total", {**labels, "bin": bin_}, below, above, 5),
            counter("feature_bin_records_total", {**labels, "bin": "0"}, 100 - below, 100 - above, 95),
            gauge("reference_feature_bin_ratio", {**labels, "bin": bin_}, 0.05, 0.05, 0.05),
            gauge("reference_feature_bin_ratio", {**labels, "bin": "0"}, 0.95, 0.95, 0.95),
        ]
    return tuple(found)


def _missing(setting: Setting) -> Shipped:
    labels = {**OF_VERSION, "feature": "age", "reference": "aa", "bin": "missing", "window": "1h"}
    return shipped(
        setting,
        "ModelFeatureMissing",
        {_WARNING: _more_of("missing")},
        hold=15 * MINUTE,
        keep=30 * MINUTE,
        summary="{{ $labels.feature }} of {{ $labels.model }} is missing more often",
        description="In the last hour its share of missing values is {{ $value | humanizePercentage }} above the reference's, over all pods.",
        board=FEATURE_BOARD,
        runbook=Runbook(
            "A feature lacks its value more often than in the reference, by more than 5% of all records within an hour. Whether the model minds depends on how it fills gaps.",
            (
                'Is it absent or null? `driftgauge_schema_violations_total{violation="missing_feature"}`.',
                "Which callers or segments send it empty?",
                "What does the model put in its place?",
            ),
            (
                "A source that is down or late.",
                "A join that finds no partner: a changed key.",
                "A client of an older version.",
            ),
            (
                "Fix the feed.",
                "Roll back the deployment that began it.",
                "Until then adjust the business rule: records without it go to a person or to the rule without the score.",
            ),
        ),
        trials=(
            Trial(
                _binned("missing", 10, 20),
                (Firing(labels, ("15%",)),),
                minutes=150,
                interval=5,
            ),
        ),
        coarse=True,
    )


def _unseen(setting: Setting) -> Shipped:
    labels = {**OF_VERSION, "feature": "age", "reference": "aa", "bin": "unseen", "window": "1h"}
    return shipped(
        setting,
        "ModelFeatureUnseen",
        {_WARNING: _more_of("unseen")},
        hold=15 * MINUTE,
        keep=30 * MINUTE,
        summary="{{ $labels.feature }} of {{ $labels.model }} has values that the reference doesn't know",
        description="In the last hour the share of unseen categories, or of numbers that aren't finite, is {{ $value | humanizePercentage }} above the reference's, over all pods.",
        board=FEATURE_BOARD,
        runbook=Runbook(
            "More than 5% of the records carry a category that the reference doesn't have, or a number that is none. The model has learned nothing of them.",
            (
                "`GET /v1/models/{model}`: which new categories are there, and how many?",
                "Spelling: upper case, blanks, another language?",
                "Was a catalogue, a plan or a country added?",
            ),
            (
                "A new product, plan or region.",
                "Codes that were renamed.",
                "Infinity from a division upstream.",
            ),
            (
                "Fix the feed where it is spelling or a division.",
                "Where the category is real, retrain with it; until then adjust the business rule for it.",
            ),
        ),
        trials=(
            Trial(
                _binned("unseen", 10, 20),
                (Firing(labels, ("15%",)),),
                minutes=150,
                interval=5,
            ),
        ),
        coarse=True,
    )


def _schema_broken(setting: Setting) -> Shipped:
    share = (
        'version:driftgauge_schema_violations:fleet_ratio{{window="1h", violation=~"wrong_type|missing_feature|out_of_range"}} > {}\n'
        'and ignoring (violation) version:driftgauge_predictions:fleet{{window="1h"}} >= '
        f"{LEAST_SAMPLES}"
    )
    labels = {**OF_VERSION, "window": "1h", "violation": "wrong_type"}

    def fed(above: float) -> tuple[Fed, ...]:
        return (
            counter("schema_violations_total", pod(1, **VERSION, violation="wrong_type"), 1, above, 0),
            counter("schema_violations_total", pod(1, **VERSION, violation="new_feature"), 9, 99, 0),
            counter("predictions_total", pod(1, **VERSION), 50, 50, 50),
            counter("predictions_total", pod(2, **VERSION), 50, 50, 50),
        )

    return shipped(
        setting,
        "ModelSchemaBroken",
        {_CRITICAL: share.format(0.5), _WARNING: share.format(MOST_VIOLATIONS)},
        hold=10 * MINUTE,
        keep=30 * MINUTE,
        summary="Records of {{ $labels.model }} break their schema: {{ $labels.violation }}",
        description="In the last hour {{ $value | humanizePercentage }} as many values as predictions were of a wrong type, missing or out of range ({{ $labels.violation }}), over all pods.",
        board=MODEL_BOARD,
        runbook=Runbook(
            "Values break what is known of the records: a wrong type, a feature that is gone, a number outside its declared range. Drift alerts of the same model are silenced meanwhile: what they see is this.",
            (
                "`GET /v1/models/{model}`, or the family `schema`: which features?",
                "What was deployed when it began: the client, the feature service, the model?",
                "A record as it is sent, against the profile's kinds.",
            ),
            (
                "A deployment of the sender changed names, types or units.",
                "Numbers sent as text.",
                "A declared `min` or `max` that is too narrow.",
            ),
            (
                "Roll back or fix the sender: what the model gets is probably as broken as what driftgauge sees.",
                "Widen the declared range where values are right.",
            ),
        ),
        trials=(
            Trial(
                fed(10),
                (Firing(labels, ("10%",)),),
                minutes=150,
                interval=5,
                severities=(_WARNING,),
                name="warning",
            ),
            Trial(fed(60), (Firing(labels, ("60%",)),), minutes=150, interval=5, name="critical"),
        ),
        coarse=True,
    )

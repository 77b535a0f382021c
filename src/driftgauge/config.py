"""The configuration as one typed tree; every default stands here, once.

The file, its reference page and the chart's schema are checked against these classes. A field's
``metadata["doc"]`` is the sentence that documentation prints; durations are seconds in the tree and
carry a unit in the file (``30s``, ``15m``, ``1h``, ``7d``), sizes are bytes and carry one too
(``8MiB``), ratios are 0 to 1 and may be written as a percentage (``10%``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from driftgauge import config_alerts, units
from driftgauge.trigger_config import Trigger

Seconds = units.Seconds
Bytes = units.Bytes
Ratio = units.Ratio
MINUTE, HOUR, DAY, MIB = units.MINUTE, units.HOUR, units.DAY, units.MIB
described = units.described
VOLUME_SHARE = 0.7
"""What the store may take of its volume."""
Against = config_alerts.Against


class Task(StrEnum):
    """What a model predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"


# The settings of `value` that a task has, in the order of the cells that they price.
VALUES_OF_TASK: Mapping[Task, tuple[str, ...]] = MappingProxyType(
    {
        Task.BINARY: ("true_negative", "false_positive", "false_negative", "true_positive"),
        Task.MULTICLASS: ("wrong", "right"),
        Task.REGRESSION: ("over", "under"),
    }
)


class FeatureKind(StrEnum):
    """How a feature's values are compared."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    IDENTIFIER = "identifier"


class Clock(StrEnum):
    """Whose time a model's windows follow."""

    WALL = "wall"
    RECORDS = "records"


class DetectorName(StrEnum):
    """A detector of changes in the stream of errors."""

    ADWIN = "adwin"
    PAGE_HINKLEY = "page_hinkley"
    DDM = "ddm"
    EDDM = "eddm"
    KSWIN = "kswin"
    HDDM_A = "hddm_a"
    HDDM_W = "hddm_w"


class Durability(StrEnum):
    """What an acknowledged record survives."""

    FULL = "full"
    NORMAL = "normal"
    MEMORY = "memory"


class Family(StrEnum):
    """A switchable set of metrics beside the default one."""

    DISTANCES = "distances"
    SEGMENTS = "segments"
    QUANTILES = "quantiles"
    AGAINST = "against"
    SCHEMA = "schema"
    CONCEPT = "concept"
    PERFORMANCE = "performance"
    CALIBRATION = "calibration"
    VERSIONS = "versions"
    ESTIMATES = "estimates"
    CRITICAL = "critical"
    CLASSES = "classes"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature as its owner declares it."""

    kind: FeatureKind | None = described(
        "numeric, categorical or identifier; guessed from the reference when absent", default=None
    )
    min: float | None = described(
        "least value that is in range (numeric); the reference's when absent", default=None
    )
    max: float | None = described(
        "greatest value that is in range (numeric); the reference's when absent", default=None
    )


@dataclass(frozen=True, slots=True)
class Value:
    """What decisions are worth, in one currency; costs are negative.

    A record whose outcome carries a `value` of its own is worth that instead.
    """

    currency: str = described("the unit of every value, as people write it: EUR")
    true_positive: float | None = described("binary: value of a true positive; 0 when absent", default=None)
    false_positive: float | None = described("binary: value of a false positive; 0 when absent", default=None)
    false_negative: float | None = described("binary: value of a false negative; 0 when absent", default=None)
    true_negative: float | None = described("binary: value of a true negative; 0 when absent", default=None)
    right: float | None = described("multiclass: value of a right prediction; 0 when absent", default=None)
    wrong: float | None = described("multiclass: value of a wrong prediction; 0 when absent", default=None)
    over: float | None = described(
        "regression: value of each unit that the prediction is above the outcome; 0 when absent",
        default=None,
    )
    under: float | None = described(
        "regression: value of each unit that the prediction is below the outcome; 0 when absent",
        default=None,
    )
    weight: str | None = described(
        "a numeric feature that multiplies the values above, as the amount of a loan; 1 when absent",
        default=None,
    )

    def cells(self, task: Task) -> tuple[float, ...]:
        """The value of each cell of a task, as in `VALUES_OF_TASK`."""
        return tuple(getattr(self, name) or 0.0 for name in VALUES_OF_TASK[task])


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How a model's outcomes come."""

    horizon: Seconds = described(
        "how long after its prediction an outcome may still come", default=Seconds(30 * DAY)
    )
    at_horizon: str = described(
        "what silence at the horizon means: `unknown`, or the class that is then implied",
        default="unknown",
    )
    matures_after: Seconds | None = described(
        "age from which a window's outcomes count as complete; the 95th percentile of the label "
        "delay, once 500 are known, when absent",
        default=None,
    )
    revisions: bool = described(
        "whether another outcome of an id replaces the one before it, in the pane where that was counted; "
        "otherwise the first counts, and others are conflicts",
        default=False,
    )
    fan_out: bool = described(
        "whether every replica is sent every outcome: one whose prediction isn't here is then another "
        "replica's, is counted apart and not kept",
        default=False,
    )

    @property
    def are_late(self) -> bool:
        """Whether predictions are told by the outcomes of a matured window, rather than by arrival."""
        return self.matures_after is not None or self.at_horizon != "unknown"


@dataclass(frozen=True, slots=True)
class Concept:
    """What is watched of the relation between inputs and outcome."""

    features: int = described(
        "features whose relation to the outcome is watched, the first in order; each takes half a byte "
        "of every prediction that waits for its outcome; 0 watches none",
        default=32,
    )


@dataclass(frozen=True, slots=True)
class Model:
    """One model's settings; the same tree under `defaults` serves every model that has none."""

    task: Task | None = described(
        "binary, multiclass or regression; guessed from the first records when absent", default=None
    )
    positive_class: str | None = described(
        "binary: the outcome that counts as 1; so do 1 and true, unless it is 0 or false", default=None
    )
    threshold: float = described(
        "binary: the score from which the class is positive where a record gives no prediction",
        default=0.5,
    )
    reference: Path | None = described(
        "a file from `driftgauge profile`, relative to this file; learned when absent", default=None
    )
    windows: tuple[Seconds, ...] = described(
        "lengths of the windows, each at least a minute",
        default=(Seconds(HOUR), Seconds(DAY), Seconds(7 * DAY)),
    )
    against: tuple[Against, ...] = described(
        "what windows are compared with: reference (always), previous_window (the one of the same length "
        "just before), same_hours_last_week (windows shorter than 7d)",
        default=(Against.REFERENCE,),
    )
    segments: tuple[str, ...] | None = described(
        "segment columns, at most 3; the first that records carry when absent", default=None
    )
    segment_drift: tuple[str, ...] = described(
        "features whose drift is told by segment too, at most 5; each segment is compared with its own "
        "first records",
        default=(),
    )
    features: Mapping[str, Feature] = described(
        "features by name; the order is the order of export", default_factory=dict
    )
    discover_features: bool = described("whether a feature that is not declared is taken up", default=True)
    clock: Clock = described(
        "wall, or records (time is the greatest accepted timestamp: for replays)",
        default=Clock.WALL,
    )
    outcomes: Outcomes = described("how outcomes come", default_factory=Outcomes)
    detectors: tuple[DetectorName, ...] = described(
        "detectors on the errors of joined records: adwin, page_hinkley, ddm, eddm, kswin, hddm_a, hddm_w; "
        "[] for none",
        default=(DetectorName.ADWIN, DetectorName.PAGE_HINKLEY),
    )
    concept: Concept = described(
        "what is watched of the relation between inputs and outcome", default_factory=Concept
    )
    value: Value | None = described("what decisions are worth; not counted when absent", default=None)
    owner: str | None = described("label `owner` of the alerts on it under `alerts`", default=None)
    team: str | None = described("label `team` of the alerts on it under `alerts`", default=None)

    @property
    def segment_windows(self) -> tuple[float, ...]:
        """The windows whose segments are exported without the family `segments`: those of a day and more, or
        the longest. In shorter ones a segment has few outcomes, and many series.
        """
        return tuple(seconds for seconds in self.windows if seconds >= DAY) or (max(self.windows),)


@dataclass(frozen=True, slots=True)
class Intake:
    """The door for records, for senders in the pod."""

    listen: str = described(
        "host:port, or unix:/path; also answers the observation paths", default="127.0.0.1:9877"
    )
    token_file: Path | None = described(
        "a file whose first line is the bearer token that senders must show", default=None
    )
    max_body: Bytes = described(
        "largest body as sent; at most a 128th of the memory limit where the cgroup sets one",
        default=Bytes(8 * MIB),
    )
    max_inflated: Bytes = described(
        "largest body after gzip; at most a 64th of the memory limit", default=Bytes(16 * MIB)
    )
    queue: Bytes = described("bytes that may wait for the writer", default=Bytes(16 * MIB))
    linger: Seconds = described(
        "how long a small group waits for more single records before its commit, a larger one for "
        "bodies that are coming already",
        default=Seconds(0.005),
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """The door for reading: /metrics, health, the page, GET /v1/models."""

    listen: str = described("host:port", default="127.0.0.1:9878")
    token_file: Path | None = described("as for intake; open when absent", default=None)


@dataclass(frozen=True, slots=True)
class Outside:
    """The third door: outcomes from outside the pod; off unless it listens, refused without a token."""

    listen: str | None = described("host:port", default=None)
    token_file: Path | None = described("required with listen", default=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds; each drop beyond one is counted."""

    models: int = described("models", default=10)
    versions: int = described("versions kept a model", default=3)
    features: int = described("features a model", default=1000)
    categories: int = described("categories a feature, beside `other`", default=50)
    segment_columns: int = described("segment columns a model", default=3)
    segment_values: int = described("values a segment column, beside `other`", default=10)
    classes: int = described("classes a model, beside `other`", default=20)
    series: int = described("exported series a model version", default=10_000)
    id_bytes: int = described("longest prediction_id in UTF-8", default=256)
    label_characters: int = described("longest model, version, feature, class or segment text", default=128)


@dataclass(frozen=True, slots=True)
class Store:
    """Where state is kept."""

    directory: Path = described("the data directory", default=Path("driftgauge-data"))
    durability: Durability = described(
        "full (survives power loss), normal (any death of the process) or memory",
        default=Durability.NORMAL,
    )
    max_bytes: Bytes | None = described("the directory's limit; 70% of the volume when absent", default=None)
    pending: Bytes = described("bytes of records that wait for their other half", default=Bytes(640 * MIB))
    batches: Bytes = described("bytes of batch rows between checkpoints", default=Bytes(256 * MIB))
    checkpoint: Seconds = described("time between checkpoints", default=Seconds(5.0))


@dataclass(frozen=True, slots=True)
class Export:
    """Joined records kept for retraining: off unless `keep` is given; feature values are then on disk."""

    keep: Seconds | None = described("how long joined records are kept; off when absent", default=None)
    sample: Ratio = described("share of records, drawn by their id's hash", default=Ratio(0.1))
    features: tuple[str, ...] = described("which features are kept", default=())
    max_bytes: Bytes = described("its own byte limit", default=Bytes(256 * MIB))


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration."""

    models: Mapping[str, Model] = described("models by name", default_factory=dict)
    defaults: Model = described("settings of models that are not named above", default_factory=Model)
    alerts: tuple[config_alerts.Alert, ...] = described(
        "what should be told, a sentence each; `driftgauge rules` compiles them", default=()
    )
    fields: Mapping[str, str] = described(
        "incoming top-level keys and the field each one is: `{prediction_score: score}`",
        default_factory=dict,
    )
    model_version: str = described(
        "the version of predictions that name none, as the environment of a pod knows it", default=""
    )
    intake: Intake = described("the door for records", default_factory=Intake)
    observation: Observation = described("the door for reading", default_factory=Observation)
    outside: Outside = described("the door for outcomes from outside the pod", default_factory=Outside)
    limits: Limits = described("bounds", default_factory=Limits)
    store: Store = described("state on disk", default_factory=Store)
    export: Export = described("joined records for retraining", default_factory=Export)
    trigger: Trigger = described("the retraining service", default_factory=Trigger)
    metrics: tuple[Family, ...] = described("families exported beside the default", default=())
    evaluate: Seconds = described("time between evaluations", default=Seconds(15.0))
    time_scale: float = described(
        "divides durations that run on wall time, for demonstrations and tests", default=1.0
    )
    source: Path | None = None

    def model(self, name: str) -> Model:
        """The settings of the model *name*: its own, else the defaults."""
        return self.models.get(name, self.defaults)


def documented_fields(tree: type[Any]) -> tuple[str, ...]:
    """Names of the fields of *tree* that a file may set."""
    return tuple(f.name for f in fields(tree) if "doc" in f.metadata)

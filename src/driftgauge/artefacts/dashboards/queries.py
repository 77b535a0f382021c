"""PromQL of panels: selections by what is chosen at the top, and how pods are brought together.

A score can't be averaged over pods as it is. What only a pod can compute is brought together as the
rules do it, and asked of what they record where they do: a verdict holds where at least half of the pods
that can judge have it, everything else is the mean of the pods weighted by their records. With one pod
that is its own number; for divergences it is an upper bound of what the pooled records would give, since
they are convex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from driftgauge.artefacts.rules.shipped import shipped_rules
from driftgauge.metrics import BY_NAME, PREFIX, Metric

FLEET: Final = ("job", "namespace")
"""Labels of the scrape that outlive the pods."""
RATE: Final = "[$__rate_interval]"
SHOWN: Final = "[$__range]"

# A label is filled by the variable of its own name, but for this one.
_VARIABLES: Final = {"model_version": "version"}
# What stands on matured outcomes without saying so by a label.
_MATURED: Final = (
    "feature_relation_",
    "feature_outcome_shift",
    "outcome_rate_shift",
    "outcome_mean_shift",
    "relation_",
    "best_threshold",
)


# Of rules that share a name the first says what it means.
RECORDED: Final = {rule.record: rule for rule in reversed(tuple(shipped_rules().recordings()))}


def metric(name: str) -> Metric:
    """The metric *name*, without the prefix, of the table."""
    return BY_NAME[PREFIX + name]


@dataclass(frozen=True, slots=True)
class Scope:
    """Selections by the variables that a dashboard has."""

    variables: frozenset[str]

    def of(self, name: str, *, at: str = "", **equal: str) -> str:
        """The series of the metric *name* that are chosen.

        Args:
            at: a modifier behind the selector: ``@ end()``, ``[5m]``.
            equal: labels with a value of their own.
        """
        known = metric(name)
        return self.series(known.name, known.labels, at=at, **equal)

    def series(self, name: str, labels: tuple[str, ...], *, at: str = "", **equal: str) -> str:
        """As `of`, of any series: *name* is whole, *labels* are those it has beside the scrape's."""
        matchers = {label: f'{label}="{value}"' for label, value in equal.items()}
        for label in (*FLEET, "instance", *labels):
            variable = _VARIABLES.get(label, label)
            if label not in matchers and variable in self.variables:
                matchers[label] = f'{label}=~"${variable}"'
        order = [*FLEET, "instance", *labels]
        listed = sorted(matchers, key=lambda label: order.index(label) if label in order else len(order))
        selector = f"{name}{{{', '.join(matchers[label] for label in listed)}}}"
        return f"{selector}{at}" if at.startswith("[") else f"{selector} {at}".rstrip()

    def recorded(self, record: str, *, at: str = "", **equal: str) -> str:
        """What the shipped rules record as *record*, without labels that neither they nor we know of."""
        labels = RECORDED[record].remaining
        return f"max by ({', '.join((*FLEET, *labels))}) ({self.series(record, labels, at=at, **equal)})"

    # --- brought together over pods ---------------------------------------------------------------

    def pooled(self, name: str, *, at: str = "", **equal: str) -> str:
        """Mean over pods, weighted by the records that each pod's number stands on."""
        for known in (name, name.removesuffix("_ratio")):
            if (record := f"window:{PREFIX}{known}:mean") in RECORDED:
                return self.recorded(record, at=at, **equal)
        own = metric(name)
        weight, fixed = _weight(own)
        weights = self.of(
            weight, at=at, **{k: v for k, v in equal.items() if k in metric(weight).labels}, **fixed
        )
        apart = sorted(set(own.labels) ^ set(metric(weight).labels))
        match = f"ignoring ({', '.join(apart)}) group_left " if apart else ""
        values, over = self.of(name, at=at, **equal), by(own)
        return f"sum {over} ({values} * {match}{weights}) / sum {over} ({values} * 0 + {match}{weights})"

    def verdict(self, name: str, *, at: str = "", **equal: str) -> str:
        """1 where at least half of the pods that have the series say 1, else 0."""
        for level in ("feature", "output"):
            if (record := f"{level}:{PREFIX}{name}:majority") in RECORDED:
                return self.recorded(record, at=at, **equal)
        return f"avg {by(metric(name))} ({self.of(name, at=at, **equal)}) >= bool 0.5"

    def drifted_share(self) -> str:
        """Share of the features that can be judged whose verdict is drift, by the majority of pods."""
        drifted = self.recorded("version:driftgauge_drifted_features:count")
        judged = self.recorded("version:driftgauge_judged_features:count")
        return f"{drifted} / ({judged} > 0)"

    def holding(self, name: str, **equal: str) -> str:
        """The states that hold in at least half of the pods."""
        return f"avg {by(metric(name))} ({self.of(name, **equal)}) >= 0.5"

    def largest(self, name: str, count: int, **equal: str) -> str:
        """As `pooled`, of the *count* series that are largest where the time shown ends.

        They are the same at each step, so that no series comes and goes.
        """
        chosen = self.pooled(name, at="@ end()", **equal)
        return f"({self.pooled(name, **equal)}) and topk({count}, {chosen})"

    def shares(self, kind: str, label: str) -> str:
        """Shares of coarse bins over the time shown, and those of the reference, told apart by `series`.

        Args:
            kind: ``feature`` or ``prediction``.
            label: what the distribution is of: ``feature`` or ``output``.
        """
        # Never over references: the same bin has other edges in another one.
        of = f"model, model_version, {label}, reference"
        counted = self.of(f"{kind}_bin_records_total", at=SHOWN)
        now = f"sum by ({of}, bin) (increase({counted}))"
        whole = f"(sum by ({of}) (increase({counted})) > 0)"
        before = f"max by ({of}, bin) ({self.of(f'reference_{kind}_bin_ratio')})"
        named = " or ".join(
            f'label_replace({shares}, "series", "{name}", "", "")'
            for shares, name in ((f"{now} / on ({of}) group_left () {whole}", "now"), (before, "reference"))
        )
        return (
            f'label_join({named}, "series", " ", "series", "{label}", "model", "model_version", "reference")'
        )

    def total(self, name: str, *over: str, **equal: str) -> str:
        """Sum over pods of a gauge that adds up, by *over* or all of its labels."""
        return f"sum {by(metric(name), *over)} ({self.of(name, **equal)})"

    def worst(self, how: str, name: str, *over: str, **equal: str) -> str:
        """``max`` or ``min`` over pods."""
        return f"{how} {by(metric(name), *over)} ({self.of(name, **equal)})"

    def age(self, name: str, *over: str, **equal: str) -> str:
        """Seconds of wall time since the oldest of the pods' timestamps."""
        return f"time() - {self.worst('min', name, *over, **equal)}"

    def rate(self, name: str, *over: str, **equal: str) -> str:
        """Per second, summed over pods."""
        return f"sum {by(metric(name), *over)} (rate({self.of(name, at=RATE, **equal)}))"

    def quantile(self, name: str, share: float, *over: str, **equal: str) -> str:
        """Of a histogram, over pods."""
        known = metric(name)
        labels = ", ".join((*_over(known, over), "le"))
        buckets = self.series(f"{known.name}_bucket", known.labels, at=RATE, **equal)
        return f"histogram_quantile({share:g}, sum by ({labels}) (rate({buckets})))"

    def observed(self, name: str, *over: str, **equal: str) -> str:
        """Observations of a histogram per second, summed over pods."""
        known = metric(name)
        counts = self.series(f"{known.name}_count", known.labels, at=RATE, **equal)
        return f"sum {by(known, *over)} (rate({counts}))"


def by(known: Metric, *over: str) -> str:
    """``by (...)``: *over*, else all labels of the metric, without the pods'."""
    return f"by ({', '.join(_over(known, over))})"


def _over(known: Metric, over: tuple[str, ...]) -> tuple[str, ...]:
    return (*FLEET, *(over or known.labels))


def _weight(own: Metric) -> tuple[str, dict[str, str]]:
    """The metric that says how many records *own* stands on, and the labels that make it one series."""
    name = own.name.removeprefix(PREFIX)
    if name.startswith("estimated_value"):
        return "estimated_value_samples", {}
    if name.startswith("value"):
        return "value_samples", {}
    if "segment" in own.labels and "cohort" in own.labels:
        return "quality_samples", {}
    if "cohort" in own.labels:
        return "quality_samples", {"segment": ""}
    if name.startswith(_MATURED) or "_change" in name or name.endswith("_gap_ratio"):
        return "quality_samples", {"cohort": "matured", "segment": ""}
    return "window_samples", {"cohort": "predicted"}

"""Labels, versions and quality from Prometheus' query API: all replicas of a model together."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from driftgauge.trigger.asking import Asker, Peer
from driftgauge.trigger.decision import Comparison, Measure
from driftgauge.trigger.sources.sidecar import MEASURES, nearest
from driftgauge.trigger.sources.source import Observed, Unknown

# Metrics by measure: the value, and the name of the difference between versions.
_VALUES: Mapping[str, tuple[str, str]] = {
    "roc_auc": ("roc_auc{end}_ratio", "version_roc_auc_difference"),
    "accuracy": ("accuracy{end}_ratio", "version_accuracy_difference"),
    "mae": ("mae{end}", "version_mae_difference"),
}
_SAMPLES = "quality_samples"
_OURS = frozenset(
    (
        "__name__",
        "model",
        "model_version",
        "against_version",
        "window",
        "cohort",
        "segment",
        "segment_value",
        "class",
    )
)


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(msgspec.Struct):
    resultType: str  # noqa: N815 - Prometheus' name
    result: list[_Sample]


class _Answer(msgspec.Struct):
    data: _Data


class Prometheus:
    """Asks a Prometheus that scrapes the sidecars.

    Quality is what the pods publish: with several of them the one with the most outcomes counts.

    Args:
        clock: wall time, epoch seconds.
        time_scale: the sidecars'; they tell a label delay as it would be without.
    """

    def __init__(
        self, asker: Asker, peer: Peer, url: str, clock: Callable[[], float], time_scale: float = 1.0
    ) -> None:
        self._time_scale = time_scale
        self._asker = asker
        self._peer = peer
        self._url = f"{url.rstrip('/')}/api/v1/query"
        self._clock = clock

    async def labels(self, model: str, since: float) -> float:
        """See `Source`. Outcomes joined later than *since* and the label delay are counted."""
        of_model = f"{{model={quoted(model)}}}"
        delays = await self._query(f"max(driftgauge_matures_after_seconds{of_model})")
        if not delays:
            raise Unknown(f"prometheus: the label delay of {model} isn't known yet (outcomes.matures_after)")
        delay = float(delays[0].value[1]) / self._time_scale
        seconds = math.floor(self._clock() - since - delay)
        if seconds < 1:
            return 0.0
        found = await self._query(f"sum(increase(driftgauge_outcomes_joined_total{of_model}[{seconds}s]))")
        # Prometheus extends what it saw to the ends of the range: rather too few than too many.
        return math.floor(float(found[0].value[1])) if found else 0.0

    async def observed(self, model: str, window: str) -> Observed:
        """See `Source`. The order of versions is that of their last prediction."""
        of_model = f"model={quoted(model)}"
        seen = await self._query(
            f"sort(max by (model_version) (driftgauge_last_prediction_timestamp_seconds{{{of_model}}}))"
        )
        versions = tuple(sample.metric.get("model_version", "") for sample in seen)
        rows = await self._query(_everything(of_model))
        found = _Rows(rows, window)
        measures = {version: measure for version in versions if (measure := found.measure(version))}
        return Observed(versions, measures, found.comparisons())

    async def _query(self, text: str) -> list[_Sample]:
        reply = await self._asker.ask(self._peer, "GET", self._url, query={"query": text})
        if not reply.ok:
            raise Unknown(f"prometheus: answered {reply.status}")
        try:
            data = msgspec.json.decode(reply.body, type=_Answer).data
        except msgspec.MsgspecError as error:
            raise Unknown(f"prometheus: expected the form of its API, got: {error}") from None
        return [sample for sample in data.result if math.isfinite(float(sample.value[1]))]


def _everything(of_model: str) -> str:
    """One query for all that is compared: names, labels and values."""
    names = [_SAMPLES, "version_outcomes"]
    for value, difference in _VALUES.values():
        names += [value.format(end=end) for end in ("", "_low", "_high")]
        names += [f"{difference}{end}" for end in ("", "_low", "_high")]
    return f'{{__name__=~"driftgauge_({"|".join(names)})", {of_model}}}'


class _Rows:
    """Samples of one instant."""

    def __init__(self, samples: list[_Sample], window: str) -> None:
        self._samples = [s for s in samples if s.metric.get("cohort", "arrived") == "arrived"]
        self._samples = [
            s for s in self._samples if not s.metric.get("segment") and not s.metric.get("class")
        ]
        self._window = window

    def measure(self, version: str) -> Measure | None:
        """The main number of quality of a version, from the pod with the most outcomes."""
        mine = [s for s in self._samples if s.metric.get("model_version") == version]
        mine = [s for s in mine if "against_version" not in s.metric]
        chosen = nearest([s.metric.get("window", "") for s in mine], self._window)
        mine = [s for s in mine if s.metric.get("window") == chosen]
        samples = {_pod(s): float(s.value[1]) for s in mine if _name(s) == _SAMPLES}
        for pod in sorted(samples, key=samples.__getitem__, reverse=True):
            values = {_name(s): float(s.value[1]) for s in mine if _pod(s) == pod}
            for name, _ in MEASURES:
                found, low, high = (
                    values.get(_VALUES[name][0].format(end=end)) for end in ("", "_low", "_high")
                )
                if found is not None and low is not None and high is not None:
                    return Measure(name, found, low, high, samples[pod], chosen)
        return None

    def comparisons(self) -> dict[tuple[str, str], Comparison]:
        """Differences between versions, by (newer, older); of several pods, the narrowest interval's."""
        rows = [s for s in self._samples if "against_version" in s.metric]
        chosen = nearest([s.metric.get("window", "") for s in rows], self._window)
        grouped: dict[tuple[tuple[str, str], tuple[tuple[str, str], ...]], dict[str, float]] = {}
        for sample in rows:
            if sample.metric.get("window") == chosen:
                pair = sample.metric.get("model_version", ""), sample.metric["against_version"]
                grouped.setdefault((pair, _pod(sample)), {})[_name(sample)] = float(sample.value[1])
        found: dict[tuple[str, str], Comparison] = {}
        for (pair, _), values in grouped.items():
            comparison = self._comparison(pair[0], values, chosen)
            if comparison and (pair not in found or _width(comparison) < _width(found[pair])):
                found[pair] = comparison
        return found

    def _comparison(self, newer: str, values: Mapping[str, float], window: str) -> Comparison | None:
        for name, _ in MEASURES:
            found, low, high = (values.get(f"{_VALUES[name][1]}{end}") for end in ("", "_low", "_high"))
            if found is not None and low is not None and high is not None:
                outcomes = values.get("version_outcomes")
                if outcomes is None:  # of the family `versions`; the version's own count otherwise
                    measure = self.measure(newer)
                    outcomes = measure.outcomes if measure else 0.0
                return Comparison(name, found, low, high, outcomes, window, "same_window")
        return None


def _name(sample: _Sample) -> str:
    return sample.metric.get("__name__", "").removeprefix("driftgauge_")


def _pod(sample: _Sample) -> tuple[tuple[str, str], ...]:
    """The labels that the scrape added: what tells one pod's series from another's."""
    return tuple(sorted((key, value) for key, value in sample.metric.items() if key not in _OURS))


def _width(comparison: Comparison) -> float:
    return comparison.high - comparison.low


def quoted(text: str) -> str:
    """*text* as a string of PromQL."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'

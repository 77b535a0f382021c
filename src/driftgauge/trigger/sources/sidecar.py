"""Labels, versions and quality from GET /v1/models/{model} of the sidecar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec

from driftgauge.config_file import parse_duration
from driftgauge.trigger.asking import Asker, Peer
from driftgauge.trigger.decision import Comparison, Measure
from driftgauge.trigger.sources.source import Observed, Unknown

# The numbers by which versions are compared, the first that is there; and whether more is better.
MEASURES = (("roc_auc", True), ("accuracy", True), ("mae", False))
MORE_IS_BETTER = dict(MEASURES)
_Number = float | None


class _State(msgspec.Struct):
    model_version: str
    matures_after_seconds: _Number = None


class _Quality(msgspec.Struct):
    window: str
    cohort: str
    segment: str = ""
    class_: str = msgspec.field(name="class", default="")
    samples: _Number = None
    accuracy: _Number = None
    mae: _Number = None
    roc_auc: _Number = None


class _Interval(msgspec.Struct):
    window: str
    cohort: str
    segment: str = ""
    class_: str = msgspec.field(name="class", default="")
    accuracy_low: _Number = None
    accuracy_high: _Number = None
    mae_low: _Number = None
    mae_high: _Number = None
    roc_auc_low: _Number = None
    roc_auc_high: _Number = None


class _Comparison(msgspec.Struct):
    model_version: str
    against_version: str
    window: str
    outcomes: _Number = None
    accuracy_difference: _Number = None
    accuracy_difference_low: _Number = None
    accuracy_difference_high: _Number = None
    mae_difference: _Number = None
    mae_difference_low: _Number = None
    mae_difference_high: _Number = None
    roc_auc_difference: _Number = None
    roc_auc_difference_low: _Number = None
    roc_auc_difference_high: _Number = None


class _Version(msgspec.Struct):
    state: _State
    quality: list[_Quality] = []
    classes: list[_Quality] = []
    intervals: list[_Interval] = []
    comparisons: list[_Comparison] = []


class _Model(msgspec.Struct):
    versions: list[_Version]


class _Span(msgspec.Struct):
    start: float
    seconds: float
    outcomes: float


class _History(msgspec.Struct):
    rows: list[_Span]


_Answer = TypeVar("_Answer")


class Sidecar:
    """Asks one sidecar, or the receiver that all replicas send to.

    Args:
        url: of a door that answers the observation paths.
        time_scale: the sidecar's; it tells a label delay as it would be without.
    """

    def __init__(self, asker: Asker, peer: Peer, url: str, time_scale: float = 1.0) -> None:
        self._time_scale = time_scale
        self._asker = asker
        self._peer = peer
        self._url = url.rstrip("/")

    async def labels(self, model: str, since: float) -> float:
        """See `Source`. Hours of the history that begin after *since* and the label delay are counted."""
        found = await self._get(_Model, model, "", {})
        delays = [v.state.matures_after_seconds for v in found.versions if v.state.matures_after_seconds]
        if not delays:
            raise Unknown(f"sidecar: the label delay of {model} isn't known yet (outcomes.matures_after)")
        begins = since + max(delays) / self._time_scale
        history = await self._get(_History, model, "/history", {"start": repr(begins)})
        return sum(span.outcomes for span in history.rows if span.start >= begins)

    async def observed(self, model: str, window: str) -> Observed:
        """See `Source`."""
        found = await self._get(_Model, model, "", {})
        measures = {}
        comparisons = {}
        for version in found.versions:
            measure = _measure(version, window)
            if measure is not None:
                measures[version.state.model_version] = measure
            for row, comparison in _comparisons(version.comparisons, window):
                comparisons[row.model_version, row.against_version] = comparison
        return Observed(tuple(v.state.model_version for v in found.versions), measures, comparisons)

    async def _get(self, kind: type[_Answer], model: str, below: str, query: dict[str, str]) -> _Answer:
        url = f"{self._url}/v1/models/{quote(model, safe='')}{below}"
        reply = await self._asker.ask(self._peer, "GET", url, query=query)
        if reply.status == 404:
            raise Unknown(f"sidecar: it doesn't know the model {model}")
        if not reply.ok:
            raise Unknown(f"sidecar: answered {reply.status}")
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except msgspec.MsgspecError as error:
            raise Unknown(f"sidecar: expected the form of its API, got: {error}") from None


def _measure(version: _Version, window: str) -> Measure | None:
    """The main number of quality of the whole model by arrived outcomes, with its interval."""
    rows = [
        row
        for row in (*version.classes, *version.quality)
        if row.cohort == "arrived" and not row.segment and not row.class_
    ]
    chosen = nearest([row.window for row in rows], window)
    intervals = [row for row in version.intervals if row.cohort == "arrived" and not row.segment]
    for name, _ in MEASURES:
        values = [r for r in rows if r.window == chosen and getattr(r, name) is not None]
        spans = [
            r
            for r in intervals
            if r.window == chosen and not r.class_ and getattr(r, f"{name}_low") is not None
        ]
        if values and spans:
            return Measure(
                name=name,
                value=getattr(values[0], name),
                low=getattr(spans[0], f"{name}_low"),
                high=getattr(spans[0], f"{name}_high"),
                outcomes=values[0].samples or 0.0,
                window=chosen,
            )
    return None


def _comparisons(rows: Sequence[_Comparison], window: str) -> Iterator[tuple[_Comparison, Comparison]]:
    chosen = nearest([row.window for row in rows], window)
    for row in rows:
        for name, _ in MEASURES:
            found, low, high = (getattr(row, f"{name}_difference{end}") for end in ("", "_low", "_high"))
            if row.window == chosen and None not in (found, low, high):
                outcomes = row.outcomes or 0.0
                yield row, Comparison(name, found, low, high, outcomes, chosen, "same_window")
                break


def nearest(windows: Sequence[str], wanted: str) -> str:
    """*wanted* if it is among them, else the longest; empty without any."""
    if wanted in windows:
        return wanted
    return max(windows, key=_seconds, default="")


def _seconds(window: str) -> float:
    try:
        return parse_duration(window)
    except ValueError:
        return 0.0

"""Plain sentences about what moved, from one Snapshot to the next.

A sentence is for people: it rests on effect sizes in the longest window that is covered, sooner than a
verdict, and says the numbers it rests on. What a verdict has weighed and found to be what days differ by
anyway (a weekday, in a window of one day) is not told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import hypot
from typing import Final

from driftgauge.narrate.relations import relation_sentences
from driftgauge.narrate.wording import listed
from driftgauge.snapshot import (
    BusinessValue,
    Cohort,
    Drift,
    Notice,
    Quality,
    QualityInterval,
    Snapshot,
    Value,
    VerdictState,
    VersionSnapshot,
)

# A feature has moved from a PSI of 0.25 on, since it rose above 0.1, and is back below that: between
# the two lie what chance and the seasons do to small windows.
MOVED: Final = 0.25
STEADY: Final = 0.1
# It is told again when it has moved three times as far, and far.
FURTHER: Final = 3.0
FAR: Final = 1.0
LEAST_SAMPLES: Final = 100
# Whole: a week less a day is a week without Mondays.
LEAST_COVERED: Final = 1.0 - 1e-9
# A regression's error has changed when it differs by half from what it was; a segment's accuracy when
# it fell by ten points while the whole model's moved by less than three.
ERROR_CHANGE: Final = 1.5
SEGMENT_FALL: Final = 0.10
WHOLE_STEADY: Final = 0.03
# A segment costs much when its weighed gap is this part of the whole model's value per record.
COSTLY: Final = 0.1
# And all by more than chance does: 1.5 times the reach of their 95% intervals, three standard errors,
# as they are looked at again and again. A hundred outcomes move an accuracy by ten points for no reason.
BEYOND_CHANCE: Final = 1.5
KEPT_NOTICES: Final = 200
_TRUSTED: Final = "adwin"
# What detectors found is told again when so much time has passed, in lengths of the longest window:
# on errors that remember each other they fire all the time.
QUIET_WINDOWS: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Number:
    """A number of quality and how far its 95% interval reaches, the side that reaches further."""

    value: float
    reach: float

    def apart(self, other: _Number, times: float = BEYOND_CHANCE) -> bool:
        """Whether the two differ by more than so many *times* what chance does."""
        return abs(self.value - other.value) > times * hypot(self.reach, other.reach)


@dataclass(slots=True)
class _Told:
    """What has been said of one model version.

    Attributes:
        since: when each feature or output rose above `STEADY`.
        moved: the PSI that was last told of each that moved.
        first: what a number of a window was when it was first seen, or last told.
        related: features on which the outcome depends otherwise than in the reference.
    """

    since: dict[tuple[str, str], float] = field(default_factory=dict)
    moved: dict[tuple[str, str], float] = field(default_factory=dict)
    first: dict[tuple[str, str], _Number] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)
    related: set[str] = field(default_factory=set)
    state: str = ""
    detections: dict[str, float] = field(default_factory=dict)
    detected_at: float | None = None


class Narrator:
    """Tells what is new in each Snapshot. Remembers what it said: of the versions that are there, and the
    newest `KEPT_NOTICES` sentences.
    """

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], _Told] = {}
        self.notices: tuple[Notice, ...] = ()

    def hear(self, snapshot: Snapshot) -> tuple[Notice, ...]:
        """The sentences that *snapshot* gives rise to, those of before not among them."""
        fresh = tuple(
            Notice(version.state.clock_timestamp_seconds or 0.0, version.state.model, text)
            for version in snapshot.versions
            for text in self._version(version)
        )
        self.notices = (*self.notices, *fresh)[-KEPT_NOTICES:]
        if snapshot.versions:  # none is a store that is being opened again
            there = {(v.state.model, v.state.model_version) for v in snapshot.versions}
            self._told = {key: told for key, told in self._told.items() if key in there}
        return fresh

    def _version(self, version: VersionSnapshot) -> Iterator[str]:
        key = (version.state.model, version.state.model_version)
        told = self._told.setdefault(key, _Told())
        if version.state.reference_state != told.state:
            told.state = version.state.reference_state
            yield _reference_sentence(version)
        window = _judged_window(version)
        if window is not None:
            yield from _drift(version, told, window)
            yield from _worst(version, told, window)
            yield from _quality(version, told, window)
            yield from relation_sentences(version, told.related, window)
            yield from _detections(version, told, window)


def _reference_sentence(version: VersionSnapshot) -> str:
    state = version.state
    if state.reference_samples is None:
        return f"the reference is {state.reference_state}: nothing is compared yet"
    return (
        f"the reference is {state.reference_state}: {state.reference_samples:,.0f} records, "
        f"{state.features:.0f} features"
    )


def _judged_window(version: VersionSnapshot) -> str | None:
    """The longest window with enough of its time and enough records; None while there is none."""
    good = [
        w
        for w in version.windows
        if w.cohort == Cohort.PREDICTED
        and (w.covered_ratio or 0.0) >= LEAST_COVERED
        and (w.samples or 0.0) >= LEAST_SAMPLES
    ]
    return max(good, key=lambda w: w.span_seconds or 0.0).window if good else None


def _drift(version: VersionSnapshot, told: _Told, window: str) -> Iterator[str]:
    now = version.state.clock_timestamp_seconds or 0.0
    rows = [d for d in version.drift if d.window == window and d.psi is not None]
    usual = _usual(version, window)
    movers: list[Drift] = []
    for row in rows:
        key, psi = (row.feature, row.output), row.psi or 0.0
        if psi < STEADY:
            since = told.since.pop(key, now)
            if told.moved.pop(key, None) is not None:
                yield f"{_name(row)} is back: PSI {psi:.2f} ({window} window), moved {_since(since, window)}"
            continue
        before = told.moved.get(key)
        if before is None and psi < usual.get(key, 0.0):
            told.since.pop(key, None)
            continue
        since = told.since.setdefault(key, now)
        if psi >= MOVED and before is None:
            told.moved[key] = psi
            movers.append(row)
        elif before is not None and psi >= max(FAR, FURTHER * before):
            told.moved[key] = psi
            yield f"{_name(row)} moved further: PSI {psi:.1f} {_since(since, window)} ({window} window)"
    if movers:
        yield _moved(movers, rows, told, window)


def _usual(version: VersionSnapshot, window: str) -> dict[tuple[str, str], float]:
    """The PSI from which each feature or output that was judged in *window* differs more than by chance."""
    return {
        (v.feature, v.output): v.critical_psi
        for v in version.verdicts
        if v.window == window and v.state == VerdictState.JUDGED and v.critical_psi is not None
    }


def _moved(movers: list[Drift], rows: list[Drift], told: _Told, window: str) -> str:
    """One sentence for all that moved in the same evaluation, and for what did not."""
    since = min(told.since[row.feature, row.output] for row in movers)
    steady = [_name(row) for row in rows if row.feature and (row.psi or 0.0) < STEADY]
    rest = f"; {listed(steady)} did not" if steady else ""
    if len(movers) == 1:
        said = f"{_name(movers[0])} moved: PSI {movers[0].psi:.1f} {_since(since, window)}"
    else:
        ranked = sorted(movers, key=lambda row: -(row.psi or 0.0))
        named = listed([f"{_name(row)} (PSI {row.psi:.1f})" for row in ranked])
        said = f"{named} moved {_since(since, window)}"
    return f"{said} ({window} window){rest}"


def _name(row: Drift) -> str:
    return row.feature or f"the {row.output}"


def _since(seconds: float, window: str) -> str:
    """The day; for windows shorter than one the minute."""
    form = "%Y-%m-%d" if window.endswith("d") else "%Y-%m-%d %H:%M"
    return datetime.fromtimestamp(seconds, UTC).strftime(f"since {form}")


def _quality(version: VersionSnapshot, told: _Told, window: str) -> Iterator[str]:
    rows = [
        q
        for q in version.all_quality
        if q.window == window and q.cohort == Cohort.ARRIVED and (q.samples or 0.0) >= LEAST_SAMPLES
    ]
    whole = next((q for q in rows if not q.segment), None)
    if whole is None:
        return
    intervals = {
        (row.segment, row.segment_value): row
        for row in (*version.intervals, *version.segment_intervals)
        if (row.window, row.cohort, row.class_) == (window, Cohort.ARRIVED, "")
    }
    if whole.mae is not None:
        yield from _errors(whole, intervals.get(("", "")), told, _beside(version, window))
    if whole.accuracy is not None:
        yield from _segments(whole, rows, intervals, told)


def _number(value: Value, interval: QualityInterval | None, name: str) -> _Number:
    """*value* with its reach; none where there is no interval, as of segments whose rows have none."""
    found, low, high = value or 0.0, None, None
    if interval is not None:
        low, high = getattr(interval, f"{name}_low"), getattr(interval, f"{name}_high")
    return _Number(found, _reach(found, low, high))


def _reach(value: float, low: Value, high: Value) -> float:
    """How far an interval reaches from *value*, on the side that reaches further; 0 where it has no ends."""
    return max((abs(end - value) for end in (low, high) if end is not None), default=0.0)


def _worst(version: VersionSnapshot, told: _Told, window: str) -> Iterator[str]:
    """The segment that costs most value, once it does and each time it is another one."""
    rows = {
        (r.segment, r.segment_value): r
        for r in (*version.value, *version.segment_value)
        if _judged(r, window)
    }
    whole = rows.get(("", ""))
    found = next(
        (w for w in version.worst_segments if (w.window, w.cohort) == (window, Cohort.ARRIVED)), None
    )
    if whole is None or found is None or found.value_gap is None or not whole.mean:
        return
    worst = rows.get((found.value_segment, found.value_segment_value))
    key = f"value {found.value_segment}={found.value_segment_value}"
    if worst is None or found.value_gap < COSTLY * abs(whole.mean) or not _apart(worst, whole):
        told.said = {said for said in told.said if not said.startswith("value ")}
        return
    if key not in told.said:
        told.said = {said for said in told.said if not said.startswith("value ")} | {key}
        currency = version.value_info[0].currency if version.value_info else ""
        yield (
            f"{found.value_segment}={found.value_segment_value} costs most: {worst.mean:.2f} {currency} a "
            f"record, where the whole model has {whole.mean:.2f} ({window} window)"
        )


def _apart(worst: BusinessValue, whole: BusinessValue) -> bool:
    """Whether a record of the segment is worth less than of the whole by more than chance does."""
    reach = _reach(worst.value or 0.0, worst.low, worst.high)
    of_record = _Number(worst.mean or 0.0, reach / (worst.samples or 1.0))
    return of_record.apart(_Number(whole.mean or 0.0, 0.0))


def _judged(row: BusinessValue, window: str) -> bool:
    enough = row.mean is not None and (row.samples or 0.0) >= LEAST_SAMPLES
    return row.window == window and row.cohort == Cohort.ARRIVED and enough


def _beside(version: VersionSnapshot, window: str) -> str:
    """How far the predictions have moved: whether their drift shows what happens to the quality."""
    found = [d.psi for d in version.drift if d.window == window and d.output == "prediction"]
    return "" if not found or found[0] is None else f"; the prediction's PSI is {found[0]:.2f}"


def _errors(whole: Quality, interval: QualityInterval | None, told: _Told, beside: str) -> Iterator[str]:
    window, mae = whole.window, _number(whole.mae, interval, "mae")
    first = told.first.setdefault((window, "mae"), mae)
    # Half as much again is much already: it need not be three standard errors too.
    surely = mae.apart(first, times=1.0)
    if surely and first.value and mae.value >= ERROR_CHANGE * first.value:
        told.first[window, "mae"] = mae
        yield f"MAE rose from {first.value:.1f} to {mae.value:.1f} ({window} window){beside}"
    elif surely and mae.value and first.value >= ERROR_CHANGE * mae.value:
        told.first[window, "mae"] = mae
        yield f"MAE fell from {first.value:.1f} to {mae.value:.1f} ({window} window)"
    if whole.r2 is not None:
        if whole.r2 < 0 and "r2" not in told.said:
            told.said.add("r2")
            yield (
                f"R2 fell below 0 ({whole.r2:.2f}, {window} window), the model is worse than the "
                f"outcomes' mean{beside}"
            )
        elif whole.r2 > 0.05 and "r2" in told.said:
            told.said.discard("r2")
            yield f"R2 is above 0 again ({whole.r2:.2f}, {window} window)"


def _segments(
    whole: Quality,
    rows: list[Quality],
    intervals: Mapping[tuple[str, str], QualityInterval],
    told: _Told,
) -> Iterator[str]:
    window, now = whole.window, _number(whole.accuracy, intervals.get(("", "")), "accuracy")
    start = told.first.setdefault((window, "accuracy"), now)
    for row in rows:
        if not row.segment or row.accuracy is None:
            continue
        key = f"{row.segment}={row.segment_value}"
        number = _number(row.accuracy, intervals.get((row.segment, row.segment_value)), "accuracy")
        first = told.first.setdefault((window, key), number)
        fell = first.value - number.value >= SEGMENT_FALL and number.apart(first)
        if fell and start.value - now.value < WHOLE_STEADY and key not in told.said:
            told.said.add(key)
            yield (
                f"{key} fails: accuracy {number.value:.0%} after {first.value:.0%}, while the whole "
                f"model's is {now.value:.0%} ({window} window)"
            )
    if start.value - now.value >= WHOLE_STEADY and now.apart(start) and "accuracy" not in told.said:
        told.said.add("accuracy")
        yield f"accuracy fell from {start.value:.1%} to {now.value:.1%} ({window} window)"


def _detections(version: VersionSnapshot, told: _Told, window: str) -> Iterator[str]:
    """One sentence for all detectors that fired since the last evaluation; then quiet for a window.

    Only where ADWIN is among them: every other one fires in vain now and then on a model of some traffic.

    The first count that is seen was told before a restart, or is as old as the records.
    """
    fired = [
        row
        for row in version.detectors
        if (row.detections or 0.0) > told.detections.get(row.detector, row.detections or 0.0)
    ]
    told.detections = {row.detector: row.detections or 0.0 for row in version.detectors}
    if _TRUSTED not in {row.detector for row in fired}:
        return
    last = max(row.last_detection_timestamp_seconds or 0.0 for row in fired)
    if told.detected_at is not None and last < told.detected_at + QUIET_WINDOWS * _seconds(version, window):
        return
    told.detected_at = last
    names = listed([row.detector for row in fired])
    yield f"the errors changed {_since(last, window)}, by {names}"


def _seconds(version: VersionSnapshot, window: str) -> float:
    spans = (w.span_seconds or 0.0 for w in version.windows if w.window == window)
    return max(spans, default=0.0)
